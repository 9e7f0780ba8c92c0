"""What comes in from Telegram: an update becomes an `Inbound`, or nothing. Pure, and never surprised by odd JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from telegram import Update

from bot.channels.telegram_json import boolean, integer, items, member, text
from bot.channels.telegram_media import media_of
from bot.channels.telegram_text import formatted
from bot.core.events import ChatKind, ContactCard, Inbound, InboundKind, Location, Membership
from bot.core.text import nfc

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
"""What we ask Telegram for; everything else would only be thrown away."""

Json = Mapping[str, Any]

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]+))?(?:\s+(.*))?\s*", re.DOTALL)
_CHATS = {"private": ChatKind.PRIVATE, "group": ChatKind.GROUP, "supergroup": ChatKind.GROUP}
_PRESENT = {"member", "administrator", "creator"}
_FORWARDED = ("forward_origin", "forward_date", "forward_from", "forward_from_chat")
_LAST_SECOND = 253402300799  # the year 9999


def to_inbound(
    update: Update | Json, account: str, bot_id: str, bot_username: str, now: datetime | None = None
) -> Inbound | None:
    """Messages, edits, pressed buttons, joining and leaving, upgraded groups; `None` for everything else. `now` is
    when something happened that Telegram gives no time for (a pressed button). Never raises."""
    data = update.to_dict() if isinstance(update, Update) else update
    number = integer(data, "update_id")
    if number is None:
        return None
    reader = _Reader(account, str(number), bot_id, bot_username.lower(), now or datetime.now(UTC))
    if message := member(data, "message"):
        return reader.message(message)
    if message := member(data, "edited_message"):
        return reader.edited(message)
    if query := member(data, "callback_query"):
        return reader.button(query)
    if change := member(data, "my_chat_member"):
        return reader.membership(change)
    return None


class _Reader:
    """Who we are while one update is read."""

    def __init__(self, account: str, external_id: str, bot_id: str, bot_username: str, now: datetime) -> None:
        self.account = account
        self.external_id = external_id
        self.bot_id = bot_id
        self.mention = f"@{bot_username}" if bot_username else ""
        self.now = now

    def message(self, message: Json) -> Inbound | None:
        if moved := integer(message, "migrate_to_chat_id"):
            return self._event(InboundKind.MOVED, message, moved_to=str(moved))
        sender = member(message, "from")
        if boolean(sender, "is_bot") and not member(message, "sender_chat"):
            return None
        return self._said(InboundKind.MESSAGE, message)

    def edited(self, message: Json) -> Inbound | None:
        """A live location edits itself every few seconds: nobody said anything new."""
        return None if member(message, "location") else self._said(InboundKind.EDITED, message)

    def button(self, query: Json) -> Inbound | None:
        """The message under which the button was may be too old for Telegram to show; its chat is always there."""
        message, data, answer_id = member(query, "message"), text(query, "data"), text(query, "id")
        if not data or not answer_id:
            return None
        return self._event(
            InboundKind.BUTTON,
            {"chat": member(message, "chat"), "from": member(query, "from")},
            message_id=_id(message, "message_id"),
            button=data,
            answer_id=answer_id,
        )

    def membership(self, change: Json) -> Inbound | None:
        before = _present(member(change, "old_chat_member"))
        after = _present(member(change, "new_chat_member"))
        if after is None or before == after:
            return None
        return self._event(InboundKind.MEMBERSHIP, change, membership=Membership.JOINED if after else Membership.LEFT)

    def _said(self, kind: InboundKind, message: Json) -> Inbound | None:
        media = media_of(message)
        words, entities = formatted(
            text(message, "caption") if media else text(message, "text"),
            items(message, "caption_entities" if media else "entities"),
        )
        location, card = _location(message), _card(message)
        if not (words or media or location or card):
            return None
        command, payload, for_other = self._command(words)
        return self._event(
            kind,
            message,
            text=words,
            entities=entities,
            media=media,
            album_id=text(message, "media_group_id") or None,
            location=location,
            card=card,
            forwarded=any(message.get(key) for key in _FORWARDED),
            message_id=_id(message, "message_id"),
            replies_to=_id(member(message, "reply_to_message"), "message_id"),
            command=command,
            payload=payload,
            addressed=not for_other and (command is not None or self._addressed(message)),
        )

    def _command(self, words: str) -> tuple[str | None, str, bool]:
        """The command, its payload, and whether it names another bot."""
        match = _COMMAND.fullmatch(words)
        if match is None:
            return None, "", False
        if match[2] and f"@{match[2].lower()}" != self.mention:
            return None, "", True
        return match[1].lower(), (match[3] or "").strip(), False

    def _addressed(self, message: Json) -> bool:
        if text(member(message, "chat"), "type") == "private":
            return True
        if _id(member(member(message, "reply_to_message"), "from"), "id") == self.bot_id:
            return True
        return any(
            self._names_us(text(message, words), entity)
            for words, entities in (("text", "entities"), ("caption", "caption_entities"))
            for entity in items(message, entities)
        )

    def _names_us(self, words: str, entity: Json) -> bool:
        if text(entity, "type") == "text_mention":
            return _id(member(entity, "user"), "id") == self.bot_id
        if text(entity, "type") != "mention" or not self.mention:
            return False
        start, length = integer(entity, "offset") or 0, integer(entity, "length") or 0
        units = words.encode("utf-16-le", "surrogatepass")[max(start, 0) * 2 : max(start + length, 0) * 2]
        return units.decode("utf-16-le", "replace").lower() == self.mention

    def _event(self, kind: InboundKind, source: Json, **more: Any) -> Inbound | None:
        """An event with what all have in common; `None` outside private chats and groups."""
        chat, anonymous = member(source, "chat"), member(source, "sender_chat")
        sender = {} if anonymous else member(source, "from")
        chat_id, chat_kind = _id(chat, "id"), _CHATS.get(text(chat, "type"))
        if chat_id is None or chat_kind is None:
            return None
        return Inbound(
            account=self.account,
            external_id=self.external_id,
            kind=kind,
            chat_id=chat_id,
            chat_kind=chat_kind,
            at=_moment(source) or self.now,
            sender_id=_id(sender, "id"),
            sender_name=_name(sender) or nfc(text(anonymous, "title")),
            chat_title=nfc(text(chat, "title")),
            language=text(sender, "language_code") or None,
            **more,
        )


def _id(source: Json, key: str) -> str | None:
    number = integer(source, key)
    return None if number is None else str(number)


def _name(sender: Json) -> str:
    return nfc(f"{text(sender, 'first_name')} {text(sender, 'last_name')}".strip())


def _moment(source: Json) -> datetime | None:
    seconds = integer(source, "edit_date") or integer(source, "date") or 0
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds <= _LAST_SECOND else None


def _present(who: Json) -> bool | None:
    """Whether somebody with that status is in the chat; `None` when Telegram does not say."""
    status = text(who, "status")
    if status == "restricted":
        return boolean(who, "is_member")
    return status in _PRESENT if status else None


def _location(message: Json) -> Location | None:
    venue = member(message, "venue")
    point = member(venue, "location") or member(message, "location")
    latitude, longitude = _degrees(point, "latitude", 90), _degrees(point, "longitude", 180)
    if latitude is None or longitude is None:
        return None
    return Location(latitude, longitude, nfc(text(venue, "title")) or None, nfc(text(venue, "address")) or None)


def _degrees(point: Json, key: str, most: int) -> float | None:
    value = point.get(key)
    return float(value) if isinstance(value, int | float) and -most <= value <= most else None


def _card(message: Json) -> ContactCard | None:
    card = member(message, "contact")
    phone = text(card, "phone_number")
    if not phone:
        return None
    return ContactCard(phone, nfc(text(card, "first_name")), nfc(text(card, "last_name")))
