"""Groups that the Official Account makes itself (GMF): it can join no group that is already there.

Messages go out by `Outbound.group`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.channels.telegram_json import Json, integer, items, text
from bot.channels.zalo_oa_api import OaApi
from bot.core.errors import OutcomeUnknown
from bot.core.text import nfc

MAX_FIRST_MEMBERS = 99
_PAGE = 5
_MEMBERS_PAGE = 50
_MOST_PAGES = 400
_BASE = "/v3.0/oa/group"


@dataclass(frozen=True, slots=True)
class OaGroup:
    """`link` is an address by which people join."""

    id: str
    name: str
    link: str = ""
    members: int = 0
    enabled: bool = True


class Groups:
    """For one account. Everything raises `SendError`."""

    def __init__(self, api: OaApi) -> None:
        self._api = api

    async def create(self, name: str, description: str, asset_id: str, member_ids: Sequence[str]) -> OaGroup:
        """A group with the Official Account in it. `asset_id` is a paid place for it (see `assets`); of 1 to 99 members
        one must administrate the Official Account. All must follow or have written within seven days."""
        if not 1 <= len(member_ids) <= MAX_FIRST_MEMBERS:
            raise ValueError(f"a group begins with 1 to {MAX_FIRST_MEMBERS} members")
        fields = {
            "group_name": nfc(name),
            "group_description": nfc(description),
            "asset_id": asset_id,
            "member_user_ids": list(member_ids),
        }
        group = _group(await self._api.post(f"{_BASE}/creategroupwithoa", fields))
        if not group.id:
            raise OutcomeUnknown("Zalo did not say which group it made")
        return group

    async def invite(self, group_id: str, member_ids: Sequence[str]) -> None:
        await self._api.post(f"{_BASE}/invite", {"group_id": group_id, "member_user_ids": list(member_ids)})

    async def all(self) -> tuple[OaGroup, ...]:
        """Every group of the Official Account."""
        found: list[OaGroup] = []
        for page in range(_MOST_PAGES):
            answer = await self._api.get(f"{_BASE}/getgroupsofoa", {"offset": page * _PAGE, "count": _PAGE})
            groups = [_group(one) for one in _listed(answer, "groups")]
            found += [one for one in groups if one.id]
            if len(groups) < _PAGE:
                break
        return tuple(found)

    async def members(self, group_id: str) -> tuple[str, ...]:
        """The ids of the people in it."""
        found: list[str] = []
        for page in range(_MOST_PAGES):
            query = {"group_id": group_id, "offset": page * _MEMBERS_PAGE, "count": _MEMBERS_PAGE}
            listed = _listed(await self._api.get(f"{_BASE}/listmember", query), "members")
            found += [who for one in listed if (who := text(one, "user_id") or text(one, "id"))]
            if len(listed) < _MEMBERS_PAGE:
                break
        return tuple(found)

    async def assets(self, product: str = "gmf100") -> tuple[str, ...]:
        """Paid places for groups that no group uses yet; `product` is gmf10, gmf50, gmf100 or gmf1000."""
        fields = {"quota_owner": "OA", "product_type": product, "quota_type": "sub_quota"}
        listed = _listed(await self._api.post("/v3.0/oa/quota/group", fields), "assets")
        return tuple(text(one, "asset_id") for one in listed if text(one, "status") == "available")


def _listed(answer: Any, key: str) -> list[Json]:
    """A list, bare or under its name."""
    return items({key: answer} if isinstance(answer, list) else answer, key) if answer else []


def _group(answer: Any) -> OaGroup:
    found: Json = answer if isinstance(answer, dict) else {}
    return OaGroup(
        text(found, "group_id"),
        nfc(text(found, "name") or text(found, "group_name")),
        text(found, "group_link"),
        integer(found, "total_member") or 0,
        text(found, "status") in ("", "enabled"),
    )
