"""`loaso units import` and `loaso people import`."""

from __future__ import annotations

from pathlib import Path

from bot.commands import console
from bot.commands.edge import DONE, WRONG
from bot.commands.opened import Opened, with_database
from bot.outreach import people_import, posts, unit_import
from bot.outreach.unit_import import Tally
from bot.settings import secret_key


def bring_units(file: Path) -> int:
    refusals = console.Refusals()
    with console.bar(file.name, console.size_of(file)) as progress:
        wishes = unit_import.read(file, refusals, progress)

    async def work(opened: Opened) -> Tally:
        async with opened.database.write() as tx:
            today = opened.clock.today(opened.now)
            return await unit_import.bring_in(tx, wishes, refusals, opened.now, today)

    tally = with_database(work)
    tally.refused = refusals.count
    return _conclude(tally, refusals)


def bring_people(file: Path) -> int:
    refusals = console.Refusals()
    size = console.size_of(file)

    async def work(opened: Opened) -> Tally:
        settings = opened.settings
        keys = posts.configured(settings)
        job = people_import.Import(
            opened.database, opened.now, settings.zone, keys, lambda: secret_key(settings), refusals
        )
        with console.bar(file.name, size) as progress:
            tally = await job.run(file, progress)
        _say_where(job)
        return tally

    return _conclude(with_database(work), refusals)


def _say_where(job: people_import.Import) -> None:
    if not job.tally.added:
        return
    for channel, among in job.spread.items():
        if [account.key for account in among] == [posts.waiting(channel)]:
            console.say(f"No account of {channel} is set up: its new people wait for the first one.")
        elif len(among) > 1:
            console.say(f"New people of {channel} are spread evenly over {len(among)} accounts.")


def _conclude(tally: Tally, refusals: console.Refusals) -> int:
    refusals.close()
    console.result(tally.as_dict())
    nothing_taken = tally.refused and not (tally.added or tally.updated or tally.unchanged)
    return WRONG if nothing_taken else DONE
