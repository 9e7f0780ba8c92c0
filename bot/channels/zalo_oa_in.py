"""What comes in from Zalo: an event of the webhook becomes an `Inbound`, or nothing. Pure; odd JSON is no surprise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.channels.telegram_json import Json, member, text
from bot.channels.zalo_oa_media import card_of, link_of, location_of, media_of
from bot.core.events import ChatKind, Inbound, InboundKind, Membership
from bot.core.text import nfc

PRESSED = "#>"
"""What the text begins with that a pressed button makes a person send: Zalo knows no other sign of it."""

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:\s+(.*))?\s*", re.DOTALL)
_MENTION = re.compile(r"\s*\[@([^\[\]]{0,64})\]\s*")
_SAID = frozenset(("text", "image", "link", "audio", "video", "sticker", "gif", "location", "file", "business_card"))
_SHOWN = frozenset(("text", "image", "gif", "list", "file", "sticker"))
_LAST_SECOND = 253402300799  # the year 9999


def to_inbound(event: Json, account: str, now: datetime, *, oa_id: str = "", oa_name: str = "") -> Inbound | None:
    """Messages, pressed buttons, following and leaving, withdrawals, what our people wrote in Zalo's own tool; `None`
    for everything else, above all for receipts. `oa_id` and `oa_name` are who we are: to know whether a group speaks to
    us. Never raises."""
    return _Reader(event, account, now, oa_id, nfc(oa_name).casefold()).read()


class _Reader:
    """One event, and who we are."""

    def __init__(self, event: Json, account: str, now: datetime, oa_id: str, oa_name: str) -> None:
        self.event = event
        self.name = text(event, "event_name")
        self.account = account
        self.now = now
        self.names = {name for name in (oa_id, _id(event, "oa_id"), oa_name) if name}
        self.mention = f"@{oa_name}" if oa_name else ""

    def read(self) -> Inbound | None:
        known: Callable[[], Inbound | None] | None = self._lifecycle.get(self.name)
        if known is not None:
            return known()
        if self.name.startswith("user_send_group_"):
            return self._group_said() if self.name.removeprefix("user_send_group_") in _SAID else None
        if self.name.startswith("user_send_"):
            return self._said() if self.name.removeprefix("user_send_") in _SAID else None
        if self.name.startswith("oa_send_"):
            return self._staff_spoke() if self.name.removeprefix("oa_send_") in _SHOWN else None
        return None

    @property
    def _lifecycle(self) -> Mapping[str, Callable[[], Inbound | None]]:
        return {
            "follow": self._followed,
            "unfollow": lambda: self._membership(Membership.LEFT),
            "user_click_chatnow": lambda: self._membership(Membership.JOINED),
            "user_withdraw": lambda: self._of_person(InboundKind.WITHDRAWN),
            "create_group": lambda: self._group_membership(Membership.JOINED),
            "user_join_group": lambda: self._group_membership(Membership.JOINED),
            "delete_group": lambda: self._group_membership(Membership.LEFT),
        }

    def _followed(self) -> Inbound | None:
        """What a person does first: as if they had pressed a start button."""
        return self._of_person(InboundKind.MESSAGE, command="start")

    def _membership(self, membership: Membership) -> Inbound | None:
        return self._of_person(InboundKind.MEMBERSHIP, membership=membership)

    def _said(self) -> Inbound | None:
        message = member(self.event, "message")
        words, person = nfc(text(message, "text")), self._person()
        if words.startswith(PRESSED):
            return self._pressed(person, words)
        return self._message(message, person, words)

    def _pressed(self, chat_id: str, words: str, **more: Any) -> Inbound | None:
        button = words[len(PRESSED) :]
        if not button:
            return None
        return self._event(InboundKind.BUTTON, chat_id, sender_id=self._person() or None, button=button, **more)

    def _group_said(self) -> Inbound | None:
        message = member(self.event, "message")
        raw = nfc(text(message, "text"))
        words = _MENTION.sub(" ", raw).strip()  # it holds a person's number, and is no word
        if words.startswith(PRESSED):
            return self._pressed(self._group(), words, chat_kind=ChatKind.GROUP)
        addressed = self._addressed(raw, words)
        return self._message(message, self._group(), words, chat_kind=ChatKind.GROUP, addressed=addressed)

    def _addressed(self, raw: str, words: str) -> bool:
        """Whether the Official Account is named, in either of the two ways."""
        if any(found.casefold() in self.names for found in _MENTION.findall(raw)):
            return True
        return bool(self.mention) and self.mention in words.casefold()

    def _message(self, message: Json, chat_id: str, words: str, **more: Any) -> Inbound | None:
        media, location = media_of(message), location_of(message)
        card = card_of(message) if self.name.endswith("business_card") else None
        words = link_of(message, words) if self.name.endswith("_link") else words
        if not (words or media or location or card):
            return None
        command, payload = _command(words)
        return self._event(
            InboundKind.MESSAGE,
            chat_id,
            sender_id=self._person() or None,
            text=words,
            media=media,
            location=location,
            card=card,
            message_id=self._message_id(),
            replies_to=_id(message, "quote_msg_id") or None,
            command=command,
            payload=payload,
            **more,
        )

    def _staff_spoke(self) -> Inbound | None:
        """Our own messages are reported as well, without a human behind them."""
        if not _id(member(self.event, "sender"), "admin_id"):
            return None
        return self._event(InboundKind.STAFF_SPOKE, _id(member(self.event, "recipient"), "id"))

    def _of_person(self, kind: InboundKind, **more: Any) -> Inbound | None:
        person = self._person()
        return self._event(kind, person, sender_id=person, **more)

    def _group_membership(self, membership: Membership) -> Inbound | None:
        return self._event(InboundKind.MEMBERSHIP, self._group(), chat_kind=ChatKind.GROUP, membership=membership)

    def _person(self) -> str:
        """Who did it; each kind of event says so elsewhere."""
        for holder in ("sender", "follower", "user"):
            if found := _id(member(self.event, holder), "id"):
                return found
        return _id(self.event, "user_id")

    def _group(self) -> str:
        """Zalo's documents put it in different places."""
        for holder in ("group", "recipient", "message"):
            if found := _id(member(self.event, holder), "group_id"):
                return found
        return _id(self.event, "group_id") or _id(member(self.event, "group"), "id") or self._recipient_group()

    def _recipient_group(self) -> str:
        found = _id(member(self.event, "recipient"), "id")
        return "" if found in self.names or not self.name.startswith("user_send_group_") else found

    def _title(self) -> str:
        group = member(self.event, "group")
        return nfc(text(group, "name") or text(group, "group_name") or text(self.event, "group_name"))

    def _message_id(self) -> str | None:
        return _id(member(self.event, "message"), "msg_id") or None

    def _event(
        self, kind: InboundKind, chat_id: str, *, chat_kind: ChatKind = ChatKind.PRIVATE, **more: Any
    ) -> Inbound | None:
        """An event with what all have in common; `None` where nobody did anything."""
        if not chat_id:
            return None
        lifecycle = f"{self.name}:{_id(self.event, 'timestamp')}:{self._person() or chat_id}"
        return Inbound(
            account=self.account,
            external_id=self._message_id() or lifecycle,
            kind=kind,
            chat_id=chat_id,
            chat_kind=chat_kind,
            at=min(_moment(self.event) or self.now, self.now),
            chat_title=self._title() if chat_kind is ChatKind.GROUP else "",
            **more,
        )


def _command(words: str) -> tuple[str | None, str]:
    match = _COMMAND.fullmatch(words)
    return (match[1].lower(), (match[2] or "").strip()) if match else (None, "")


def _id(source: Json, key: str) -> str:
    """Ids and times are strings of digits; a number is read as well."""
    value = source.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 2**63 else ""
    return text(source, key).strip()


def _moment(event: Json) -> datetime | None:
    """`timestamp` is in milliseconds."""
    digits = _id(event, "timestamp")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= len("253402300799000")):
        return None
    seconds = int(digits) / 1000
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds <= _LAST_SECOND else None
