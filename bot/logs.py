"""Logs: one short constant sentence with fields a line, and no secret, name, phone number or text in any of them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

_TOKEN = re.compile(r"(?:bot)?\d{3,20}:[A-Za-z0-9_-]{10,}")
_PHONE = re.compile(r"(?<![\w:-])\+?84\d{9}(?!\w)|(?<![\w:-])0\d{9,10}(?!\w)")
_PASSWORD = re.compile(r"(://[^:/@\s]+:)[^@/\s]+@")
_NOISY = ("aiohttp.access", "aiosqlite", "alembic", "apscheduler", "httpx", "procrastinate", "sqlalchemy", "telegram")
_NEVER = frozenset({"text", "caption", "name", "phone", "token", "sender_name", "first_name", "last_name", "title"})


def configure(level: str = "INFO", form: str = "auto") -> None:
    """Set up structlog and the standard library's loggers alike. `form` is `json`, `console` or `auto`
    (console on a terminal)."""
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    final: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=console) if console else structlog.processors.JSONRenderer(_json)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, final],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop fields that could hold somebody's words; hide tokens, phone numbers and passwords everywhere else."""
    for name, value in list(event.items()):
        if name in _NEVER:
            event[name] = "[hidden]"
        elif isinstance(value, str):
            event[name] = hide(value)
    return event


def hide(text: str) -> str:
    """`text` without bot tokens, phone numbers and passwords in addresses."""
    return _PHONE.sub("[phone]", _PASSWORD.sub(r"\1[hidden]@", _TOKEN.sub("[token]", text)))


def _json(event: Any, **_options: Any) -> str:
    return orjson.dumps(event, default=str).decode()
