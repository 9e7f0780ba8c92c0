"""Audiences as operators write them: `unit:18859+group:elderly,role:helper`."""

from __future__ import annotations

from bot.core.errors import UserError
from bot.core.words import RoleName, TargetGroup
from bot.db import Tx, units
from bot.db.audience import Atom, Expression, Term

_PUBLIC = (Atom.ALL, Atom.UNIT, Atom.GROUP, Atom.CHANNEL, Atom.ROLE)
_CHANNELS = ("telegram", "zalo_bot", "zalo_oa")
_HELP = "write all, unit:CODE, group:NAME, channel:NAME or role:NAME, joined by + (and) or , (or)"


class BadAudience(UserError):
    """An audience that cannot be read; says how to write one."""


def parse(text: str, *, internal: bool = False) -> Expression:
    """Read an expression. `internal` allows the words that only the program itself writes (person, circle, chats,
    going). Raises `BadAudience`."""
    return tuple(tuple(_term(word, internal) for word in part.split("+")) for part in text.split(","))


def _term(word: str, internal: bool) -> Term:
    name, _, value = word.strip().partition(":")
    try:
        atom = Atom(name.strip().lower())
    except ValueError:
        raise BadAudience(f"'{word.strip()}' is not an audience: {_HELP}") from None
    if atom not in _PUBLIC and not internal:
        raise BadAudience(f"'{word.strip()}' is not an audience: {_HELP}")
    value = value.strip()
    if (atom is Atom.ALL) == bool(value):
        raise BadAudience(f"'{word.strip()}' is not an audience: {_HELP}")
    _check(atom, value)
    return Term(atom, value)


def _check(atom: Atom, value: str) -> None:
    allowed: dict[Atom, tuple[str, ...]] = {
        Atom.GROUP: tuple(TargetGroup),
        Atom.ROLE: tuple(RoleName),
        Atom.CHANNEL: _CHANNELS,
    }
    if atom in allowed and value not in allowed[atom]:
        raise BadAudience(f"'{value}' is not a {atom}: write one of {', '.join(allowed[atom])}")
    if atom in (Atom.PERSON, Atom.CIRCLE, Atom.CHATS, Atom.GOING) and not value.isdecimal():
        raise BadAudience(f"'{atom}:{value}' needs a number")


async def check_units(tx: Tx, expression: Expression) -> None:
    """Raises `BadAudience` that names the first unit that does not exist."""
    for term in (t for all_of in expression for t in all_of):
        if term.atom is Atom.UNIT and await units.by_code(tx, term.value) is None:
            raise BadAudience(f"No unit has the code {term.value}: see the codes with 'loaso units list'")


def write(expression: Expression) -> str:
    """The canonical text: the same audience is always the same text."""
    parts = sorted("+".join(sorted(_word(t) for t in all_of)) for all_of in expression)
    return ",".join(parts)


def _word(term: Term) -> str:
    return f"{term.atom}:{term.value}" if term.value else str(term.atom)
