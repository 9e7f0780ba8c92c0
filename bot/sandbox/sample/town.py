"""Who lives where in the demo, and what the product is told of them before it starts."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import count
from pathlib import Path
from random import Random
from typing import TypeVar

from bot.core.words import RoleName, TargetGroup
from bot.sandbox.sample.names import names
from bot.sandbox.sample.worlds import BOT_TOKEN, ZALO_BOT_TOKEN, Worlds
from bot.sandbox.telegram import BotAccount, Group, User
from bot.sandbox.zalo_bot import ZaloBotAccount, ZaloBotUser
from bot.sandbox.zalo_oa import OaUser

T = TypeVar("T")

PEOPLE = 300
_FOLDER = Path(__file__).parent
_SEED = 2025
_FIRST_ID = 8001
_SIZES = {"PN-02": 36, "MH-03": 30, "DT-01": 28}
_USUAL_SIZE = 22
_GROUPS = (
    (TargetGroup.RESIDENT, 46),
    (TargetGroup.ELDERLY, 18),
    (TargetGroup.STUDENT, 14),
    (TargetGroup.WORKER, 10),
    (TargetGroup.BUSINESS_HOUSEHOLD, 8),
    (TargetGroup.PUBLIC_STAFF, 4),
)
_HOURS = ((19, 50), (7, 25), (17, 15), (11, 10))
_HOUR = 3600.0
_LATELY = range(1, 45)
"""Hours since the people on Zalo wrote who have no story of their own: it costs nothing to write to them."""
_ON_ZALO = {"zalo_oa": (16, 5), "zalo_bot": (56, 20)}
"""Every so many-th of the other residents is on that channel, counted from there."""
_LAST_WORDS = "Cảm ơn Loa Số nhé"


class Part(StrEnum):
    """What somebody plays in the demo."""

    NEWCOMER = "newcomer"
    RESIDENT = "resident"
    BLOCKED = "blocked"
    VILLAGE_HEAD = "village_head"
    INFLUENCER = "influencer"
    HELPER = "helper"
    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"

    @property
    def role(self) -> RoleName | None:
        """The role that the product gives them."""
        return next((role for role in RoleName if role.value == self.value), None)


@dataclass(frozen=True, slots=True)
class Place:
    """A village of the demo and the commune it belongs to."""

    code: str
    name: str
    commune: str


@dataclass(frozen=True, slots=True)
class Home:
    """Where somebody can be written to. `heard_at` is when they wrote there last, in seconds since 1970, on a channel
    where that matters."""

    channel: str
    external_id: str
    heard_at: float | None = None


@dataclass(frozen=True, slots=True)
class Character:
    """One person of the demo, on at least one of the platforms. `id` is their number on the page. `about` introduces
    those with a name of their own."""

    id: int
    name: str
    part: Part
    unit: str
    group: str
    language: str
    tip_hour: int | None
    about: str = ""
    telegram: User | None = None
    zalo_oa: OaUser | None = None
    zalo_bot: ZaloBotUser | None = None
    heard_at: float | None = None

    @property
    def known(self) -> bool:
        """Whether the product knows them from the start."""
        return self.part is not Part.NEWCOMER

    @property
    def user(self) -> User:
        """The person in Telegram. Raises `LookupError` for one who is not there."""
        if self.telegram is None:
            raise LookupError(f"{self.name} is not on Telegram")
        return self.telegram

    @property
    def homes(self) -> tuple[Home, ...]:
        """Where they can be written to, the usual place first."""
        found = (
            Home("telegram", str(self.telegram.id)) if self.telegram else None,
            Home("zalo_oa", self.zalo_oa.id, self.heard_at) if self.zalo_oa else None,
            Home("zalo_bot", self.zalo_bot.id, self.heard_at) if self.zalo_bot else None,
        )
        return tuple(home for home in found if home is not None)


@dataclass(slots=True)
class Town:
    """Everybody in the demo, by number, in the order in which the page shows them."""

    worlds: Worlds
    bot: BotAccount
    zalo_bot: ZaloBotAccount
    places: dict[str, Place]
    people: dict[int, Character] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)

    @property
    def villages_file(self) -> Path:
        """What `loaso units import` would read."""
        return _FOLDER / "villages.csv"

    def write_people(self, path: Path, consented_at: datetime) -> None:
        """What `loaso people import` would read: everybody who has subscribed before the demo begins."""
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(("channel", "external_id", "unit", "group", "language", "consented_at"))
            for person in self.people.values():
                about = (person.unit, person.group, person.language, consented_at.isoformat())
                out.writerows((home.channel, home.external_id, *about) for home in person.homes if person.known)

    def in_group(self, group: Group) -> list[User]:
        """The people of a group chat."""
        return [self.worlds.telegram.users[id] for id in group.members]


def settle(worlds: Worlds, *, people: int = PEOPLE) -> Town:
    """Fill the worlds: one account on each, `people` who have met it, newcomers, two groups. Always the same ones."""
    bot = worlds.telegram.add_bot(BOT_TOKEN, username="loaso_bot", name="Loa Số")
    zalo_bot = worlds.zalo_bot.add_bot(ZALO_BOT_TOKEN, "Bot Loa Số")
    town = Town(worlds, bot, zalo_bot, _places())
    for row in _rows("cast.csv"):
        _cast(town, row)
    _residents(town, people)
    for row in _rows("groups.csv"):
        _gather(town, row)
    zalo_bot.updates.waiting.clear()  # what was said before the demo began was answered then
    return town


def _rows(name: str) -> list[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


_COMMUNES = {"18859": "Phường Đồng Thuận", "18901": "Xã Minh Hóa", "19138": "Xã Phong Nha", "44": "Tỉnh Quảng Trị"}


def _places() -> dict[str, Place]:
    villages = (Place(r["code"], r["name"], _COMMUNES[r["parent"]]) for r in _rows("villages.csv"))
    return {p.code: p for p in (*(Place(c, n, n) for c, n in _COMMUNES.items()), *villages)}


def _cast(town: Town, row: dict[str, str]) -> None:
    hour = int(row["tip_hour"]) if row["tip_hour"] else None
    about = Character(
        int(row["id"]),
        row["name"],
        Part(row["part"]),
        row["unit"],
        row["group"],
        row["language"],
        hour,
        row["about"],
    )
    _move_in(town, about, row["channels"].split("+"), float(row["heard"]) if row["heard"] else None)


def _residents(town: Town, people: int) -> None:
    chance, when = Random(_SEED), Random(f"{_SEED} on zalo")
    fresh, ids = names(chance), count(_FIRST_ID)
    villages = [p.code for p in town.places.values() if p.commune != p.name]
    room = [code for code in villages for _ in range(_SIZES.get(code, _USUAL_SIZE))]
    known = sum(p.known for p in town.people.values())
    for place, code in enumerate(sorted(chance.choices(room, k=max(0, people - known)))):
        id, name = next(ids), next(fresh)
        group, hour = _drawn(chance, _GROUPS), _drawn(chance, _HOURS)
        about = Character(id, name, Part.RESIDENT, code, group, "vi", hour)
        channel = next((c for c, (every, first) in _ON_ZALO.items() if place % every == first), "telegram")
        _move_in(town, about, [channel], when.choice(_LATELY))


def _move_in(town: Town, about: Character, channels: Sequence[str], heard: float | None) -> None:
    """Make somebody one of the people of their platforms; `heard` is how many hours ago they wrote on Zalo."""
    worlds = town.worlds
    found = about
    if "telegram" in channels:
        found = replace(found, telegram=_on_telegram(town, about))
    if "zalo_oa" in channels:
        found = replace(found, zalo_oa=worlds.zalo_oa.add_user(about.name))
    if "zalo_bot" in channels:
        found = replace(found, zalo_bot=worlds.zalo_bot.add_user(about.name))
    if heard is not None:
        with worlds.ago(heard * _HOUR):
            found = replace(found, heard_at=_spoke(town, found))
    town.people[about.id] = found


def _on_telegram(town: Town, about: Character) -> User:
    user = town.worlds.telegram.add_user(about.id, about.name, language_code=about.language)
    chat = user.chat(town.bot)
    chat.started = about.known
    chat.blocked = about.part is Part.BLOCKED
    return user


def _spoke(town: Town, person: Character) -> float | None:
    """What somebody on Zalo said last, now; nobody hears it, for the product knows already."""
    if person.zalo_oa is not None:
        person.zalo_oa.follow()
        person.zalo_oa.write(_LAST_WORDS)
        return person.zalo_oa.last_interaction
    if person.zalo_bot is not None:
        return person.zalo_bot.write(town.zalo_bot, _LAST_WORDS).at
    return None


def _drawn(chance: Random, weighted: Sequence[tuple[T, int]]) -> T:
    return chance.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]


def _gather(town: Town, row: dict[str, str]) -> None:
    near = (p for p in town.people.values() if p.unit == row["village"] and p.part is not Part.BLOCKED)
    here = [p.telegram for p in near if p.telegram is not None]
    wanted = [u for u in here if str(u.id) == row["head"]]
    members = [*wanted, *(u for u in here if u not in wanted)][: int(row["members"])]
    group = town.worlds.telegram.add_group(title=row["title"], members=members)
    group.add_bot(town.bot, by=members[0])
    town.groups.append(group)
