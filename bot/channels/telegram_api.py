"""Calls of the Bot API for one token: python-telegram-bot's `Bot` over our transport, raw answers, no parsing."""

from __future__ import annotations

import logging
import re
from functools import cache
from typing import Any

from telegram import Bot
from telegram.error import InvalidToken

from bot.channels.telegram_http import AiohttpRequest, GarbledAnswer
from bot.channels.telegram_in import ALLOWED_UPDATES
from bot.core.errors import ContactRefused, Reason

logging.getLogger("telegram").setLevel(logging.WARNING)  # its debug lines hold tokens and everything people write

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class TelegramApi:
    """Two pools of connections: a poll that waits for half a minute must never stand in the way of a message."""

    def __init__(self, token: str, api_url: str, read_seconds: float) -> None:
        root = api_url.rstrip("/")
        self._root = root
        self._requests = AiohttpRequest(read_seconds=read_seconds)
        self._polls = AiohttpRequest(read_seconds=read_seconds, connections=2)
        self._read_seconds = read_seconds
        self._bot = Bot(
            token,
            base_url=f"{root}/bot",
            base_file_url=f"{root}/file/bot",
            request=self._requests,
            get_updates_request=self._polls,
        )

    @property
    def root(self) -> str:
        """The address of the Bot API server, without the token."""
        return self._root

    async def call(self, method: str, fields: dict[str, Any] | None = None) -> Any:
        """The raw `result`. Raises python-telegram-bot's errors."""
        return await self._ask(method, fields or {}, self._read_seconds)

    async def updates(self, offset: int | None, wait: float) -> list[dict[str, Any]]:
        """Raw updates from `offset` on, waiting at most `wait` seconds for the first. Raises as `call` does."""
        fields = {"offset": offset, "timeout": int(wait), "allowed_updates": list(ALLOWED_UPDATES)}
        answer = await self._ask("getUpdates", fields, self._read_seconds + wait)
        found = answer if isinstance(answer, list) else [answer]
        updates = [u for u in found if isinstance(u, dict) and isinstance(u.get("update_id"), int)]
        if found and not updates:
            raise GarbledAnswer("the answer holds no updates")
        return updates

    async def download(self, file_id: str) -> bytes:
        """A file of at most 20 MB that somebody sent. Raises as `call` does, `ContactRefused` when it is gone."""
        file = await self.call("getFile", {"file_id": file_id})
        try:
            return await self._requests.retrieve(f"{self._bot.base_file_url}/{file['file_path']}")
        except (InvalidToken, KeyError) as error:
            raise ContactRefused(Reason.NOT_FOUND, "the file is no longer there") from error

    async def _ask(self, method: str, fields: dict[str, Any], read_seconds: float) -> Any:
        try:
            return await self._bot.do_api_request(_endpoint(method), api_kwargs=fields, read_timeout=read_seconds)
        except (KeyError, TypeError) as error:  # python-telegram-bot takes the shape of an answer for granted
            raise GarbledAnswer("the answer's shape is not the Bot API's") from error

    async def close(self) -> None:
        await self._requests.shutdown()
        await self._polls.shutdown()


@cache
def _endpoint(method: str) -> str:
    """`sendMessage` as `send_Message`: python-telegram-bot turns it back into `sendMessage`. Under either of its own
    spellings it would complain, at every call, that there is a method which parses the answer."""
    return _CAPITAL.sub("_", method)
