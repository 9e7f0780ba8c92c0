"""The voice of a daily tip: made before it is due, uploaded once, beside the text of those who listen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.channels.memory import MemoryChannel
from bot.core.errors import ContactRefused, Reason, SlowDown
from bot.core.events import MediaKind, Outbound
from bot.core.words import PersonStatus
from bot.db import Database, listening
from bot.db.tables import Delivery, Person, Upload
from bot.outreach import curriculum, tip_round
from bot.sandbox.telegram import TelegramSandbox, Timing
from jobs import JobContext
from jobs.speech import prepare_speech
from tests.support.product import TOKEN, Product
from tests.support.quick import quick
from tests.support.reader import Voice
from tests.support.talk import Talk


@pytest.fixture
async def talk(sqlite_url: str) -> AsyncIterator[Talk]:
    """Two people who are due at seven tomorrow, of whom the first listens."""
    database = quick(Database(sqlite_url))
    found = Talk(database)
    await found.open()
    async with database.write() as tx:
        await curriculum.sync(tx, found.desk.pack)
    await found.resident("1")
    await found.resident("2")
    await _listens(database, 1)
    found.now = found.desk.clock.start_of_day(found.now) + timedelta(days=1, hours=6)
    yield found
    await found.close()
    await database.close()


async def _listens(database: Database, person_id: int) -> None:
    async with database.write() as tx:
        await tx.execute(sa.update(Person).where(Person.id == person_id).values(listens=True))


async def _morning(talk: Talk) -> list[Outbound]:
    talk.now += timedelta(hours=1)
    await tip_round.plan_due(talk.database, talk.desk, talk.now)
    await talk.deliver()
    assert isinstance(talk.channel, MemoryChannel)
    return talk.channel.sent


async def _states(talk: Talk) -> list[str]:
    async with talk.database.read() as tx:
        return [str(state) for state in (await tx.scalars(sa.select(Delivery.state))).all()]


async def test_what_will_be_said_is_read_before_and_once(talk: Talk, tmp_path: Path) -> None:
    voice = Voice(tmp_path)
    talk.desk.speech = voice.speech
    context = JobContext(talk.database, talk.desk, talk.engine.wake)
    await prepare_speech(context)
    tips = [talk.desk.pack.tips[key] for key in talk.desk.pack.curricula["resident"][:2]]
    assert len(voice.said) == len(tips)
    await prepare_speech(context)
    assert len(voice.said) == len(tips)
    sent = await _morning(talk)
    assert [(m.chat_id, bool(m.media)) for m in sent if m.chat_id == "2"] == [("2", False)]
    text, spoken = [m for m in sent if m.chat_id == "1"]
    assert tips[0].title in text.text
    assert (spoken.media[0].kind, spoken.text) == (MediaKind.VOICE, "🔊 Giọng máy đọc")
    assert "🔊 Nghe tin này" in [b.label for row in text.buttons for b in row]
    assert await _states(talk) == ["sent", "sent"]


async def test_a_voice_that_is_not_there_in_time_is_left_out(talk: Talk, tmp_path: Path) -> None:
    voice = Voice(tmp_path)
    talk.desk.speech = voice.speech
    sent = await _morning(talk)
    assert [bool(m.media) for m in sent] == [False, False]
    assert voice.said == [], "nobody waits for it while others wait for their tip"


@pytest.mark.parametrize(
    "error",
    [ContactRefused(Reason.NO_RIGHTS, "VOICE_MESSAGES_FORBIDDEN"), SlowDown(0.01)],
    ids=["unwanted", "too fast"],
)
async def test_whoever_cannot_have_the_voice_has_the_tip(
    talk: Talk, tmp_path: Path, error: ContactRefused | SlowDown
) -> None:
    talk.desk.speech = Voice(tmp_path).speech
    await prepare_speech(JobContext(talk.database, talk.desk, talk.engine.wake))

    def refuse(message: Outbound) -> None:
        if message.media:
            raise error

    assert isinstance(talk.channel, MemoryChannel)
    talk.channel.fail = refuse
    sent = await _morning(talk)
    assert len(sent) == 2
    assert await _states(talk) == ["sent", "sent"]


async def test_nothing_is_read_for_nobody(talk: Talk, tmp_path: Path) -> None:
    voice = Voice(tmp_path)
    async with talk.database.write() as tx:
        await tx.execute(sa.update(Person).values(status=PersonStatus.STOPPED))
    context = JobContext(talk.database, talk.desk, talk.engine.wake)
    await prepare_speech(context)
    talk.desk.speech = voice.speech
    await prepare_speech(context)
    assert voice.said == []


async def test_a_broken_voice_does_not_hold_up_the_job(talk: Talk, tmp_path: Path) -> None:
    voice = Voice(tmp_path, pace=10**4)
    talk.desk.speech = voice.speech
    await prepare_speech(JobContext(talk.database, talk.desk, talk.engine.wake))
    assert len(voice.said) < 5
    assert voice.files == []


async def test_who_listens_is_found_by_an_index_on_both_databases(database: Database) -> None:
    async with database.write() as tx:
        assert await listening.standings(tx) == []
        if database.is_sqlite:
            plan = await tx.execute(sa.text("EXPLAIN QUERY PLAN SELECT id FROM person WHERE person.listens"))
            assert any("person_listening" in str(row) for row in plan)


async def test_over_the_wire_it_is_a_voice_message_uploaded_once(sqlite_url: str, tmp_path: Path) -> None:
    server = TelegramSandbox(timing=Timing.fast())
    bot = server.add_bot(TOKEN, username="loaso_bot", name="Loa Số")
    await server.start()
    product = Product(server, sqlite_url)
    app = product.app
    people = [server.add_user(number, name) for number, name in ((501, "Lan"), (502, "Mai"), (503, "Tư"))]
    for one in people:
        one.chat(bot).started = True
    await product.bring([one.id for one in people], tmp_path)
    app.desk.speech = Voice(tmp_path).speech
    async with app.database.write() as tx:
        await curriculum.sync(tx, app.desk.pack)
        await tx.execute(sa.update(Person).values(tip_hour=13, tipped_on=None))
        await tx.execute(sa.update(Person).where(Person.id < 3).values(listens=True))
    await prepare_speech(JobContext(app.database, app.desk, lambda: None))
    async with product, asyncio.timeout(15):
        for one, count in zip(people, (2, 2, 1), strict=True):
            while one.chat(bot).count < count:
                await one.chat(bot).wait_new(one.chat(bot).count)
        await people[2].write(bot, "nghe thay vì đọc")
        while people[2].chat(bot).bot_messages[-1].kind != "voice":
            await people[2].chat(bot).wait_new(people[2].chat(bot).count)
    kinds = [[message.kind for message in one.chat(bot).bot_messages] for one in people]
    assert kinds == [["text", "voice"], ["text", "voice"], ["text", "text", "voice"]]
    first, second = (one.chat(bot).bot_messages[-1] for one in people[:2])
    assert first.file is second.file
    assert (first.text, first.file_bytes[:4]) == ("🔊 Giọng máy đọc", b"OggS")
    await server.stop()
    database = Database(sqlite_url)
    async with database.read() as tx:
        assert len((await tx.scalars(sa.select(Upload))).all()) == 2, "the tip and the welcome, each uploaded once"
    await database.close()
