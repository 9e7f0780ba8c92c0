"""A reply's way: an update is fetched, a handler runs, what it says leaves. Ours is stored; the peers' is an echo."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

from benchmarks.cost import Cost, Watch, Wrong
from benchmarks.peers import TOKEN
from benchmarks.serving import Control

BOT = int(TOKEN.partition(":")[0])
WORD = "menu"
"""What everybody says: our answer to it is the menu with its buttons."""

Echo = Callable[[str], AbstractAsyncContextManager[None]]
"""A peer that answers at a URL."""

Waiting = Callable[[], Awaitable[bool]]

_EVERY = 0.25


def updates(chats: Sequence[int]) -> list[dict[str, Any]]:
    """Everybody says the word."""
    return [
        {
            "message": {
                "message_id": number,
                "from": {"id": chat, "is_bot": False, "first_name": "Bà con", "language_code": "vi"},
                "chat": {"id": chat, "first_name": "Bà con", "type": "private"},
                "date": 1_795_415_400,
                "text": WORD,
            }
        }
        for number, chat in enumerate(chats, 1)
    ]


async def _nothing() -> bool:
    return False


async def answered(
    server: Control, chats: Sequence[int], postmaster: int | None = None, waiting: Waiting = _nothing
) -> Cost:
    """Let everybody write and wait until everybody has an answer and nothing is `waiting` to be written down.
    Raises `Wrong` if somebody got none or two."""
    everybody = updates(chats)
    server.reset()
    before, _ = await asyncio.to_thread(server.cost)
    watch, begun = Watch(postmaster), time.time()
    await asyncio.to_thread(server.feed, BOT, everybody)
    left = True
    while left:
        await asyncio.sleep(_EVERY)
        now, _ = await asyncio.to_thread(server.cost)
        left = now - before < len(chats) or await waiting()
    cost = watch.read(len(chats))
    log = server.log()
    if sorted(log.chats) != list(chats):
        raise Wrong(f"{len(chats):,} wrote, {len(set(log.chats)):,} of them got {len(log.chats):,} answers")
    return replace(cost, seconds=log.times[-1] - begun)


@asynccontextmanager
async def ptb(url: str) -> AsyncIterator[None]:
    """An `Application` that echoes, polling as its documentation shows."""
    from telegram import Update
    from telegram.ext import ApplicationBuilder, ContextTypes, MessageHandler, filters

    async def echo(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        await update.message.reply_text(update.message.text or "")

    application = ApplicationBuilder().token(TOKEN).base_url(f"{url}/bot").build()
    application.add_handler(MessageHandler(filters.TEXT, echo))
    assert application.updater is not None
    async with application:
        await application.start()
        await application.updater.start_polling()
        yield
        await application.updater.stop()
        await application.stop()


@asynccontextmanager
async def aiogram(url: str) -> AsyncIterator[None]:
    """A `Dispatcher` that echoes, polling as its documentation shows."""
    from aiogram import Bot, Dispatcher
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.types import Message

    session = AiohttpSession(api=TelegramAPIServer.from_base(url))
    session._connector_init["ssl"] = ssl.create_default_context()
    dispatcher = Dispatcher()

    @dispatcher.message()
    async def echo(message: Message) -> None:
        await message.answer(message.text or "")

    async with Bot(TOKEN, session=session) as bot:
        polling = asyncio.create_task(dispatcher.start_polling(bot, handle_signals=False))
        yield
        await dispatcher.stop_polling()
        await polling


async def peer(opened: Echo, url: str, chats: Sequence[int], warm_up: Sequence[int]) -> Cost:
    """What an answer of a peer costs."""
    server = Control(url)
    async with opened(url):
        await answered(server, warm_up)
        return await answered(server, chats)
