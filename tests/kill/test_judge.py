"""The judge itself: it must find what it is there for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import DeliveryState
from bot.db.tables import Contact, Delivery
from tests.kill.conftest import Stage
from tests.kill.scene import Scene

pytestmark = [pytest.mark.kill, pytest.mark.timeout(180)]


async def _falsify(scene: Scene, chat: int, **values: Any) -> None:
    """Change the row of one person's delivery, or remove it."""
    person = sa.select(Contact.person_id).where(Contact.external_id == str(chat)).scalar_subquery()
    change = sa.update(Delivery).values(**values) if values else sa.delete(Delivery)
    async with scene.program.opened() as found, found.database.write() as tx:
        await tx.execute(change.where(Delivery.person_id == person))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_lie_is_found_out(on_stage: Stage) -> None:
    async with on_stage(rate=0, count=10) as scene:
        await scene.start()
        judge = await scene.send("Tin để xét xử")
        await scene.program.until(judge.run_id, "done")
        await judge.uphold()
        await judge.remember()
        gone, waiting, failed, wrong, unknown, twice, elsewhere, *_ = scene.people
        await _falsify(scene, gone)
        await _falsify(scene, waiting, state=DeliveryState.WAITING)
        await _falsify(scene, failed, state=DeliveryState.FAILED)
        await _falsify(scene, wrong, message_id="4711")
        await _falsify(scene, unknown, state=DeliveryState.UNKNOWN, reason=Reason.NO_ANSWER)
        log = scene.telegram.log
        log.add(replace(next(e for e in log.delivered() if e.chat_id == twice), message_id=4712))
        log.add(replace(next(e for e in log.delivered() if e.chat_id == elsewhere), chat_id=gone))
        found = await judge.verdict()
    said = "\n".join(found.faults)
    assert (found.lost, found.doubled) == (2, 2)
    for sentence in (
        f"{gone} has 0 rows",
        f"{waiting} has 1 rows, 0 of them settled",
        f"{failed} is Row",
        f"{wrong} is Row",
        f"{twice} is Row",
        f"{unknown} was settled as Row",
        "the status says",
        "1 are unknown, 0 may be",
        f"2 have it more than once, 0 may: [{gone}, {twice}]",
    ):
        assert sentence in said, said
