"""Zalo's webhook: whose signature counts, what is an event, and when Zalo is told to come again."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import structlog

from bot.core.channel import Receive, WebhookAnswer
from bot.core.events import Inbound

log = structlog.get_logger()

MAX_BODY = 1024 * 1024
SIGNATURE_HEADER = "x-zevent-signature"
TIMESTAMP_HEADER = "x-zevent-timestamp"
ANSWER_WITHIN = 1.5
"""Seconds. Zalo waits for two."""

Read = Callable[[Mapping[str, Any]], Inbound | None]

_DONE = WebhookAnswer(200)
_FORGED = WebhookAnswer(403, "forbidden")
_TOO_LARGE = WebhookAnswer(413, "too large")
_NOT_AN_EVENT = WebhookAnswer(400, "not an event")
_NOT_STORED = WebhookAnswer(500, "not stored")
_NOT_LISTENING = WebhookAnswer(503, "not listening")


class WebhookDoor:
    """The webhook of one account, shut until `open`. Zalo repeats whatever is not answered with 200 in time, five times
    within two hours, and then gives up for good."""

    def __init__(
        self, account: str, app_id: str, oa_secret: str, read: Read, *, answer_within: float = ANSWER_WITHIN
    ) -> None:
        self._app_id = app_id.encode()
        self._secret = oa_secret.encode()
        self._read = read
        self._answer_within = answer_within
        self._receive: Receive | None = None
        self._inside: set[asyncio.Task[bool]] = set()
        self._log = log.bind(account=account)

    def open(self, receive: Receive) -> None:
        self._receive = receive

    async def shut(self) -> None:
        """Let nobody in any more, and wait for those who are inside."""
        self._receive = None
        while self._inside:
            await asyncio.wait(self._inside)

    async def accept(self, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """Handles one POST: `headers` in lower case, bytes that are not UTF-8 as surrogates. When Zalo's console saves
        the address, it sends an empty object without a signature and wants to hear 200."""
        if len(body) > MAX_BODY:
            return _TOO_LARGE
        signature = headers.get(SIGNATURE_HEADER, "")
        if not signature and body.strip() in (b"", b"{}"):
            return _DONE
        event = _event(body)
        if not self._is_signed(signature, body, _timestamp(event or {}) or headers.get(TIMESTAMP_HEADER, "")):
            return _FORGED
        if event is None or not isinstance(event.get("event_name"), str):
            return _NOT_AN_EVENT
        if self._receive is None:
            return _NOT_LISTENING
        return await self._take(event, self._receive)

    def _is_signed(self, signature: str, body: bytes, timestamp: str) -> bool:
        """Over the exact bytes: the same JSON written otherwise is another text."""
        signed = self._app_id + body + timestamp.encode("utf-8", "surrogateescape") + self._secret
        expected = b"mac=" + hashlib.sha256(signed).hexdigest().encode()
        return hmac.compare_digest(signature.strip().encode("utf-8", "surrogateescape"), expected)

    async def _take(self, event: Mapping[str, Any], receive: Receive) -> WebhookAnswer:
        """Storing goes on when it takes longer than Zalo waits; the repetition finds it stored."""
        inbound = self._read(event)
        if inbound is None:
            return _DONE
        task = asyncio.create_task(self._store(inbound, receive))
        self._inside.add(task)
        task.add_done_callback(self._inside.discard)
        done, _ = await asyncio.wait({task}, timeout=self._answer_within)
        if not done:
            self._log.warning("event is stored too slowly", inbound=inbound.external_id)
        return _DONE if done and task.result() else _NOT_STORED

    async def _store(self, inbound: Inbound, receive: Receive) -> bool:
        try:
            await receive(inbound)
        except Exception as error:  # by contract this means that the storage is down, whatever its exception
            self._log.error("event cannot be stored", inbound=inbound.external_id, error=type(error).__name__)
            return False
        return True


def _event(body: bytes) -> Mapping[str, Any] | None:
    try:
        event = orjson.loads(body)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _timestamp(event: Mapping[str, Any]) -> str:
    """As it stands in the body."""
    value = event.get("timestamp")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""
