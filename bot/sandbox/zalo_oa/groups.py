"""GMF groups: made by the OA and by nobody else, with people in them; an ordinary Zalo group never appears here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.sandbox.zalo_oa.contents import Content, Received
from bot.sandbox.zalo_oa.errors import Json, OaError, invalid
from bot.sandbox.zalo_oa.people import OaUser

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.world import World

_MENTION = re.compile(r"\[@([0-9a-f]+)\]")
_SETTINGS = {"lock_send_msg": False, "join_appr": False, "enable_msg_history": True, "enable_link_join": True}
_SPELLINGS = {
    "user_out_group": "user_leave_group",
    "accept_request_join_group": "react_request_join_group_accept",
    "reject_request_join_group": "react_request_join_group_reject",
}


@dataclass(slots=True)
class GroupAsset:
    """A package for one group. `status` is available, used or disabled."""

    id: str
    product: str
    group_id: str = ""
    disabled: bool = False

    @property
    def seats(self) -> int:
        """How many people fit."""
        return int(self.product.removeprefix("gmf"))

    def listed(self) -> Json:
        """As the quota call lists it."""
        status = "disabled" if self.disabled else "used" if self.group_id else "available"
        return {
            "product_type": self.product,
            "quota_type": "sub_quota",
            "asset_id": self.id,
            "valid_through": "31/12/2027",
            "auto_renew": False,
            "status": status,
            "used_id": self.group_id,
        }


@dataclass(slots=True)
class Group:
    """One group. `received` is what the OA wrote into it, `written` what people did, by the message's id."""

    id: str
    name: str
    description: str
    link: str
    asset: GroupAsset
    members: dict[str, OaUser] = field(default_factory=dict)
    admins: set[str] = field(default_factory=set)
    pending: dict[str, OaUser] = field(default_factory=dict)
    settings: dict[str, bool] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    history: list[Json] = field(default_factory=list)
    disabled: bool = False
    without_oa: bool = False

    def mentioned(self, message: Received) -> list[str]:
        """Whom `[@…]` in a text calls: members, or everybody by the group's own id."""
        found = _MENTION.findall(message.text)
        return [id for id in found if id == self.id or id in self.members]

    def shown(self) -> Json:
        """As it is described everywhere."""
        return {
            "group_id": self.id,
            "name": self.name,
            "avatar": "https://s120-ava-grp-talk.zadn.vn/group.jpg",
            "group_link": self.link,
            "group_description": self.description,
            "status": "disabled" if self.disabled else "enabled",
            "total_member": len(self.members),
        }


class Groups:
    """The groups of the OA. With `other_spelling` events have the names of the second source."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.all: dict[str, Group] = {}
        self.assets: dict[str, GroupAsset] = {}
        self.other_spelling = False

    def add_asset(self, product: str = "gmf100") -> GroupAsset:
        """Buy a package: gmf10, gmf50, gmf100 or gmf1000."""
        asset = GroupAsset(self._world.names.hexadecimal(), product)
        self.assets[asset.id] = asset
        return asset

    def create(self, name: str, description: str, asset: GroupAsset, members: list[OaUser]) -> Group:
        """A new group with its first members. Raises -210 where they do not fit."""
        if len(members) > asset.seats:
            raise OaError(-210)
        names = self._world.names
        link = f"https://zalo.me/g/{names.token(9).lower().replace('_', 'a').replace('-', 'b')}"
        group = Group(names.hexadecimal(), name, description, link, asset)
        group.settings = dict(_SETTINGS)
        asset.group_id = group.id
        self.all[group.id] = group
        group.members = {user.id: user for user in members}
        group.admins = {user.id for user in members if user.oa_admin}
        self.tell(group, "create_group", members)
        return group

    def add(self, group: Group, users: list[OaUser]) -> None:
        """People come in. Raises -210 where they do not fit."""
        new = [user for user in users if user.id not in group.members]
        if len(group.members) + len(new) > group.asset.seats:
            raise OaError(-210)
        group.members |= {user.id: user for user in new}
        if new:
            self.tell(group, "user_join_group", new)

    def remove(self, group: Group, users: list[OaUser]) -> None:
        """People go, or are made to. Raises -201 for somebody who is not in the group."""
        for user in users:
            if group.members.pop(user.id, None) is None:
                raise invalid("member_user_ids")
            group.admins.discard(user.id)
        self.tell(group, "user_out_group", users)

    def delete(self, group: Group) -> None:
        """The group is gone, its package free again."""
        del self.all[group.id]
        group.asset.group_id = ""
        self.tell(group, "delete_group")

    def deliver(self, group: Group, content: Content) -> Received:
        """The OA writes."""
        message = Received(self._world.names.hexadecimal(), content, self._world.clock(), "group")
        group.received.append(message)
        self._remember(group, message.id, message.text, self._world.oa_id)
        shown = {"msg_id": message.id, "text": message.text}
        self._message(f"oa_send_group_{content.kind}", self._world.oa_id, group, shown)
        return message

    # What people do

    def join(self, group: Group, user: OaUser) -> bool:
        """Open the group's link: in at once, or a request where an administrator must agree (`False`)."""
        if group.settings["join_appr"]:
            group.pending[user.id] = user
            self.tell(group, "user_request_join_group", [user])
            return False
        self.add(group, [user])
        return True

    def leave(self, group: Group, user: OaUser) -> None:
        """Leave."""
        self.remove(group, [user])

    def write(self, group: Group, user: OaUser, text: str) -> str:
        """Write a text into the group: no window of theirs opens by it. Returns the message's id."""
        if user.id not in group.members:
            raise LookupError("not a member")
        id = self._world.names.hexadecimal()
        group.written[id] = text
        self._remember(group, id, text, user.id)
        self._message("user_send_group_text", user.id, group, {"msg_id": id, "text": text})
        return id

    def tell(self, group: Group, name: str, users: list[OaUser] | None = None) -> None:
        """An event about the group."""
        name = _SPELLINGS.get(name, name) if self.other_spelling else name
        more: Json = {"users": [{"id": user.id} for user in users]} if users is not None else {}
        event = self._world.shapes.event(name, oa_id=self._world.oa_id, group_id=group.id, **more)
        self._world.webhook.emit(event, group.id)
        self._world.changed(name)

    def _message(self, name: str, sender: str, group: Group, message: Json) -> None:
        ends: Json = {"sender": {"id": sender}, "recipient": {"id": group.id}}
        event = self._world.shapes.event(name, oa_id=self._world.oa_id, message=message, **ends)
        self._world.webhook.emit(event, group.id)
        self._world.changed(name)

    def _remember(self, group: Group, id: str, text: str, sender: str) -> None:
        line = {"src": 0 if sender == self._world.oa_id else 1, "from_id": sender, "group_id": group.id}
        what = {"time": int(self._world.milliseconds()), "type": "text", "message": text, "message_id": id}
        group.history.append(line | what)
