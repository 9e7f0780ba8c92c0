"""The inbox: one event, one transaction, one answer; what breaks stays small."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
import structlog

from bot.channels.memory import LIKE_TELEGRAM
from bot.core.events import ChatKind, Inbound, InboundKind
from bot.db import people
from bot.db.tables import Audit, InboundSeen, Reply
from bot.inbox import Inbox
from handlers.routing import Context, Router
from tests.support.talk import ACCOUNT, MORNING, Talk

SECRET_WORDS = "chuyện riêng của bà"


def _message(number: int, text: str, chat: str = "1", **fields: object) -> Inbound:
    base = {
        "account": ACCOUNT,
        "external_id": str(number),
        "kind": InboundKind.MESSAGE,
        "chat_id": chat,
        "chat_kind": ChatKind.PRIVATE,
        "sender_id": chat,
        "text": text,
        "at": MORNING,
    }
    return Inbound(**{**base, **fields})  # type: ignore[arg-type]  # tests pass what they test


def _inbox(talk: Talk, router: Router) -> Inbox:
    return Inbox(talk.database, talk.desk, (router,), {ACCOUNT: LIKE_TELEGRAM}, lambda _rows: None)


async def _texts(talk: Talk) -> list[str]:
    async with talk.database.read() as tx:
        rows = (await tx.execute(sa.select(Reply).order_by(Reply.id))).scalars().all()
    return [row.message.get("text", "") for row in rows]


async def test_a_handler_that_breaks_is_undone_told_and_not_tried_again(talk: Talk) -> None:
    router = Router()
    calls: list[str] = []

    @router.on_text("hỏng")
    async def broken(ctx: Context) -> None:
        calls.append(ctx.text)
        ctx.tx.add(Audit(at=ctx.now, action="half done", subject="x"))
        await ctx.reply("common.media")
        raise RuntimeError(f"a bug with {SECRET_WORDS}")

    @router.on_message()
    async def fine(ctx: Context) -> None:
        await ctx.reply("common.media")

    inbox = _inbox(talk, router)
    with structlog.testing.capture_logs() as logs:
        assert (await inbox.handle(_message(1, "hỏng"))).keys == ["common.broken"]
    assert not (await inbox.handle(_message(1, "hỏng"))).fresh
    assert (await inbox.handle(_message(2, "chào"))).keys == ["common.media"]
    assert calls == ["hỏng"]
    assert [line["event"] for line in logs] == ["A handler broke"]
    assert "in broken" in logs[0]["traceback"]
    assert SECRET_WORDS not in str(logs)
    async with talk.database.read() as tx:
        assert (await tx.execute(sa.select(sa.func.count()).select_from(Audit))).scalar_one() == 0
    assert (await _texts(talk))[0].startswith("Xin lỗi bà con")


async def test_a_pressed_button_is_always_answered(talk: Talk) -> None:
    router = Router()

    @router.on_button("x")
    async def silent(ctx: Context) -> None:
        await ctx.reply("common.media")

    @router.on_button("y")
    async def broken(ctx: Context) -> None:
        raise RuntimeError

    inbox = _inbox(talk, router)
    for number, data in enumerate(("x", "y:1", "unknown"), 1):
        await inbox.handle(
            _message(number, "", kind=InboundKind.BUTTON, button=data, answer_id=f"a{number}", message_id="5")
        )
    async with talk.database.read() as tx:
        rows = (await tx.execute(sa.select(Reply).order_by(Reply.id))).scalars().all()
    assert [row.message["answer"] for row in rows if row.message.get("answer")] == ["a1", "a2", "a3"]


async def test_one_chat_keeps_its_order_and_chats_do_not_wait_for_one_another(talk: Talk) -> None:
    router = Router()
    seen: list[tuple[str, str]] = []

    @router.on_message()
    async def note(ctx: Context) -> None:
        seen.append((ctx.inbound.chat_id, ctx.text))

    inbox = _inbox(talk, router)
    events = [_message(n, str(n), chat=str(n % 3)) for n in range(30)]
    await asyncio.gather(*(inbox.receive(e) for e in events))
    for chat in ("0", "1", "2"):
        said = [int(text) for of, text in seen if of == chat]
        assert said == sorted(said)
        assert len(said) == 10


async def test_the_same_event_at_the_same_moment_is_handled_once(talk: Talk) -> None:
    router = Router()
    seen: list[str] = []

    @router.on_message()
    async def note(ctx: Context) -> None:
        seen.append(ctx.text)

    first, second = _inbox(talk, router), _inbox(talk, router)
    event = _message(1, "một lần")
    results = await asyncio.gather(*(inbox.handle(event) for inbox in (first, second, first, second)))
    assert seen == ["một lần"]
    assert sum(result.fresh for result in results) == 1


@pytest.mark.parametrize(
    "text", ["_*[<&]()~`>#+-=|{}.!", "\u0000\u200b", "a" * 20_000, "🙂" * 3000, "{{ 7*7 }}", "<b>"]
)
async def test_no_text_breaks_the_product(talk: Talk, text: str) -> None:
    speaker = talk.person("1", name="_*[<&")
    assert "common.broken" not in await speaker.says(text)
    assert "common.broken" not in await speaker.says(text)


async def test_nothing_that_a_person_wrote_stays(talk: Talk) -> None:
    """Answers are queued until they leave; afterwards no row holds the words."""
    speaker = talk.person("1", name="Nguyễn Thị Bí Mật")
    await speaker.says("/start")
    await speaker.says(SECRET_WORDS)
    async with talk.database.read() as tx:
        assert await people.contact(tx, talk.account.id, "1") is not None
        assert (await tx.execute(sa.select(sa.func.count()).select_from(InboundSeen))).scalar_one() == 2
        for table in InboundSeen.metadata.sorted_tables:
            for row in (await tx.execute(sa.select(table))).mappings().all():
                kept = str(dict(row))
                assert SECRET_WORDS not in kept, table.name
                assert "Bí Mật" not in kept, table.name
