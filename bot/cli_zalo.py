"""`loaso zalo …`: the commands for Zalo on one screen. Each imports what it needs when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

zalo = typer.Typer(no_args_is_help=True, help="Zalo: connecting an Official Account, the month's budgets.")
article = typer.Typer(no_args_is_help=True, help="Articles for all followers of the Official Account.")
zalo.add_typer(article, name="article")

Json = Annotated[bool, typer.Option("--json", help="Print JSON on one line, for scripts.")]
Cities = Annotated[str, typer.Option("--cities", metavar="N,N", help="Zalo's numbers of provinces; left out, all.")]


@zalo.command("connect")
def zalo_connect(
    answer: Annotated[
        str | None, typer.Argument(metavar="[CODE]", help="The code, or the address to which Zalo sent you back.")
    ] = None,
) -> int:
    """Let an administrator of the Official Account consent: prints what to open, takes the code that comes back."""
    from bot.commands import zalo as commands

    return commands.connect(answer)


@zalo.command("budget")
def zalo_budget(as_json: Json = False) -> int:
    """What each account has used of what it may in this month, and what planned runs will use."""
    from bot.commands import zalo as commands

    return commands.budget(as_json)


@zalo.command("group")
def zalo_group(
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="A code from 'loaso units list'.")],
    name: Annotated[str, typer.Option("--name", help="What the group is called.")],
    member: Annotated[
        list[str], typer.Option("--member", metavar="ID", help="Zalo ids; one of them administrates the account.")
    ],
    asset: Annotated[str | None, typer.Option("--asset", help="The paid place for it; left out, a free one.")] = None,
) -> int:
    """Make a group of the Official Account for a village. Prints the address by which people join."""
    from bot.commands import zalo as commands

    return commands.group_create(unit, name, asset, member)


@article.command("send")
def article_send(
    title: Annotated[str, typer.Option("--title", help="At most 150 characters.")],
    text: Annotated[Path, typer.Option("--text", metavar="FILE", help="What the article says, UTF-8.")],
    cover: Annotated[str, typer.Option("--cover", metavar="URL", help="The public address of a picture.")],
    description: Annotated[
        str, typer.Option("--description", help="At most 300 characters; else the text's first.")
    ] = "",
    cities: Cities = "",
    as_json: Json = False,
) -> int:
    """Make an article and broadcast it to the followers: a few times a month, by day."""
    from bot.commands import zalo_articles

    draft = zalo_articles.read_draft(title, text, cover, description)
    return zalo_articles.send(draft, zalo_articles.read_cities(cities), as_json)


@article.command("resume")
def article_resume(
    number: Annotated[
        int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="A number from 'loaso zalo article list'.")
    ],
    cities: Cities = "",
    as_json: Json = False,
) -> int:
    """Broadcast an article that was made and not sent."""
    from bot.commands import zalo_articles

    return zalo_articles.resume(number, zalo_articles.read_cities(cities), as_json)


@article.command("list")
def article_list(as_json: Json = False) -> int:
    """The latest fifty articles."""
    from bot.commands import zalo_articles

    return zalo_articles.show(as_json)
