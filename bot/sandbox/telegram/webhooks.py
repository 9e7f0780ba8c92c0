"""Delivery to a webhook: conversations in order, several at once, retries that double, calls in the answer."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
import orjson

from bot.sandbox.telegram.errors import Json
from bot.sandbox.telegram.updates import Update

if TYPE_CHECKING:
    from bot.sandbox.telegram.bots import BotAccount

_NOT_IN_ANSWERS = ("get", "setwebhook", "deletewebhook", "close", "logout")
_MAX_RETRY_AFTER = 3600.0


@dataclass(slots=True, kw_only=True)
class Hook:
    """What setWebhook registered."""

    url: str
    secret: str = ""
    max_connections: int = 40
    has_certificate: bool = False
    ip_address: str = ""
    last_error_at: int = 0
    last_error: str = ""
    gone_since: float | None = None


@dataclass(slots=True)
class _Lane:
    """The waiting updates of one conversation and the task that delivers them."""

    waiting: deque[Update] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None


class WebhookSender:
    """The webhook of one bot, if it has one. `delivered` and `attempts` count."""

    def __init__(self, bot: BotAccount) -> None:
        self._bot = bot
        self.hook: Hook | None = None
        self.set_at = float("-inf")
        self.delivered = 0
        self.attempts = 0
        self._lanes: dict[int, _Lane] = {}
        self._slots = asyncio.Semaphore(40)
        bot.updates.listeners.append(self._on_update)

    def set(self, hook: Hook) -> None:
        """Deliver everything that waits, and what comes, to a new address."""
        self.stop()
        self.hook = hook
        self._slots = asyncio.Semaphore(hook.max_connections)
        for update in self._bot.updates.pending():
            self._on_update(update)

    def remove(self) -> None:
        """Updates wait for getUpdates again."""
        self.stop()
        self.hook = None

    def stop(self) -> None:
        """End the deliveries under way."""
        lanes, self._lanes = self._lanes, {}
        for lane in lanes.values():
            if lane.task is not None and lane.task is not _current():
                lane.task.cancel()

    def resume(self) -> None:
        """Take up deliveries again after `stop`."""
        if self.hook is not None:
            self.set(self.hook)

    def info(self) -> Json:
        """The answer of getWebhookInfo."""
        hook = self.hook
        queue = self._bot.updates
        found: Json = {
            "url": hook.url if hook else "",
            "has_custom_certificate": bool(hook and hook.has_certificate),
            "pending_update_count": len(queue),
        }
        if hook:
            found["max_connections"] = hook.max_connections
            if hook.ip_address:
                found["ip_address"] = hook.ip_address
            if hook.last_error:
                found |= {"last_error_date": hook.last_error_at, "last_error_message": hook.last_error}
        if queue.allowed is not None:
            found["allowed_updates"] = sorted(queue.allowed)
        return found

    def _on_update(self, update: Update) -> None:
        if self.hook is None or not self._bot.server.running:
            return
        lane = self._lanes.setdefault(update.key, _Lane())
        lane.waiting.append(update)
        if lane.task is None:
            lane.task = asyncio.get_running_loop().create_task(self._drain(update.key, lane, self.hook))

    async def _drain(self, key: int, lane: _Lane, hook: Hook) -> None:
        while lane.waiting:
            await self._deliver(lane.waiting.popleft(), hook)
        if self._lanes.get(key) is lane:
            del self._lanes[key]

    async def _deliver(self, update: Update, hook: Hook) -> None:
        timing = self._bot.server.timing
        delay = timing.webhook_retry
        queue = self._bot.updates
        while queue.has(update.id) and self.hook is hook:
            if self._bot.server.clock() - update.at > timing.update_lifetime:
                queue.confirm(update.id)
                return
            async with self._slots:
                wait = await self._attempt(update, hook)
            if wait is None:
                return
            await asyncio.sleep(wait or delay)
            delay = min(delay * 2, timing.webhook_retry_max)

    async def _attempt(self, update: Update, hook: Hook) -> float | None:
        """`None` when done, else seconds that the receiver asked us to wait (0: nothing asked)."""
        self.attempts += 1
        headers = {"Content-Type": "application/json"}
        if hook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = hook.secret
        server = self._bot.server
        try:
            async with server.session.post(
                hook.url,
                data=orjson.dumps(update.json),
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=server.timing.webhook_timeout),
            ) as answer:
                body = await answer.read()
        except TimeoutError:
            return self._failed(hook, "Read timeout expired")
        except aiohttp.ClientConnectorError:
            return self._failed(hook, "Connection refused")
        except aiohttp.ClientError:
            return self._failed(hook, "Connection closed")
        if 200 <= answer.status < 300:
            hook.gone_since = None
            self.delivered += 1
            self._bot.updates.confirm(update.id)
            await self._call_in_answer(body)
            return None
        self._failed(hook, f"Wrong response from the webhook: {answer.status} {answer.reason}")
        if self._gone(hook, answer.status):
            return None
        return _retry_after(answer.headers.get("Retry-After", ""))

    def _failed(self, hook: Hook, words: str) -> float:
        hook.last_error = words
        hook.last_error_at = int(self._bot.server.clock())
        return 0.0

    def _gone(self, hook: Hook, status: int) -> bool:
        """Remove the webhook once it has answered 410 for long enough."""
        now = self._bot.server.clock()
        if status != 410:
            hook.gone_since = None
            return False
        hook.gone_since = hook.gone_since if hook.gone_since is not None else now
        if now - hook.gone_since > self._bot.server.timing.webhook_gone:
            self.remove()
            return True
        return False

    async def _call_in_answer(self, body: bytes) -> None:
        try:
            call = orjson.loads(body)
        except orjson.JSONDecodeError:
            return
        method = call.pop("method", None) if isinstance(call, dict) else None
        if isinstance(method, str) and not method.lower().startswith(_NOT_IN_ANSWERS):
            await self._bot.call(method, call)


def _retry_after(value: str) -> float:
    return min(float(value), _MAX_RETRY_AFTER) if value.isdigit() else 0.0


def _current() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
