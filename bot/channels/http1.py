"""One HTTP/1.1 connection that carries one request at a time, by callbacks: no task and no future a request."""

from __future__ import annotations

import asyncio
import math
import re
import select
from collections.abc import Callable
from typing import NamedTuple, Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from bot.core.errors import OutcomeUnknown, SendError

MAX_ANSWER = 1024 * 1024
"""Bytes of everything that comes back for one request. Telegram's longest answer, an album, has some ten thousand."""

_FIRST_FINAL = 200
_FRAMES = (b"content-length", b"transfer-encoding")
_HANGUP = getattr(select, "POLLRDHUP", 0)  # Linux
_PATIENCE = re.compile(rb"timeout=(\d{1,6})")


class Answer(NamedTuple):
    """A whole answer. `retry_after` is that header as it came, or nothing."""

    status: int
    body: bytes
    retry_after: str


class Exchange(Protocol):
    """One request and what becomes of it: `answered` or `failed` is called, once, and never from within the call that
    hands it over."""

    @property
    def request(self) -> bytes:
        """Every byte of it."""
        ...

    def begun(self) -> None:
        """The first byte has been handed to the network."""
        ...

    def answered(self, answer: Answer) -> None: ...

    def failed(self, error: SendError) -> None:
        """`NotSent` when not one byte was handed to the network, otherwise `OutcomeUnknown`."""
        ...


class Connection(asyncio.Protocol):
    """`freed` is told when the next request may come, `gone` when none may come any more. `since` is when what it does
    now began and `until` when it should be replaced, in seconds of the loop's clock; `patience` is how many seconds
    the server said that it waits for the next request."""

    def __init__(self, freed: Callable[[Connection], None], gone: Callable[[Connection], None]) -> None:
        self._freed = freed
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        self._exchange: Exchange | None = None
        self._open = False
        self._news: Callable[[int], object] = lambda _milliseconds: None
        self.since = 0.0
        self.until = math.inf
        self.patience: float | None = None
        self._expect()

    @property
    def busy(self) -> bool:
        return self._exchange is not None

    @property
    def usable(self) -> bool:
        """Whether a request may be written, as far as anybody can know: the end of a connection waits in the operating
        system until the loop comes to read it, and an answer and the end often arrive together."""
        return self._open and self._transport is not None and not self._transport.is_closing() and not self._news(0)

    @property
    def closed(self) -> bool:
        """Whether nothing is left of it."""
        return self._transport is None

    def begin(self, exchange: Exchange, now: float) -> None:
        """Write a request. The connection must be usable and not busy."""
        assert self._transport is not None  # noqa: S101 - it is usable
        self._exchange = exchange
        self.since = now
        self._transport.write(exchange.request)
        self._tell(exchange.begun)

    def close(self) -> None:
        """Take no more requests; only for a connection that is not busy."""
        self._leave()
        if self._transport is not None:
            self._transport.close()

    def lose(self, why: str) -> None:
        """Break off: nobody knows what became of a request that was begun."""
        self._leave()
        if self._transport is not None:
            self._transport.abort()
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            self._loop.call_soon(exchange.failed, OutcomeUnknown(why))

    def forget(self) -> None:
        """It was given up before it was ready. uvloop may have called `connection_made` and then says no more."""
        self._open = False
        self._transport = None
        self._gone = lambda _connection: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._open = True
        if hasattr(select, "poll"):
            self._news = _news_of(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._exchange is None:  # a farewell, or the end of something that nobody asked for
            self.close()
            return
        self._received += len(data)
        clean = self._read(data)
        if self._complete:
            self._finish(again=clean and self._lasting)
        elif not clean:
            self.lose("the answer is not HTTP")
        elif self._received > MAX_ANSWER:
            self.lose("the answer is too large")

    def eof_received(self) -> None:
        """The server sends no more. An answer without a length ends here; the transport closes itself."""
        if self._exchange is not None and self._status and not self._framed:
            self._finish(again=False)
        else:
            self.lose("the connection was closed before the answer")

    def connection_lost(self, exc: Exception | None) -> None:
        self.lose("the connection broke before the answer" if exc else "the connection was closed before the answer")
        self._transport = None

    def on_message_begin(self) -> None:
        if self._complete:
            raise ValueError("something follows the answer")
        self._framed = False
        self._retry_after = ""

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _FRAMES:
            self._framed = True
        elif name == b"retry-after":
            self._retry_after = value.decode("latin-1").strip()
        elif name == b"keep-alive" and (found := _PATIENCE.search(value)):
            self.patience = float(found[1])

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= _FIRST_FINAL:
            self._status = status

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)

    def on_message_complete(self) -> None:
        """Of an answer; 100, 102 and 103 only announce one."""
        self._complete = self._status != 0
        self._lasting = self._parser.should_keep_alive()  # the parser knows it only now

    def _read(self, data: bytes) -> bool:
        """Whether all of it was HTTP that belongs here."""
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            return False
        return True

    def _expect(self) -> None:
        self._status = 0
        self._parts: list[bytes] = []
        self._retry_after = ""
        self._received = 0
        self._framed = self._complete = self._lasting = False

    def _finish(self, *, again: bool) -> None:
        """The connection is ready for the next request before anybody hears of this one."""
        exchange, self._exchange = self._exchange, None
        answer = Answer(self._status, b"".join(self._parts), self._retry_after)
        self._expect()
        if again:
            self._freed(self)
        else:
            self.close()
        if exchange is not None:
            self._tell(exchange.answered, answer)

    def _tell(self, listener: Callable[..., None], *what: Answer) -> None:
        """A listener's fault must not end a connection that already carries the message of somebody else."""
        try:
            listener(*what)
        except Exception as error:
            self._loop.call_exception_handler({"message": "what became of a request found no ear", "exception": error})

    def _leave(self) -> None:
        if self._open:
            self._open = False
            self._gone(self)


def _news_of(transport: asyncio.Transport) -> Callable[[int], object]:
    """Asks the operating system whether anything has come that nobody has read. On TLS only the end counts: keys are
    renewed at any time."""
    events = _HANGUP if transport.get_extra_info("sslcontext") is not None else _HANGUP | select.POLLIN
    poll, number = select.poll(), transport.get_extra_info("socket").fileno()
    if number < 0:  # closed before we were told that it was opened
        return lambda _milliseconds: True
    poll.register(number, events)
    return poll.poll
