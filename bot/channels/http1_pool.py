"""Connections to one origin, opened when they are needed, and the requests that wait for one."""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from contextlib import suppress

from bot.channels.http1 import Connection, Exchange
from bot.channels.http1_route import Road, Route, reason
from bot.core.errors import NotSent

CONNECT_SECONDS = 10.0
"""How long a connection may take to open, and how long a request may wait for one."""
IDLE_SECONDS = 15.0
OLD_SECONDS = (20.0, 30.0)
"""After so long, not all at the same time, connections are replaced: servers close old ones, and Telegram was reported
to do so after 39 seconds, whether or not a request was on its way."""
CLOSE_SECONDS = 1.0
PAUSE_SECONDS = 1.0
"""After a connection that could not be opened, while there are others."""


class Pool:
    """At most `connections` at once, one request on each; more requests wait their turn. `read_seconds` is how long an
    answer may take once its request is written. Everything happens in the loop of the first request."""

    def __init__(self, route: Route, *, read_seconds: float = 30.0, connections: int = 100) -> None:
        self._route = route
        self._read_seconds = read_seconds
        self._most = connections
        self._road: Road | None = None
        self._waiting: deque[tuple[float, Exchange]] = deque()
        self._idle: list[Connection] = []
        self._live: set[Connection] = set()
        self._ending: set[Connection] = set()
        self._opening: set[asyncio.Task[Connection]] = set()
        self._not_before = 0.0
        self._every = min(1.0, read_seconds / 4)
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def send(self, exchange: Exchange) -> None:
        """Write the request, or let it wait for a connection. Repeats nothing."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        connection = self._rested(now)
        if connection is not None:
            connection.begin(exchange, now)
        elif self._closed:
            loop.call_soon(exchange.failed, NotSent("the channel is closed"))
        else:
            self._waiting.append((now, exchange))
            self._open_more(now)

    async def close(self) -> None:
        """End every request and every connection; when this returns, each request has heard of its end."""
        self._closed = True
        self._fail_waiting("the channel is closed")
        for task in self._opening:
            task.cancel()
        for connection in (*self._live, *self._ending):
            connection.lose("the channel was closed before the answer")
        await asyncio.gather(*self._opening, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                while not all(connection.closed for connection in self._ending):  # noqa: ASYNC110 - a turn or two
                    await asyncio.sleep(0)
        await asyncio.sleep(0)
        if self._timer is not None:
            self._timer.cancel()

    def _rested(self, now: float) -> Connection | None:
        """The connection that was used last, if it is still good: those at the bottom may retire."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and not _worn(connection, now):
                return connection
            connection.close()
        return None

    def _freed(self, connection: Connection) -> None:
        now = asyncio.get_running_loop().time()
        if self._closed:
            connection.lose("the channel is closed")
        elif now > connection.until:
            connection.close()
        else:
            self._use(connection, now)

    def _use(self, connection: Connection, now: float) -> None:
        if not self._waiting:
            connection.since = now
            self._idle.append(connection)
        elif connection.usable:
            connection.begin(self._waiting.popleft()[1], now)
        else:
            connection.close()

    def _gone(self, connection: Connection) -> None:
        self._live.discard(connection)
        self._ending.add(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if self._waiting:
            self._open_more(asyncio.get_running_loop().time())

    def _open_more(self, now: float) -> None:
        """One connection a waiting request. After a failure only the first is tried at once."""
        if (self._live or self._opening) and now < self._not_before:
            return
        room = self._most - len(self._live) - len(self._opening)
        for _ in range(min(room, len(self._waiting) - len(self._opening))):
            task = asyncio.create_task(self._open(), name="open a connection")
            self._opening.add(task)
            task.add_done_callback(self._opened)
        self._watch()

    async def _open(self) -> Connection:
        """Raises `OSError` or `ValueError`."""
        if self._road is None:
            self._road = Road(self._route)
        connection = Connection(self._freed, self._gone)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._road.open(connection)
        except BaseException:
            connection.forget()
            raise
        connection.until = asyncio.get_running_loop().time() + random.uniform(*OLD_SECONDS)
        return connection

    def _opened(self, task: asyncio.Task[Connection]) -> None:
        self._opening.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._refused(reason(error))
        elif self._closed:
            task.result().lose("the channel is closed")
        elif not task.result().usable:  # it ended at once, or somebody speaks there before being asked
            self._refused("the connection is of no use")
            task.result().lose("the connection is of no use")
        else:
            self._live.add(task.result())
            self._use(task.result(), asyncio.get_running_loop().time())

    def _refused(self, why: str) -> None:
        """What waits is left to the connections that there are; if there is none, nothing can leave."""
        self._not_before = asyncio.get_running_loop().time() + PAUSE_SECONDS
        if not self._live and not self._opening:
            self._fail_waiting(why)

    def _fail_waiting(self, why: str, before: float = math.inf) -> None:
        """Those that have waited since `before`; not one byte of them has left."""
        loop = asyncio.get_running_loop()
        while self._waiting and self._waiting[0][0] < before:
            loop.call_soon(self._waiting.popleft()[1].failed, NotSent(why))

    def _watch(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._every, self._sweep)

    def _sweep(self) -> None:
        """The one timer. After a standstill of the process the loop reads what has come in before it gets here."""
        now = asyncio.get_running_loop().time()
        for connection in tuple(self._live):
            if connection.busy:
                if now - connection.since > self._read_seconds:
                    connection.lose("no answer in time")
            elif _worn(connection, now):
                connection.close()
        self._fail_waiting("no connection was free in time", now - CONNECT_SECONDS)
        self._ending = {connection for connection in self._ending if not connection.closed}
        self._timer = None
        if self._waiting:
            self._open_more(now)
        if self._live or self._opening or self._waiting or self._ending:
            self._watch()


def _worn(connection: Connection, now: float) -> bool:
    """Whether an idle connection is better not used again."""
    patience = IDLE_SECONDS if connection.patience is None else min(IDLE_SECONDS, connection.patience - 1)
    return now - connection.since >= patience or now > connection.until
