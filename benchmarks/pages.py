"""Putting what was measured into docs/benchmarks.md, between the marks that it has for it."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version

from benchmarks.serving import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
_PACKAGES = ("python-telegram-bot", "aiogram", "aiohttp", "httptools", "uvloop", "sqlalchemy", "psycopg")


def put(mark: str, text: str) -> None:
    """Replace what stands between `<!-- mark -->` and `<!-- end -->`. Raises `LookupError` where there is no mark."""
    page = PAGE.read_text("utf-8")
    where = re.compile(rf"(<!-- {re.escape(mark)} -->\n).*?(<!-- end -->)", re.DOTALL)
    changed, found = where.subn(lambda m: f"{m[1]}{text.strip()}\n{m[2]}", page)
    if not found:
        raise LookupError(f"{PAGE.name} has no mark '{mark}'")
    PAGE.write_text(changed, "utf-8")


def circumstances() -> str:
    """When and with what something was measured."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}, {platform.system()} with {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {packages}."
    )
