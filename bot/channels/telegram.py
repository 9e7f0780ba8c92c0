"""Telegram: one bot as a channel, by polling or by webhook."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote, urlencode

import structlog
from telegram.error import TelegramError

from bot.channels import telegram_health as health
from bot.channels.telegram_api import TelegramApi
from bot.channels.telegram_bulk import TelegramBulk
from bot.channels.telegram_errors import already_done, translate
from bot.channels.telegram_in import ALLOWED_UPDATES, to_inbound
from bot.channels.telegram_json import text
from bot.channels.telegram_menu import CommandsMenu, MenuTexts
from bot.channels.telegram_out import MAX_ALBUM, MAX_CAPTION, MAX_TEXT, MAX_UPLOAD, to_call, to_sent
from bot.channels.telegram_poll import Backoff, Poller, pause, until_stop
from bot.channels.telegram_webhook import MAX_BODY, WebhookDoor
from bot.core.channel import MANY_BUTTONS, Capabilities, Health, Limits, Prepared, Receive, Webhook
from bot.core.clock import utc_now
from bot.core.errors import AccountStopped, BadContent, SendError, SettingsError
from bot.core.events import Inbound, Media, MediaKind, Outbound, Sent

__all__ = ["CommandsMenu", "MenuTexts", "TelegramChannel"]

log = structlog.get_logger()

MAX_CONNECTIONS = 40
_TOKEN = re.compile(r"(\d+):[A-Za-z0-9_-]+")


class TelegramChannel:
    """One bot. `rate` is messages a second, 0 for no limit of our own; `secret_key` makes the webhook's secret;
    `read_seconds` is how long an answer may take, `longest_wait` how many seconds may pass between two tries during
    an outage. Raises `SettingsError` for a token or an address that cannot be."""

    def __init__(
        self,
        token: str,
        *,
        api_url: str,
        secret_key: bytes,
        rate: float,
        commands: CommandsMenu,
        mode: Literal["polling", "webhook"] = "polling",
        public_url: str | None = None,
        clock: Callable[[], datetime] = utc_now,
        poll_timeout: float = 30,
        read_seconds: float = 30,
        longest_wait: float = 30,
    ) -> None:
        self._bot_id = _bot_id(token)
        self._account = f"telegram:{self._bot_id}"
        self._api = TelegramApi(token, api_url, read_seconds)
        self._bulk = TelegramBulk(token, api_url, read_seconds)
        self._menu = commands
        self._clock = clock
        self._poll_timeout = poll_timeout
        self._longest_wait = longest_wait
        self._rate = rate
        self._username = ""
        self._secret = _secret(secret_key, self._account)
        self._path = f"/webhook/telegram/{self._bot_id}"
        self._webhook_url = _webhook_url(public_url, self._path) if mode == "webhook" else ""
        self._door = WebhookDoor(self._account, self._secret, self._read)
        self._stopping = asyncio.Event()
        self._poller: Poller | None = None
        self._task: asyncio.Task[None] | None = None
        self._broken = False
        self._log = log.bind(account=self._account)

    @property
    def account(self) -> str:
        """`telegram:<id of the bot>`, known without asking anybody."""
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            max_text=MAX_TEXT,
            max_caption=MAX_CAPTION,
            buttons=MANY_BUTTONS,
            edit=True,
            delete=True,
            formatting=True,
            groups=True,
            album=MAX_ALBUM,
            media=frozenset(MediaKind),
            max_upload=MAX_UPLOAD,
            deep_links=True,
            limits=Limits(per_second=self._rate or None, per_chat_second=1, per_group_minute=20),
        )

    @property
    def webhook(self) -> Webhook | None:
        """Set in webhook mode."""
        return Webhook(path=self._path, max_body=MAX_BODY, accept=self._door.accept) if self._webhook_url else None

    async def start(self, receive: Receive) -> None:
        """Introduce ourselves and begin to receive; what cannot be done yet is tried again in the background, and
        dropped at a `stop`. Raises `AccountStopped` when Telegram refuses the token."""
        self._stopping.clear()
        self._door.open(receive)
        if not self._webhook_url:
            self._poller = self._new_poller(receive)
        backoff, wait = Backoff(self._longest_wait), 0.0
        try:
            await until_stop(self._stopping, self._prepare())
        except AccountStopped:
            await self._door.shut()
            raise
        except SendError as error:
            wait = self._not_ready(error, backoff)
        self._broken = False
        self._task = asyncio.create_task(self._run(backoff, wait), name=self._account)
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Stop receiving, once everything that was handed over is stored. Telegram is awaited for two seconds at
        most, to confirm that."""
        self._stopping.set()
        await self._door.shut()
        task, self._task = self._task, None
        if task is not None:
            await asyncio.wait({task})

    async def close(self) -> None:
        """Close connections."""
        await self.stop()
        await self._bulk.close()
        await self._api.close()

    async def send(self, message: Outbound) -> Sent:
        """One call of the Bot API; an edit or a deletion with nothing left to do counts as done. Raises `ValueError`
        for what no single call carries (see `to_call`)."""
        try:
            call = to_call(message)
        except OSError as error:
            raise BadContent(f"a file cannot be read: {error.strerror}") from error
        try:
            result = await self._api.call(call.method, call.fields)
        except TelegramError as error:
            if not already_done(error):
                raise translate(error) from error
            result = True
        return to_sent(message, result)

    def prepare(self, message: Outbound) -> Prepared | None:
        """For new messages whose files Telegram already has."""
        return self._bulk.prepare(message)

    async def fetch(self, media: Media) -> bytes:
        """The content of what somebody sent us, at most 20 MB. Raises one of the `SendError`s."""
        if media.file_id is None:
            raise ValueError("only what Telegram keeps can be fetched")
        try:
            return await self._api.download(media.file_id)
        except TelegramError as error:
            raise translate(error) from error

    async def check(self) -> Health:
        """Who we are and whether updates can reach us."""
        try:
            await self._introduce()
            hook = await self._facts("getWebhookInfo")
        except AccountStopped:
            return Health(False, problem=health.refused(self._account))
        except SendError as error:
            return Health(False, self._name, health.unreachable(self._api.root, error))
        rival = self._poller is not None and self._poller.rival
        problem = health.receiving(hook, self._webhook_url, self._clock(), rival=rival, broken=self._broken)
        return Health(not problem, self._name, problem)

    def link(self, payload: str) -> str | None:
        """`None` until Telegram has told us our name."""
        return f"https://t.me/{self._username}?start={payload}" if self._username else None

    def share_link(self, payload: str, text: str) -> str | None:
        """Opens Telegram's own choice of chats with the text and the link filled in."""
        link = self.link(payload)
        return link and "https://t.me/share/url?" + urlencode({"url": link, "text": text}, quote_via=quote)

    @property
    def _name(self) -> str:
        return f"@{self._username}" if self._username else ""

    def _new_poller(self, receive: Receive) -> Poller:
        return Poller(
            self._account,
            self._api.updates,
            self._read,
            receive,
            stopping=self._stopping,
            poll_timeout=self._poll_timeout,
            longest_wait=self._longest_wait,
        )

    async def _run(self, backoff: Backoff, wait: float) -> None:
        """Whatever `start` could not do, then receive until told to stop."""
        while wait and await pause(self._stopping, wait):
            try:
                if await until_stop(self._stopping, self._prepare()):
                    self._log.info("account is ready")
                wait = 0.0
            except SendError as error:
                wait = self._not_ready(error, backoff)
        if self._poller is not None and not self._stopping.is_set():
            await self._poller.run()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A fault of our own must not make an account deaf in silence."""
        self._broken = not task.cancelled() and task.exception() is not None
        if self._broken:
            self._log.error("receiving has ended by a fault", exc_info=task.exception())

    def _not_ready(self, error: SendError, backoff: Backoff) -> float:
        """Seconds until the next try; said once."""
        if not backoff.failures:
            self._log.warning("account is not ready yet", error=type(error).__name__, detail=error.detail)
        return backoff.next(error)

    async def _prepare(self) -> Literal[True]:
        """Everything before the first update; harmless to break off and to repeat."""
        await self._introduce()
        await self._choose_way_in()
        await self._publish_menu()
        return True

    async def _introduce(self) -> None:
        self._username = text(await self._facts("getMe"), "username") or self._username

    async def _choose_way_in(self) -> None:
        if not self._webhook_url:
            await self._ask("deleteWebhook", {"drop_pending_updates": False})
            return
        await self._ask(
            "setWebhook",
            {
                "url": self._webhook_url,
                "secret_token": self._secret,
                "allowed_updates": list(ALLOWED_UPDATES),
                "max_connections": MAX_CONNECTIONS,
            },
        )

    async def _publish_menu(self) -> None:
        """A menu is no reason not to work: what Telegram refuses is logged."""
        for method, fields in self._menu.calls():
            try:
                await self._ask(method, fields)
            except SendError as error:
                self._log.warning("menu could not be published", method=method, error=type(error).__name__)
                return

    async def _facts(self, method: str) -> Mapping[str, Any]:
        facts = await self._ask(method)
        return facts if isinstance(facts, dict) else {}

    async def _ask(self, method: str, fields: dict[str, Any] | None = None) -> Any:
        try:
            return await self._api.call(method, fields)
        except TelegramError as error:
            raise translate(error) from error

    def _read(self, update: Mapping[str, Any]) -> Inbound | None:
        """One update that our own code cannot read must not keep all others from being received."""
        try:
            return to_inbound(update, self._account, self._bot_id, self._username, self._clock())
        except Exception as error:
            line = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{line.name}:{line.lineno}"
            self._log.error(
                "update cannot be read", update=update.get("update_id"), error=type(error).__name__, where=where
            )
            return None


def _bot_id(token: str) -> str:
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise SettingsError(["LOASO_TELEGRAM_TOKEN is not a bot token (they look like 123456:ABC…)"])
    return match[1]


def _secret(secret_key: bytes, account: str) -> str:
    """What Telegram must show at our webhook; the same after every restart."""
    return hmac.new(secret_key, f"webhook of {account}".encode(), hashlib.sha256).hexdigest()


def _webhook_url(public_url: str | None, path: str) -> str:
    if not public_url:
        raise SettingsError(["LOASO_TELEGRAM_MODE=webhook needs LOASO_PUBLIC_URL"])
    return public_url.rstrip("/") + path
