"""Telling the people who run it that something needs them."""

from __future__ import annotations

from typing import Any

from bot.core.events import Outbound
from bot.core.words import RoleName
from bot.db import Tx, accounts, audit, people, roles, units
from bot.outreach import letterbox
from bot.outreach.desk import Desk
from bot.outreach.notify import may_be_told


async def account_stopped(tx: Tx, desk: Desk, account_id: int, problem: str) -> None:
    """The platform refuses an account: note it and tell the admins in chat on another account, if they have one."""
    now = desk.clock.now()
    if not await accounts.stop(tx, account_id, problem):
        return  # they have been told
    await audit.note(tx, now, "account.stopped", f"account:{account_id}", problem=problem)
    stopped = next(a for a in await accounts.everyone(tx) if a.id == account_id)
    await _tell_admins(tx, desk, "common.account_stopped", but=account_id, account=stopped.key)


async def nearly_used_up(tx: Tx, desk: Desk, account: str, what: str, used: int, limit: int) -> None:
    """Most of what an account may do in a month is done: note it and tell the admins."""
    await audit.note(tx, desk.clock.now(), "budget.low", f"account:{account}", what=what, used=used, limit=limit)
    await _tell_admins(tx, desk, f"common.nearly_used_{what}", account=account, used=used, limit=limit)


async def _tell_admins(tx: Tx, desk: Desk, key: str, *, but: int | None = None, **fields: Any) -> None:
    now = desk.clock.now()
    for person_id in await roles.holders(tx, (RoleName.ADMIN,), await units.root(tx)):
        person = await people.get(tx, person_id)
        found = await people.open_contacts(tx, person_id)
        other = [c for c in found if c.account_id != but]
        other = [c for c in other if await may_be_told(tx, desk, c)] or other
        if person is None or not other:
            continue
        said = desk.book.say(person.language, key, **fields)
        message = Outbound(chat_id=other[0].external_id, text=said.text, entities=said.entities)
        await letterbox.put(tx, desk, other[0].account_id, other[0].id, message, now, language=person.language)
