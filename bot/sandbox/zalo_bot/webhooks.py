"""Delivery to a webhook: a probe when it is set, then updates one after the other, wrapped or bare, some twice."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
import orjson

from bot.sandbox.zalo_bot.errors import Json, bad_parameter

if TYPE_CHECKING:
    from bot.sandbox.zalo_bot.bots import ZaloBotAccount

AGENT = "Java/1.8.0_192"
SECRET_HEADER = "X-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
SECRET_LENGTH = (8, 256)

_HINTS = {
    "webhook.ok": "Your endpoint responded successfully.",
    "webhook.http.403": (
        "Your server or CDN rejected the request with 403. Check WAF / Cloudflare rules, any IP allowlist, "
        'and that the User-Agent "Java/<version>" is permitted.'
    ),
}


@dataclass(frozen=True, slots=True)
class Hook:
    """What setWebhook saved."""

    url: str
    secret: str
    updated_at: int


def checked(url: str, secret: str, *, strict: bool) -> None:
    """Raises 400 for an address that is not public https (`strict` only), or a secret of the wrong length."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise bad_parameter("url")
    if strict and (parts.scheme == "http" or not _public(parts.hostname)):
        raise bad_parameter("url")
    if not SECRET_LENGTH[0] <= len(secret) <= SECRET_LENGTH[1]:
        raise bad_parameter("secret_token")


def _public(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return ip_address(host).is_global
    except ValueError:
        return True


class WebhookSender:
    """The webhook of one bot, if it has one. `attempts` counts deliveries tried, `delivered` those answered 2xx; an
    update that was refused `World.webhook_tries` times is lost."""

    def __init__(self, bot: ZaloBotAccount) -> None:
        self._bot = bot
        self.hook: Hook | None = None
        self.attempts = self.delivered = 0
        self._task: asyncio.Task[None] | None = None

    def set(self, hook: Hook) -> None:
        """Deliver what waits and what comes to this address."""
        self.stop()
        self.hook = hook
        self._bot.updates.wake()
        self.wake()

    def remove(self) -> None:
        """Updates wait for getUpdates again."""
        self.stop()
        self.hook = None

    def wake(self) -> None:
        """Deliver what waits, if there is a webhook."""
        if self.hook is not None and self._task is None and self._bot.world.running:
            self._task = asyncio.get_running_loop().create_task(self._drain(self.hook))

    def stop(self) -> None:
        """End the deliveries under way; what was not delivered waits."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    async def verify(self, hook: Hook) -> Json:
        """Knock once with an empty body and without the secret, and say what came of it."""
        began = time.monotonic()
        status, outcome = await self._knock(hook)
        found: Json = {
            "ok": outcome == "webhook.ok",
            "url": hook.url,
            "outcome": outcome,
            "latency_ms": round((time.monotonic() - began) * 1000),
            "hint": _HINTS.get(outcome, "Check that your endpoint can be reached and answers with 200."),
        }
        return found if status is None else {**found, "status_code": status}

    async def _knock(self, hook: Hook) -> tuple[int | None, str]:
        try:
            status = await self._post(hook, b"", {})
        except ssl.SSLError:
            return None, "webhook.err.tls"
        except aiohttp.ClientConnectorDNSError:
            return None, "webhook.err.dns"
        except TimeoutError:
            return None, "webhook.err.timeout"
        except (aiohttp.ClientError, OSError):
            return None, "webhook.err.conn"
        return status, _outcome(status)

    async def _drain(self, hook: Hook) -> None:
        waiting = self._bot.updates.waiting
        while waiting:
            await self._deliver(hook, waiting[0])
            waiting.popleft()
        self._task = None

    async def _deliver(self, hook: Hook, update: Json) -> None:
        world = self._bot.world
        for _ in range(world.webhook_tries):
            if await self._attempt(hook, update):
                break
            await asyncio.sleep(world.webhook_retry)
        if world.chance(world.oddities.duplicates):
            await self._attempt(hook, update)

    async def _attempt(self, hook: Hook, update: Json) -> bool:
        self.attempts += 1
        wrapped = self._bot.world.chance(self._bot.world.oddities.wrapped)
        body = orjson.dumps({"ok": True, "result": update} if wrapped else update)
        try:
            status = await self._post(hook, body, {SECRET_HEADER: hook.secret, "Content-Type": "application/json"})
        except (aiohttp.ClientError, OSError):
            return False
        self.delivered += _outcome(status) == "webhook.ok"
        return _outcome(status) == "webhook.ok"

    async def _post(self, hook: Hook, body: bytes, headers: dict[str, str]) -> int:
        async with self._bot.world.session.post(
            hook.url,
            data=body,
            headers={"User-Agent": AGENT, **headers},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=self._bot.world.webhook_timeout),
        ) as answer:
            await answer.read()
            return answer.status


def _outcome(status: int) -> str:
    if 200 <= status < 300:
        return "webhook.ok"
    if status in (403, 404):
        return f"webhook.http.{status}"
    return "webhook.http.5xx" if status >= 500 else "webhook.http.other"
