"""What became of a run, person by person: numbers and codes, never a name or an address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import DeliveryState
from bot.db.session import Tx
from bot.db.tables import Account, Contact, Delivery, Person, Unit

PAGE = 5000


class Line(NamedTuple):
    """One person in the report of a run."""

    person_id: int
    unit: str | None
    channel: str | None
    state: DeliveryState
    reason: Reason | None
    at: datetime | None


async def people(tx: Tx, run_id: int) -> AsyncIterator[Line]:
    """The deliveries of a run by person, a page at a time."""
    query = (
        sa.select(Delivery.person_id, Unit.code, Account.channel, Delivery.state, Delivery.reason, Delivery.at)
        .outerjoin(Person, Person.id == Delivery.person_id)
        .outerjoin(Unit, Unit.id == Person.unit_id)
        .outerjoin(Contact, Contact.id == Delivery.contact_id)
        .outerjoin(Account, Account.id == Contact.account_id)
        .where(Delivery.run_id == run_id)
        .order_by(Delivery.person_id)
        .limit(PAGE)
    )
    after = -1
    while page := (await tx.execute(query.where(Delivery.person_id > after))).all():
        for row in page:
            yield Line(*row)
        after = page[-1].person_id
