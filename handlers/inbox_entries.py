"""From an answer to what the bot knows: an editor makes an entry, another publishes it, either takes it out."""

from __future__ import annotations

from typing import Any

from bot.core.events import ChatKind
from bot.core.words import EntryState
from bot.db import questions
from bot.db.tables_questions import LocalEntry, Question
from bot.outreach import notify
from bot.outreach.questions import entries, screening
from bot.outreach.questions.entries import LONGEST_TITLE, SHORTEST_TITLE, Draft, Verdict
from handlers.routing import ButtonSpec, Context, NotMine, Router, numbered
from handlers.staff_flow import notice

router = Router(ChatKind.PRIVATE)
_LISTED = 10


@router.on_button("qe")
async def pressed(ctx: Context) -> None:
    what, value = [*ctx.match, "", ""][:2]
    number = numbered(value)
    if what == "waiting":
        await show_waiting(ctx)
    elif what == "list":
        await show_published(ctx)
    elif what == "experience":
        await propose(ctx, None)
    elif number is None:
        await notice(ctx, "inbox.over")
    else:
        await _about(ctx, what, number)


async def _about(ctx: Context, what: str, number: int) -> None:
    if what == "draft":
        await begin(ctx, number)
    elif what == "title":
        await take_title(ctx, number)
    elif what == "yes":
        await publish(ctx, number)
    elif what == "no":
        await ask_why(ctx, number)
    elif what == "view":
        await view(ctx, number)
    elif what == "off":
        await remove(ctx, number)
    else:
        await notice(ctx, "inbox.over")


async def _answered(ctx: Context, question_id: int) -> Question | None:
    """A question that this person has answered, while its words are kept."""
    question = await questions.get(ctx.tx, question_id)
    mine = question is not None and question.answered_by_id == ctx.person.id and bool(question.answer)
    return question if mine else None


async def begin(ctx: Context, question_id: int) -> None:
    """The answer is there; a title is wanted, then the source."""
    question = await _answered(ctx, question_id)
    if question is None:
        await notice(ctx, "inbox.over")
    elif await entries.unit_of(ctx.tx, ctx.person) is None:
        await notice(ctx, "inbox.no_right")
    else:
        await ctx.expect("inbox.title", **Draft(question.id, answer=question.answer or "").dump())
        title = entries.shortest(await questions.answered_with(ctx.tx, question))
        rows: list[list[ButtonSpec]] = [[("inbox.button_title", f"qe:title:{question.id}", {"title": title})]]
        await ctx.reply("inbox.ask_title", title=title, buttons=rows if title else [])


async def take_title(ctx: Context, question_id: int) -> None:
    question = await _answered(ctx, question_id)
    if question is None or ctx.step != "inbox.title" or ctx.data.get("question") != question_id:
        await notice(ctx, "inbox.over")
        return
    await _name(ctx, entries.shortest(await questions.answered_with(ctx.tx, question)))


@router.on_step("inbox.title")
async def title_typed(ctx: Context) -> None:
    await _name(ctx, " ".join(ctx.text.split()))


async def _name(ctx: Context, title: str) -> None:
    if not SHORTEST_TITLE <= len(title) <= LONGEST_TITLE:
        await ctx.reply("inbox.bad_title")
        return
    draft = Draft.load(ctx.data)
    draft.title = title
    await _check_body(ctx, draft)


@router.on_step("inbox.body")
async def body_typed(ctx: Context) -> None:
    draft = Draft.load(ctx.data)
    draft.answer = ctx.text.strip()
    objection = screening.objection(draft.answer)
    if objection is not None:
        await ctx.reply(f"inbox.{objection}", most=screening.LONGEST_ANSWER)
    else:
        await _check_body(ctx, draft)


async def _check_body(ctx: Context, draft: Draft) -> None:
    """What the bot itself says is shorter and stricter than what people answer."""
    words = entries.forbidden(f"{draft.title}. {draft.answer}")
    if words is None and entries.fits(draft.answer):
        await ctx.expect("inbox.source", **draft.dump())
        await ctx.reply("inbox.ask_source", buttons=_experience())
        return
    await ctx.expect("inbox.body", **draft.dump())
    await ctx.reply("inbox.ask_body" if words is None else "inbox.forbidden", words=words)


def _experience() -> list[list[ButtonSpec]]:
    return [[("inbox.button_experience", "qe:experience")]]


@router.on_step("inbox.source")
async def source_typed(ctx: Context) -> None:
    source = entries.official(ctx.text)
    if source is None:
        await ctx.reply("inbox.bad_source", buttons=_experience())
    else:
        await propose(ctx, source)


async def propose(ctx: Context, source: str | None) -> None:
    draft = Draft.load(ctx.data)
    question = await _answered(ctx, draft.question) if ctx.step == "inbox.source" else None
    if question is None:
        await notice(ctx, "inbox.over")
        return
    asked = await questions.answered_with(ctx.tx, question)
    await ctx.forget()
    made = await entries.propose(ctx.tx, ctx.desk, ctx.person, draft, asked, source, ctx.now)
    if made is None:
        await ctx.reply("inbox.no_right")
    else:
        await ctx.reply("inbox.proposed" if made[1] else "inbox.no_approver", count=made[1])


async def show_waiting(ctx: Context) -> None:
    if not await show_each(ctx):
        await ctx.reply("inbox.none_waiting")


async def show_each(ctx: Context) -> int:
    """Everything that they may decide about, each with its two buttons. Returns how many there are."""
    found = await entries.waiting(ctx.tx, ctx.person)
    for entry in found:
        rows: list[list[ButtonSpec]] = [[*row] for row in entries.decision(entry)]
        await ctx.reply("inbox.decide", entry=entry, buttons=rows)
    return len(found)


async def publish(ctx: Context, entry_id: int) -> None:
    verdict, entry = await entries.decide(ctx.tx, ctx.person, entry_id, EntryState.PUBLISHED, ctx.now)
    if verdict is not Verdict.DONE or entry is None:
        await notice(ctx, f"inbox.{verdict}")
        return
    await _tell_author(ctx, entry, "inbox.was_published", title=entry.title)
    await ctx.reply("inbox.published", id=entry.id, edit=True)


async def _tell_author(ctx: Context, entry: LocalEntry, key: str, **fields: Any) -> None:
    contact = await notify.contact_of(ctx.tx, entry.author_id or 0, prefer=ctx.account.id, desk=ctx.desk)
    if contact is not None:
        await notify.notify(ctx.tx, ctx.desk, contact, key, ctx.now, **fields)


async def ask_why(ctx: Context, entry_id: int) -> None:
    verdict, _ = await entries.look(ctx.tx, ctx.person, entry_id)
    if verdict is not Verdict.DONE:
        await notice(ctx, f"inbox.{verdict}")
        return
    await ctx.expect("inbox.reason", entry=entry_id)
    await ctx.reply("inbox.ask_reason")


@router.on_step("inbox.reason")
async def give_reason(ctx: Context) -> None:
    """The author is told why; the reason is kept nowhere."""
    if not ctx.text.strip():
        await ctx.reply("inbox.ask_reason")
        return
    entry_id = int(ctx.data.get("entry", 0))
    await ctx.forget()
    verdict, entry = await entries.decide(ctx.tx, ctx.person, entry_id, EntryState.REJECTED, ctx.now)
    if verdict is not Verdict.DONE or entry is None:
        await ctx.reply(f"inbox.{verdict}")
        return
    await _tell_author(ctx, entry, "inbox.was_rejected", title=entry.title, reason=ctx.text.strip())
    await ctx.reply("inbox.rejected")


async def show_published(ctx: Context) -> None:
    found = (await entries.published(ctx.tx, ctx.person))[:_LISTED]
    rows: list[list[ButtonSpec]] = [
        [("inbox.button_line", f"qe:view:{entry.id}", {"id": entry.id, "title": entry.title})] for entry in found
    ]
    await ctx.reply("inbox.list" if found else "inbox.none_published", buttons=rows)


async def view(ctx: Context, entry_id: int) -> None:
    found = next((one for one in await entries.published(ctx.tx, ctx.person) if one.id == entry_id), None)
    if found is None:
        await notice(ctx, "inbox.over")
    else:
        await ctx.reply("inbox.entry", entry=found, buttons=[[("inbox.button_off", f"qe:off:{found.id}")]])


@router.on_pattern(r"(?:gỡ|go|remove)\s+(?:mục\s+|muc\s+)?(?:số\s+|so\s+)?#?(?:local_)?(\d{1,18})")
async def remove_by_number(ctx: Context) -> None:
    if not await entries.may_remove(ctx.tx, ctx.person):
        raise NotMine
    await remove(ctx, int(ctx.match[0]))


async def remove(ctx: Context, entry_id: int) -> None:
    verdict, entry = await entries.withdraw(ctx.tx, ctx.person, entry_id, ctx.now)
    if verdict is not Verdict.DONE or entry is None:
        await notice(ctx, f"inbox.{verdict}")
    else:
        await ctx.reply("inbox.removed", id=entry.id)
