"""Runs from plan to done: who gets what, once, and what becomes of errors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.core.errors import (
    AccountStopped,
    BadContent,
    ContactClosed,
    ContactMoved,
    ContactRefused,
    NotSent,
    OutcomeUnknown,
    Reason,
    SendError,
    SlowDown,
)
from bot.core.events import Media, MediaKind, Outbound
from bot.core.words import CampaignKind, ContactState, DeliveryState, Lane, PersonStatus, RoleName, RunState
from bot.db import accounts, deliveries, people, roles, runs, units
from bot.db.deliveries import Claimed, Outcome
from bot.db.tables import Delivery, Run, Slice
from bot.db.traffic import Traffic, Want
from bot.outreach import audience, campaigns
from tests.support.talk import Talk


async def _run(talk: Talk, text: str = "Mời bà con đi họp", to: str = "all", **options: object) -> int:
    plan = campaigns.Plan(
        kind=CampaignKind.BROADCAST,
        parts=[Outbound(chat_id="", text=text)],
        audience=audience.parse(to),
        at=talk.now,
        **options,  # type: ignore[arg-type]  # tests pass what they test
    )
    async with talk.database.write() as tx:
        _, run = await campaigns.create(tx, talk.desk, plan, talk.now)
    assert run is not None
    return run.id


async def _status(talk: Talk, run_id: int) -> dict[str, object]:
    async with talk.database.read() as tx:
        run = await runs.get(tx, run_id)
        assert run is not None
        return await campaigns.status(tx, run)


async def _village(talk: Talk, count: int) -> None:
    for number in range(count):
        await talk.resident(str(2000 + number))


def _fails(error: SendError, *ids: str, times: int = 10**6) -> Callable[[Outbound], None]:
    left = [times]

    def fail(message: Outbound) -> None:
        if left[0] and (not ids or message.chat_id in ids):
            left[0] -= 1
            raise error

    return fail


async def _claim(talk: Talk, run_id: int, people: int) -> list[Claimed]:
    """As another process would."""
    want = Want(run_id, talk.account.id, 0, people, "another", talk.now)
    claim = await Traffic(talk.database).exchange((), (), want)
    assert claim is not None
    return claim.rows


def _waits(talk: Talk, row: Claimed) -> Outcome:
    return Outcome(row.run_id, row.person_id, talk.account.id, DeliveryState.WAITING, talk.now)


async def test_everybody_gets_a_run_once(talk: Talk) -> None:
    await _village(talk, 7)
    run_id = await _run(talk)
    await talk.deliver()
    await talk.deliver()
    assert sorted(m.chat_id for m in talk.channel.sent) == [str(2000 + n) for n in range(7)]
    status = await _status(talk, run_id)
    assert (status["state"], status["total"], status["sent"]) == ("done", 7, 7)
    assert status["reasons"] == {}


async def test_an_audience_reaches_the_unit_and_what_is_below_it(talk: Talk) -> None:
    await talk.village("18859-01", "Thôn Đông")
    await talk.resident("1", unit="18859-01")
    await talk.resident("2", unit="18859")
    await talk.resident("3", unit="18880")
    await _run(talk, to="unit:18859")
    await talk.deliver()
    assert sorted(m.chat_id for m in talk.channel.sent) == ["1", "2"]


async def test_who_blocked_the_bot_is_closed_and_nobody_else(talk: Talk) -> None:
    await _village(talk, 3)
    talk.channel.fail = _fails(ContactClosed(Reason.BLOCKED, "Forbidden: bot was blocked by the user"), "2001")
    run_id = await _run(talk)
    await talk.deliver()
    status = await _status(talk, run_id)
    assert (status["sent"], status["failed"], status["reasons"]) == (2, 1, {"blocked": 1})
    async with talk.database.read() as tx:
        states = {c: (await people.contact(tx, talk.account.id, c)) for c in ("2000", "2001")}
    assert states["2000"] is not None
    assert states["2000"].state is ContactState.OPEN
    assert states["2001"] is not None
    assert states["2001"].state is ContactState.CLOSED
    await _run(talk, "Một tin khác", again=True, urgent=True)
    talk.channel.fail = lambda _message: None
    await talk.deliver()
    assert "2001" not in [m.chat_id for m in talk.channel.sent]


async def test_a_closed_contact_is_skipped_with_the_reason_and_opens_when_the_person_writes(talk: Talk) -> None:
    speaker = await talk.resident("2000")
    await speaker.blocks()
    run_id = await _run(talk)
    await talk.deliver()
    status = await _status(talk, run_id)
    assert (status["state"], status["skipped"], status["sent"]) == ("done", 1, 0)
    await speaker.says("chào")
    await _run(talk, "Tin sau", urgent=True)
    await talk.deliver()
    assert any("Tin sau" in m.text for m in speaker.heard)


async def test_the_same_refusal_for_the_first_few_stops_the_run_and_blames_nobody(talk: Talk) -> None:
    await _village(talk, 120)
    talk.channel.fail = _fails(BadContent("Bad Request: can't parse entities"))
    run_id = await _run(talk)
    await talk.deliver()
    status = await _status(talk, run_id)
    assert status["state"] == "stopped"
    assert status["problem"] == "Bad Request: can't parse entities"
    assert int(str(status["failed"])) <= 60
    assert int(str(status["waiting"])) >= 60
    async with talk.database.read() as tx:
        contact = await people.contact(tx, talk.account.id, "2000")
    assert contact is not None
    assert contact.state is ContactState.OPEN


async def test_an_account_that_is_refused_stops_and_its_people_wait(talk: Talk) -> None:
    await _village(talk, 5)
    talk.channel.fail = _fails(AccountStopped("Unauthorized"))
    run_id = await _run(talk)
    await talk.deliver()
    status = await _status(talk, run_id)
    assert (status["state"], status["failed"], status["unknown"]) == ("sending", 0, 0)
    assert status["waiting"] == 5


async def test_when_the_platform_asks_to_wait_the_row_waits_and_is_sent_later(talk: Talk) -> None:
    await _village(talk, 3)
    talk.channel.fail = _fails(SlowDown(0.01), "2001", times=1)
    run_id = await _run(talk)
    await talk.deliver()
    assert (await _status(talk, run_id))["sent"] == 3
    assert [m.chat_id for m in talk.channel.sent].count("2001") == 1


async def test_what_perhaps_arrived_is_unknown_and_not_sent_again(talk: Talk) -> None:
    await _village(talk, 3)
    talk.channel.fail = _fails(OutcomeUnknown("timed out"), "2001", times=1)
    run_id = await _run(talk)
    await talk.deliver()
    status = await _status(talk, run_id)
    assert (status["state"], status["sent"], status["unknown"]) == ("done", 2, 1)
    assert status["reasons"] == {"no_answer": 1}


async def test_a_campaign_may_say_that_unknown_ones_are_sent_once_more(talk: Talk) -> None:
    await _village(talk, 3)
    talk.channel.fail = _fails(OutcomeUnknown("timed out"), "2001", times=1)
    run_id = await _run(talk, resend_unknown=True)
    await talk.deliver()
    assert (await _status(talk, run_id))["sent"] == 3


async def test_a_moved_group_gets_it_once_under_its_new_id(talk: Talk) -> None:
    await _village(talk, 2)
    talk.channel.fail = _fails(ContactMoved("-100777"), "2000")
    run_id = await _run(talk)
    await talk.deliver()
    assert sorted(m.chat_id for m in talk.channel.sent) == ["-100777", "2001"]
    assert (await _status(talk, run_id))["sent"] == 2
    async with talk.database.read() as tx:
        assert await people.contact(tx, talk.account.id, "-100777") is not None


async def test_a_short_outage_costs_nobody_anything(talk: Talk) -> None:
    await _village(talk, 4)
    talk.channel.fail = _fails(NotSent("connection refused"), times=2)
    run_id = await _run(talk)
    await talk.deliver()
    assert (await _status(talk, run_id))["sent"] == 4


async def test_no_rights_fails_that_delivery_alone(talk: Talk) -> None:
    await _village(talk, 3)
    talk.channel.fail = _fails(ContactRefused(Reason.NO_RIGHTS, "not enough rights"), "2002")
    run_id = await _run(talk)
    await talk.deliver()
    status = await _status(talk, run_id)
    assert (status["state"], status["sent"], status["reasons"]) == ("done", 2, {"no_rights": 1})


async def test_retry_failed_touches_only_the_failed(talk: Talk) -> None:
    await _village(talk, 3)
    talk.channel.fail = _fails(ContactRefused(Reason.NO_RIGHTS, "not enough rights"), "2002")
    run_id = await _run(talk)
    await talk.deliver()
    talk.channel.fail = lambda _message: None
    async with talk.database.write() as tx:
        run = await campaigns.find(tx, run_id)
        assert await campaigns.requeue(tx, run, DeliveryState.FAILED, talk.now) == 1
    await talk.deliver()
    assert sorted(m.chat_id for m in talk.channel.sent) == ["2000", "2001", "2002"]
    assert (await _status(talk, run_id))["sent"] == 3


async def test_a_paused_run_sends_nothing_and_a_resumed_one_repeats_nothing(talk: Talk) -> None:
    await _village(talk, 4)
    run_id = await _run(talk)
    async with talk.database.write() as tx:
        await campaigns.pause(tx, await campaigns.find(tx, run_id), talk.now)
    await talk.deliver()
    assert not talk.channel.sent
    async with talk.database.write() as tx:
        await campaigns.resume(tx, await campaigns.find(tx, run_id), talk.now)
    await talk.deliver()
    assert len(talk.channel.sent) == 4


async def test_a_cancelled_run_counts_everybody_as_skipped(talk: Talk) -> None:
    await _village(talk, 4)
    run_id = await _run(talk)
    async with talk.database.write() as tx:
        await campaigns.cancel(tx, await campaigns.find(tx, run_id), talk.now)
    await talk.deliver()
    status = await _status(talk, run_id)
    assert (status["state"], status["skipped"], status["total"]) == ("cancelled", 4, 4)
    assert not talk.channel.sent


async def test_a_run_that_comes_too_late_is_missed_and_not_sent(talk: Talk) -> None:
    await _village(talk, 2)
    run_id = await _run(talk, valid_for=timedelta(hours=1))
    talk.advance(hours=3)
    await talk.deliver()
    assert (await _status(talk, run_id))["state"] == "missed"
    assert not talk.channel.sent


async def test_quiet_hours_hold_a_run_until_morning(talk: Talk) -> None:
    await _village(talk, 2)
    talk.advance(hours=12)  # 21:00
    run_id = await _run(talk)
    await talk.deliver()
    assert not talk.channel.sent
    assert (await _status(talk, run_id))["planned_at"] == "2026-11-24T00:00:00Z"
    talk.advance(hours=10, minutes=1)
    await talk.deliver()
    assert len(talk.channel.sent) == 2


async def test_an_urgent_run_passes_quiet_hours_and_is_audited(talk: Talk) -> None:
    await _village(talk, 2)
    talk.advance(hours=12)
    await _run(talk, urgent=True)
    await talk.deliver()
    assert len(talk.channel.sent) == 2


async def test_a_second_broadcast_on_the_same_day_skips_who_had_one(talk: Talk) -> None:
    await _village(talk, 3)
    await _run(talk)
    await talk.deliver()
    await talk.resident("9000")
    second = await _run(talk, "Tin thứ hai trong ngày")
    await talk.deliver()
    status = await _status(talk, second)
    assert (status["sent"], status["skipped"], status["reasons"]) == (1, 3, {"capped": 3})


async def test_the_same_text_to_the_same_people_within_two_days_is_refused(talk: Talk) -> None:
    await _village(talk, 1)
    await _run(talk)
    with pytest.raises(campaigns.Duplicate):
        await _run(talk, "  mời BÀ CON đi họp!")
    await _run(talk, again=True)
    talk.advance(days=3)
    await _run(talk)


async def test_what_a_dead_process_had_claimed_becomes_unknown(talk: Talk) -> None:
    await _village(talk, 6)
    run_id = await _run(talk)
    await talk.engine._open()
    await talk.engine.watch()
    sender = next(iter(talk.engine.posts.values())).sender
    assert len(await _claim(talk, run_id, 4)) == 4
    async with talk.database.write() as tx:
        assert await deliveries.recover(tx, talk.now, all_owners=True) == 4
        assert (await tx.execute(sa.select(sa.func.count()).select_from(Slice))).scalar_one() == 0
    await talk.deliver()
    status = await _status(talk, run_id)
    assert (status["sent"], status["unknown"], status["reasons"]) == (2, 4, {"interrupted": 4})
    assert sender.idle(run_id)


async def test_one_person_with_two_contacts_gets_it_once(talk: Talk) -> None:
    await talk.resident("2000")
    async with talk.database.write() as tx:
        from bot.db.tables import Contact

        first = await people.contact(tx, talk.account.id, "2000")
        assert first is not None
        tx.add(Contact(account_id=talk.account.id, external_id="2999", person_id=first.person_id))
    run_id = await _run(talk)
    await talk.deliver()
    assert len(talk.channel.sent) == 1
    assert (await _status(talk, run_id))["total"] == 1


async def test_the_rows_say_who_got_which_message(talk: Talk) -> None:
    await _village(talk, 2)
    run_id = await _run(talk)
    await talk.deliver()
    async with talk.database.read() as tx:
        rows = (await tx.execute(sa.select(Delivery).where(Delivery.run_id == run_id))).scalars().all()
        run = await tx.get(Run, run_id)
    assert run is not None
    assert run.state is RunState.DONE
    assert all(row.message_id and row.contact_id and row.at for row in rows)


async def test_nothing_goes_to_who_said_stop_after_it_failed(talk: Talk) -> None:
    await _village(talk, 2)
    talk.channel.fail = _fails(ContactRefused(Reason.NO_RIGHTS, "not enough rights"), "2001")
    run_id = await _run(talk)
    await talk.deliver()
    talk.channel.fail = lambda _message: None
    await talk.people["2001"].says("DỪNG")
    before = len(talk.people["2001"].heard)
    async with talk.database.write() as tx:
        assert await campaigns.requeue(tx, await campaigns.find(tx, run_id), DeliveryState.FAILED, talk.now) == 0
    await talk.deliver()
    assert len(talk.people["2001"].heard) == before


async def test_nothing_goes_to_who_said_stop_while_their_row_was_on_its_way(talk: Talk) -> None:
    await _village(talk, 2)
    run_id = await _run(talk)
    await talk.engine._open()
    await talk.engine.watch()
    claimed = await _claim(talk, run_id, 5)
    await talk.people["2001"].says("DỪNG")
    for row in claimed:
        talk.engine.ledger.settle(_waits(talk, row))
    await talk.engine.ledger.write()
    await talk.deliver()
    status = await _status(talk, run_id)
    assert (status["state"], status["sent"], status["reasons"]) == ("done", 1, {"opted_out": 1})
    assert not any("Mời bà con" in m.text for m in talk.people["2001"].heard)


async def test_a_failing_read_after_a_claim_costs_nobody_anything(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database goes away for a moment between the claim and the first message."""
    await _village(talk, 5)
    run_id = await _run(talk)
    await talk.engine._open()
    await talk.engine.watch()
    post = next(iter(talk.engine.posts.values()))
    real = post.sender.letters.database
    monkeypatch.setattr(post.sender.letters, "database", _Gone())
    with pytest.raises(ConnectionError):
        await post.sender.send_slice(Lane.BULK)
    monkeypatch.setattr(post.sender.letters, "database", real)
    await talk.deliver()
    assert (await _status(talk, run_id))["sent"] == 5


class _Gone:
    """A database that cannot be reached."""

    def read(self) -> None:
        raise ConnectionError


async def test_what_comes_back_to_a_cancelled_run_waits_no_more(talk: Talk) -> None:
    await _village(talk, 3)
    run_id = await _run(talk)
    await talk.engine._open()
    await talk.engine.watch()
    claimed = await _claim(talk, run_id, 2)
    async with talk.database.write() as tx:
        await campaigns.cancel(tx, await campaigns.find(tx, run_id), talk.now)
    for row in claimed:
        talk.engine.ledger.settle(_waits(talk, row))
    await talk.engine.ledger.write()
    status = await _status(talk, run_id)
    assert (status["state"], status["waiting"], status["skipped"]) == ("cancelled", 0, 3)


async def test_a_file_that_cannot_be_had_stops_the_run_and_not_the_account(talk: Talk) -> None:
    """The photo is known only to an account that is gone."""
    await _village(talk, 8)
    async with talk.database.write() as tx:
        gone = await accounts.ensure(tx, "telegram:999", talk.now)
    plan = campaigns.Plan(
        kind=CampaignKind.BROADCAST,
        parts=[Outbound(chat_id="", text="Ảnh", media=(Media(MediaKind.PHOTO, file_id="theirs"),))],
        audience=audience.parse("all"),
        at=talk.now,
        account_id=gone.id,
    )
    async with talk.database.write() as tx:
        _, run = await campaigns.create(tx, talk.desk, plan, talk.now)
    assert run is not None
    await talk.deliver()
    status = await _status(talk, run.id)
    assert (status["state"], status["unknown"], status["failed"]) == ("stopped", 0, 3)
    assert not any(post.sender.stopped for post in talk.engine.posts.values())


async def test_a_file_is_uploaded_once_and_then_goes_by_its_id(talk: Talk) -> None:
    await _village(talk, 6)
    plan = campaigns.Plan(
        kind=CampaignKind.BROADCAST,
        parts=[Outbound(chat_id="", text="Ảnh", media=(Media(MediaKind.PHOTO, content=b"a picture"),))],
        audience=audience.parse("all"),
        at=talk.now,
    )
    async with talk.database.write() as tx:
        await campaigns.create(tx, talk.desk, plan, talk.now)
    await talk.deliver()
    uploads = [m for m in talk.channel.sent if m.media and m.media[0].content is not None]
    assert len(talk.channel.sent) == 6
    assert len(uploads) == 1


async def test_people_whom_no_account_here_can_reach_do_not_hold_up_a_run(talk: Talk) -> None:
    await _village(talk, 2)
    async with talk.database.write() as tx:
        other = await accounts.ensure(tx, "zalo_oa:1", talk.now)
        person, _ = await people.add(tx, other.id, "77", talk.now)
        person.status = PersonStatus.ACTIVE
    run_id = await _run(talk)
    await talk.deliver()
    status = await _status(talk, run_id)
    assert (status["state"], status["sent"], status["reasons"]) == ("done", 2, {"no_route": 1})


async def test_a_reply_known_since_a_moment_is_not_taken_twice(talk: Talk) -> None:
    """A look at the table that began before a reply was written must not forget that reply."""
    await talk.engine._open()
    replier = next(iter(talk.engine.posts.values())).replier
    replier.known = {1, 2, 3}
    before = set(replier.known)
    replier.known.add(4)
    replier.forget(before.difference([2]))
    assert replier.known == {2, 4}


async def test_what_was_planned_in_a_role_that_is_gone_does_not_leave(talk: Talk) -> None:
    await talk.village("T1", "Thôn Đông")
    head = await talk.staff("7", RoleName.VILLAGE_HEAD, "T1")
    record = await talk.record("7")
    assert record is not None
    async with talk.database.write() as tx:
        village = await units.by_code(tx, "T1")
        assert village is not None
    run_id = await _run(talk, to="unit:T1", author_id=record.id, author_role=RoleName.VILLAGE_HEAD, unit_id=village.id)
    async with talk.database.write() as tx:
        assert await roles.revoke(tx, record.id, RoleName.VILLAGE_HEAD, village.id)
    await talk.deliver()
    assert (await _status(talk, run_id))["state"] == "cancelled"
    assert not head.heard
