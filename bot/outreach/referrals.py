"""Invites: a short code that sets the village and credits whoever brought the person."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from bot.db import Tx, invites, units
from bot.db.tables import Invite, Person, Unit

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without those that look alike on paper or sound alike over the phone (0 and O, 1, I and L)."""
_LENGTH = 7
_CODE = re.compile(rf"[{LETTERS}]{{6,8}}")
_TIP = re.compile(r"[a-z][a-z0-9_]{2,59}")
_EVENT = re.compile(r"[1-9][0-9]{0,14}")
_MOST = 64


@dataclass(frozen=True, slots=True)
class Payload:
    """What a deep link hands over: an invite's code, a tip or an event to show first."""

    code: str = ""
    tip: str = ""
    event: int = 0

    def __str__(self) -> str:
        parts = [f"i_{self.code}" if self.code else "", f"t_{self.tip}" if self.tip else ""]
        parts.append(f"e_{self.event}" if self.event else "")
        return "-".join(part for part in parts if part)


def read(payload: str) -> Payload:
    """Read what came with a link; whatever is not known is left out. Never raises."""
    code, tip, event = "", "", 0
    for part in payload[:_MOST].split("-"):
        kind, _, value = part.partition("_")
        if kind == "i" and _CODE.fullmatch(value.upper()):
            code = value.upper()
        elif kind == "t" and _TIP.fullmatch(value):
            tip = value
        elif kind == "e" and _EVENT.fullmatch(value):
            event = int(value)
        elif _CODE.fullmatch(part.upper()):
            code = part.upper()
    return Payload(code, tip, event)


async def code_for(tx: Tx, person: Person, unit: Unit | None, now: datetime) -> str:
    """A person's code for a unit, always the same one."""
    unit_id = unit.id if unit is not None else None
    found = await invites.of_person(tx, person.id, unit_id)
    if found is not None:
        return found.code
    while True:
        code = "".join(secrets.choice(LETTERS) for _ in range(_LENGTH))
        if await invites.add(tx, code, person.id, unit_id, now):
            return code


async def accept(tx: Tx, person: Person, code: str, now: datetime) -> Invite | None:
    """Credit whoever brought the person: once, the first one, never themselves. Returns the invite if there is one."""
    found = await invites.get(tx, code.upper())
    if found is None:
        return None
    if found.person_id != person.id:
        await invites.credit(tx, person.id, found.person_id, found.code, now)
    return found


async def place(tx: Tx, invite: Invite) -> Unit | None:
    """Where people who follow the invite probably live."""
    return await units.get(tx, invite.unit_id) if invite.unit_id is not None else None


async def brought(tx: Tx, person_id: int) -> int:
    """How many people came through somebody."""
    return await invites.brought(tx, person_id)
