"""Queries about those who want a voice beside the text."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from bot.core.words import PersonStatus, TargetGroup
from bot.db.session import Tx
from bot.db.tables import Person


class Listening(NamedTuple):
    """Where somebody who listens stands in their curriculum, and in which language they read."""

    group: TargetGroup
    day: int
    language: str


async def standings(tx: Tx) -> list[Listening]:
    """Each standing once, however many share it. The condition is the one of the index, word for word."""
    query = (
        sa.select(Person.target_group, Person.tip_day, Person.language)
        .where(sa.literal_column("person.listens", sa.Boolean), Person.status == PersonStatus.ACTIVE)
        .where(Person.target_group.is_not(None))
        .distinct()
        .order_by(Person.tip_day, Person.target_group, Person.language)
    )
    found = (await tx.execute(query)).all()
    return [Listening(group, day, language) for group, day, language in found if group is not None]
