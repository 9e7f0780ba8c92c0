"""Asking something of a server through the pool, and noting what one hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from yarl import URL

from bot.channels.http1 import Answer
from bot.channels.http1_pool import Pool
from bot.channels.http1_route import find_route
from bot.core.errors import SendError

SECRET = "123456:AAE-fAkE_tOkEn_000000000000000000000"


class Heard:
    """One request. `told` holds every end it was told of, which must be one."""

    def __init__(self, request: bytes, then: Callable[[], None] = lambda: None) -> None:
        self.request = request
        self.told: list[Answer | SendError] = []
        self.was_begun = 0
        self.inside = False
        self._then = then
        self._end: asyncio.Future[Answer | SendError] = asyncio.get_running_loop().create_future()

    def begun(self) -> None:
        self.was_begun += 1

    def answered(self, answer: Answer) -> None:
        self._ended(answer)

    def failed(self, error: SendError) -> None:
        self._ended(error)

    def _ended(self, how: Answer | SendError) -> None:
        assert not self.inside, "told from within send"
        self.told.append(how)
        if not self._end.done():
            self._end.set_result(how)
        self._then()

    async def end(self) -> Answer | SendError:
        """How it ended. Raises `TimeoutError` after five seconds."""
        async with asyncio.timeout(5):
            return await self._end


class Client:
    """Requests to one address."""

    def __init__(self, url: str, **options: Any) -> None:
        self.url = URL(url)
        self.route = find_route(self.url)
        self.pool = Pool(self.route, **options)

    def ask(self, body: bytes = b"{}", then: Callable[[], None] = lambda: None) -> Heard:
        """Send and return at once."""
        head = self.route.head(f"/bot{SECRET}/sendMessage", {"Content-Type": "application/json"})
        heard = Heard(b"%b%d\r\n\r\n%b" % (head, len(body), body), then)
        heard.inside = True
        self.pool.send(heard)
        heard.inside = False
        return heard

    async def answer(self, body: bytes = b"{}") -> Answer:
        """The answer, which must come."""
        end = await self.ask(body).end()
        assert isinstance(end, Answer), end
        return end

    async def error(self, body: bytes = b"{}") -> SendError:
        """The failure, which must come."""
        end = await self.ask(body).end()
        assert isinstance(end, SendError), end
        return end
