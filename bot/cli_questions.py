"""`loaso questions …`: what people were asked, on one screen. Each imports what it needs when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

questions = typer.Typer(no_args_is_help=True, help="What people were asked because the bot did not know.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON on one line, for scripts.")]


@questions.command("list")
def questions_list(
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 50,
    json: Json = False,
) -> int:
    """The newest questions that were put to people, and how they stand. Nobody can be told from them."""
    from bot.commands import questions as commands

    return commands.list_questions(limit, json)


@questions.command("export")
def questions_export(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="Where to write them, in the form of a pack.")],
) -> int:
    """Write what people published in chat as questions of a pack."""
    from bot.commands import questions as commands

    return commands.export(file)
