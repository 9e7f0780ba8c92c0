"""Bringing in people who have agreed elsewhere: nobody without consent, nobody who has said stop or asked to be
erased; names are never stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.core.text import fold
from bot.core.words import PersonStatus, TargetGroup
from bot.db import Database, Tx, accounts, arrivals, audit, people, units
from bot.db.arrivals import Arrival, Known
from bot.db.tables import Account, Unit
from bot.outreach import curriculum, posts
from bot.outreach.desk import House
from bot.outreach.people import LANGUAGES, tombstone
from bot.outreach.sheets import Refuse, Refused, Row, Sheet, quote
from bot.outreach.unit_import import Tally

REQUIRED = ("channel", "external_id", "unit", "group", "consented_at")
OPTIONAL = ("language", "account", "name")
BATCH = 2000
CONSENT_VERSION = "import"
_IDS = {
    "telegram": re.compile(r"[1-9]\d{0,15}"),
    "zalo_bot": re.compile(r"[A-Za-z0-9_.-]{1,64}"),
    "zalo_oa": re.compile(r"[A-Za-z0-9_.-]{1,64}"),
}
_GROUPS = {str(group): group for group in TargetGroup}
_EARLIEST = 2000


@dataclass(frozen=True, slots=True)
class Guest:
    """What one line says about a person. What is empty leaves a known person as they are."""

    line: int
    channel: str
    external_id: str
    unit: str
    group: TargetGroup | None
    language: str
    consent_at: datetime
    account: str


@dataclass(slots=True)
class Import:
    """One import. `now` decides what lies in the future; `zone` reads times without an offset; `secret` is asked
    for only when there is somebody who asked to be erased."""

    database: Database
    now: datetime
    zone: ZoneInfo
    keys: Mapping[str, Sequence[str]]
    secret: Callable[[], bytes]
    refuse: Refuse
    tip_hour: int = field(default_factory=lambda: House().tip_hour)
    tally: Tally = field(default_factory=Tally)
    places: dict[str, int | str] = field(default_factory=dict)
    spread: dict[str, list[Account]] = field(default_factory=dict)

    async def run(self, path: Path, progress: Callable[[int], None] = lambda _bytes: None) -> Tally:
        """Raises `BadFile` and `OSError`. What was brought in before an interruption stays; run it again."""
        guests = self._read(path, progress)
        while batch := list(islice(guests, BATCH)):
            async with self.database.write() as tx:
                await self._take_in(tx, batch)
        if self.tally.added or self.tally.updated:
            async with self.database.write() as tx:
                await audit.note(tx, self.now, "people_imported", "people", **self.tally.as_dict())
        return self.tally

    def turn_away(self, line: int, why: str) -> None:
        self.tally.refused += 1
        self.refuse(line, why)

    def _read(self, path: Path, progress: Callable[[int], None]) -> Iterator[Guest]:
        for row in Sheet(path, REQUIRED, OPTIONAL).rows(self.turn_away, progress):
            try:
                yield read(row, self.now, self.zone)
            except Refused as why:
                self.turn_away(row.line, str(why))

    async def _take_in(self, tx: Tx, batch: list[Guest]) -> None:
        if not self.places:
            self.places = _places(await units.ever(tx), self.now.astimezone(self.zone).date())
        for channel in sorted({guest.channel for guest in batch}):
            if channel not in self.spread:
                self.spread[channel] = await posts.open_to(tx, channel, self.keys, self.now)
            await self._of_channel(tx, channel, [guest for guest in batch if guest.channel == channel])

    async def _of_channel(self, tx: Tx, channel: str, batch: list[Guest]) -> None:
        known = await arrivals.known(tx, channel, list({guest.external_id for guest in batch}))
        erased = await self._erased(tx, channel, batch)
        fresh: dict[str, Arrival] = {}
        changed: dict[int, Known] = {}
        for guest in batch:
            try:
                _not_in(guest, erased)
                unit_id = self._unit(guest.unit)
                old = known.get(guest.external_id)
                if old is None:
                    self._meet(guest, unit_id, await self._account(tx, guest), fresh)
                elif await self._meet_again(tx, guest, unit_id, old):
                    changed[old.person_id] = old
            except Refused as why:
                self.turn_away(guest.line, str(why))
        await arrivals.add(
            tx,
            list(fresh.values()),
            self.now,
            consent_version=CONSENT_VERSION,
            tip_hour=self.tip_hour,
            tipped_on=self._tipped_on,
        )
        await arrivals.change(tx, list(changed.values()))

    @property
    def _tipped_on(self) -> date | None:
        """Who comes after today's hour gets the first tip tomorrow."""
        local = self.now.astimezone(self.zone)
        return local.date() if local.hour >= self.tip_hour else None

    def _meet(self, guest: Guest, unit_id: int | None, account: Account, fresh: dict[str, Arrival]) -> None:
        group = guest.group or TargetGroup.RESIDENT
        arrival = Arrival(account.id, guest.external_id, unit_id, group, guest.language or "vi", guest.consent_at)
        if guest.external_id not in fresh:
            self.tally.added += 1
        elif fresh[guest.external_id] == arrival:
            self.tally.unchanged += 1
        else:
            self.tally.updated += 1
        fresh[guest.external_id] = arrival

    async def _meet_again(self, tx: Tx, guest: Guest, unit_id: int | None, old: Known) -> bool:
        """Whether something about a known person changes. Who has stopped stays so; who wrote to us and has not
        agreed there has not agreed."""
        agrees = old.status is PersonStatus.NEW and not old.heard
        if not agrees and old.status is not PersonStatus.ACTIVE:
            self.tally.unchanged += 1
            return False
        if agrees:
            await arrivals.activate(
                tx,
                old.person_id,
                guest.consent_at,
                consent_version=CONSENT_VERSION,
                tip_hour=self.tip_hour,
                tipped_on=self._tipped_on,
            )
            old.status, old.target_group = PersonStatus.ACTIVE, old.target_group or TargetGroup.RESIDENT
        if guest.group is not None and old.target_group is not None and guest.group is not old.target_group:
            person = await people.get(tx, old.person_id)
            assert person is not None  # noqa: S101  # just read in this transaction
            await curriculum.change_group(tx, person, guest.group)
        wanted = (unit_id or old.unit_id, guest.group or old.target_group, guest.language or old.language)
        differs = agrees or wanted != (old.unit_id, old.target_group, old.language)
        old.unit_id, old.target_group, old.language = wanted
        self.tally.updated += differs
        self.tally.unchanged += not differs
        return differs

    def _unit(self, code: str) -> int | None:
        if not code:
            return None
        found = self.places.get(code)
        if found is None:
            raise Refused(f"no unit has the code {quote(code)}: see 'loaso units list'")
        if isinstance(found, str):
            raise Refused(found)
        return found

    async def _account(self, tx: Tx, guest: Guest) -> Account:
        among = self.spread[guest.channel]
        if not guest.account:
            return posts.choose(among, guest.external_id)
        for account in (*among, *await accounts.of_channel(tx, guest.channel)):
            if account.key == guest.account:
                return account
        raise Refused(f"no account is called {quote(guest.account)}: there are {', '.join(a.key for a in among)}")

    async def _erased(self, tx: Tx, channel: str, batch: list[Guest]) -> set[str]:
        if not await arrivals.any_erased(tx):
            return set()
        secret = self.secret()
        hashes = {tombstone(secret, channel, guest.external_id): guest.external_id for guest in batch}
        return {hashes[found] for found in await arrivals.erased(tx, list(hashes))}


def _not_in(guest: Guest, erased: set[str]) -> None:
    if guest.external_id in erased:
        raise Refused("this person asked to be erased: only they themselves can come back")


def _places(everywhere: Sequence[Unit], today: date) -> dict[str, int | str]:
    """Where a code leads: to a unit, from a merged one to its successor, or to the reason why it leads nowhere."""
    by_id = {unit.id: unit for unit in everywhere}
    found: dict[str, int | str] = {}
    for unit in everywhere:
        place = unit
        while place.merged_into_id is not None:
            place = by_id[place.merged_into_id]
        closed = place.valid_to is not None and place.valid_to <= today
        found[unit.code] = f"the unit {unit.code} was closed on {place.valid_to}" if closed else place.id
    return found


def read(row: Row, now: datetime, zone: ZoneInfo) -> Guest:
    """What one line says. Raises `Refused`."""
    channel = row["channel"].lower()
    if channel not in _IDS:
        raise Refused(f"{quote(row['channel'])} is not a channel: write {', '.join(_IDS)}")
    external_id = row["external_id"]
    if not _IDS[channel].fullmatch(external_id):
        raise Refused(_wrong_id(channel, external_id))
    consent = _consent(row["consented_at"], now, zone)
    language = row["language"].lower()
    if language and language not in LANGUAGES:
        raise Refused(f"{quote(language)} is not a language: write {' or '.join(LANGUAGES)}")
    account = row["account"]
    if account and not account.startswith(f"{channel}:"):
        raise Refused(f"{quote(account)} is not an account of {channel}")
    return Guest(row.line, channel, external_id, row["unit"], _group(row["group"]), language, consent, account)


def _wrong_id(channel: str, text: str) -> str:
    if not text:
        return "no external_id"
    if channel == "telegram" and re.fullmatch(r"-\d+", text):
        return "a negative id is a group, and a group cannot agree for its members"
    return f"{quote(text)} is not an id of {channel}"


def _group(text: str) -> TargetGroup | None:
    if not text:
        return None
    try:
        return _GROUPS.get(text) or TargetGroup(fold(text).replace(" ", "_"))
    except ValueError:
        raise Refused(f"{quote(text)} is not a group: write one of {', '.join(TargetGroup)}") from None


_FORMS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y")


def _consent(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    if not text:
        raise Refused("no consent: consented_at is empty")
    moment = _moment(text)
    if moment is None:
        raise Refused(f"consented_at is {quote(text)}: write a time like 2026-11-20T09:00")
    if moment.year < _EARLIEST:
        raise Refused(f"consented_at is {quote(text)}: nobody can have agreed then")
    if moment.year > now.year + 1:
        raise Refused("consented_at lies in the future")
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    if moment > now + timedelta(minutes=5):
        raise Refused("consented_at lies in the future")
    return moment


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is added by the caller
        except ValueError:
            continue
    return None
