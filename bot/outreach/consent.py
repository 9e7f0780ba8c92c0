"""Consent: given, withdrawn, taken up again, and everything erased on request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.words import PersonStatus, RoleName, TargetGroup
from bot.db import Tx, conversations, deliveries, people, practice, questions, roles, units
from bot.db.tables import Person, Unit
from bot.outreach.desk import Desk
from bot.outreach.people import tombstone

ELSEWHERE = "import"
"""The version under which an import notes consent that was given on paper."""


def has(person: Person, desk: Desk) -> bool:
    """Whether somebody has agreed to the notice as it reads now, here or on paper."""
    return person.consent_at is not None and person.consent_version in (desk.house.consent_version, ELSEWHERE)


def give(person: Person, desk: Desk, via: str, now: datetime) -> None:
    """They said yes: from now on they are written to, with defaults for all that they have not chosen."""
    person.consent_version, person.consent_at, person.consent_via = desk.house.consent_version, now, via
    person.target_group = person.target_group or TargetGroup.RESIDENT
    person.tip_hour = desk.house.tip_hour if person.tip_hour is None else person.tip_hour
    _activate(person, desk, now)


async def withdraw(tx: Tx, person: Person, now: datetime) -> None:
    """They said stop: nothing more is sent, nothing is waited for. Saying it twice changes nothing."""
    if person.status is not PersonStatus.STOPPED:
        person.status, person.stopped_at = PersonStatus.STOPPED, now
    await deliveries.drop_person(tx, person.id, now)
    for contact in await people.contacts(tx, person.id):
        await conversations.drop(tx, contact.id)
    await tx.flush()


def resume(person: Person, desk: Desk, now: datetime) -> bool:
    """Take up again where they were. False if they must be asked for their consent first."""
    if not has(person, desk):
        return False
    _activate(person, desk, now)
    return True


def _activate(person: Person, desk: Desk, now: datetime) -> None:
    if person.status is PersonStatus.ACTIVE:
        return
    person.status, person.stopped_at = PersonStatus.ACTIVE, None
    wait_for_hour(person, desk, now)


def wait_for_hour(person: Person, desk: Desk, now: datetime) -> None:
    """If their hour has passed today, their next tip comes tomorrow; else a day that they missed is not counted."""
    local = desk.clock.local(now)
    passed = person.tip_hour is not None and local.hour >= person.tip_hour
    day = local.date() if passed else local.date() - timedelta(days=1)
    person.tipped_on = max(person.tipped_on or day, day)


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything that is stored about somebody, for them to read. `places` runs from the province down."""

    places: tuple[Unit, ...]
    group: TargetGroup | None
    tip_hour: int | None
    language: str
    consent_at: datetime | None
    tips: int
    questions: int
    practised: int
    roles: tuple[tuple[RoleName, Unit], ...]
    stopped: bool
    listens: bool


async def kept(tx: Tx, person: Person) -> Kept:
    unit = await units.get(tx, person.unit_id) if person.unit_id is not None else None
    places = await units.chain(tx, unit) if unit is not None else []
    return Kept(
        places=tuple(places[1:]),
        group=person.target_group,
        tip_hour=person.tip_hour,
        language=person.language,
        consent_at=person.consent_at,
        tips=person.tip_day + len(person.tips_seen or []),
        questions=len(await questions.kept_of(tx, person.id)),
        practised=await practice.count(tx, person.id),
        roles=tuple(await roles.of_person(tx, person.id)),
        stopped=person.status is PersonStatus.STOPPED,
        listens=person.listens,
    )


async def erase(tx: Tx, desk: Desk, person: Person, now: datetime) -> None:
    """Delete somebody with everything that hangs on them. Only a keyed hash of their addresses stays."""
    found = await people.addresses(tx, person.id)
    hashes = [tombstone(desk.secret_key, channel, contact.external_id) for channel, contact in found]
    await tx.flush()
    await questions.withdraw(tx, person.id)
    for _, contact in found:
        desk.unanswered.pop(contact.id, None)
        tx.expunge(contact)
    tx.expunge(person)
    await people.erase(tx, person.id, hashes, now)
