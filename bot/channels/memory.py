"""A channel without a platform: what is sent is kept in a list, for tests of conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from bot.core.channel import MANY_BUTTONS, Capabilities, Done, Health, Limits, Prepared, Receive, Webhook
from bot.core.errors import SendError
from bot.core.events import Media, MediaKind, Outbound, Sent

LIKE_TELEGRAM = Capabilities(
    max_text=4096,
    max_caption=1024,
    buttons=MANY_BUTTONS,
    edit=True,
    delete=True,
    formatting=True,
    groups=True,
    album=10,
    media=frozenset(MediaKind),
    max_upload=50 * 1024 * 1024,
    deep_links=True,
    limits=Limits(per_second=None),
)


class MemoryChannel:
    """`fail` may raise a `SendError` for a message, as a platform would."""

    def __init__(self, account: str, capabilities: Capabilities = LIKE_TELEGRAM) -> None:
        self._account = account
        self._capabilities = capabilities
        self.sent: list[Outbound] = []
        self.fail: Callable[[Outbound], None] = lambda _message: None
        self.receive: Receive | None = None

    @property
    def account(self) -> str:
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def webhook(self) -> Webhook | None:
        return None

    async def start(self, receive: Receive) -> None:
        self.receive = receive

    async def stop(self) -> None:
        self.receive = None

    async def close(self) -> None:
        self.sent = list(self.sent)

    async def send(self, message: Outbound) -> Sent:
        return self.deliver(message)

    def deliver(self, message: Outbound) -> Sent:
        """`send`, for those who cannot wait."""
        self.fail(message)
        self.sent.append(message)
        number = message.edit or str(len(self.sent))
        return Sent(number, (number,), tuple(m.file_id or f"file-{number}" for m in message.media))

    def prepare(self, message: Outbound) -> Prepared | None:
        """`None` for what Telegram would not take so either."""
        changes = (message.edit, message.delete, message.answer)
        known = all(media.file_id is not None for media in message.media)
        return _Prepared(self, message) if known and changes == (None, None, None) else None

    async def fetch(self, media: Media) -> bytes:
        return b"content of " + (media.file_id or "").encode()

    async def check(self) -> Health:
        return Health(ok=True, name="memory")

    def link(self, payload: str) -> str | None:
        return f"https://example.invalid/{self._account.replace(':', '-')}?start={payload}"

    def share_link(self, payload: str, text: str) -> str | None:
        return f"{self.link(payload)}&share={len(text)}"


class _Prepared:
    def __init__(self, channel: MemoryChannel, message: Outbound) -> None:
        self._channel = channel
        self._message = message

    def send(self, chat_id: str, done: Done, on_wire: Callable[[], None] | None = None) -> None:
        """Delivered at once, said a moment later."""
        if on_wire is not None:
            on_wire()
        asyncio.get_running_loop().call_soon(done, *self._deliver(chat_id))

    def _deliver(self, chat_id: str) -> tuple[str | None, SendError | None]:
        try:
            return self._channel.deliver(replace(self._message, chat_id=chat_id)).message_id, None
        except SendError as error:
            return None, error
