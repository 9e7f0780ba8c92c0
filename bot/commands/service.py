"""`loaso run`, `loaso demo` and `loaso worker`: what stays until it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from bot import logs
from bot.commands import console
from bot.commands.edge import DONE
from bot.core.errors import UserError
from bot.settings import EngineKind, Settings, load, unknown_names

_ALONE = (
    "A worker is one of several processes: set LOASO_ENGINE=cluster and LOASO_DATABASE_URL=postgresql+psycopg://…, "
    "or use 'loaso run', which sends by itself"
)


def run(*, send: bool) -> int:
    settings = load()
    _prepare(settings)
    if not settings.telegram_token:
        console.say("No account is set: LOASO_TELEGRAM_TOKEN is empty. Everything else works; try 'loaso demo'.")
    _stay(_serve(settings, send=send, receive=True))
    return DONE


def demo() -> int:
    from bot.demo import run_demo

    settings = load()
    _prepare(settings)
    _stay(run_demo(settings))
    return DONE


def worker() -> int:
    settings = load()
    if settings.engine is not EngineKind.CLUSTER:
        raise UserError(_ALONE)
    _prepare(settings)
    if not settings.telegram_token:
        console.say("No account is set: LOASO_TELEGRAM_TOKEN is empty, so there is nothing to send with.")
    _stay(_serve(settings, send=True, receive=False))
    return DONE


async def _serve(settings: Settings, *, send: bool, receive: bool) -> None:
    from bot.app import App, serve

    if settings.engine is EngineKind.LOCAL:
        await serve(App(settings, send=send))
        return
    from bot.cluster_app import ClusterApp

    await serve(ClusterApp(settings, send=send, receive=receive))


def _prepare(settings: Settings) -> None:
    logs.configure(settings.log_level, settings.log_format)
    for name in unknown_names():
        console.say(f"{name} means nothing here: is it spelled right?")


def _stay(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=_loop()) as runner:
        runner.run(work)


def _loop() -> Callable[[], asyncio.AbstractEventLoop]:
    """The faster event loop where there is one for this platform."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.new_event_loop
    return new_event_loop
