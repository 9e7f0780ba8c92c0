"""Consulting messages: who may be written to, what it costs, and the events that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.zalo_oa.calls import Call, string
from bot.sandbox.zalo_oa.contents import Content, Reader, Received
from bot.sandbox.zalo_oa.errors import Json, OaError, invalid
from bot.sandbox.zalo_oa.people import OaUser

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.world import World

ICONS = (":>", "--b", ":-((", "/-strong", "/-heart", ":-h", ":o", "/-remove")

_SENT_EVENTS = {
    "text": "oa_send_text",
    "image": "oa_send_image",
    "gif": "oa_send_gif",
    "sticker": "oa_send_sticker",
    "file": "oa_send_file",
    "list": "oa_send_list",
}


class Sending:
    """Everything that puts a message before one person."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._reader = Reader(world.limits, world.uploads.check)
        self.receipts = True

    def consult(self, call: Call) -> Json:
        """`POST /v3.0/oa/message/cs`."""
        self._world.require_package()
        body = call.json()
        user = self._recipient(body.get("recipient"))
        call.entry.user_id = user.id
        content = self._reader.read(body.get("message"))
        self._check_quote(user, content)
        billed = self._may_write(user)
        if billed:
            self._world.use("paid messages", self._world.limits.paid_messages)
        message = self._deliver(user, content, billed=billed)
        call.entry.message_id, call.entry.billed = message.id, billed
        found = {"message_id": message.id, "user_id": user.id, "sent_time": self._world.milliseconds()}
        return found | ({"quota": self._quota(billed=billed)} if self._world.with_quota else {})

    def react(self, call: Call, body: Json) -> Json:
        """`POST /v2.0/oa/message` with a `sender_action`: a reaction to what somebody wrote."""
        user = self._recipient(body.get("recipient"))
        action = body["sender_action"]
        if not isinstance(action, dict) or action.get("react_icon") not in ICONS:
            raise invalid("react_icon")
        message_id = string(action, "react_message_id")
        if message_id not in user.written:
            raise invalid("react_message_id")
        found = self._world.reactions.setdefault(message_id, [])
        if action["react_icon"] == "/-remove":
            found.clear()
        elif len(found) >= self._world.limits.reactions:
            raise OaError(-210)
        else:
            found.append(action["react_icon"])
        call.entry.user_id = user.id
        return {"message_id": message_id, "user_id": user.id}

    def agent(self, user: OaUser, text: str, admin_id: str) -> Received:
        """A human answers in OA Manager: no window, no bill."""
        message = Received(self._world.names.hexadecimal(), Content("text", text), self._world.clock(), "agent")
        user.take(message)
        shown = {"msg_id": message.id, "text": text}
        event = self._world.shapes.to_user(user, "oa_send_text", admin_id=admin_id, message=shown)
        self._world.webhook.emit(event, user.id)
        self._world.changed("oa_send_text", user)
        return message

    def _recipient(self, recipient: object) -> OaUser:
        """By `user_id`, or the older way by the id of a message that the person wrote."""
        if not isinstance(recipient, dict):
            raise invalid("recipient")
        if "message_id" in recipient and "user_id" not in recipient:
            id = string(recipient, "message_id")
            found = next((u for u in self._world.users.values() if id in u.written), None)
        else:
            found = self._world.users.get(string(recipient, "user_id"))
        if found is None:
            raise invalid("message_id" if "user_id" not in recipient else "user_id")
        return found

    def _check_quote(self, user: OaUser, content: Content) -> None:
        id = content.quote_id
        if id and id not in user.written and all(m.id != id for m in user.received):
            raise invalid("quote_message_id")

    def _may_write(self, user: OaUser) -> bool:
        """Whether it would be billed. Raises -227, -244, -232, -230."""
        if user.inactive:
            raise OaError(-227)
        if user.blocked or user.restricted:
            raise OaError(-244)
        if user.last_interaction is None:
            raise OaError(-232)
        age = self._world.clock() - user.last_interaction
        if age > self._world.limits.window:
            raise OaError(-230)
        return age > self._world.limits.free_window

    def _deliver(self, user: OaUser, content: Content, *, billed: bool) -> Received:
        message = Received(self._world.names.hexadecimal(), content, self._world.clock(), "cs", billed)
        user.take(message)
        self._report(user, message)
        self._world.changed("message", user)
        return message

    def _report(self, user: OaUser, message: Received) -> None:
        """`oa_send_*`, then the receipt of the person's device (unless `receipts` is off)."""
        world = self._world
        name = _SENT_EVENTS.get(message.kind)
        if name is not None:
            shown: Json = {"msg_id": message.id}
            if message.text:
                shown["text"] = message.text
            if message.attachment is not None:
                shown["attachments"] = [message.attachment]
            world.webhook.emit(world.shapes.to_user(user, name, message=shown), user.id)
        if self.receipts:
            receipt = world.shapes.to_user(user, "user_received_message", message={"msg_id": message.id})
            world.webhook.emit(receipt, user.id)

    def _quota(self, *, billed: bool) -> Json:
        """The two forms that were captured; numbers are strings."""
        if not billed:
            return {"quota_type": "reply", "remain": "8", "total": "8"}
        total = self._world.limits.paid_messages
        return {
            "quota_type": "sub_quota",
            "remain": str(total - self._world.used("paid messages")),
            "total": str(total),
            "expired_date": self._world.local().strftime("%d/%m/%Y"),
            "owner_type": "OA",
            "owner_id": self._world.oa_id,
        }
