"""Those who answer: by replying to a notice, by a number, or from the inbox, where alike questions stand together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.core.events import Button, ChatKind, InboundKind
from bot.core.text import shorten
from bot.db import question_notices, questions
from bot.db.tables_questions import Question
from bot.outreach import roles
from bot.outreach.questions import answering, duty, entries, likeness, screening
from bot.outreach.questions.answering import Verdict
from bot.outreach.questions.likeness import Alike
from bot.outreach.questions.screening import LONGEST_ANSWER
from handlers import faq
from handlers.menu import ASKS_FOR_MENU
from handlers.phrases import Phrases
from handlers.routing import ButtonSpec, Context, NotMine, Router, numbered
from handlers.staff_flow import notice

router = Router(ChatKind.PRIVATE)
_LOOKED_AT = 300
"""So many open questions, the oldest, are put into groups."""
_GROUPS, _TEXTS = 8, 5
_LINE = 90
_NO_ANSWER = Phrases(*ASKS_FOR_MENU)


@router.on(lambda ctx: ctx.inbound.kind is InboundKind.MESSAGE and ctx.inbound.replies_to is not None)
async def replied(ctx: Context) -> None:
    """A reply to a notice answers its question, whatever else the bot waits for."""
    question_id = await question_notices.question_of(ctx.tx, ctx.contact.id, ctx.inbound.replies_to or "")
    if question_id is None or ctx.inbound.command is not None:
        raise NotMine
    await answer(ctx, [question_id])


@router.on_pattern(answering.BY_NUMBER)
async def answered_by_number(ctx: Context) -> None:
    if not await duty.paths_of(ctx.tx, ctx.person):
        raise NotMine
    number, text = ctx.match
    await answer(ctx, [int(number)], text)


@router.on_step("inbox.answer")
async def typed(ctx: Context) -> None:
    """What they type is the answer, unless they ask for the menu or cry for help themselves."""
    if ctx.text in _NO_ANSWER or faq.is_urgent(ctx):
        await ctx.forget()
        raise NotMine
    await answer(ctx, [int(id) for id in ctx.data.get("questions", ())])


async def answer(ctx: Context, ids: Sequence[int], text: str | None = None) -> None:
    """The first answer counts. What must not be said is refused with the reason, and may be said again."""
    words = ctx.text if text is None else text
    verdict, _ = await answering.look(ctx.tx, ctx.person, ids[0]) if ids else (Verdict.OVER, None)
    if len(ids) == 1 and verdict is not Verdict.DONE:
        await _done(ctx)
        await ctx.reply(f"inbox.{verdict}")
        return
    objection = screening.objection("" if ctx.inbound.media else words)
    if objection is not None:
        await ctx.reply(f"inbox.{objection}", most=LONGEST_ANSWER)
        return
    await _done(ctx)
    found = await answering.answer(ctx.tx, ctx.desk, ctx.person, ids, words.strip(), ctx.now)
    if not found:
        await ctx.reply("inbox.over")
        return
    waits = sum(question.given_at is None for question in found)
    await ctx.reply("inbox.answered", count=len(found), waits=waits, buttons=await _after(ctx, found[0]))


async def _done(ctx: Context) -> None:
    if ctx.step == "inbox.answer":
        await ctx.forget()


async def _after(ctx: Context, question: Question) -> list[list[ButtonSpec]]:
    rows: list[list[ButtonSpec]] = []
    if await entries.unit_of(ctx.tx, ctx.person) is not None:
        rows.append([("inbox.button_entry", f"qe:draft:{question.id}")])
    if left := await duty.waiting(ctx.tx, ctx.person):
        rows.append([("inbox.button_box", "ib:box", {"count": left})])
    return rows


@router.on_button("ib")
async def pressed(ctx: Context) -> None:
    what, value = [*ctx.match, "", ""][:2]
    number = numbered(value)
    if what == "box":
        await show_box(ctx)
    elif number is None:
        await notice(ctx, "inbox.over")
    elif what == "answer":
        await ask_answer(ctx, number)
    elif what == "up":
        await pass_up(ctx, number)
    else:
        await _of_group(ctx, what, number)


async def ask_answer(ctx: Context, question_id: int) -> None:
    verdict, question = await answering.look(ctx.tx, ctx.person, question_id)
    if verdict is not Verdict.DONE or question is None:
        await notice(ctx, f"inbox.{verdict}")
        return
    await _wait_for_answer(ctx, [question])


async def _wait_for_answer(ctx: Context, asked: Sequence[Question]) -> None:
    await ctx.expect("inbox.answer", questions=[question.id for question in asked])
    first = asked[0]
    await ctx.reply("inbox.ask_answer", count=len(asked), id=first.id, text=first.text, most=LONGEST_ANSWER)


async def pass_up(ctx: Context, question_id: int) -> None:
    """Whoever was told does not know either."""
    verdict, question = await answering.look(ctx.tx, ctx.person, question_id)
    if verdict is not Verdict.DONE or question is None:
        await notice(ctx, f"inbox.{verdict}")
        return
    told = await answering.pass_up(ctx.tx, ctx.desk, ctx.person, question, ctx.now)
    if told is not None:
        await ctx.reply("inbox.passed", place=told.name)
    else:
        await ctx.reply("inbox.passed_later" if ctx.clock.is_quiet(ctx.now) else "inbox.passed_nowhere")


@router.on_command("inbox")
@router.on_text("hộp câu hỏi", "câu hỏi chờ", "hộp thư câu hỏi", "câu hỏi của bà con", "inbox")
async def show_box(ctx: Context) -> None:
    """What waits below their units, alike questions together, and what is to be decided."""
    paths, rows = await duty.paths_of(ctx.tx, ctx.person), await _entry_rows(ctx)
    if not paths and not rows:
        await ctx.reply("inbox.not_staff")
        return
    groups = await _groups(ctx)
    if not groups:
        await ctx.reply("inbox.none", buttons=rows)
        return
    lines = [_line(ctx, alike) for alike in groups[:_GROUPS]]
    shown: list[list[ButtonSpec]] = [
        [Button(f"{number}. {line}", f"ib:group:{alike.first.id}")]
        for number, (line, alike) in enumerate(zip(lines, groups, strict=False), 1)
    ]
    count = sum(len(alike.rows) for alike in groups)
    await ctx.reply("inbox.box", count=count, lines=lines, more=len(groups) - len(lines), buttons=[*shown, *rows])


async def _groups(ctx: Context) -> list[Alike]:
    paths = await duty.paths_of(ctx.tx, ctx.person)
    return likeness.group(await questions.open_below(ctx.tx, paths, _LOOKED_AT))


async def _entry_rows(ctx: Context) -> list[list[ButtonSpec]]:
    """What there is to decide, and what may be taken out again."""
    held = await roles.units_for(ctx.tx, ctx.person, entries.EDITORS | entries.DECIDERS)
    if not held:
        return []
    rows: list[list[ButtonSpec]] = []
    if waiting := len(await entries.waiting(ctx.tx, ctx.person)):
        rows.append([("inbox.button_waiting", "qe:waiting", {"count": waiting})])
    published = len(await entries.published(ctx.tx, ctx.person))
    return [*rows, [("inbox.button_published", "qe:list", {"count": published})]]


def _line(ctx: Context, alike: Alike) -> str:
    text = shorten(alike.first.text or "", _LINE)
    fields = {"count": len(alike.rows), "text": text, "places": _places(alike), "age": _age(ctx, alike)}
    return ctx.desk.book.label(ctx.person.language, "inbox.line", **fields)


def _places(alike: Alike) -> str:
    first, rest = alike.places[:2], alike.places[2:]
    return ", ".join([*first, *([f"+{len(rest)}"] if rest else [])])


def _age(ctx: Context, alike: Alike) -> str:
    """How long the oldest has waited."""
    passed = ctx.now - min(question.asked_at for question, _ in alike.rows)
    if passed >= timedelta(days=2):
        key, count = "inbox.age_days", passed.days
    else:
        count = int(passed.total_seconds()) // 3600
        key = "inbox.age_hours" if count else "inbox.age_new"
    return ctx.desk.book.label(ctx.person.language, key, count=count)


async def _of_group(ctx: Context, what: str, first: int) -> None:
    """The group in which that question stands now: look at it, or answer all of it."""
    alike = next((alike for alike in await _groups(ctx) if first in alike.ids), None)
    if alike is None:
        await notice(ctx, "inbox.over")
    elif what == "all":
        await _wait_for_answer(ctx, [question for question, _ in alike.rows])
    else:
        await show_group(ctx, alike)


async def show_group(ctx: Context, alike: Alike) -> None:
    """Up to five ways in which it was asked; one alone can be passed up."""
    count, id = len(alike.rows), alike.first.id
    rows: list[list[ButtonSpec]] = [[("inbox.button_all", f"ib:all:{id}", {"count": count})]]
    if count == 1:
        rows = [[("inbox.button_answer", f"ib:answer:{id}"), ("inbox.button_up", f"ib:up:{id}")]]
    shown = {"places": _places(alike), "age": _age(ctx, alike), "asked": alike.rows[:_TEXTS]}
    more = max(count - _TEXTS, 0)
    rows.append([("inbox.button_back", "ib:box")])
    await ctx.reply("inbox.group", count=count, **shown, more=more, buttons=rows)
