"""The edge of the program: whatever is raised leaves as one plain sentence and an exit code, never as a traceback."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

import typer

from bot.core.errors import LoaSoError

DONE, WRONG, USAGE, INTERRUPTED = 0, 1, 2, 130


def run(app: Callable[..., Any]) -> int:
    """Run the command line and say how it ended."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        _let_go_of(sys.stdout)
        return WRONG
    except Exception as error:
        return _say(error)
    return code if isinstance(code, int) else DONE


def _say(error: Exception) -> int:
    if (usage := getattr(error, "format_message", None)) is not None:
        _write(f"{_sentence(usage())} See 'loaso --help'.")
        return int(getattr(error, "exit_code", USAGE))
    _write(_sentence(_explain(error)))
    if os.environ.get("LOASO_LOG_LEVEL", "").upper() == "DEBUG":
        traceback.print_exception(error)
    return WRONG


def _explain(error: Exception) -> str:
    if isinstance(error, LoaSoError):
        return str(error)
    if "sqlalchemy" in sys.modules:
        from bot.db.trouble import explain

        if sentence := explain(error):
            return sentence
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return (
        f"Something in Loa Số itself went wrong ({type(error).__name__}): please report it "
        "with what LOASO_LOG_LEVEL=DEBUG shows"
    )


def _sentence(text: str) -> str:
    text = text.strip().replace("\n", " ")
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _write(text: str) -> None:
    from bot.logs import hide

    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(hide(text) + "\n")
        sys.stderr.flush()


def _let_go_of(stream: Any) -> None:
    """The reader has gone: what is still buffered goes nowhere, without another error at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
