"""Labels at a real platform: commune and target group, a few people a minute, nothing lost when it refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.channels.zalo_oa import ZaloOaChannel
from bot.core.grants import Grant, MemoryGrants
from bot.core.words import PersonStatus, TargetGroup
from bot.db import Tx, people, units
from bot.db.tables import Contact, Person
from bot.sandbox.zalo_oa import Limits, OaUser, Timing, ZaloOaSandbox
from jobs import JobContext
from jobs.labels import AT_ONCE, relabel
from tests.support.talk import Talk

TAG, UNTAG = "/v2.0/oa/tag/tagfollower", "/v2.0/oa/tag/rmfollowerfromtag"
WARD, TOWN = ("18859", "Phường Đồng Thuận"), ("18871", "Phường Đồng Sơn")
ELDERLY, RESIDENT = "Người cao tuổi", "Bà con (người dân)"


@dataclass(slots=True)
class Office:
    """People whom both we and Zalo know, and the job."""

    talk: Talk
    zalo: ZaloOaSandbox
    context: JobContext

    async def joins(self, group: str = "elderly", unit: str = WARD[0]) -> OaUser:
        """Somebody follows, and tells us where they live."""
        user = self.zalo.add_user("Lan")
        user.follow()
        await self.talk.resident(user.id, unit=unit, group=group)
        async with self.talk.database.write() as tx:
            contact = await self._contact(tx, user)
            contact.last_in_at = self.talk.now
        return user

    async def change(
        self, user: OaUser, unit: str | None = None, group: str | None = None, status: PersonStatus | None = None
    ) -> None:
        async with self.talk.database.write() as tx:
            person = await tx.get_one(Person, (await self._contact(tx, user)).person_id)
            if unit is not None:
                place = await units.by_code(tx, unit)
                assert place is not None
                person.unit_id = place.id
            if group is not None:
                person.target_group = TargetGroup(group)
            if status is not None:
                person.status = status

    async def writes(self, user: OaUser) -> None:
        self.talk.now += timedelta(minutes=1)
        async with self.talk.database.write() as tx:
            (await self._contact(tx, user)).last_in_at = self.talk.now

    async def runs(self) -> int:
        """The job once; how many calls it made."""
        before = len(self.zalo.journal.calls)
        await relabel(self.context)
        return len(self.zalo.journal.calls) - before

    async def kept(self, user: OaUser) -> list[str]:
        """What we believe that they carry."""
        async with self.talk.database.read() as tx:
            return list((await self._contact(tx, user)).labels or [])

    async def _contact(self, tx: Tx, user: OaUser) -> Contact:
        found = await people.contact(tx, self.talk.account.id, user.id)
        assert found is not None
        return found


@pytest.fixture
async def office(talk: Talk) -> AsyncIterator[Office]:
    zalo = ZaloOaSandbox(clock=lambda: talk.now.timestamp(), timing=Timing.fast(), limits=Limits(per_minute=None))
    await zalo.start()
    access, refresh = zalo.issue_pair()
    ends = talk.now + timedelta(days=1)
    channel = ZaloOaChannel(
        zalo.app_id,
        zalo.app_secret,
        zalo.oa_secret,
        api_url=zalo.url,
        oauth_url=zalo.url,
        store=MemoryGrants(Grant(access_token=access, refresh_token=refresh, obtained_at=talk.now, expires_at=ends)),
        seed=None,
        secret_key=b"secret",
        clock=lambda: talk.now,
        read_seconds=0.2,
    )
    labellers = {talk.channel.account: channel.labels}
    yield Office(talk, zalo, JobContext(talk.database, talk.desk, talk.engine.wake, labellers=labellers))
    await channel.close()
    await zalo.stop()


async def test_people_carry_their_commune_and_group_also_after_they_move(office: Office) -> None:
    await office.talk.village("V1", "Thôn Một")
    lan, minh = await office.joins(), await office.joins("resident", "V1")
    assert await office.runs() == 4
    assert set(lan.shared.tags) == {WARD[1], ELDERLY}
    assert set(minh.shared.tags) == {WARD[1], RESIDENT}
    assert await office.runs() == 0
    await office.change(minh, unit=TOWN[0], group="elderly")
    assert await office.runs() == 4
    assert (set(minh.shared.tags), set(lan.shared.tags)) == ({TOWN[1], ELDERLY}, {WARD[1], ELDERLY})
    await office.change(minh, unit=WARD[0])
    assert await office.runs() == 2
    await office.change(minh, unit="V1")  # within the same commune
    assert await office.runs() == 0
    assert set(minh.shared.tags) == {WARD[1], ELDERLY}


async def test_nothing_is_asked_when_there_is_nothing_to_do(office: Office) -> None:
    assert await office.runs() == 0
    stopped, silent = await office.joins(), await office.joins()
    await office.change(stopped, status=PersonStatus.STOPPED)
    async with office.talk.database.write() as tx:
        (await office._contact(tx, silent)).last_in_at = None  # brought in by a file, and has never written
    assert await office.runs() == 0
    await relabel(JobContext(office.talk.database, office.talk.desk, office.talk.engine.wake))


async def test_who_stops_keeps_their_labels_and_is_left_alone(office: Office) -> None:
    lan = await office.joins()
    await office.runs()
    await office.change(lan, unit=TOWN[0], status=PersonStatus.STOPPED)
    assert await office.runs() == 0
    assert set(lan.shared.tags) == {WARD[1], ELDERLY}
    await office.change(lan, status=PersonStatus.ACTIVE)
    assert await office.runs() == 2
    assert set(lan.shared.tags) == {TOWN[1], ELDERLY}


async def test_a_few_people_a_minute_and_nobody_is_forgotten(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert AT_ONCE == 40
    monkeypatch.setattr("jobs.labels.AT_ONCE", 4)
    everybody = [await office.joins() for _ in range(7)]
    assert [await office.runs() for _ in range(3)] == [8, 6, 0]
    assert all(set(user.shared.tags) == {WARD[1], ELDERLY} for user in everybody)


@pytest.mark.parametrize("code", [-213, -201, -999])
async def test_whom_the_platform_refuses_waits_until_they_write_and_holds_up_nobody(
    office: Office, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.labels.AT_ONCE", 2)
    crowd = [await office.joins() for _ in range(2)]
    last = await office.joins()
    refusing = [office.zalo.faults.error(code, path=TAG, user_id=user.id, count=None) for user in crowd]
    await office.runs()
    await office.runs()
    assert set(last.shared.tags) == {WARD[1], ELDERLY}
    assert await office.runs() == 0
    assert await office.kept(crowd[0]) == []
    for fault in refusing:
        fault.lift()
    assert await office.runs() == 0
    await office.writes(crowd[0])
    assert await office.runs() == 2
    assert set(crowd[0].shared.tags) == {WARD[1], ELDERLY} == set(await office.kept(crowd[0]))


@pytest.mark.parametrize("code", [-32, -216])
async def test_while_the_platform_takes_nothing_nobody_is_hurried(office: Office, code: int) -> None:
    users = [await office.joins() for _ in range(3)]
    with office.zalo.faults.error(code, path=TAG, count=None) as fault:
        await office.runs()
        assert fault.hits <= 2  # a refused token is renewed once
    while await office.runs():
        pass
    assert all(set(user.shared.tags) == {WARD[1], ELDERLY} for user in users)


async def test_what_was_done_before_an_error_is_known(office: Office) -> None:
    """Otherwise a label that was put on is never taken off again."""
    lan = await office.joins()
    office.zalo.faults.error(-200, path=TAG, skip=1)
    assert await office.runs() == 2
    assert lan.shared.tags == await office.kept(lan) != []
    await office.change(lan, unit=TOWN[0], group="resident")
    await office.runs()
    assert set(lan.shared.tags) == {TOWN[1], RESIDENT}


async def test_no_answer_holds_up_nobody(office: Office) -> None:
    lan, minh = await office.joins(), await office.joins()
    with office.zalo.faults.html(504, path=TAG, user_id=lan.id, count=None):
        assert await office.runs() == 1
        assert await office.runs() == 2
        assert set(minh.shared.tags) == {WARD[1], ELDERLY}
    await office.writes(lan)
    await office.runs()
    assert set(lan.shared.tags) == {WARD[1], ELDERLY}


async def test_a_label_that_somebody_took_off_by_hand_is_no_trouble(office: Office) -> None:
    lan = await office.joins()
    await office.runs()
    lan.shared.tags.clear()
    await office.change(lan, unit=TOWN[0])
    await office.runs()
    assert (lan.shared.tags, set(await office.kept(lan))) == ([TOWN[1]], {TOWN[1], ELDERLY})
    assert await office.runs() == 0
