"""`loaso run`, `loaso demo` and `loaso worker`: what stays until it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from bot import logs
from bot.commands import console
from bot.commands.edge import DONE, WRONG
from bot.core.errors import UserError
from bot.settings import EngineKind, Settings, load, unknown_names

_LATER = "The cluster engine comes in a later version: run 'loaso run' with LOASO_ENGINE=local"


def run(*, send: bool) -> int:
    from bot.app import serve

    settings = load()
    if settings.engine is EngineKind.CLUSTER:
        raise UserError(_LATER)
    _prepare(settings)
    if not settings.telegram_token:
        console.say("No account is set: LOASO_TELEGRAM_TOKEN is empty. Everything else works; try 'loaso demo'.")
    _stay(serve(settings, send=send))
    return DONE


def demo() -> int:
    from bot.demo import run_demo

    settings = load()
    _prepare(settings)
    _stay(run_demo(settings))
    return DONE


def worker() -> int:
    console.say(f"{_LATER}.")
    return WRONG


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
