"""The contract between the program and a platform: three verbs, and what the platform can do as data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bot.core.errors import SendError
from bot.core.events import Inbound, Media, MediaKind, Outbound, Sent

Receive = Callable[[Inbound], Awaitable[None]]
"""Returns once the event is stored and handled; raises only when it could not even be stored."""


ON_WIRE: ContextVar[Callable[[], None] | None] = ContextVar("on_wire", default=None)
"""What a channel calls when the first byte of a message is handed to the network, if it can tell: a pace is kept by
that moment, not by the moment at which somebody decided to send. Calling it twice does no harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a platform allows one account, as documented. Rates are messages a second; `None` means no such limit.
    `per_month` counts every message that leaves in a calendar month of the people's time zone, `people` and
    `group_chats` the chats to which it may ever write."""

    per_second: float | None
    per_chat_second: float | None = None
    per_group_minute: int | None = None
    per_month: int | None = None
    people: int | None = None
    group_chats: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Where a platform lets an account write only to people from whom it has heard lately. Up to `free` after that it
    costs nothing; from then on to `closes` each message is paid, of which we allow ourselves `paid_per_month`."""

    free: timedelta
    closes: timedelta
    paid_per_month: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a channel can carry. Lengths count UTF-16 code units of the text (NFC) without markup. `buttons` is how many
    a message can have (0: none), `label` how long each may read. `places` says whether a place or a business
    card can be sent as such, `voice` which MIME types of voice (`None`: any). `upload_life` is for how long an uploaded
    file can be sent again by its id (`None`: for ever); `window` says until when somebody may be written to."""

    max_text: int
    max_caption: int
    buttons: int
    edit: bool
    delete: bool
    formatting: bool
    groups: bool
    album: int
    media: frozenset[MediaKind]
    max_upload: int
    deep_links: bool
    limits: Limits
    label: int = 64
    places: bool = True
    voice: frozenset[str] | None = None
    upload_life: timedelta | None = None
    window: Window | None = None

    @property
    def types_choices(self) -> bool:
        """Whether people answer with a number what they would press elsewhere."""
        return self.buttons < MANY_BUTTONS


MANY_BUTTONS = 100
"""So many buttons are more than we ever show."""


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What a platform's server gets back."""

    status: int
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook as data, mounted by `bot.web`: `accept` gets the lower-cased headers and the exact bytes."""

    path: str
    max_body: int
    accept: Callable[[Mapping[str, str], bytes], Awaitable[WebhookAnswer]]


Done = Callable[[str | None, SendError | None], None]
"""How a prepared message ended: the platform's id of the message, or the error. Called exactly once."""


class Prepared(Protocol):
    """A message made ready once, of which the copies for many people differ in the chat alone."""

    def send(self, chat_id: str, done: Done, on_wire: Callable[[], None] | None = None) -> None:
        """Send one copy and return at once. `done` is called exactly once, from the event loop and never from within
        this call, also when the channel is closed; `on_wire` once before it: when the first byte is handed to the
        network, or when it is known that none will be. Nothing is retried. A copy whose request was begun and whose
        answer did not come ends with `OutcomeUnknown`."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """Whether an account works. `problem` is for operators and says what to do."""

    ok: bool
    name: str = ""
    problem: str = ""


class Channel(Protocol):
    """One account on one platform."""

    @property
    def account(self) -> str:
        """The account's key, `channel:id`, for example `telegram:123456`."""
        ...

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def webhook(self) -> Webhook | None:
        """Set when the platform writes to us."""
        ...

    async def start(self, receive: Receive) -> None:
        """Begin to receive. Returns when receiving has begun; an account that the platform refuses raises
        `AccountStopped`, a platform out of reach is retried in the background."""
        ...

    async def stop(self) -> None:
        """Stop receiving; what was handed to `receive` is awaited. Sending still works until `close`."""
        ...

    async def close(self) -> None:
        """Close connections. Nothing works afterwards."""
        ...

    async def send(self, message: Outbound) -> Sent:
        """Send, edit, delete or answer once. Raises one of the `SendError`s; never retries, never waits."""
        ...

    def prepare(self, message: Outbound) -> Prepared | None:
        """A new message (its `chat_id` does not matter) made ready for many chats; `None` when it can only be sent
        one by one: uploads, edits, deletions, answers, what no single call carries. Such messages go by `send`."""
        ...

    async def fetch(self, media: Media) -> bytes:
        """The content behind a `file_id` of this account. Raises `SendError`."""
        ...

    async def check(self) -> Health:
        """Ask the platform who we are."""
        ...

    def link(self, payload: str) -> str | None:
        """An address that opens a chat with this account and hands over `payload` (1 to 64 of `A-Za-z0-9_-`);
        `None` while the account's public name is not known or the platform has no such links."""
        ...

    def share_link(self, payload: str, text: str) -> str | None:
        """An address that lets a person pass on `link(payload)` with a text to whom they choose."""
        ...
