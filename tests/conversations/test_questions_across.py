"""Asked on one platform, answered on another: a resident on a Zalo Official Account, a helper on Telegram."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from bot.channels.memory import LIKE_TELEGRAM, MemoryChannel
from bot.core.errors import BadContent
from bot.core.events import InboundKind, Outbound
from bot.core.words import QuestionState, RoleName
from bot.db import Database, accounts, people, questions, replies, roles, units
from bot.db.tables import Account
from bot.engine.local import LocalEngine
from bot.outreach.questions import answering
from jobs import JobContext
from jobs.questions import climb
from tests.conversations.test_faq import finds
from tests.support.talk import ACCOUNT, Speaker
from tests.support.talk_zalo_oa import ZaloOaTalk

VILLAGE = "18859001"
ASKED, ANSWER = "Máy cày nhà tui đăng ký ở mô", "Bà con ra trụ sở xã, gặp bộ phận một cửa ạ."


@dataclass
class Telegram:
    """The other side: the same product, where the helpers are."""

    talk: ZaloOaTalk
    channel: MemoryChannel
    account: Account

    async def helper(self, id: str, role: RoleName, unit: str) -> Speaker:
        async with self.talk.database.write() as tx:
            place = await units.by_code(tx, unit)
            assert place is not None
            person, _ = await people.add(tx, self.account.id, id, self.talk.now)
            await roles.grant(tx, person.id, role, place.id, self.talk.now)
        return replace(self.talk.person(id), fields={"account": ACCOUNT})

    async def flush(self) -> None:
        """What was queued leaves as it does in earnest, and the notices know under which number."""
        engine = LocalEngine(self.talk.database, self.talk.desk, [self.channel])
        await engine._open()
        async with self.talk.database.read() as tx:
            waiting = await replies.waiting(tx, [self.account.id])
        for row in waiting:
            await engine.posts[self.account.id].replier._leave(row)
        await engine.stop()

    async def heard(self, id: str) -> list[str]:
        await self.flush()
        return [m.text for m in self.channel.sent if m.chat_id == id and m.answer is None]

    async def says(self, helper: Speaker, text: str, **fields: object) -> list[str]:
        """Without a sandbox between: the event as the channel would hand it in."""
        return await self.talk.inbound(**helper.origin(), **{"kind": InboundKind.MESSAGE, "text": text, **fields})


@pytest.fixture
def platform() -> str:
    """These tests bring their platforms."""
    return "zalo_oa"


@pytest.fixture
async def oa(database: Database) -> AsyncIterator[ZaloOaTalk]:
    found = ZaloOaTalk(database)
    await found.open()
    yield found
    await found.close()


@pytest.fixture
async def telegram(oa: ZaloOaTalk) -> Telegram:
    channel = MemoryChannel(ACCOUNT)
    async with oa.database.write() as tx:
        account = await accounts.ensure(tx, ACCOUNT, oa.now)
    oa.inbox.capabilities = {**oa.inbox.capabilities, ACCOUNT: LIKE_TELEGRAM}
    oa.desk.capabilities[ACCOUNT] = LIKE_TELEGRAM
    await oa.village(VILLAGE, "Thôn Đông")
    finds(oa, action="none")
    return Telegram(oa, channel, account)


async def ask(asker: Speaker) -> None:
    await asker.says(ASKED)
    await asker.presses("🙋 Hỏi tổ công nghệ số")
    assert await asker.presses("📨 Gửi") == ["questions.sent"]


async def test_asked_on_zalo_and_answered_on_telegram_by_replying(oa: ZaloOaTalk, telegram: Telegram) -> None:
    helper = await telegram.helper("7", RoleName.HELPER, VILLAGE)
    asker = await oa.resident("100", unit=VILLAGE)
    await ask(asker)
    (notice,) = await telegram.heard("7")
    assert ASKED in notice
    number = str(len(telegram.channel.sent))
    assert await telegram.says(helper, ANSWER, replies_to=number) == ["inbox.answered"]
    assert "Trả lời của tổ công nghệ số Thôn Đông:" in asker.last.text
    assert ANSWER in asker.last.text
    assert await asker.presses("👍 Được rồi") == ["questions.clear"]


async def test_an_answer_that_zalo_may_not_push_waits_until_they_write(oa: ZaloOaTalk, telegram: Telegram) -> None:
    helper = await telegram.helper("7", RoleName.HELPER, VILLAGE)
    asker = await oa.resident("100", unit=VILLAGE)
    await ask(asker)
    oa.advance(days=8)
    assert await telegram.says(helper, f"trả lời 1: {ANSWER}") == ["inbox.answered"]
    assert "1 người chưa tiện nhắn lúc này" in (await telegram.heard("7"))[-1]
    assert not any(ANSWER in message.text for message in asker.heard)
    await asker.says("chào máy")
    assert sum(ANSWER in message.text for message in asker.heard) == 1
    await asker.says("chào máy")
    assert sum(ANSWER in message.text for message in asker.heard) == 1, "given once"


async def test_whoever_is_on_both_gets_it_where_they_may_be_written_to(oa: ZaloOaTalk, telegram: Telegram) -> None:
    helper = await telegram.helper("7", RoleName.HELPER, VILLAGE)
    asker = await oa.resident("100", unit=VILLAGE)
    await ask(asker)
    async with oa.database.write() as tx:
        contact = await people.contact(tx, oa.account.id, "100")
        assert contact is not None
        await people.join(tx, contact.person_id, telegram.account.id, "8")
    oa.advance(days=8)
    assert await telegram.says(helper, f"trả lời 1: {ANSWER}") == ["inbox.answered"]
    assert any(ANSWER in text for text in await telegram.heard("8"))
    assert not any(ANSWER in message.text for message in asker.heard)


async def test_with_a_channel_switched_off_the_answer_takes_the_other_one(oa: ZaloOaTalk, telegram: Telegram) -> None:
    helper = await telegram.helper("7", RoleName.HELPER, VILLAGE)
    asker = await oa.resident("100", unit=VILLAGE)
    await ask(asker)
    async with oa.database.write() as tx:
        contact = await people.contact(tx, oa.account.id, "100")
        assert contact is not None
        await people.join(tx, contact.person_id, telegram.account.id, "8")
    del oa.desk.capabilities[oa.account.key]
    await telegram.says(helper, f"trả lời 1: {ANSWER}")
    assert any(ANSWER in text for text in await telegram.heard("8"))


async def test_an_answer_that_could_not_leave_waits_too(oa: ZaloOaTalk, telegram: Telegram) -> None:
    """Asked on Telegram this time, which refuses the message."""
    helper = await telegram.helper("7", RoleName.HELPER, VILLAGE)
    asker = await telegram.helper("8", RoleName.INFLUENCER, VILLAGE)
    await telegram.says(asker, "gặp người thật")
    await telegram.says(asker, ASKED)
    await telegram.says(asker, "gửi")
    assert await telegram.says(asker, "thôn đông") == ["questions.sent"]
    await telegram.flush()

    def refuse(message: Outbound) -> None:
        if message.chat_id == "8":
            raise BadContent("no")

    telegram.channel.fail = refuse
    await telegram.says(helper, f"trả lời 1: {ANSWER}")
    assert not any(ANSWER in text for text in await telegram.heard("8"))
    telegram.channel.fail = lambda _: None
    await telegram.says(asker, "chào máy")
    assert any(ANSWER in text for text in await telegram.heard("8"))


async def test_a_clock_that_is_cut_off_tells_nobody_twice(oa: ZaloOaTalk, telegram: Telegram) -> None:
    """The job's transaction is undone, as a kill would leave it, and done again."""
    await telegram.helper("8", RoleName.HELPER, "18859")
    asker = await oa.resident("100", unit=VILLAGE)
    await ask(asker)
    assert len(await telegram.heard("8")) == 1
    admin = await telegram.helper("9", RoleName.ADMIN, "44")
    oa.advance(hours=5)
    with pytest.raises(RuntimeError):
        async with oa.database.write() as tx:
            await answering.step(tx, oa.desk, 1, oa.now)
            raise RuntimeError
    assert await telegram.heard(admin.id) == []
    for _ in range(3):
        await climb(JobContext(oa.database, oa.desk, oa.engine.wake))
    assert len(await telegram.heard(admin.id)) == 1
    async with oa.database.read() as tx:
        question = await questions.get(tx, 1)
    assert question is not None
    assert (question.state, question.due_at) == (QuestionState.OPEN, None)
