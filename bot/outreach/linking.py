"""One person, several channels: a code that links two addresses, what becomes of two records, and parting again."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bot.core.events import ChatKind
from bot.core.text import clean
from bot.core.words import ContactState, PersonStatus
from bot.db import Tx, audit, lessons, links, people, roles
from bot.db.audience import Atom
from bot.db.tables import Contact, Person
from bot.outreach import audience, consent
from bot.outreach.desk import Desk
from bot.outreach.referrals import LETTERS

PREFIX = "NOI"
"""Before every code, so that none is ever taken for an invite."""
LENGTH = 6
VALID = timedelta(minutes=15)
MOST_WRONG = 5
WRONG_FOR = timedelta(hours=1)
"""So many wrong codes a contact may send within that time."""

_LONGEST = 40
_DIGITS = frozenset("23456789")
_GAP = r"[\s\-‐‑–—_.:]*"
_CODE = re.compile(rf"(?:MÃ\s+|MA\s+)?#?\s*(?:NOI|NỐI){_GAP}({_GAP.join([f'[{LETTERS}]'] * LENGTH)})[.!]*")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_WHO = (Atom.PERSON, Atom.CIRCLE, Atom.CHATS)
_PROFILE = ("unit_id", "target_group", "language", "listens", "tip_hour", "tip_day", "tipped_on", "tips_seen", "status")
_CONSENT = ("consent_version", "consent_at", "consent_via")


class Verdict(StrEnum):
    """What a code that somebody sent is worth."""

    GOOD = "good"
    WRONG = "wrong"
    TOO_MANY = "too_many"
    OWN = "own"
    ALREADY = "already"
    SAME_PLACE = "same_place"


@dataclass(frozen=True, slots=True)
class Address:
    """A contact and the channel that it is on."""

    channel: str
    contact: Contact


def read(text: str) -> str | None:
    """The letters of a code, however it is typed: `NOI-4F7K2M`, `noi 4f7k2m`, `nối4f7 k2m.`. Every code has a digit,
    so that `noi chuyen` is none. Never raises."""
    said = clean(text).upper() if len(text) <= _LONGEST else ""
    found = _CODE.fullmatch(said)
    letters = re.sub(_GAP, "", found[1]) if found else ""
    return letters if _DIGITS & set(letters) else None


def written(letters: str) -> str:
    """A code as people are shown it."""
    return f"{PREFIX}-{letters}"


async def issue(tx: Tx, contact: Contact, now: datetime) -> str:
    """A new code for a contact, as people are shown it; an older one is worth nothing any more."""
    await links.drop_expired(tx, now)
    while True:
        letters = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        if _DIGITS & set(letters) and await links.put(tx, contact.id, letters, now + VALID):
            return written(letters)


async def look(tx: Tx, contact: Contact, letters: str, now: datetime) -> tuple[Verdict, Contact | None]:
    """What a code is worth that came from this contact, and whose it is if it is good."""
    if await links.wrong_tries(tx, contact.id, now) >= MOST_WRONG:
        return Verdict.TOO_MANY, None
    other = await links.issuer(tx, letters, now)
    if other is None:
        await links.note_wrong(tx, contact.id, now + WRONG_FOR)
        return Verdict.WRONG, None
    verdict = await _worth(tx, contact, other)
    return verdict, other if verdict is Verdict.GOOD else None


async def _worth(tx: Tx, contact: Contact, other: Contact) -> Verdict:
    if other.id == contact.id:
        return Verdict.OWN
    if other.person_id == contact.person_id:
        return Verdict.ALREADY
    here, there = await _open_accounts(tx, contact.person_id), await _open_accounts(tx, other.person_id)
    both = (here | {contact.account_id}) & (there | {other.account_id})
    return Verdict.SAME_PLACE if both else Verdict.GOOD


async def _open_accounts(tx: Tx, person_id: int) -> set[int]:
    return {c.account_id for c in await people.contacts(tx, person_id) if c.state is ContactState.OPEN}


async def join(tx: Tx, desk: Desk, contact: Contact, other: Contact, now: datetime) -> Person | None:
    """Make the people of two contacts one, who is written to on `contact`; `other` is the one whose code it was. `None`
    when one of them has changed in this very moment, or is a group."""
    whose = await links.lock(tx, [contact.id, other.id])
    both = [whose.get(other.id), whose.get(contact.id)]
    here, there = both[1], both[0]
    private = contact.kind is ChatKind.PRIVATE and other.kind is ChatKind.PRIVATE
    if here is None or there is None or here.id == there.id or not private:
        return None
    survivor = await _survivor(tx, desk, [there, here])
    loser = here if survivor is there else there
    stopped = PersonStatus.STOPPED in (survivor.status, loser.status)
    await _unite(tx, survivor, loser)
    await _rename(tx, loser.id, survivor.id)
    loser_id = loser.id
    await links.merge(tx, loser, survivor, now, desk.clock.start_of_day(now))
    await links.drop_codes(tx, [contact.id, other.id])
    await links.prefer(tx, survivor.id, contact.id)
    if stopped:
        await consent.withdraw(tx, survivor, now)
    await audit.note(tx, now, "person_linked", f"person:{survivor.id}", actor_id=survivor.id, was=loser_id)
    return survivor


async def _survivor(tx: Tx, desk: Desk, both: Sequence[Person]) -> Person:
    """Who holds a role, else who has agreed, else the first."""
    holds = {person.id: bool(await roles.of_person(tx, person.id)) for person in both}
    return max(both, key=lambda person: (holds[person.id], consent.has(person, desk)))


async def _unite(tx: Tx, survivor: Person, loser: Person) -> None:
    """What is known of two people as that of one. Tips that either has had never come again, and no second one comes
    on the same day. Whoever said stop on one side has said it."""
    await _learn(tx, survivor, loser)
    survivor.unit_id = loser.unit_id if survivor.unit_id is None else survivor.unit_id
    survivor.tip_hour = loser.tip_hour if survivor.tip_hour is None else survivor.tip_hour
    survivor.listens = survivor.listens or loser.listens
    survivor.created_at = min(survivor.created_at, loser.created_at)
    if (loser.consent_at or _LONG_AGO) > (survivor.consent_at or _LONG_AGO):
        for name in _CONSENT:
            setattr(survivor, name, getattr(loser, name))
    if survivor.status is not PersonStatus.STOPPED and loser.status is not PersonStatus.NEW:
        survivor.status, survivor.stopped_at = loser.status, loser.stopped_at
    await tx.flush()


async def _learn(tx: Tx, survivor: Person, loser: Person) -> None:
    days = [day for day in (survivor.tipped_on, loser.tipped_on) if day is not None]
    survivor.tipped_on = max(days, default=None)
    seen = [*(survivor.tips_seen or []), *(loser.tips_seen or [])]
    if survivor.target_group in (None, loser.target_group):
        survivor.target_group = loser.target_group
        survivor.tip_day = max(survivor.tip_day, loser.tip_day)
    elif loser.target_group is not None and loser.tip_day:
        seen += (await lessons.everything(tx))[loser.target_group][: loser.tip_day]
    survivor.tips_seen = list(dict.fromkeys(seen)) or None


async def _rename(tx: Tx, old: int, new: int) -> None:
    """Campaigns still to come that name the one person in their audience mean the other."""
    for campaign in await links.campaigns_naming(tx, old):
        meant = audience.parse(campaign.audience, internal=True)
        campaign.audience = audience.write(
            tuple(
                tuple(replace(t, value=str(new)) if t.atom in _WHO and t.value == str(old) else t for t in all_of)
                for all_of in meant
            )
        )
    await tx.flush()


async def addresses(tx: Tx, person: Person) -> list[Address]:
    """Where somebody can be written to."""
    found = await people.addresses(tx, person.id)
    return [Address(channel, c) for channel, c in found if c.state is ContactState.OPEN and c.kind is ChatKind.PRIVATE]


async def prefer(tx: Tx, person: Person, contact_id: int) -> Address | None:
    """Write to somebody there from now on; `None` if they cannot be written to there, or only there."""
    found = await addresses(tx, person)
    wanted = next((a for a in found if a.contact.id == contact_id), None)
    if wanted is None or len(found) < 2:
        return None
    await links.prefer(tx, person.id, contact_id)
    return wanted


async def elsewhere(tx: Tx, contact: Contact) -> list[Address]:
    """Addresses of the same person that belong to another account of theirs. Several bots of one platform know
    somebody by the same id: those are never parted."""
    found = [Address(channel, c) for channel, c in await people.addresses(tx, contact.person_id)]
    own = next(a for a in found if a.contact.id == contact.id)
    return [a for a in found if not _same(a, own)]


def _same(one: Address, other: Address) -> bool:
    return (one.channel, one.contact.external_id) == (other.channel, other.contact.external_id)


async def part(tx: Tx, contact: Contact, now: datetime) -> Person | None:
    """The contact becomes a person of its own, who knows what was known and has no roles; everything else stays with
    the other one. `None` if there is nothing to part from."""
    person = (await links.lock(tx, [contact.id]))[contact.id]
    away = {a.contact.id for a in await elsewhere(tx, contact)}
    if not away:
        return None
    mine = [c.id for c in await people.contacts(tx, person.id) if c.id not in away and c.kind is ChatKind.PRIVATE]
    copied = {name: getattr(person, name) for name in (*_PROFILE, *_CONSENT, "stopped_at")}
    alone = Person(kind=person.kind, created_at=now, **copied)
    await links.split(tx, mine, alone)
    if len(away) == 1:
        await links.prefer(tx, person.id, None)
    await audit.note(tx, now, "person_unlinked", f"person:{alone.id}", actor_id=alone.id, was=person.id)
    return alone
