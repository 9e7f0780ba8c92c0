"""SIGKILL between a message that Zalo has delivered and our writing it down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.clock import utc_now
from bot.core.errors import Reason
from bot.core.words import DeliveryState, PersonStatus
from bot.db import Database, accounts, people
from bot.db.tables import Contact, Delivery, Slice
from bot.sandbox.zalo_oa import Limits, OaUser, Timing, ZaloOaSandbox
from tests.kill.scene import afternoon
from tests.routes.village import OA
from tests.support.program import Program, send_to_all
from tests.support.warm import Warm

pytestmark = [pytest.mark.kill, pytest.mark.timeout(60)]

COUNT, WORDS = 40, "Tin qua lúc mất điện"


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    found = Warm()
    yield found
    found.stop()


async def test_sigkill_between_send_and_commit(sqlite_url: str, tmp_path: Path, warm: Warm) -> None:
    """What was on its way is unknown and not sent again; everybody else gets it once from the next process."""
    zalo = ZaloOaSandbox(timing=Timing.fast(), limits=Limits(per_minute=None))
    await zalo.start()
    access, refresh = zalo.issue_pair()
    users = await _bring(sqlite_url, zalo)
    program = Program(
        tmp_path,
        warm=warm,
        database_url=sqlite_url,
        secret_key="kept by the tests of routes",
        http_port=0,
        timezone=afternoon(),
        zalo_oa_app_id=zalo.app_id,
        zalo_oa_app_secret=zalo.app_secret,
        zalo_oa_oa_secret=zalo.oa_secret,
        zalo_oa_access_token=access,
        zalo_oa_refresh_token=refresh,
        zalo_oa_api_url=zalo.url,
        zalo_oa_oauth_url=zalo.url,
    )
    await program.start()
    stall = zalo.faults.stall(30, after=True, path="/message/cs", count=4, skip=6)
    async with program.opened() as found:
        run_id = await send_to_all(found, WORDS)
    async with asyncio.timeout(20):
        while stall.hits < 2:  # noqa: ASYNC110  # the sandbox tells nobody
            await asyncio.sleep(0.005)
    await program.kill()
    had = {entry.user_id for entry in zalo.journal.sent()}
    stall.lift()
    await program.start()
    status = await program.until(run_id, "done")
    await program.stop()
    got = {id: [WORDS in text for text in user.texts].count(True) for id, user in users.items()}
    unknown = await _unknown(sqlite_url, run_id)
    assert {got[id] for id in had} == {1}
    assert max(got.values()) == 1
    assert {id for id, times in got.items() if not times} <= unknown  # claimed, and not begun when it was killed
    assert (status["sent"] + len(unknown), status["failed"]) == (COUNT, 0)
    assert 2 <= len(unknown & had) < COUNT // 2
    await zalo.stop()


async def _bring(url: str, zalo: ZaloOaSandbox) -> dict[str, OaUser]:
    database, now = Database(url), utc_now()
    users = {user.id: user for user in (zalo.add_user(f"Người {n}") for n in range(COUNT))}
    async with database.write() as tx:
        account = await accounts.ensure(tx, OA, now)
        for user in users.values():
            user.last_interaction = zalo.clock() - 3600
            person, contact = await people.add(tx, account.id, user.id, now)
            person.status, contact.last_in_at = PersonStatus.ACTIVE, now - timedelta(hours=1)
    await database.close()
    return users


async def _unknown(url: str, run_id: int) -> set[str]:
    """Whom our rows do not know about; no slice is left open."""
    database = Database(url)
    async with database.read() as tx:
        query = sa.select(Contact.external_id).join(Delivery, Delivery.contact_id == Contact.id)
        mine = (Delivery.run_id == run_id, Delivery.state == DeliveryState.UNKNOWN)
        found = set((await tx.execute(query.where(*mine, Delivery.reason == Reason.INTERRUPTED))).scalars())
        assert not (await tx.execute(sa.select(Slice))).all()
    await database.close()
    return found
