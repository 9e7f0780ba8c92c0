"""Labels that Zalo's own tool shows beside a follower: which commune somebody belongs to, for those at the desk."""

from __future__ import annotations

from bot.channels.zalo_oa_api import OaApi


class Labels:
    """For one account. Everything raises `SendError`."""

    def __init__(self, api: OaApi) -> None:
        self._api = api

    async def tag(self, user_id: str, name: str) -> None:
        """A label that does not exist yet is made."""
        await self._api.post("/v2.0/oa/tag/tagfollower", _fields(user_id, name))

    async def untag(self, user_id: str, name: str) -> None:
        await self._api.post("/v2.0/oa/tag/rmfollowerfromtag", _fields(user_id, name))

    async def names(self) -> tuple[str, ...]:
        """All labels that there are."""
        found = await self._api.get("/v2.0/oa/tag/gettagsofoa")
        return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def _fields(user_id: str, name: str) -> dict[str, object]:
    """Only here Zalo documents the id as a number."""
    return {"user_id": int(user_id) if user_id.isdecimal() else user_id, "tag_name": name}
