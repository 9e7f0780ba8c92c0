"""`loaso …`: every command on one screen. Each imports what it needs when it is called, so that all start fast."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli_questions import questions
from bot.cli_zalo import zalo
from bot.commands.edge import run as run_command

app = typer.Typer(
    name="loaso",
    help="Loa Số: a Telegram and Zalo bot that carries digital literacy to every village.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
units = typer.Typer(no_args_is_help=True, help="Provinces, communes and villages.")
people = typer.Typer(no_args_is_help=True, help="People who have agreed elsewhere.")
roles = typer.Typer(no_args_is_help=True, help="Who may do what for which unit.")
campaign = typer.Typer(no_args_is_help=True, help="Sending something to many, and watching it.")
faq = typer.Typer(no_args_is_help=True, help="Asking the bot a question.")
content = typer.Typer(no_args_is_help=True, help="Tips, questions and facts.")
for _group, _name in ((units, "units"), (people, "people"), (roles, "roles"), (campaign, "campaign"), (zalo, "zalo")):
    app.add_typer(_group, name=_name)
app.add_typer(faq, name="faq")
app.add_typer(questions, name="questions")
app.add_typer(content, name="content")

Json = Annotated[bool, typer.Option("--json", help="Print JSON on one line, for scripts.")]
RunId = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="A number from 'loaso campaign list'.")]
Csv = Annotated[Path, typer.Argument(metavar="FILE.csv", help="CSV in UTF-8 with a header.")]
Who = Annotated[str, typer.Argument(metavar="CHANNEL:ID", help="For example telegram:123456789.")]
RoleName = Annotated[
    str, typer.Argument(metavar="ROLE", help="village_head, helper, influencer, editor, approver, admin.")
]
UnitCode = Annotated[str, typer.Argument(metavar="UNIT", help="A code from 'loaso units list'.")]


def main() -> None:
    """The program `loaso`. Exit codes: 0 done, 1 it says what is wrong, 2 wrong usage, 130 interrupted."""
    sys.exit(run_command(app))


@app.command()
def demo() -> int:
    """Try everything on this machine, with no token and no account. Prints the address to open."""
    from bot.commands import service

    return service.demo()


@app.command()
def run(
    no_send: Annotated[bool, typer.Option("--no-send", help="Receive, answer and plan, but send no runs.")] = False,
) -> int:
    """Run the bot: channels, clock, sender and web in one process, until it is stopped. With LOASO_ENGINE=cluster there
    may be any number of these and of 'loaso worker'."""
    from bot.commands import service

    return service.run(send=not no_send)


@app.command()
def worker() -> int:
    """A process that only sends, beside 'loaso run --no-send', with LOASO_ENGINE=cluster. Start as many as you like."""
    from bot.commands import service

    return service.worker()


@app.command()
def check() -> int:
    """Settings, database, tokens, webhooks, clock, content: each line is right, or says what to do."""
    from bot.commands import checkup

    return checkup.check()


@app.command()
def backup(file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the copy.")]) -> int:
    """Copy the database into FILE, consistent while the bot runs."""
    from bot.commands import keeping

    return keeping.backup(file)


@app.command()
def restore(file: Annotated[Path, typer.Argument(metavar="FILE", help="A copy made by 'loaso backup'.")]) -> int:
    """Put FILE in the place of the database. Stop the bot first; what was there is kept beside it."""
    from bot.commands import keeping

    return keeping.restore(file)


@app.command("copy-to")
def copy_to(
    url: Annotated[str, typer.Argument(metavar="URL", help="As in LOASO_DATABASE_URL; PGPASSWORD is respected.")],
) -> int:
    """Copy everything into the empty database at URL, from SQLite to PostgreSQL or back. Stop the bot first."""
    from bot.commands import moving

    return moving.copy_to(url)


@units.command("import")
def units_import(file: Csv) -> int:
    """Add and change units. Columns: code, name, kind (village, commune, province), parent, aliases (between |),
    valid_from, valid_to, merged_into. Empty fields leave a known unit as it is; aliases are only added."""
    from bot.commands import imports

    return imports.bring_units(file)


@units.command("list")
def units_list(
    below: Annotated[
        str | None, typer.Option("--below", metavar="CODE", help="Only what lies below this unit.")
    ] = None,
    json: Json = False,
) -> int:
    """The units there are today, with their codes and how many people subscribe."""
    from bot.commands import registry

    return registry.list_units(below, json)


@people.command("import")
def people_import(file: Csv) -> int:
    """Add people who have agreed elsewhere. Columns: channel, external_id, unit, group, language, consented_at, and
    optionally account. A column 'name' is read over: names are not stored. A row without consent is refused; who has
    said stop stays stopped; who asked to be erased does not come back."""
    from bot.commands import imports

    return imports.bring_people(file)


@roles.command("grant")
def roles_grant(who: Who, role: RoleName, unit: UnitCode) -> int:
    """Give somebody a role for a unit and everything below it."""
    from bot.commands import registry

    return registry.grant(who, role, unit)


@roles.command("revoke")
def roles_revoke(who: Who, role: RoleName, unit: UnitCode) -> int:
    """Take a role away."""
    from bot.commands import registry

    return registry.revoke(who, role, unit)


@roles.command("list")
def roles_list(
    unit: Annotated[str | None, typer.Argument(metavar="[UNIT]", help="Only this unit and what lies below it.")] = None,
    json: Json = False,
) -> int:
    """Who holds which role."""
    from bot.commands import registry

    return registry.list_roles(unit, json)


@campaign.command("send")
def campaign_send(
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="AUDIENCE",
            help="all, unit:CODE, group:NAME, channel:NAME, role:NAME, joined by + (and) and , (or).",
        ),
    ],
    text: Annotated[str | None, typer.Option("--text", help="What to say.")] = None,
    item: Annotated[str | None, typer.Option("--item", metavar="ID", help="An item, or a tip of the pack.")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="2026-11-23T09:00, or 09:00 today.")] = None,
    urgent: Annotated[bool, typer.Option("--urgent", help="Also in quiet hours and past the caps; audited.")] = False,
    again: Annotated[bool, typer.Option("--again", help="The same text to the same audience once more.")] = False,
    resend_unknown: Annotated[
        bool, typer.Option("--resend-unknown", help="After a crash, resend what may have arrived.")
    ] = False,
    json: Json = False,
) -> int:
    """Send a text or an item to an audience, now or at a time. Prints the run as JSON."""
    from bot.commands import sending

    order = sending.Order(to, text, item, at, urgent, again, resend_unknown)
    return sending.send(order, json)


@campaign.command("status")
def campaign_status(
    id: RunId,
    json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="Follow the run to its end.")] = False,
) -> int:
    """How far a run is. In a pipe this is JSON on one line."""
    from bot.commands import running

    return running.watch(id, json) if watch else running.status(id, json)


@campaign.command("pause")
def campaign_pause(id: RunId, json: Json = False) -> int:
    """Hold a run: nothing new leaves."""
    from bot.commands import running

    return running.pause(id, json)


@campaign.command("resume")
def campaign_resume(id: RunId, json: Json = False) -> int:
    """Go on with a paused or stopped run. Nobody gets it twice."""
    from bot.commands import running

    return running.resume(id, json)


@campaign.command("cancel")
def campaign_cancel(id: RunId, json: Json = False) -> int:
    """End a run: what still waits is skipped."""
    from bot.commands import running

    return running.cancel(id, json)


@campaign.command("retry-failed")
def campaign_retry_failed(id: RunId, json: Json = False) -> int:
    """Try the failed ones of a run again, and nobody else."""
    from bot.commands import running

    return running.retry_failed(id, json)


@campaign.command("resend-unknown")
def campaign_resend_unknown(id: RunId, json: Json = False) -> int:
    """Send again to those who may or may not have got it."""
    from bot.commands import running

    return running.resend_unknown(id, json)


@campaign.command("list")
def campaign_list(
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 50,
    json: Json = False,
) -> int:
    """The latest runs, newest first."""
    from bot.commands import running

    return running.list_runs(limit, json)


@campaign.command("report")
def campaign_report(
    id: RunId,
    csv: Annotated[Path, typer.Option("--csv", metavar="FILE", help="Where to write it; - is standard output.")],
) -> int:
    """What became of a run, person by person, without names or addresses."""
    from bot.commands import running

    return running.report(id, csv)


@faq.command("ask")
def faq_ask(
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="The question.")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help='Read {"id","text"} lines, write one answer a line.')] = False,
) -> int:
    """What the bot would answer."""
    from bot.commands import asking

    return asking.ask(text, jsonl)


@content.command("check")
def content_check(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A folder with one pack a language.")] = None,
) -> int:
    """Whether every pack is valid, sourced, not expired and short enough; names file and line otherwise."""
    from bot.commands import asking

    return asking.check_content(folder)
