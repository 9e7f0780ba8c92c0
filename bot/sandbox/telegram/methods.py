"""All methods of this server, by lower-cased name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import chain

from bot.sandbox.telegram import methods_bot, methods_chat, methods_copy, methods_edit, methods_send
from bot.sandbox.telegram.calls import Call

Handler = Callable[[Call], object | Awaitable[object]]

_MODULES = (methods_send, methods_copy, methods_edit, methods_chat, methods_bot)

METHODS: dict[str, tuple[str, Handler]] = {
    name.lower(): (name, handler) for name, handler in chain.from_iterable(m.METHODS.items() for m in _MODULES)
}
