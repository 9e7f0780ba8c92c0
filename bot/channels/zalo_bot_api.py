"""Calls of the Zalo Bot API for one token, answers unwrapped and judged."""

from __future__ import annotations

from bot.channels.telegram_json import Json, text
from bot.channels.zalo_bot_errors import judge
from bot.channels.zalo_http import ZaloHttp
from bot.core.errors import NotSent

_NOT_FOUND = 404
_IDLE = 408


class ZaloBotApi:
    """Two pools of connections: a poll that waits for half a minute must never stand in the way of a message."""

    def __init__(self, token: str, api_url: str, read_seconds: float) -> None:
        self.root = api_url.rstrip("/")
        self._token = token
        self._read_seconds = read_seconds
        self._requests = ZaloHttp(read_seconds=read_seconds)
        self._polls = ZaloHttp(read_seconds=read_seconds, connections=2)

    async def call(self, method: str, fields: dict[str, str] | None = None) -> Json:
        """The `result`, empty where the method has none. Raises one of the `SendError`s."""
        fields = fields or {}
        status, headers, body = await self._requests.request("POST", self._address(method), json=fields)
        return judge(status, headers, body, to_chat="chat_id" in fields, token=self._token)

    async def webhook(self) -> str:
        """The address to which updates go, empty when there is none. Raises as `call` does."""
        status, headers, body = await self._requests.request("POST", self._address("getWebhookInfo"), json={})
        if status == _NOT_FOUND:  # how this platform says that there is none
            return ""
        return text(judge(status, headers, body, to_chat=False, token=self._token), "url")

    async def update(self, wait: float) -> Json | None:
        """One update, `None` when none comes within `wait` seconds. Raises as `call` does."""
        status, headers, body = await self._polls.request(
            "POST",
            self._address("getUpdates"),
            json={"timeout": str(int(wait))},
            read_seconds=self._read_seconds + wait,
        )
        if status == _IDLE:
            return None
        update = judge(status, headers, body, to_chat=False, token=self._token)
        if not update:
            raise NotSent("the answer holds no update")
        return update

    async def download(self, url: str) -> bytes:
        """A picture or a sound of at most 20 MB. Raises `NotSent` and `ContactRefused`."""
        return await self._requests.download(url)

    async def close(self) -> None:
        await self._requests.close()
        await self._polls.close()

    def _address(self, method: str) -> str:
        return f"{self.root}/bot{self._token}/{method}"
