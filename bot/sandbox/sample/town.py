"""Who lives where in the demo, and what the product is told of them before it starts."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import count
from pathlib import Path
from random import Random
from typing import TypeVar

from bot.core.words import RoleName, TargetGroup
from bot.sandbox.sample.names import names
from bot.sandbox.telegram import BotAccount, Group, TelegramSandbox, User

T = TypeVar("T")

BOT_TOKEN = "700000001:demo-token-that-opens-nothing"  # noqa: S105 - it works on this machine only
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
class Character:
    """One person of the demo. `about` introduces those with a name of their own on the page."""

    user: User
    part: Part
    unit: str
    group: str
    tip_hour: int | None
    about: str = ""

    @property
    def known(self) -> bool:
        """Whether the product knows them from the start."""
        return self.part is not Part.NEWCOMER


@dataclass(slots=True)
class Town:
    """Everybody in the demo, by id, in the order in which the page shows them."""

    world: TelegramSandbox
    bot: BotAccount
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
                if person.known:
                    about = (person.unit, person.group, person.user.json.get("language_code", "vi"))
                    out.writerow(("telegram", person.user.id, *about, consented_at.isoformat()))

    def in_group(self, group: Group) -> list[User]:
        """The people of a group chat."""
        return [self.world.users[id] for id in group.members]


def settle(world: TelegramSandbox, *, people: int = PEOPLE) -> Town:
    """Fill the world: one bot, `people` who have started it, two newcomers, two groups. Always the same ones."""
    bot = world.add_bot(BOT_TOKEN, username="loaso_bot", name="Loa Số")
    town = Town(world, bot, _places())
    for row in _rows("cast.csv"):
        _cast(town, row)
    _residents(town, people)
    for row in _rows("groups.csv"):
        _gather(town, row)
    return town


def _rows(name: str) -> list[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


_COMMUNES = {"18859": "Phường Đồng Thuận", "18901": "Xã Minh Hóa", "19138": "Xã Phong Nha", "44": "Tỉnh Quảng Trị"}


def _places() -> dict[str, Place]:
    villages = (Place(r["code"], r["name"], _COMMUNES[r["parent"]]) for r in _rows("villages.csv"))
    return {p.code: p for p in (*(Place(c, n, n) for c, n in _COMMUNES.items()), *villages)}


def _cast(town: Town, row: dict[str, str]) -> None:
    part = Part(row["part"])
    user = town.world.add_user(int(row["id"]), row["name"], language_code=row["language"])
    hour = int(row["tip_hour"]) if row["tip_hour"] else None
    town.people[user.id] = Character(user, part, row["unit"], row["group"], hour, row["about"])
    chat = user.chat(town.bot)
    chat.started = part is not Part.NEWCOMER
    chat.blocked = part is Part.BLOCKED


def _residents(town: Town, people: int) -> None:
    chance = Random(_SEED)
    fresh, ids = names(chance), count(_FIRST_ID)
    villages = [p.code for p in town.places.values() if p.commune != p.name]
    room = [code for code in villages for _ in range(_SIZES.get(code, _USUAL_SIZE))]
    known = sum(p.known for p in town.people.values())
    for code in sorted(chance.choices(room, k=max(0, people - known))):
        user = town.world.add_user(next(ids), next(fresh))
        group, hour = _drawn(chance, _GROUPS), _drawn(chance, _HOURS)
        town.people[user.id] = Character(user, Part.RESIDENT, code, group, hour)
        user.chat(town.bot).started = True


def _drawn(chance: Random, weighted: Sequence[tuple[T, int]]) -> T:
    return chance.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]


def _gather(town: Town, row: dict[str, str]) -> None:
    here = [p.user for p in town.people.values() if p.unit == row["village"] and p.part is not Part.BLOCKED]
    wanted = [u for u in here if str(u.id) == row["head"]]
    members = [*wanted, *(u for u in here if u not in wanted)][: int(row["members"])]
    group = town.world.add_group(title=row["title"], members=members)
    group.add_bot(town.bot, by=members[0])
    town.groups.append(group)
