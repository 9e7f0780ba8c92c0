"""Calls of the Official Account's API: the token in its header, Zalo's envelope opened, its refusals translated."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import orjson

from bot.channels.telegram_json import integer, text
from bot.channels.zalo_http import FilePart, ZaloHttp
from bot.channels.zalo_oa_errors import TOKEN_REFUSED, Trouble, by_status, meaning
from bot.channels.zalo_oa_tokens import TokenKeeper
from bot.core.errors import AccountStopped, SendError

Json = Mapping[str, Any]

_NUMBER = re.compile(r"-?[0-9]{1,9}")


class OaApi:
    """For one account. `url` is `https://openapi.zalo.me` or a server that speaks the same. Everything raises one of
    the `SendError`s; nothing is retried but what a renewed token may repair."""

    def __init__(self, http: ZaloHttp, url: str, tokens: TokenKeeper, clock: Callable[[], datetime]) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._tokens = tokens
        self._clock = clock

    @property
    def root(self) -> str:
        return self._url

    async def post(self, path: str, fields: Json) -> Any:
        """`data` of the answer; an empty object where there is none."""
        return await self._call("POST", path, json=fields)

    async def get(self, path: str, query: Json | None = None) -> Any:
        """The same for what only asks; `query` goes into the address as it is."""
        return await self._call("GET", path + (f"?{urlencode(query)}" if query else ""))

    async def upload(self, path: str, file: FilePart) -> Any:
        return await self._call("POST", path, multipart={"file": file})

    async def _call(self, method: str, path: str, **body: Any) -> Any:
        """A call that Zalo refused for its token was not carried out: it is repeated once with a new one."""
        token = await self._tokens.access_token()
        answer = await self._try(method, path, token, body)
        if isinstance(answer, Trouble) and answer.code in TOKEN_REFUSED:
            answer = await self._try(method, path, await self._tokens.refuse(token), body)
        if isinstance(answer, Trouble):
            raise _final(answer)
        return answer

    async def _try(self, method: str, path: str, token: str, body: Json) -> Any:
        """What Zalo gives, or what it complains of."""
        headers = {"access_token": token}
        status, told, content = await self._http.request(method, self._url + path, headers=headers, **body)
        answer = _envelope(content)
        if answer is None:
            raise by_status(status)
        code = _code(answer)
        if code:
            return Trouble(code, text(answer, "message"), told, self._clock())
        return answer.get("data") or {}


def _final(trouble: Trouble) -> SendError:
    if trouble.code in TOKEN_REFUSED:
        return AccountStopped(f"Zalo refuses even a new token ({trouble.code}): look at the application's state")
    return meaning(trouble)


def _envelope(content: bytes) -> Json | None:
    """`None` for what is not Zalo's."""
    try:
        answer = orjson.loads(content)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and _code(answer) is not None else None


def _code(answer: Json) -> int | None:
    """A number, and also one that is written as a text: 0 is success. `None` where there is none."""
    found = text(answer, "error")
    if _NUMBER.fullmatch(found):
        return int(found)
    return integer(answer, "error")
