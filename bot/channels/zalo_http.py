"""How requests travel to Zalo: a thin client over aiohttp that tells "never left" from "perhaps arrived"."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
import orjson
from yarl import URL

from bot.channels.requests import FILE_SECONDS, NEVER, WRITE_SECONDS, Noting, proxied, reason_of, timeout_of
from bot.core.errors import BadContent, ContactRefused, NotSent, OutcomeUnknown, Reason, SendError

MAX_DOWNLOAD = 20 * 1024 * 1024
MAX_REDIRECTS = 3
_OK, _MOVED, _CLIENT_ERROR, _SERVER_ERROR = 200, 300, 400, 500

Answer = tuple[int, Mapping[str, str], bytes]
"""The status, the headers (their names in any case) and the whole body."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of a multipart body."""

    name: str
    content: bytes
    mime: str = "application/octet-stream"


class ZaloHttp:
    """One pool of connections. Follows no redirect, keeps no cookie, repeats no POST, honours the proxy variables.

    `read_seconds` is how long an answer may take once the request is written. The session is opened by the first
    request and never again after `close`.
    """

    def __init__(self, *, read_seconds: float = 30.0, connections: int = 100) -> None:
        self._read_seconds = read_seconds
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def close(self) -> None:
        """Close every connection; what is asked afterwards is `NotSent`."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def request(
        self,
        method: str,
        url: str,
        *,
        json: object = None,
        form: Mapping[str, str] | None = None,
        multipart: Mapping[str, str | FilePart] | None = None,
        headers: Mapping[str, str] | None = None,
        read_seconds: float | None = None,
    ) -> Answer:
        """One exchange, whatever its status; of `json`, `form` and `multipart` at most one, and a POST without any
        carries `{}`. Raises `NotSent` when no byte left or the method is GET, `OutcomeUnknown` when a byte left and no
        whole answer came, `BadContent` for text that is no UTF-8. Their texts never hold the address."""
        body = None if method == "GET" else _body(json, form, multipart)
        timeout = timeout_of(
            self._read_seconds if read_seconds is None else read_seconds,
            WRITE_SECONDS if multipart is None else FILE_SECONDS,
        )
        try:
            return await self._exchange(method, url, body, headers, timeout)
        except Exception as error:
            failure = _failure(error, begun=body is not None and body.begun)
        raise failure  # outside `except`: the text of the original error holds the address

    async def download(
        self, url: str, *, limit: int = MAX_DOWNLOAD, kinds: tuple[str, ...] = ("image/", "audio/")
    ) -> bytes:
        """The content at a public address, at most `limit` bytes and of a type that begins with one of `kinds`;
        redirects lead to http and https only. Raises `ContactRefused` for anything else, `NotSent` when it may be
        there later."""
        for _ in range(MAX_REDIRECTS + 1):
            try:
                found = await self._load(_address(url), limit, kinds)
            except Exception as error:
                failure = error if isinstance(error, SendError) else NotSent(reason_of(error))
            else:
                if isinstance(found, bytes):
                    return found
                url = found
                continue
            raise failure  # outside `except`, as above
        raise ContactRefused(Reason.NOT_FOUND, "the file is moved again and again")

    async def _exchange(
        self,
        method: str,
        url: str,
        body: _Bytes | _Form | None,
        headers: Mapping[str, str] | None,
        timeout: aiohttp.ClientTimeout,
    ) -> Answer:
        async with self._opened().request(
            method, URL(url), data=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as answer:
            return answer.status, answer.headers, await answer.read()

    async def _load(self, url: URL, limit: int, kinds: tuple[str, ...]) -> bytes | str:
        """The content, or the address at which it is instead."""
        timeout = timeout_of(self._read_seconds, FILE_SECONDS)
        async with self._opened().get(url, timeout=timeout, allow_redirects=False) as answer:
            if _MOVED <= answer.status < _CLIENT_ERROR:
                return str(url.join(URL(answer.headers.get("Location", ""))))
            if answer.status >= _SERVER_ERROR:
                raise NotSent(f"the file's server answers {answer.status}")
            if answer.status != _OK:
                raise ContactRefused(Reason.NOT_FOUND, f"the file's server answers {answer.status}")
            if not answer.content_type.startswith(kinds):
                raise ContactRefused(Reason.BAD_CONTENT, "the file is of another type")
            return await _at_most(answer.content, limit)

    def _opened(self) -> aiohttp.ClientSession:
        if self._closed:
            raise NotSent("the channel is closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, ttl_dns_cache=300),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "loaso"},
                timeout=NEVER,
                trust_env=proxied(),
            )
        return self._session


class _Bytes(Noting, aiohttp.BytesPayload):
    """A JSON body or a form without files."""


class _Form(Noting, aiohttp.MultipartWriter):
    """A form with files."""

    def add(self, field: str, value: str | FilePart) -> None:
        """Names go out as raw UTF-8, as browsers send them."""
        if isinstance(value, str):
            part: aiohttp.Payload = aiohttp.StringPayload(value)
            names = {"name": field}
        else:
            part = aiohttp.BytesIOPayload(io.BytesIO(value.content), content_type=value.mime)
            names = {"name": field, "filename": "".join(c if c.isprintable() else "_" for c in value.name)}
        part.set_content_disposition("form-data", quote_fields=False, **names)
        self.append_payload(part)


def _body(
    json: object, form: Mapping[str, str] | None, multipart: Mapping[str, str | FilePart] | None
) -> _Bytes | _Form:
    try:
        if multipart is not None:
            return _multipart(multipart)
        if form is not None:
            return _Bytes(urlencode(form).encode(), content_type="application/x-www-form-urlencoded")
        return _Bytes(orjson.dumps({} if json is None else json), content_type="application/json")
    except (TypeError, UnicodeEncodeError) as error:
        reason = type(error).__name__
    raise BadContent(f"the message cannot be written as UTF-8 ({reason})")


def _multipart(fields: Mapping[str, str | FilePart]) -> _Form:
    body = _Form("form-data")
    for field, value in fields.items():
        body.add(field, value)
    return body


async def _at_most(content: aiohttp.StreamReader, limit: int) -> bytes:
    found = bytearray()
    async for piece in content.iter_chunked(64 * 1024):
        found += piece
        if len(found) > limit:
            raise ContactRefused(Reason.BAD_CONTENT, "the file is too large")
    return bytes(found)


def _address(url: str) -> URL:
    """Raises `ContactRefused` for what is no public kind of address."""
    try:
        address = URL(url)
    except ValueError:
        address = URL()
    if address.scheme not in ("http", "https") or not address.host:
        raise ContactRefused(Reason.NOT_FOUND, "the file has no address on the web")
    return address


def _failure(error: Exception, *, begun: bool) -> SendError:
    if isinstance(error, SendError):
        return error
    return OutcomeUnknown(reason_of(error)) if begun else NotSent(reason_of(error))
