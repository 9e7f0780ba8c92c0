"""What comes in from a Zalo bot: an update becomes an `Inbound`, or nothing. Pure, and never surprised by odd JSON."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime

from bot.channels.telegram_json import Json, boolean, integer, member, text
from bot.core.events import ChatKind, Inbound, InboundKind, Media, MediaKind
from bot.core.text import nfc

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\S+)?(?:\s+(.*))?\s*", re.DOTALL)
_FIRST_WORD = re.compile(r"@\S+")
_CHATS = {"PRIVATE": ChatKind.PRIVATE, "GROUP": ChatKind.GROUP}
_LAST_MOMENT = 253402300799_000  # the year 9999
_LONGEST_ID = 64


def bare(body: Json) -> Json:
    """The update itself: documented within `{"ok":true,"result":…}`, seen without."""
    return member(body, "result") or body


def to_inbound(update: Json, account: str, now: datetime, names: Collection[str] = ()) -> Inbound | None:
    """Whatever a person said, with content or without; `None` for everything else, and for what carries no id by which
    a copy of it could be told. `names` are those under which the bot is mentioned in groups; while they are not known,
    a leading `@word` is taken for it. Never raises."""
    update = bare(update)
    message = member(update, "message")
    chat, sender = member(message, "chat"), member(message, "from")
    chat_id, message_id = _id(chat, "id"), _id(message, "message_id")
    chat_kind = _CHATS.get(text(chat, "chat_type"))
    said = text(update, "event_name").startswith("message.") and not boolean(sender, "is_bot")
    if not said or chat_id is None or message_id is None or chat_kind is None:
        return None
    words = nfc(text(message, "text") or text(message, "caption"))
    if chat_kind is ChatKind.GROUP:
        words = _without_mention(words, names)
    command, payload = _command(words)
    return Inbound(
        account=account,
        external_id=message_id,
        kind=InboundKind.MESSAGE,
        chat_id=chat_id,
        chat_kind=chat_kind,
        at=_moment(message) or now,
        sender_id=_id(sender, "id"),
        sender_name=nfc(text(sender, "display_name")),
        text=words,
        media=_media(message),
        message_id=message_id,
        command=command,
        payload=payload,
    )


def _id(source: Json, key: str) -> str | None:
    """Ids are strings; numbers are taken, too."""
    number = integer(source, key)
    found = text(source, key) if number is None else str(number)
    return found if 0 < len(found) <= _LONGEST_ID else None


def _moment(message: Json) -> datetime | None:
    """Dates are milliseconds."""
    milliseconds = integer(message, "date") or 0
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if 0 < milliseconds <= _LAST_MOMENT else None


def _media(message: Json) -> tuple[Media, ...]:
    """A picture is documented as `photo` and seen as `photo_url`."""
    if url := text(message, "photo_url") or text(message, "photo"):
        return (Media(MediaKind.PHOTO, file_id=url),)
    if url := text(message, "voice_url"):
        return (Media(MediaKind.VOICE, file_id=url, mime="audio/aac"),)
    if sticker := text(message, "sticker"):
        return (Media(MediaKind.STICKER, file_id=sticker),)
    return ()


def _command(words: str) -> tuple[str | None, str]:
    match = _COMMAND.fullmatch(words)
    return (match[1].lower(), (match[2] or "").strip()) if match else (None, "")


def _without_mention(words: str, names: Collection[str]) -> str:
    words = words.strip()
    if not names:
        return words[match.end() :].lstrip() if (match := _FIRST_WORD.match(words)) else words
    for name in sorted(names, key=len, reverse=True):
        mention = f"@{nfc(name)}"
        if words[: len(mention)].casefold() == mention.casefold() and not words[len(mention) :][:1].isalnum():
            return words[len(mention) :].lstrip(" ,:\n\t\u00a0")
    return words
