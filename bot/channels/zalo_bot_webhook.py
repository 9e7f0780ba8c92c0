"""A Zalo bot's webhook: who may knock, what counts as an update, and what is answered."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping

import orjson
import structlog

from bot.channels.telegram_json import Json
from bot.channels.telegram_poll import Read
from bot.channels.zalo_bot_in import bare
from bot.channels.zalo_bot_poll import Seen
from bot.core.channel import Receive, WebhookAnswer
from bot.core.events import Inbound

log = structlog.get_logger()

PATH = "/webhook/zalo-bot"
MAX_BODY = 1024 * 1024
SECRET_HEADER = "x-bot-api-secret-token"  # noqa: S105 - the name of a header

_DONE = WebhookAnswer(200)
_FORGED = WebhookAnswer(403, "forbidden")
_TOO_LARGE = WebhookAnswer(413, "too large")
_NOT_AN_UPDATE = WebhookAnswer(400, "not an update")
_NOT_STORED = WebhookAnswer(500, "not stored")
_NOT_LISTENING = WebhookAnswer(503, "not listening")


class WebhookDoor:
    """The webhook of one account, shut until `open`. `reached` says that the platform itself has come through it."""

    def __init__(self, account: str, secret: str, read: Read, seen: Seen) -> None:
        self.reached = False
        self._secret = secret.encode()
        self._read = read
        self._seen = seen
        self._receive: Receive | None = None
        self._inside = 0
        self._empty = asyncio.Event()
        self._log = log.bind(account=account)

    def open(self, receive: Receive) -> None:
        self._receive = receive

    async def shut(self) -> None:
        """Let nobody in any more, and wait for those who are inside."""
        self._receive = None
        while self._inside:
            self._empty.clear()
            await self._empty.wait()

    async def accept(self, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """Handles one POST: `headers` in lower case, bytes that are not UTF-8 as surrogates. An empty body is how the
        platform probes, perhaps without the secret. Answers only after the update is stored."""
        if not body:
            return _DONE
        shown = headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(shown, self._secret):
            return _FORGED
        self.reached = True
        if len(body) > MAX_BODY:
            return _TOO_LARGE
        update = _update(body)
        if update is None:
            return _NOT_AN_UPDATE
        if self._receive is None:
            return _NOT_LISTENING
        inbound = self._read(update)
        if inbound is None or inbound.external_id in self._seen:
            return _DONE
        return await self._store(inbound, self._receive)

    async def _store(self, inbound: Inbound, receive: Receive) -> WebhookAnswer:
        self._inside += 1
        try:
            await receive(inbound)
        except Exception as error:  # by contract this means that the storage is down, whatever its exception
            self._log.error("update cannot be stored", update=inbound.external_id, error=type(error).__name__)
            return _NOT_STORED
        finally:
            self._inside -= 1
            self._empty.set()
        self._seen.add(inbound.external_id)
        return _DONE


def _update(body: bytes) -> Json | None:
    """Bare or wrapped; `None` for what is neither."""
    try:
        found = orjson.loads(body)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    update = bare(found)
    return update if isinstance(update.get("event_name"), str) else None
