"""What follows from an outcome is written after it, whenever it comes in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.core.errors import Reason
from bot.core.words import DeliveryState
from bot.db import Database, deliveries
from bot.db.traffic import Also, Claim, Outcome, Traffic, Want
from bot.engine.ledger import Ledger
from tests.db.crowd import NOW, Crowd, counted, sent, want


class Slow(Traffic):
    """Somebody else's outcome comes in while one is being written."""

    meanwhile: Any = None

    async def exchange(
        self, outcomes: Sequence[Outcome], closed: Sequence[int], want: Want | None = None, *, also: Also | None = None
    ) -> Claim | None:
        found = await super().exchange(outcomes, closed, want, also=also)
        if self.meanwhile is not None:
            self.meanwhile()
            self.meanwhile = None
        return found


async def test_a_person_refused_while_results_are_written_still_gets_the_other_way(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    crowd = Crowd(database)
    await crowd.open()
    (first,), (second,) = await crowd.bring(1), await crowd.bring(1, on=(1, 2))
    run_id = await crowd.send()
    ledger = Ledger(database)
    slow = ledger.traffic = Slow(database)
    await ledger.exchange(want(run_id))

    def refused() -> None:
        blocked = Outcome(run_id, second, 1, DeliveryState.FAILED, NOW, Reason.BLOCKED)
        ledger.note(lambda tx: deliveries.reroute(tx, run_id, second, 1))
        ledger.settle(blocked)

    slow.meanwhile = refused
    ledger.settle(sent(run_id, first))
    await ledger.write()
    await ledger.write()
    assert await crowd.states(run_id) == [DeliveryState.SENT, DeliveryState.WAITING]
    kept, real = await counted(database)
    assert kept == real
    await database.close()
