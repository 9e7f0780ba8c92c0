"""Zalo Bot: one bot as a channel, by polling or by webhook."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

import structlog

from bot.channels import zalo_bot_health as health
from bot.channels.telegram_json import Json, boolean, member, text
from bot.channels.telegram_poll import Backoff, pause, until_stop
from bot.channels.zalo_bot_api import ZaloBotApi
from bot.channels.zalo_bot_in import to_inbound
from bot.channels.zalo_bot_out import (
    MAX_CAPTION,
    MAX_TEXT,
    MAX_UPLOAD,
    Publish,
    content_of,
    mime_of,
    published,
    to_call,
    to_sent,
    unpublished,
)
from bot.channels.zalo_bot_poll import Poller, Seen
from bot.channels.zalo_bot_webhook import MAX_BODY, PATH, WebhookDoor
from bot.core.channel import Capabilities, Health, Limits, Prepared, Receive, Webhook
from bot.core.clock import utc_now
from bot.core.errors import AccountStopped, ContactRefused, NotSent, Reason, SendError, SettingsError
from bot.core.events import Inbound, Media, MediaKind, Outbound, Sent

__all__ = ["Publish", "ZaloBotChannel"]

log = structlog.get_logger()

PACE = Limits(per_second=5, per_chat_second=1)
"""The platform publishes no rates; these are careful."""

PUBLISHED_LIFE = timedelta(days=6)
_TOKEN = re.compile(r"(\d+):[\w.~-]+", re.ASCII)


class ZaloBotChannel:
    """One bot. `monthly`, `people` and `groups` are what its plan allows; `secret_key` makes the webhook's secret;
    `poll_floor` is how many seconds pass at least between two polls, `read_seconds` how long an answer may take,
    `longest_wait` how many seconds may pass between two tries during an outage. Without `publish` only files with an
    address can be sent. Raises `SettingsError` for a token or an address that cannot be."""

    def __init__(
        self,
        token: str,
        *,
        api_url: str,
        secret_key: bytes,
        mode: Literal["polling", "webhook"] = "polling",
        public_url: str | None = None,
        monthly: int = 3000,
        people: int = 50,
        groups: int = 3,
        clock: Callable[[], datetime] = utc_now,
        poll_timeout: float = 30,
        poll_floor: float = 1.0,
        read_seconds: float = 30,
        longest_wait: float = 30,
        publish: Publish | None = None,
    ) -> None:
        self._account = f"zalo_bot:{_bot_id(token)}"
        self._api = ZaloBotApi(token, api_url, read_seconds)
        self._limits = replace(PACE, per_month=monthly, people=people, group_chats=groups)
        self._clock = clock
        self._poll_timeout = poll_timeout
        self._poll_floor = poll_floor
        self._longest_wait = longest_wait
        self._publish = publish
        self._names: tuple[str, ...] = ()
        self._hint = ""
        self._secret = _secret(secret_key, self._account)
        self._webhook_url = _webhook_url(public_url) if mode == "webhook" else ""
        self._seen = Seen()
        self._door = WebhookDoor(self._account, self._secret, self._read, self._seen)
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._broken = False
        self._log = log.bind(account=self._account)

    @property
    def account(self) -> str:
        """`zalo_bot:<the number in the token>`, known without asking anybody."""
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            max_text=MAX_TEXT,
            max_caption=MAX_CAPTION,
            buttons=0,
            edit=False,
            delete=False,
            formatting=False,
            groups=True,
            album=1,
            media=frozenset({MediaKind.PHOTO, MediaKind.STICKER, MediaKind.VOICE}),
            max_upload=MAX_UPLOAD,
            deep_links=False,
            limits=self._limits,
            places=False,
            voice=frozenset({"audio/aac"}),
            upload_life=PUBLISHED_LIFE,
        )

    @property
    def webhook(self) -> Webhook | None:
        """Set in webhook mode."""
        return Webhook(path=PATH, max_body=MAX_BODY, accept=self._door.accept) if self._webhook_url else None

    async def start(self, receive: Receive) -> None:
        """Learn our name and begin to receive; what cannot be done yet is tried again in the background, and dropped
        at a `stop`. Raises `AccountStopped` when Zalo refuses the token."""
        self._stopping.clear()
        self._door.open(receive)
        backoff, wait = Backoff(self._longest_wait), 0.0
        try:
            await until_stop(self._stopping, self._get_ready())
        except AccountStopped:
            await self._door.shut()
            raise
        except SendError as error:
            wait = self._not_ready(error, backoff)
        self._broken = False
        self._task = asyncio.create_task(self._run(receive, backoff, wait), name=self._account)
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Stop receiving, once everything that was handed over is stored."""
        self._stopping.set()
        await self._door.shut()
        task, self._task = self._task, None
        if task is not None:
            await asyncio.wait({task})

    async def close(self) -> None:
        """Close connections."""
        await self.stop()
        await self._api.close()

    async def send(self, message: Outbound) -> Sent:
        """One call of the Bot API, after a file of our own was published; an answer to a button is nothing to send.
        Raises `ValueError` for what no single call carries (see `to_call`)."""
        if message.answer is not None:
            return Sent(None)
        waiting = unpublished(message)
        if waiting is not None:
            message = published(message, waiting, await self._address_of(waiting))
        call = to_call(message)
        return to_sent(message, await self._api.call(call.method, call.fields))

    def prepare(self, message: Outbound) -> Prepared | None:
        """Nothing: at this platform's pace messages are sent one by one."""
        return None

    async def fetch(self, media: Media) -> bytes:
        """The content of what somebody sent us, at most 20 MB. Raises `NotSent` or `ContactRefused`."""
        if media.file_id is None:
            raise ValueError("only what has an address can be fetched")
        return await self._api.download(media.file_id)

    async def check(self) -> Health:
        """Who we are and whether updates can reach us."""
        try:
            await self._introduce()
            set_to = await self._api.webhook()
        except AccountStopped:
            return Health(False, problem=health.refused(self._account))
        except SendError as error:
            return Health(False, self._name, health.unreachable(self._api.root, error))
        hint = "" if self._door.reached else self._hint
        problem = health.receiving(set_to, self._webhook_url, hint, broken=self._broken)
        return Health(not problem, self._name, problem)

    def link(self, payload: str) -> str | None:
        """The platform has no such links."""
        return None

    def share_link(self, payload: str, text: str) -> str | None:
        """The platform has no such links."""
        return None

    @property
    def _name(self) -> str:
        return self._names[0] if self._names else ""

    async def _address_of(self, media: Media) -> str:
        """Publish a file of our own. Raises `ContactRefused` when nobody does that here."""
        if self._publish is None:
            raise ContactRefused(
                Reason.BAD_CONTENT, "a Zalo bot sends files by their public address: set LOASO_PUBLIC_URL"
            )
        try:
            return await self._publish(content_of(media), mime_of(media))
        except OSError as error:
            raise NotSent(f"the file cannot be published: {error.strerror}") from error

    async def _run(self, receive: Receive, backoff: Backoff, wait: float) -> None:
        """Whatever `start` could not do, then receive until told to stop."""
        while wait and await pause(self._stopping, wait):
            try:
                if await until_stop(self._stopping, self._get_ready()):
                    self._log.info("account is ready")
                wait = 0.0
            except SendError as error:
                wait = self._not_ready(error, backoff)
        if not self._webhook_url and not self._stopping.is_set():
            await self._new_poller(receive).run()

    def _new_poller(self, receive: Receive) -> Poller:
        return Poller(
            self._account,
            self._api.update,
            self._read,
            receive,
            self._choose_way_in,
            seen=self._seen,
            stopping=self._stopping,
            timeout=self._poll_timeout,
            floor=self._poll_floor,
            longest_wait=self._longest_wait,
        )

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

    async def _get_ready(self) -> Literal[True]:
        """Everything before the first update; harmless to break off and to repeat."""
        await self._introduce()
        await self._choose_way_in()
        return True

    async def _introduce(self) -> None:
        facts = await self._api.call("getMe")
        names = (text(facts, "display_name"), text(facts, "account_name"))
        self._names = tuple(name for name in names if name)

    async def _choose_way_in(self) -> None:
        """The platform saves our address even when it cannot reach it, and says why."""
        if not self._webhook_url:
            await self._api.call("deleteWebhook")
            return
        result = await self._api.call("setWebhook", {"url": self._webhook_url, "secret_token": self._secret})
        verification = member(result, "verification")
        failed = bool(verification) and not boolean(verification, "ok")
        self._hint = (text(verification, "hint") or text(verification, "outcome") or "no reason given") * failed
        if failed:
            self._log.warning("Zalo cannot reach our webhook", outcome=text(verification, "outcome"), hint=self._hint)

    def _read(self, update: Json) -> Inbound | None:
        """One update that our own code cannot read must not keep all others from being received."""
        try:
            return to_inbound(update, self._account, self._clock(), self._names)
        except Exception as error:
            line = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{line.name}:{line.lineno}"
            self._log.error("update cannot be read", error=type(error).__name__, where=where)
            return None


def _bot_id(token: str) -> str:
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise SettingsError(["LOASO_ZALO_BOT_TOKEN is not a bot token (they look like 12345689:abc-xyz)"])
    return match[1]


def _secret(secret_key: bytes, account: str) -> str:
    """What Zalo must show at our webhook; the same after every restart."""
    return hmac.new(secret_key, f"webhook of {account}".encode(), hashlib.sha256).hexdigest()


def _webhook_url(public_url: str | None) -> str:
    if not public_url:
        raise SettingsError(["LOASO_ZALO_BOT_MODE=webhook needs LOASO_PUBLIC_URL"])
    return public_url.rstrip("/") + PATH
