"""How requests travel to Telegram: a transport over aiohttp that tells "never left" from "perhaps arrived"."""

from __future__ import annotations

import io
import json
import re
from functools import lru_cache
from typing import Any, cast

import aiohttp
import orjson
from telegram.error import BadRequest, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData
from yarl import URL

from bot.channels.requests import FILE_SECONDS, NEVER, WRITE_SECONDS, Noting, proxied, reason_of, timeout_of

_JSON_HEADERS = {"Content-Type": "application/json"}
_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{8,}|/bot[^/\s]+")
_SAYS_WHEN = re.compile(rb"retry[ _]after", re.IGNORECASE)
_TOO_MANY = 429
_ORDINARY = 2  # members of an answer that says ok and its result
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class NotWritten(NetworkError):
    """Not one byte of the request left this machine."""


class AnswerLost(TimedOut):
    """The request left, wholly or in part, and no whole answer came: it may have been carried out."""


class GarbledAnswer(TelegramError):
    """An answer that is not the Bot API's: a proxy, a login page of a network, half a document."""


def redact(text: str) -> str:
    """`text` without anything that looks like a bot token."""
    return _TOKEN.sub("…", text)


class AiohttpRequest(BaseRequest):
    """One pool of connections. Follows no redirect, keeps no cookie, repeats nothing, honours the proxy variables.

    `read_seconds` is how long an answer may take once the request is written. The session is opened by the first
    request and never again after `shutdown`.
    """

    __slots__ = ("_closed", "_connections", "_read_seconds", "_session", "_timeout")

    def __init__(self, *, read_seconds: float = 30.0, connections: int = 100) -> None:
        self._read_seconds = read_seconds
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._timeout = timeout_of(read_seconds, WRITE_SECONDS)

    @property
    def read_timeout(self) -> float:
        """Seconds."""
        return self._read_seconds

    async def initialize(self) -> None:
        """Nothing: the first request opens the session."""

    async def shutdown(self) -> None:
        """Close every connection."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """The status and the bytes of one answer. Raises `NotWritten` or `AnswerLost`, whose texts never hold the
        address, because the token is part of it."""
        body = _body(request_data)
        timeout = self._timeout_for(read_timeout, file=isinstance(body, _Form) or method != "POST")
        try:
            status, retry_after, payload = await self._exchange(url, method, body, timeout)
        except Exception as error:
            failure: TelegramError | None = _failure(error, begun=body.begun or method != "POST")
        else:
            failure = flood(status, retry_after, payload)
        if failure is not None:
            raise failure  # outside `except`: the text of the original error holds the address
        return status, payload

    async def _exchange(
        self, url: str, method: str, body: _Bytes | _Form, timeout: aiohttp.ClientTimeout
    ) -> tuple[int, str, bytes]:
        async with self._opened().request(
            method,
            _address(url),
            data=body if method == "POST" else None,
            headers=_JSON_HEADERS if isinstance(body, _Bytes) else None,
            timeout=timeout,
            allow_redirects=False,
        ) as answer:
            return answer.status, answer.headers.get("Retry-After", ""), await answer.read()

    def _opened(self) -> aiohttp.ClientSession:
        if self._closed:
            raise NotWritten("the channel is closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, ttl_dns_cache=300),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self.USER_AGENT},
                timeout=NEVER,
                trust_env=proxied(),
            )
        return self._session

    def _timeout_for(self, read_timeout: Any, *, file: bool) -> aiohttp.ClientTimeout:
        chosen = self._read_seconds if read_timeout is BaseRequest.DEFAULT_NONE else float(read_timeout or 0)
        if chosen == self._read_seconds and not file:
            return self._timeout
        return timeout_of(chosen, FILE_SECONDS if file else WRITE_SECONDS)

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The Bot API's envelope. Raises `GarbledAnswer` for anything else, without quoting it."""
        answer = _parsed(payload)
        if not isinstance(answer, dict) or not isinstance(answer.get("ok"), bool):
            raise GarbledAnswer("the answer is not the Bot API's")
        if answer["ok"] and "result" not in answer:
            raise GarbledAnswer("the answer has no result")
        ordinary = answer["ok"] and len(answer) == _ORDINARY
        if not ordinary and not _readable(answer.get("description", ""), answer.get("parameters", {})):
            raise GarbledAnswer("the answer's error cannot be read")
        return answer


class _Bytes(Noting, aiohttp.BytesPayload):
    """A JSON body."""


class _Form(Noting, aiohttp.MultipartWriter):
    """A body with files."""

    def add(self, name: str, part: aiohttp.Payload, filename: str | None = None) -> None:
        """`name` and `filename` go out as raw UTF-8, as browsers send them and as the Bot API server reads them."""
        names = {"name": name} if filename is None else {"name": name, "filename": _CONTROL.sub("_", filename)}
        part.set_content_disposition("form-data", quote_fields=False, **names)
        self.append_payload(part)


def flood(status: int, retry_after: str, payload: bytes) -> RetryAfter | None:
    """For a 429 that says only in its header how many seconds to wait."""
    if status != _TOO_MANY or not retry_after.isdecimal() or _SAYS_WHEN.search(payload):
        return None
    return RetryAfter(int(retry_after))


def _body(data: RequestData | None) -> _Bytes | _Form:
    try:
        if data is None:
            return _Bytes(b"{}")
        return _form(data) if data.contains_files else _Bytes(orjson.dumps(data.parameters))
    except (TypeError, UnicodeEncodeError) as error:
        raise BadRequest("strings must be encoded in UTF-8") from error


def _form(data: RequestData) -> _Form:
    form = _Form("form-data")
    for name, value in data.json_parameters.items():
        form.add(name, aiohttp.StringPayload(value))
    for name, (filename, content, mime) in cast("dict[str, tuple[str, bytes, str]]", data.multipart_data).items():
        form.add(name, aiohttp.BytesIOPayload(io.BytesIO(content), content_type=mime), filename)
    return form


def _parsed(payload: bytes) -> object:
    try:
        return orjson.loads(payload)
    except ValueError:
        pass
    try:  # the standard library forgives half a surrogate pair, which must not cost a whole batch of updates
        return json.loads(payload)
    except ValueError:
        return None


def _readable(description: object, parameters: object) -> bool:
    numbers = ("migrate_to_chat_id", "retry_after")
    return (
        isinstance(description, str)
        and isinstance(parameters, dict)
        and all(isinstance(parameters.get(name, 0), int) for name in numbers)
    )


def _failure(error: Exception, *, begun: bool) -> TelegramError:
    if isinstance(error, TelegramError):
        return error
    if not begun:
        return NotWritten(reason_of(error))
    return AnswerLost(reason_of(error))


@lru_cache(maxsize=512)
def _address(url: str) -> URL:
    return URL(url)
