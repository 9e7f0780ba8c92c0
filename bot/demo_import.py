"""The town of the demo, told to the product as an operator would, and what the product knows of its people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.core.channel import Capabilities
from bot.core.errors import UserError
from bot.core.events import ChatKind
from bot.core.words import ContactState
from bot.db import Database, Tx, accounts, invites, people, roles, units
from bot.db.tables import Account, Contact, Person
from bot.outreach import linking, people_import, posts, referrals, roles_admin, unit_import
from bot.outreach.desk import Desk
from bot.sandbox.sample import BOT_TOKEN, OA_APP_ID, ZALO_BOT_TOKEN, Character, Home, Part, Town
from bot.sandbox.telegram.errors import Json
from bot.settings import Address, Settings

_SUBSCRIBED_FOR = timedelta(days=21)
_BROUGHT = 4
_OURS = {
    "telegram": f"telegram:{BOT_TOKEN.partition(':')[0]}",
    "zalo_bot": f"zalo_bot:{ZALO_BOT_TOKEN.partition(':')[0]}",
    "zalo_oa": f"zalo_oa:{OA_APP_ID}",
}


async def only_ours(tx: Tx) -> None:
    """A database that really serves people is no place for a demo. Raises `UserError`."""
    ours = {*_OURS.values(), *map(posts.waiting, _OURS)}
    found: list[Account] = await accounts.everyone(tx)
    if any(account.key not in ours for account in found) or (not found and await people.count(tx)):
        raise UserError(
            "LOASO_DATABASE_URL names a database that holds real accounts or people, and the demo would mix invented "
            "ones into it: unset LOASO_DATABASE_URL, or name an empty database"
        )


class TownImport:
    """The town, brought in by the same rules as `loaso units import`, `loaso people import`, `loaso roles grant`."""

    def __init__(self, database: Database, settings: Settings, desk: Desk, town: Town, folder: Path) -> None:
        self.database = database
        self.settings = settings
        self.desk = desk
        self.town = town
        self.folder = folder
        self.now = desk.clock.now()
        self.keys = {channel: (key,) for channel, key in _OURS.items()}

    async def run(self) -> None:
        async with self.database.write() as tx:
            wishes = unit_import.read(self.town.villages_file, _refuse)
            await unit_import.bring_in(tx, wishes, _refuse, self.now, self.desk.clock.today(self.now))
        for hour in {person.tip_hour for person in self.town.people.values() if person.tip_hour is not None}:
            await self._people(hour)
        async with self.database.write() as tx:
            await self._heard(tx)
            await self._linked(tx)
            await self._roles(tx)
            await self._brought(tx)

    async def _people(self, hour: int) -> None:
        """One file for each hour at which people want their tip."""
        path = self.folder / "people.csv"
        mine = {id: person for id, person in self.town.people.items() if person.tip_hour == hour}
        replace(self.town, people=mine).write_people(path, self.now - _SUBSCRIBED_FOR)
        await people_import.Import(
            self.database,
            self.now,
            self.settings.zone,
            self.keys,
            lambda: self.desk.secret_key,
            _refuse,
            tip_hour=hour,
        ).run(path)

    async def _heard(self, tx: Tx) -> None:
        """Until when people on Zalo may be written to goes by what they last said there."""
        for person in self._known():
            for home in person.homes:
                if home.heard_at is not None:
                    contact = await self._contact(tx, home)
                    contact.last_in_at = datetime.fromtimestamp(home.heard_at, UTC)

    async def _linked(self, tx: Tx) -> None:
        """Who is on two channels has sent the code of one on the other; tips go on where they first were."""
        for person in self._known():
            first, *others = [await self._contact(tx, home) for home in person.homes]
            for other in others:
                await linking.join(tx, self.desk, first, other, self.now)

    async def _roles(self, tx: Tx) -> None:
        for person in self._known():
            if person.part.role is not None:
                unit = await roles_admin.read_unit(tx, person.unit)
                await roles_admin.grant(tx, _address(person), person.part.role, unit, self.now, self.keys)

    async def _brought(self, tx: Tx) -> None:
        """Some neighbours came through the influencer's link."""
        teacher = next(p for p in self._known() if p.part is Part.INFLUENCER)
        by = await self._person(tx, teacher)
        home = await units.get(tx, by.unit_id) if by.unit_id is not None else None
        code = await referrals.code_for(tx, by, home, self.now)
        near = [p for p in self._known() if p.unit == teacher.unit and p.part is Part.RESIDENT]
        for neighbour in near[-_BROUGHT:]:
            came = await self._person(tx, neighbour)
            await invites.credit(tx, came.id, by.id, code, self.now)

    def _known(self) -> list[Character]:
        return [person for person in self.town.people.values() if person.known]

    async def _contact(self, tx: Tx, home: Home) -> Contact:
        found = await people.find(tx, home.channel, home.external_id)
        if found is None:
            raise RuntimeError(f"{home} was not imported")
        return found

    async def _person(self, tx: Tx, character: Character) -> Person:
        contact = await self._contact(tx, character.homes[0])
        person = await people.get(tx, contact.person_id)
        assert person is not None  # noqa: S101  # a foreign key says so
        return person


async def known(tx: Tx, who: Character, can: Mapping[str, Capabilities], now: datetime) -> Json:
    """What the product has written down about somebody; nothing for one whom it has not met."""
    for home in who.homes:
        contact = await people.find(tx, home.channel, home.external_id)
        person = await people.get(tx, contact.person_id) if contact is not None else None
        if person is not None:
            return await _written(tx, person) | {"ways": await _ways(tx, person, can, now)}
    return {}


async def _written(tx: Tx, person: Person) -> Json:
    unit = await units.get(tx, person.unit_id) if person.unit_id is not None else None
    return {
        "status": person.status,
        "unit": unit.name if unit is not None else None,
        "group": person.target_group,
        "tip_hour": person.tip_hour,
        "consent_at": person.consent_at.timestamp() if person.consent_at is not None else None,
        "roles": [{"role": role, "unit": of.name} for role, of in await roles.of_person(tx, person.id)],
        "invited": await referrals.brought(tx, person.id),
    }


async def _ways(tx: Tx, person: Person, can: Mapping[str, Capabilities], now: datetime) -> list[Json]:
    """Where a person can be written to, and whether that is free now, costs something, or must wait for them."""
    by_id = {account.id: account for account in await accounts.everyone(tx)}
    contacts = [c for c in await people.contacts(tx, person.id) if c.kind is ChatKind.PRIVATE]
    return [
        {
            "channel": by_id[contact.account_id].channel,
            "preferred": contact.preferred,
            **_window(contact, can.get(by_id[contact.account_id].key), now),
        }
        for contact in contacts
    ]


def _window(contact: Contact, can: Capabilities | None, now: datetime) -> Json:
    """`state` is open, free, paid, waits or closed; `until` is seconds since 1970."""
    if contact.state is ContactState.CLOSED:
        return {"state": "closed"}
    if can is None or can.window is None:
        return {"state": "open"}
    heard = contact.last_in_at
    if heard is None or now >= heard + can.window.closes:
        return {"state": "waits"}
    free = now < heard + can.window.free
    until = heard + (can.window.free if free else can.window.closes)
    return {"state": "free" if free else "paid", "until": until.timestamp()}


def _address(person: Character) -> Address:
    home = person.homes[0]
    return Address(home.channel, home.external_id)


def _refuse(line: int, why: str) -> None:
    raise RuntimeError(f"sample data, line {line}: {why}")
