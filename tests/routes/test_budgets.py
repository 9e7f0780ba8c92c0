"""What a month allows is counted before it is spent: warned about once, refused in time, never run over."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.core.events import Outbound
from bot.core.words import CampaignKind
from bot.db import budgets
from bot.db.budgets import MESSAGES, PAID
from bot.db.tables import Audit, Contact
from bot.outreach.budgets import DoesNotFit
from tests.routes.conftest import Settle
from tests.routes.village import Village, Villager
from tests.support.talk import ZONE

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def to(*who: Villager) -> str:
    return ",".join(f"person:{one.id}" for one in who)


async def used(village: Village, channel: str, kind: str) -> int:
    async with village.app.database.read() as tx:
        month = village.hands.now.astimezone(ZONE).strftime("%Y-%m")
        return await budgets.used(tx, village.ids[channel], kind, month)


async def warnings(village: Village) -> int:
    async with village.app.database.read() as tx:
        query = sa.select(sa.func.count()).select_from(Audit).where(Audit.action == "budget.low")
        return (await tx.execute(query)).scalar_one()


async def urgent(village: Village, text: str, *who: Villager) -> dict[int, str]:
    """A run that nobody refuses beforehand; where everybody's ended."""
    run_id = await village.send(text, to(*who), kind=CampaignKind.ALERT, urgent=True)
    ended = await village.check(run_id, text)
    return {one.id: ended[one.id] for one in who}


async def test_a_month_of_the_zalo_bot(settle: Settle) -> None:
    """Of twenty messages, of which eight are gone, runs may have nineteen: the planner says so before, a run stops
    there, a reply still leaves, the next month begins anew."""
    async with settle(zalo_bot_monthly=20) as village:
        bot = village.zalo_bot
        bot.quota.limits.per_month = 20
        bot.quota.spend(8)
        async with village.app.database.write() as tx:
            await budgets.reserve(tx, village.ids["zalo_bot"], MESSAGES, "2026-11", 8, 20)
        crowd = await village.bring(bot=True, count=6)
        (boss,) = await village.bring(telegram=True, here=False)
        await village.head(boss)
        two = [part(n) for n in range(2)]
        with pytest.raises(DoesNotFit, match="11 more messages in this month and this run needs 12"):
            await village.plan("", to(*crowd), parts=two)
        with pytest.raises(DoesNotFit, match="this run needs 12"):
            await village.plan("Tin dài quá một tin nhắn. " * 100, to(*crowd))
        assert await used(village, "zalo_bot", MESSAGES) == 8
        assert set((await urgent(village, "Tin một", *crowd)).values()) == {"zalo_bot"}
        await village.quiet()
        assert await used(village, "zalo_bot", MESSAGES) == bot.quota.used == 14
        with pytest.raises(DoesNotFit, match="5 more messages"):
            await village.plan("Tin hai", to(*crowd))
        ended = await urgent(village, "Tin ba", *crowd)
        await village.quiet()
        assert sorted(ended.values()) == ["skipped:budget_used"] + ["zalo_bot"] * 5
        assert await used(village, "zalo_bot", MESSAGES) == bot.quota.used == 19
        reach = await village.reach(to(*crowd))
        assert (reach.by_channel, reach.kept) == ({}, 6)
        await _a_reply_still_leaves(village, crowd[0])
        assert bot.quota.used == 20
        assert village.platforms.bot.log.refused(429) == 0
        assert await warnings(village) == 1
        village.hands.now = datetime(2026, 12, 1, 9, 0, tzinfo=ZONE)
        reach = await village.reach(to(*crowd))
        assert reach.by_channel == {"zalo_bot": 6}
        assert set((await urgent(village, "Tin tháng sau", *crowd)).values()) == {"zalo_bot"}


def part(n: int) -> Outbound:
    return Outbound(chat_id="", text=f"Phần {n}")


async def _a_reply_still_leaves(village: Village, who: Villager) -> None:
    """From what runs must leave."""
    assert who.bot is not None
    before = len(who.bot.chat(village.zalo_bot).bot_messages)
    who.bot.write(village.zalo_bot, "xin chào")

    async def answered() -> bool:
        assert who.bot is not None
        return len(who.bot.chat(village.zalo_bot).bot_messages) > before

    await village.until(answered)
    await village.quiet()


async def test_monthly_bot_quota_running_out_mid_broadcast(settle: Settle) -> None:
    """The platform has counted more than we: nobody is asked for again and again, who has another way gets it there,
    the others are kept; nothing is called a failure."""
    async with settle() as village:
        bot = village.zalo_bot
        crowd = [*await village.bring(bot=True, count=6), *await village.bring(bot=True, oa=8 * DAY, count=2)]
        both = await village.bring(bot=True, oa=HOUR, prefers="zalo_bot", count=3)
        bot.quota.limits.per_month = 4
        ended = await urgent(village, "Tin cuối tháng", *crowd, *both)
        assert sorted(ended[one.id] for one in crowd) == ["skipped:budget_used"] * 4 + ["zalo_bot"] * 4
        assert {ended[one.id] for one in both} == {"zalo_oa"}
        assert 3 <= village.platforms.bot.log.refused(429) <= 5


async def test_the_people_whom_a_bot_may_have(settle: Settle) -> None:
    """Of one more than it may have, only those whom the platform has heard are written to; there is a warning."""
    async with settle(zalo_bot_people=5) as village:
        village.zalo_bot.quota.limits.people = 5
        crowd = await village.bring(bot=True, count=5)
        (more,) = await village.bring(bot=True)
        async with village.app.database.write() as tx:
            await tx.execute(sa.update(Contact).where(Contact.person_id == more.id).values(last_in_at=None))
        reach = await village.reach()
        assert (reach.by_channel, reach.kept) == ({"zalo_bot": 5}, 1)
        ended = await urgent(village, "Tin cho năm người", *crowd, more)
        assert [ended[one.id] for one in (*crowd, more)] == ["zalo_bot"] * 5 + ["skipped:window_closed"]
        assert village.platforms.bot.log.refused(429) == 0
        assert await warnings(village) == 1


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_messages_that_cost_are_counted_before_they_leave(settle_anywhere: Settle) -> None:
    """Of ten paid ones eight may go to what is not urgent. A message of two parts costs two. Zalo's count agrees."""
    async with settle_anywhere(zalo_oa_paid_monthly=10) as village:
        oa = village.platforms.oa
        oa.limits.paid_messages = 10
        crowd = await village.bring(oa=3 * DAY, count=12)
        free = await village.bring(oa=HOUR, count=2)
        reach = await village.reach(to(*crowd, *free))
        assert (reach.by_channel, reach.kept) == ({"zalo_oa": 10}, 4)
        first = await village.send("Tin thường", to(*crowd, *free))
        ended = await village.check(first, "Tin thường")
        assert sorted(ended[one.id] for one in crowd) == ["skipped:window_closed"] * 4 + ["zalo_oa"] * 8
        assert {ended[one.id] for one in free} == {"zalo_oa"}
        assert await used(village, "zalo_oa", PAID) == oa.used("paid messages") == 8
        ended = await urgent(village, "Tin khẩn", *crowd)
        assert sorted(ended.values()) == ["skipped:window_closed"] * 10 + ["zalo_oa"] * 2
        assert await used(village, "zalo_oa", PAID) == oa.used("paid messages") == 10
        assert oa.journal.refused() == {}
        village.hands.now = datetime(2026, 12, 1, 9, 0, tzinfo=ZONE)
        for one in crowd[:3]:
            assert one.oa is not None
            one.oa.write("chào")
        await village.quiet()
        village.hands.pass_by(days=3)
        run_id = await village.send("", to(*crowd[:3]), parts=[part(1), part(2)], urgent=True)
        assert (await village.status(run_id))["sent"] == 3
        assert await used(village, "zalo_oa", PAID) == oa.used("paid messages") == 6


async def test_what_is_paid_for_and_does_not_leave_is_not_paid_for_again(settle: Settle) -> None:
    """An outage does not use up the month."""
    async with settle() as village:
        oa = village.platforms.oa
        crowd = await village.bring(oa=3 * DAY, count=2)
        busy = oa.faults.error(-32, path="/v3.0/oa/message/cs", count=2)
        run_id = await village.plan("Tin qua lúc bận", to(*crowd))

        async def over() -> bool:
            village.unpark()
            return bool((await village.status(run_id))["state"] == "done")

        await village.until(over)
        await village.quiet()
        assert busy.hits == 2
        assert await used(village, "zalo_oa", PAID) == oa.used("paid messages") == 2
