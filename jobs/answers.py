"""Answers: every day anew, so that what has expired stops answering, and whenever people have published another one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from bot.core.words import EntryState
from bot.db import local_entries
from bot.outreach.desk import Desk
from bot.outreach.faq.engine import Answerer
from bot.outreach.questions import entries
from jobs.context import JobContext
from messages.content.models import FaqEntry


async def refresh_answers(context: JobContext) -> None:
    """Look whether the day or what is published here has changed; only then the answers are built, which takes a fifth
    of a second and happens beside the loop."""
    desk, today = context.desk, context.desk.clock.today(context.now)
    async with context.database.read() as tx:
        version = await local_entries.version(tx)
        if desk.answerer.today == today and desk.local == version:
            return
        rows = await local_entries.in_state(tx, EntryState.PUBLISHED)
    packed = {id: entry for id, entry in desk.pack.faq.items() if not id.startswith(entries.PREFIX)}
    ours = {entry.id: entry for entry in (entries.as_entry(row, _theme(desk, packed, row.title)) for row in rows)}
    pack = replace(desk.pack, faq=MappingProxyType({**packed, **ours}))
    desk.answerer = await asyncio.to_thread(Answerer, pack.faq, pack.facts, today, pack.hints)
    desk.pack, desk.local = pack, version


def _theme(desk: Desk, packed: Mapping[str, FaqEntry], title: str) -> str:
    """The theme under which an entry stands in menus: that of the packed one nearest to it."""
    near = [packed[id] for id in desk.answerer.ask(title).entries if id in packed]
    return (near or [*packed.values()])[0].theme
