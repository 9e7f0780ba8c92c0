"""How others send: each peer as its documentation shows it, thirty at a time."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import orjson

from benchmarks.addresses import token
from benchmarks.answers import TEXT
from benchmarks.protocol import flood as bare_flood

CONNECTIONS = 30
TOKEN = token(0)

Flood = Callable[[Iterator[int]], Awaitable[None]]
"""Sends one message to every chat."""

Peer = Callable[[str], AbstractAsyncContextManager[Flood]]
"""Made ready for the server at a URL."""


def flooding(send: Callable[[int], Awaitable[object]]) -> Flood:
    """With so many under way at any time."""

    async def work(chats: Iterator[int]) -> None:
        for chat in chats:
            await send(chat)

    async def all_at_once(chats: Iterator[int]) -> None:
        await asyncio.gather(*(work(chats) for _ in range(CONNECTIONS)))

    return all_at_once


@asynccontextmanager
async def ptb(url: str) -> AsyncIterator[Flood]:
    """python-telegram-bot on httpx."""
    from telegram import Bot
    from telegram.request import HTTPXRequest

    request = HTTPXRequest(connection_pool_size=CONNECTIONS, pool_timeout=30)
    async with Bot(TOKEN, base_url=f"{url}/bot", request=request) as bot:
        yield flooding(lambda chat: bot.send_message(chat, TEXT))


@asynccontextmanager
async def ptb_over_aiohttp(url: str) -> AsyncIterator[Flood]:
    """python-telegram-bot over our `BaseRequest`."""
    from telegram import Bot

    from bot.channels.telegram_http import AiohttpRequest

    request, polls = AiohttpRequest(connections=CONNECTIONS), AiohttpRequest()
    async with Bot(TOKEN, base_url=f"{url}/bot", request=request, get_updates_request=polls) as bot:
        yield flooding(lambda chat: bot.send_message(chat, TEXT))


@asynccontextmanager
async def aiogram(url: str) -> AsyncIterator[Flood]:
    """aiogram on its own session."""
    from aiogram import Bot
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer

    session = AiohttpSession(api=TelegramAPIServer.from_base(url), limit=CONNECTIONS)
    session._connector_init["ssl"] = ssl.create_default_context()  # its own trusts certifi's list alone
    async with Bot(TOKEN, session=session) as bot:
        yield flooding(lambda chat: bot.send_message(chat, TEXT))


@asynccontextmanager
async def aiohttp(url: str) -> AsyncIterator[Flood]:
    """aiohttp without a library above it."""
    from aiohttp import ClientSession, TCPConnector

    address, headers = f"{url}/bot{TOKEN}/sendMessage", {"Content-Type": "application/json"}
    async with ClientSession(connector=TCPConnector(limit=CONNECTIONS)) as session:

        async def send(chat: int) -> None:
            body = orjson.dumps({"chat_id": chat, "text": TEXT})
            async with session.post(address, data=body, headers=headers) as answer:
                orjson.loads(await answer.read())

        yield flooding(send)


@asynccontextmanager
async def protocol(url: str) -> AsyncIterator[Flood]:
    """No library at all."""
    yield lambda chats: bare_flood(url, TOKEN, TEXT, chats, CONNECTIONS)
