"""Bringing in people who have agreed elsewhere: nobody without consent, nobody who has said stop or asked to be
erased; names are never stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.core.words import PersonStatus, TargetGroup
from bot.db import Database, Tx, accounts, arrivals, audit, people, units
from bot.db.arrivals import Arrival, Known
from bot.db.tables import Account, Unit
from bot.db.turns import Turns
from bot.outreach import curriculum, posts
from bot.outreach.desk import House
from bot.outreach.guests import OPTIONAL, REQUIRED, Guest, Reader
from bot.outreach.people import tombstone
from bot.outreach.sheets import Refuse, Refused, Sheet, quote
from bot.outreach.unit_import import Tally

CONSENT_VERSION = "import"
AHEAD = 20_000
"""So many lines are read ahead and sorted by address: neighbours in the index are written together, which halves what
goes to disk."""
BATCH = 2_500
"""People a transaction: about 50 ms, then others have their turn."""


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
    named: dict[str, Account] = field(default_factory=dict)
    refused: list[tuple[int, str]] = field(default_factory=list)

    async def run(self, path: Path, progress: Callable[[int], None] = lambda _bytes: None) -> Tally:
        """Raises `BadFile` and `OSError`. What was brought in before an interruption stays; run it again."""
        turns = Turns(self.database)
        guests = self._read(path, progress)
        ahead = list(islice(guests, AHEAD))
        async with self.database.read() as tx:
            self.places = _places(await units.ever(tx), self.now.astimezone(self.zone).date())
        while ahead:
            ahead.sort(key=attrgetter("external_id"))  # stable: who stands twice ends as the last line says
            ahead.sort(key=attrgetter("channel"))
            following: list[Guest] = []
            for start in range(0, len(ahead), BATCH):
                async with turns.write() as tx:
                    await self._take_in(tx, ahead[start : start + BATCH])
                following += islice(guests, BATCH)
            self._tell()
            ahead = following
        self._tell()
        if self.tally.added or self.tally.updated:
            async with self.database.write() as tx:
                await audit.note(tx, self.now, "people_imported", "people", **self.tally.as_dict())
        return self.tally

    def turn_away(self, line: int, why: str) -> None:
        self.refused.append((line, why))
        if len(self.refused) >= AHEAD:
            self._tell()

    def _tell(self) -> None:
        """Say what was refused, in the order of the file as far as it was read."""
        self.tally.refused += len(self.refused)
        for line, why in sorted(self.refused):
            self.refuse(line, why)
        self.refused.clear()

    def _read(self, path: Path, progress: Callable[[int], None]) -> Iterator[Guest]:
        reader = Reader(self.now, self.zone)
        for row in Sheet(path, REQUIRED, OPTIONAL).rows(self.turn_away, progress):
            try:
                yield reader.read(row)
            except Refused as why:
                self.turn_away(row.line, str(why))

    async def _take_in(self, tx: Tx, batch: list[Guest]) -> None:
        for channel, guests in groupby(batch, attrgetter("channel")):
            if channel not in self.spread:
                self.spread[channel] = await posts.open_to(tx, channel, self.keys, self.now)
                every = (*self.spread[channel], *await accounts.of_channel(tx, channel))
                self.named |= {account.key: account for account in every}
            await self._of_channel(tx, channel, list(guests))

    async def _of_channel(self, tx: Tx, channel: str, batch: list[Guest]) -> None:
        addresses = [guest.external_id for guest in batch]
        known = await arrivals.known(tx, channel, addresses)
        erased = await self._erased(tx, channel, addresses)
        fresh: dict[str, Arrival] = {}
        changed: dict[int, Known] = {}
        for guest in batch:
            try:
                _not_in(guest, erased)
                unit_id = self._unit(guest.unit)
                old = known.get(guest.external_id)
                if old is None:
                    self._meet(guest, unit_id, self._account(guest), fresh)
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

    def _account(self, guest: Guest) -> Account:
        among = self.spread[guest.channel]
        if not guest.account:
            return posts.choose(among, guest.external_id)
        if guest.account in self.named:
            return self.named[guest.account]
        raise Refused(f"no account is called {quote(guest.account)}: there are {', '.join(a.key for a in among)}")

    async def _erased(self, tx: Tx, channel: str, addresses: Sequence[str]) -> set[str]:
        if not await arrivals.any_erased(tx):
            return set()
        secret = self.secret()
        hashes = {tombstone(secret, channel, address): address for address in addresses}
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
