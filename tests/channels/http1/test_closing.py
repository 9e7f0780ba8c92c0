"""The end of a client: every request hears of it, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.channels import http1_pool
from bot.core.errors import NotSent
from tests.channels.conftest import until
from tests.channels.http1.gate import Gate
from tests.channels.http1.heard import Client, Heard
from tests.channels.listening import listening, say_nothing, serve

Connect = Callable[..., Client]


async def test_closing_ends_everything_once(connect: Connect) -> None:
    gate = Gate()
    async with listening(gate) as server:
        client = connect(server.root, connections=2, read_seconds=5)
        asked = [client.ask() for _ in range(5)]
        await until(lambda: gate.held == 2)
        await client.pool.close()
        assert [[type(end).__name__ for end in heard.told] for heard in asked] == [["OutcomeUnknown"]] * 2 + [
            ["NotSent"]
        ] * 3
        gate.open.set()
        await client.pool.close()
        assert [len(heard.told) for heard in asked] == [1] * 5
        assert isinstance(await client.error(), NotSent)
        assert server.connections == 2


async def test_closing_while_connections_are_being_opened(connect: Connect) -> None:
    async with listening(say_nothing) as server:
        client = connect(server.root.replace("http:", "https:"), read_seconds=5)
        asked = [client.ask() for _ in range(3)]
        await until(lambda: server.connections == 3)
        await client.pool.close()
        assert [[type(end) for end in heard.told] for heard in asked] == [[NotSent]] * 3


async def test_closing_at_any_moment(connect: Connect) -> None:
    ends = set()
    async with listening(serve) as server:
        for turns in [*[*range(12), 20, 30] * 5, None]:
            client = connect(server.root)
            asked = [client.ask() for _ in range(2)]
            if turns is None:
                await asked[0].end()
            for _ in range(turns or 0):
                await asyncio.sleep(0)
            async with asyncio.timeout(http1_pool.CLOSE_SECONDS / 2):
                await client.pool.close()
            assert [len(heard.told) for heard in asked] == [1, 1]
            assert [isinstance(heard.told[0], NotSent) for heard in asked] == [not heard.was_begun for heard in asked]
            await until(lambda: server.open == 0)
            ends |= {type(heard.told[0]).__name__ for heard in asked}
    assert ends >= {"NotSent", "Answer"}


async def test_who_sends_again_when_the_end_comes_hears_of_the_end(connect: Connect) -> None:
    async with listening(say_nothing) as server:
        client = connect(server.root)
        again: list[Heard] = []
        first = client.ask(then=lambda: again.append(client.ask()))
        await until(lambda: first.was_begun)
        await client.pool.close()
        (heard,) = again
        assert isinstance(await heard.end(), NotSent)
