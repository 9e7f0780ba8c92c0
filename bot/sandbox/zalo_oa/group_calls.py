"""The calls about GMF groups: each checks who may and then tells `Groups`."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.sandbox.zalo_oa.calls import Call, string, strings
from bot.sandbox.zalo_oa.contents import Reader
from bot.sandbox.zalo_oa.errors import Json, OaError, invalid
from bot.sandbox.zalo_oa.groups import Group, GroupAsset
from bot.sandbox.zalo_oa.people import OaUser

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.world import World

_MOST_INVITED = 99
_MOST_LISTED = 50


class GroupCalls:
    """Bodies of POST calls are JSON, GET calls have plain parameters."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._groups = world.groups
        self._reader = Reader(world.limits, world.uploads.check)

    def create(self, call: Call) -> Json:
        """`creategroupwithoa`: one of the first members must be an administrator of the OA."""
        self._world.require_package()
        body = call.json()
        name, asset = string(body, "group_name"), self._asset(body)
        members = self._invitable(body)
        if not any(user.oa_admin for user in members):
            raise invalid("member_user_ids")
        group = self._groups.create(name, str(body.get("group_description", "")), asset, members)
        return group.shown()

    def message(self, call: Call) -> Json:
        """`message`: free, at any hour."""
        body = call.json()
        recipient = body.get("recipient")
        if not isinstance(recipient, dict):
            raise invalid("recipient")
        group = self._enabled(recipient)
        call.entry.user_id = group.id
        message = self._groups.deliver(group, self._reader.read(body.get("message")))
        call.entry.message_id = message.id
        return {"message_id": message.id, "group_id": group.id}

    def about(self, call: Call) -> Json:
        """`getgroup`."""
        group = self._found(call.query)
        seats = {"max_member": group.asset.seats, "auto_delete_date": ""}
        asset = {"asset_type": group.asset.product, "asset_id": group.asset.id}
        validity = {"valid_through": "31/12/2027", "auto_renew": False}
        return {
            "group_info": group.shown() | seats,
            "asset_info": asset | validity,
            "group_setting": dict(group.settings),
        }

    def list(self, call: Call) -> Json:
        """`getgroupsofoa`, five at a time by default."""
        offset, count = call.number("offset", 0, 2**31), call.number("count", 5, _MOST_LISTED)
        groups = [g for g in self._groups.all.values() if not g.without_oa]
        page = [g.shown() for g in groups[offset : offset + count]]
        return {"total": len(groups), "count": len(page), "offset": offset, "groups": page}

    def members(self, call: Call) -> Json:
        """`listmember`."""
        return _people(call, self._found(call.query).members)

    def pending(self, call: Call) -> Json:
        """`listpendinginvite`: who asked to come in."""
        return _people(call, self._found(call.query).pending)

    def conversation(self, call: Call) -> builtins.list[Json]:
        """`conversation`, the newest first."""
        offset, count = call.number("offset", 0, 2**31), call.number("count", 5, _MOST_LISTED)
        return self._found(call.query).history[::-1][offset : offset + count]

    def invite(self, call: Call) -> None:
        """`invite`: who follows or interacted within seven days."""
        body = call.json()
        self._groups.add(self._enabled(body), self._invitable(body))

    def accept(self, call: Call) -> None:
        """`acceptpendinginvite`."""
        group, users = self._asking(call)
        self._groups.tell(group, "accept_request_join_group", users)
        self._groups.add(group, users)

    def reject(self, call: Call) -> None:
        """`rejectpendinginvite`."""
        group, users = self._asking(call)
        self._groups.tell(group, "reject_request_join_group", users)

    def add_admins(self, call: Call) -> None:
        """`addadmins`."""
        group, users = self._inside(call)
        group.admins |= {user.id for user in users}
        self._groups.tell(group, "add_group_admin", users)

    def remove_admins(self, call: Call) -> None:
        """`removeadmins`."""
        group, users = self._inside(call)
        group.admins -= {user.id for user in users}
        self._groups.tell(group, "remove_group_admin", users)

    def remove_members(self, call: Call) -> None:
        """`removemembers`."""
        group, users = self._inside(call)
        self._groups.remove(group, users)

    def update(self, call: Call) -> Json:
        """`updateinfo`: name, description, and what members may do."""
        body = call.json()
        group = self._enabled(body)
        group.name = str(body.get("group_name", group.name))
        group.description = str(body.get("group_description", group.description))
        group.settings |= {key: value is True for key, value in body.items() if key in group.settings}
        self._groups.tell(group, "update_group_info")
        return group.shown()

    def update_asset(self, call: Call) -> None:
        """`updateasset`: another package carries the group, which lives again by it."""
        body = call.json()
        group = self._found(body)
        group.asset.group_id, group.asset = "", self._asset(body)
        group.asset.group_id, group.disabled = group.id, False

    def delete(self, call: Call) -> None:
        """`delete`."""
        self._groups.delete(self._found(call.json()))

    def _asset(self, body: Json) -> GroupAsset:
        asset = self._groups.assets.get(string(body, "asset_id"))
        if asset is None:
            raise invalid("asset_id")
        if asset.disabled:
            raise OaError(-238, "asset_id is disabled")
        if asset.group_id:
            raise OaError(-238)
        return asset

    def _found(self, raw: Mapping[str, object]) -> Group:
        """Raises -403 for a group that is not the OA's."""
        group = self._groups.all.get(string(raw, "group_id"))
        if group is None or group.without_oa:
            raise OaError(-403)
        return group

    def _enabled(self, raw: Json) -> Group:
        group = self._found(raw)
        if group.disabled or group.asset.disabled:
            raise OaError(-237)
        return group

    def _invitable(self, body: Json) -> builtins.list[OaUser]:
        found = self._people(body)
        if not all(user.following or user.window_open for user in found):
            raise OaError(-232)
        return found

    def _inside(self, call: Call) -> tuple[Group, builtins.list[OaUser]]:
        body = call.json()
        group, users = self._enabled(body), self._people(body)
        if not all(user.id in group.members for user in users):
            raise invalid("member_user_ids")
        return group, users

    def _asking(self, call: Call) -> tuple[Group, builtins.list[OaUser]]:
        body = call.json()
        group, users = self._enabled(body), self._people(body)
        if not all(user.id in group.pending for user in users):
            raise invalid("member_user_ids")
        for user in users:
            del group.pending[user.id]
        return group, users

    def _people(self, body: Json) -> builtins.list[OaUser]:
        found = [self._world.users.get(id) for id in strings(body, "member_user_ids", _MOST_INVITED)]
        if None in found:
            raise invalid("member_user_ids")
        return [user for user in found if user is not None]


def _people(call: Call, people: dict[str, OaUser]) -> Json:
    offset, count = call.number("offset", 0, 2**31), call.number("count", 5, _MOST_LISTED)
    page = list(people.values())[offset : offset + count]
    shown = [{"user_id": u.id, "name": u.name, "avatar": f"https://s120-ava-talk.zadn.vn/{u.id}.jpg"} for u in page]
    return {"total": len(people), "count": len(page), "offset": offset, "members": shown}
