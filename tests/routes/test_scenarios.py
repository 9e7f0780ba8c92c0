"""What goes wrong on the way between platforms, one thing each: who gets what, who is told, what our books say."""

from __future__ import annotations

import asyncio
import unicodedata
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.core.clock import Clock
from bot.core.events import Outbound
from bot.core.text import clean
from bot.core.words import CampaignKind, ContactState, PersonKind
from bot.db import Database, people
from bot.db.tables import Contact, InboundSeen, Person
from bot.sandbox.zalo_oa import TOKEN_PATH
from bot.settings import Settings
from bot.wiring import Wires, make_zalo_oa
from messages import Phrasebook
from tests.routes.village import Hands, Platforms, Village, Villager
from tests.support.talk import ZONE

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECONDS, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
CS = "/v3.0/oa/message/cs"


def to(*who: Villager) -> str:
    return ",".join(f"person:{one.id}" for one in who)


async def contact(village: Village, channel: str, external_id: str) -> Contact | None:
    async with village.app.database.read() as tx:
        return await people.contact(tx, village.ids[channel], external_id)


async def test_token_expiry_mid_broadcast(village: Village) -> None:
    """The token dies after a few messages: it is renewed once, and everybody gets theirs once."""
    oa = village.platforms.oa
    crowd = await village.bring(oa=HOUR, count=12)
    issued, before = oa.oauth.issued, len(oa.journal.sent())

    def die(what: str, _: object) -> None:
        if what == "message" and len(oa.journal.sent()) == before + 4:
            oa.oauth.expire_access()

    oa.on_change.append(die)
    run_id = await village.send("Tin qua lúc mã hết hạn", to(*crowd))
    oa.on_change.remove(die)
    assert set((await village.check(run_id, "Tin qua lúc mã hết hạn")).values()) == {"zalo_oa"}
    assert oa.oauth.issued == issued + 1
    assert oa.journal.refused().get(-220, 0) >= 1
    assert (await village.app.health())["ok"]


async def test_refresh_race_of_two_workers(sqlite_url: str, village: Village) -> None:
    """Two processes with one database find their token dead at the same moment: it is renewed once, nobody is lost."""
    platforms = Platforms(Hands())
    oa = platforms.oa
    await oa.start()
    access, refresh = oa.issue_pair()
    given: dict[str, Any] = {
        "app_id": oa.app_id,
        "app_secret": oa.app_secret,
        "oa_secret": oa.oa_secret,
        "api_url": oa.url,
    }
    given |= {"api_url": oa.url, "oauth_url": oa.url, "access_token": access, "refresh_token": refresh}
    settings = Settings(
        _env_file=None, database_url=sqlite_url, secret_key="x" * 32, **{f"zalo_oa_{k}": v for k, v in given.items()}
    )
    clock = Clock(ZONE, platforms.hands)
    bases = [Database(sqlite_url), Database(sqlite_url)]
    workers = [make_zalo_oa(Wires(settings, clock, Phrasebook(ZONE), base)) for base in bases]
    users = [oa.add_user(name) for name in ("Lan", "Bé", "Tí", "Na")]
    for user in users:
        user.last_interaction = platforms.hands.seconds()

    async def nothing(_: object) -> None:
        return

    for worker in workers:
        assert worker is not None
        await worker.start(nothing)
    issued = oa.oauth.issued
    oa.oauth.expire_access()
    sends = [w.send(Outbound(chat_id=u.id, text="cùng lúc")) for u in users for w in workers if w is not None]
    await asyncio.gather(*sends)
    assert oa.oauth.issued == issued + 1
    assert oa.journal.count(TOKEN_PATH, -14014) == 0
    assert [user.texts for user in users] == [["cùng lúc", "cùng lúc"]] * 4
    for worker, base in zip(workers, bases, strict=True):
        assert worker is not None
        await worker.close()
        await base.close()
    await oa.stop()


async def test_408_storm(village: Village) -> None:
    """Empty polls are no trouble: the account works, a run goes out, and who writes meanwhile is heard."""
    bot, (one,) = village.platforms.bot, await village.bring(bot=True)
    assert one.bot is not None
    storm = bot.faults.error(408, "Request timeout", method="getUpdates", count=3)
    bot.wake_polls()
    one.bot.write(village.zalo_bot, "xin chào")
    run_id = await village.send("Tin giữa cơn bão", to(one))
    answer = await one.bot.chat(village.zalo_bot).wait(lambda m: m.from_bot and "giữa cơn bão" not in m.text, 10)
    assert answer.text
    assert set((await village.check(run_id, "Tin giữa cơn bão")).values()) == {"zalo_bot"}
    health = await village.app.health()
    assert health["ok"]
    storm.lift()


async def test_duplicate_webhook_five_times(village: Village) -> None:
    """Each event comes five times, and is met, answered and caught up with once."""
    oa = village.platforms.oa
    (one,) = await village.bring(oa=8 * DAY)
    run_id = await village.send("Tin giữ lại một lần", to(one))
    new = oa.add_user("Tí")
    oa.webhook.copies = 5
    assert one.oa is not None
    one.oa.write("chào")
    new.follow()
    await village.quiet()
    oa.webhook.copies = 1
    assert village.seen(one, "Tin giữ lại một lần") == {"zalo_oa": 1}
    assert len([e for e in oa.journal.named("follow") if e.user_id == new.id]) == 1
    assert len(new.received) == len(set(new.texts))
    async with village.app.database.read() as tx:
        known = sa.select(sa.func.count()).select_from(Contact).where(Contact.external_id == new.id)
        assert (await tx.execute(known)).scalar_one() == 1
    await village.adds_up(run_id)


async def test_out_of_order(village: Village) -> None:
    """The newest event comes first: the window counts from the newest, and what was pressed last is what holds."""
    oa = village.platforms.oa
    (one,) = await village.bring(oa=6 * DAY)
    assert one.oa is not None
    with oa.webhook.out_of_order():
        one.oa.write("mẹo")
        village.hands.pass_by(hours=5)
        one.oa.write("chào")
        newest = village.hands.now
    await village.quiet()
    found = await contact(village, "zalo_oa", one.oa.id)
    assert found is not None
    assert found.last_in_at is not None
    assert abs(found.last_in_at - newest) < SECONDS
    assert one.oa.last_interaction == newest.timestamp()


async def test_the_first_word_that_comes_late_opens_the_window_from_when_it_was_said(village: Village) -> None:
    """Zalo tries again for two hours: what was free when it was said may cost something by now."""
    oa = village.platforms.oa
    new, said = oa.add_user("Tí"), village.hands.now
    oa.webhook.hold()
    new.write("chào")
    village.hands.pass_by(hours=2)
    oa.webhook.release()
    await village.quiet()
    found = await contact(village, "zalo_oa", new.id)
    assert found is not None
    assert found.last_in_at is not None
    assert abs(found.last_in_at - said) < SECONDS


async def test_bad_signature(village: Village) -> None:
    """What is not signed by Zalo is refused, met by nobody and stored nowhere."""
    oa = village.platforms.oa
    stranger = oa.add_user("Kẻ lạ")
    event = oa.shapes.from_user(stranger, "user_send_text", message={"text": "chào", "msg_id": "abc"})

    async def known() -> tuple[int, int]:
        async with village.app.database.read() as tx:
            seen = (await tx.execute(sa.select(sa.func.count()).select_from(InboundSeen))).scalar_one()
            return seen, (await tx.execute(sa.select(sa.func.count()).select_from(Person))).scalar_one()

    before = await known()
    assert await oa.webhook.forge(event) == 403
    assert await oa.webhook.forge(event, None) == 403
    oa.webhook.sign = False
    entry = oa.webhook.emit(event, stranger.id)
    await oa.settled()
    oa.webhook.sign, oa.webhook.enabled = True, True
    assert set(entry.statuses) == {403}
    assert await known() == before
    assert not stranger.received
    stranger.write("chào")
    await village.quiet()
    assert stranger.received


async def test_night_window_straddling_22_00_vn(village: Village) -> None:
    """A run that evening interrupts goes on in the morning, on each platform; an alert leaves before and after 22:00,
    and where Zalo keeps the night its people wait unharmed."""
    clock, hands, oa = village.app.desk.clock, village.hands, village.platforms.oa
    crowd = [*await village.bring(telegram=True, count=2), *await village.bring(oa=HOUR, count=2)]
    hands.now = clock.end_of_day(hands.now) - SECONDS
    busy = oa.faults.error(-32, path=CS, count=1)
    run_id = await village.plan("Tin buổi tối", to(*crowd))

    async def is_busy() -> bool:
        return bool(busy.hits)

    await village.until(is_busy)
    hands.pass_by(minutes=1)
    await village.engine.watch()
    village.unpark()
    alert = await village.plan("Nước lên", to(*crowd), kind=CampaignKind.ALERT, urgent=True)
    await village.done(alert)
    sent = (await village.status(run_id))["sent"]
    assert sent < 4
    hands.now = clock.end_of_day(hands.now) + timedelta(hours=1, minutes=30, seconds=5)
    assert clock.local(hands.now).hour == 22
    night = await village.plan("Nước vẫn lên", to(*crowd), kind=CampaignKind.ALERT, urgent=True)
    await village.done(night)
    for alarm, words in ((alert, "Nước lên"), (night, "Nước vẫn lên")):
        assert len(await village.check(alarm, words)) == 4
        assert (await village.status(alarm))["sent"] == 4
    assert (await village.status(run_id))["sent"] == sent
    hands.now = clock.after_quiet(hands.now)
    await village.done(run_id)
    assert sorted((await village.check(run_id, "Tin buổi tối")).values()) == ["telegram"] * 2 + ["zalo_oa"] * 2


async def test_user_at_6_d_23_h_59_m_against_7_d_0_h_1_m(village: Village) -> None:
    """A minute before the end somebody is written to, at a price; a minute after it nobody tries."""
    oa = village.platforms.oa
    (early,) = await village.bring(oa=7 * DAY - MINUTE)
    (late,) = await village.bring(oa=7 * DAY + MINUTE)
    (fresh,) = await village.bring(oa=2 * DAY - MINUTE)
    refused = dict(oa.journal.refused())
    reach = await village.reach(to(early, late, fresh))
    assert (reach.by_channel, reach.kept) == ({"zalo_oa": 2}, 1)
    run_id = await village.send("Tin sát giờ", to(early, late, fresh))
    ended = await village.check(run_id, "Tin sát giờ")
    assert [ended[one.id] for one in (early, late, fresh)] == ["zalo_oa", "skipped:window_closed", "zalo_oa"]
    assert oa.journal.refused() == refused
    assert {one.user_id: one.billed for one in oa.journal.sent() if one.user_id in _oa_ids(early, fresh)} == dict(
        zip(_oa_ids(early, fresh), (True, False), strict=True)
    )


def _oa_ids(*who: Villager) -> list[str]:
    return [one.oa.id for one in who if one.oa is not None]


async def test_429_with_retry_after_35_mid_broadcast(village: Village) -> None:
    """Everybody of that platform waits for so long, nobody is tried meanwhile, other platforms go on."""
    telegram = village.platforms.telegram
    crowd = await village.bring(telegram=True, count=8)
    others = await village.bring(oa=HOUR, count=2)
    before = telegram.sent()
    words, wait = "Too Many Requests: retry after 35", {"retry_after": 35}
    flood = telegram.faults.error(429, words, wait, method="sendMessage", skip=3)
    run_id = await village.plan("Tin qua lúc nghẽn", to(*crowd, *others))

    async def parked() -> bool:
        status = await village.status(run_id)
        return flood.hits > 0 and bool(status["sent"] == 5)

    await village.until(parked)
    status = await village.status(run_id)
    assert (status["waiting"] + status["sending"], status["failed"], status["unknown"]) == (5, 0, 0)
    assert village.post("telegram").line.halted()
    hits = flood.hits
    await asyncio.sleep(0.05)
    assert (flood.hits, telegram.sent()) == (hits, before + 3)
    flood.lift()
    village.unpark()
    await village.done(run_id)
    assert sorted((await village.check(run_id, "Tin qua lúc nghẽn")).values()) == ["telegram"] * 8 + ["zalo_oa"] * 2


async def test_blocked_user_then_returning(village: Village) -> None:
    """Who blocks us on their only channel is closed there alone, and open again once they write; who has another
    channel gets the same run on that."""
    bot = village.telegram_bot
    (alone,), (both,) = await village.bring(telegram=True), await village.bring(telegram=True, oa=HOUR)
    (zalo,) = await village.bring(oa=HOUR)
    for one in (alone, both):
        assert one.telegram is not None
        village.platforms.telegram.faults.error(
            403, "Forbidden: bot was blocked by the user", chat_id=one.telegram.id, count=1
        )
    assert zalo.oa is not None
    zalo.oa.restrict()
    first = await village.send("Tin trước", to(alone, both, zalo))
    ended = await village.check(first, "Tin trước")
    assert [ended[one.id] for one in (alone, both, zalo)] == ["failed:blocked", "zalo_oa", "failed:restricted"]
    reach = await village.reach(to(alone, both, zalo))
    assert (reach.by_channel, reach.unreachable) == ({"zalo_oa": 1}, 2)
    zalo.oa.restrict(False)
    zalo.oa.write("chào")
    for one in (alone, both):
        assert one.telegram is not None
        await one.telegram.write(bot, "chào")
    await village.quiet()
    found = await contact(village, "zalo_oa", zalo.oa.id)
    assert found is not None
    assert (found.state, found.closed_reason) == (ContactState.OPEN, None)
    second = await village.send("Tin sau", to(alone, both, zalo), urgent=True)
    ended = await village.check(second, "Tin sau")
    assert [ended[one.id] for one in (alone, both, zalo)] == ["telegram", "telegram", "zalo_oa"]


async def test_4096_against_2000_characters_with_combining_marks(village: Village) -> None:
    """The same long words, typed with loose marks, which every way in joins: as few messages as each platform allows,
    nothing torn or lost."""
    sentence = "Bà con để ý những cuộc gọi lạ xưng là cán bộ công an, ngân hàng rồi dọa nạt. "
    whole = (sentence * 48).strip()
    loose = unicodedata.normalize("NFD", whole)
    assert 2000 < len(whole) < 4096 - 200 < 4096 < len(loose)
    (a,), (b,), (c,) = await village.bring(telegram=True), await village.bring(bot=True), await village.bring(oa=HOUR)
    run_id = await village.send(clean(loose), to(a, b, c), kind=CampaignKind.EVENT, urgent=True)
    assert (await village.status(run_id))["sent"] == 3
    assert a.telegram is not None
    assert b.bot is not None
    assert c.oa is not None
    said = {
        "telegram": [m.text for m in a.telegram.chat(village.telegram_bot).bot_messages],
        "zalo_bot": [m.text for m in b.bot.chat(village.zalo_bot).bot_messages],
        "zalo_oa": c.oa.texts,
    }
    for channel, texts in said.items():
        joined = " ".join(texts)
        assert joined.startswith(whole), channel
        assert all(unicodedata.is_normalized("NFC", text) for text in texts)
        assert all(len(text) <= (4096 if channel == "telegram" else 2000) for text in texts)
    assert [len(texts) for texts in said.values()] == [1, 2, 2]


async def test_text_containing_a_mention_relayed_to_gmf(village: Village) -> None:
    """In a group of the Official Account nobody's words call everybody; elsewhere they stay as they were."""
    oa = village.platforms.oa
    (head,) = await village.bring(telegram=True)
    boss = oa.add_user("Quản trị")
    boss.oa_admin = True
    boss.last_interaction = village.hands.seconds()
    group = oa.groups.create("Thôn Đông", "", next(iter(oa.groups.assets.values())), [boss])
    await village.quiet()
    async with village.app.database.write() as tx:
        known = await people.contact(tx, village.ids["zalo_oa"], group.id)
        if known is None:
            _, known = await people.add(
                tx, village.ids["zalo_oa"], group.id, village.hands.now, kind=PersonKind.GROUP, title="Thôn Đông"
            )
        known.added_by_id, known.last_in_at = head.id, village.hands.now
    words = f"Họp lúc 7 giờ [@{group.id}] [@[@all]{boss.id}] nhé bà con"
    run_id = await village.send(words, f"chats:{head.id},{to(head)}", kind=CampaignKind.ALERT, urgent=True)
    assert (await village.status(run_id))["sent"] == 2
    (got,) = [m for m in group.received if "Họp lúc 7 giờ" in m.text]
    assert "[@" not in got.text
    assert not group.mentioned(got)
    assert village.seen(head, words) == {"telegram": 1}
