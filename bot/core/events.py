"""What comes in and what goes out, in words that belong to no platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ChatKind(StrEnum):
    """Where something was said: between a person and the bot, or in a group."""

    PRIVATE = "private"
    GROUP = "group"


class MediaKind(StrEnum):
    """What a platform calls its attachments, reduced to what every platform has in some form."""

    PHOTO = "photo"
    VIDEO = "video"
    ANIMATION = "animation"
    VOICE = "voice"
    AUDIO = "audio"
    FILE = "file"
    VIDEO_NOTE = "video_note"
    STICKER = "sticker"


class EntityKind(StrEnum):
    """Formatting that survives a copy: names as in Telegram's MessageEntity."""

    BOLD = "bold"
    ITALIC = "italic"
    UNDERLINE = "underline"
    STRIKETHROUGH = "strikethrough"
    SPOILER = "spoiler"
    CODE = "code"
    PRE = "pre"
    BLOCKQUOTE = "blockquote"
    LINK = "text_link"


@dataclass(frozen=True, slots=True)
class Entity:
    """Formatting of a stretch of text. `offset` and `length` count UTF-16 code units, as Telegram does."""

    kind: EntityKind
    offset: int
    length: int
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """One attachment. Exactly one of `file_id` (known to one account of one platform, or an address where it gives no
    ids), `path` (a file of our own) and `content` (bytes made on the spot) is set. `size` is in bytes, where it is
    told."""

    kind: MediaKind
    file_id: str | None = None
    path: str | None = None
    content: bytes | None = None
    name: str | None = None
    mime: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A point on the map, WGS 84 degrees, with a title and an address when it is a venue."""

    latitude: float
    longitude: float
    title: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class ContactCard:
    """A business card that somebody shared: passed on as it is, never stored as a person."""

    phone: str
    first_name: str
    last_name: str = ""


class InboundKind(StrEnum):
    """What happened. `WITHDRAWN`: the person told the platform that their data be erased. `STAFF_SPOKE`: one of our
    people wrote to them in the platform's own tool."""

    MESSAGE = "message"
    BUTTON = "button"
    MEMBERSHIP = "membership"
    MOVED = "moved"
    EDITED = "edited"
    WITHDRAWN = "withdrawn"
    STAFF_SPOKE = "staff_spoke"


class Membership(StrEnum):
    """What became of the bot in a chat: `JOINED` (added or unblocked) or `LEFT` (blocked, kicked, removed)."""

    JOINED = "joined"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One thing that a person or a platform did. `account` is our account's key, `external_id` is unique within it;
    `replies_to` is the id of the message that this one answers, where the platform tells."""

    account: str
    external_id: str
    kind: InboundKind
    chat_id: str
    chat_kind: ChatKind
    at: datetime
    sender_id: str | None = None
    sender_name: str = ""
    chat_title: str = ""
    language: str | None = None
    text: str = ""
    entities: tuple[Entity, ...] = ()
    media: tuple[Media, ...] = ()
    album_id: str | None = None
    location: Location | None = None
    card: ContactCard | None = None
    forwarded: bool = False
    message_id: str | None = None
    replies_to: str | None = None
    button: str | None = None
    answer_id: str | None = None
    command: str | None = None
    payload: str = ""
    membership: Membership | None = None
    moved_to: str | None = None
    addressed: bool = True
    """In a group: whether the bot was mentioned, replied to or commanded. Always true in private."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: either `data` (comes back as `Inbound.button`, 1 to 64 bytes of UTF-8) or `url`."""

    label: str
    data: str | None = None
    url: str | None = None


Buttons = tuple[tuple[Button, ...], ...]
"""Rows of buttons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One message to one chat. With `edit` it replaces that message instead; with `answer` it only answers
    a pressed button (a toast of at most 200 characters, a dialog with `alert`); with `delete` it removes that
    message. `entities` format `text`, which is the caption when there is media. `preview` lets the platform
    show a card for a link; `group` says that the chat is a group, for the pace; `quote` is the id of the message that
    this one answers, shown above it where the platform can."""

    chat_id: str
    text: str = ""
    entities: tuple[Entity, ...] = ()
    buttons: Buttons = ()
    media: tuple[Media, ...] = ()
    location: Location | None = None
    card: ContactCard | None = None
    edit: str | None = None
    delete: str | None = None
    answer: str | None = None
    alert: bool = False
    silent: bool = False
    preview: bool = False
    group: bool = False
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What the platform said: the id of the (first) message, all ids of an album, and the ids under which
    uploaded media can be sent again by the same account."""

    message_id: str | None
    message_ids: tuple[str, ...] = ()
    file_ids: tuple[str, ...] = field(default=())
