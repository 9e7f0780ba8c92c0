"""Practice: a question about a tip, what the answer is worth, one's results, how a village does."""

from __future__ import annotations

from bot.core.events import Button, ChatKind
from bot.core.words import ItemKind, PersonStatus
from bot.db import items, units
from bot.db.tables import Unit
from bot.outreach import consent, curriculum, framing, practice
from bot.outreach import items as content
from bot.outreach.practice import Verdict
from handlers import welcome
from handlers.routing import ButtonSpec, Context, Router, numbered
from messages.content.models import Area, Tip

router = Router(ChatKind.PRIVATE)
_MOST_UNITS = 8
_RESULTS: ButtonSpec = ("practice.results_button", "pr:results")


@router.on_command("practice")
@router.on_text(
    *("luyện tập", "làm bài", "làm bài tập", "câu hỏi", "câu hỏi hôm nay", "hỏi tôi đi", "hỏi đi", "ôn bài"),
    *("practice", "quiz"),
)
async def ask(ctx: Context) -> None:
    """A question now. What they answer is kept for them, so they must have agreed that we keep something."""
    if not consent.has(ctx.person, ctx.desk):
        await welcome.offer(ctx)
        return
    tip = await practice.choose(ctx.tx, ctx.desk, ctx.person, ctx.now)
    if tip is not None:
        await _put(ctx, tip)
        return
    older = await practice.older(ctx.tx, ctx.desk, ctx.person, ctx.now) is not None
    again: list[ButtonSpec] = [("practice.older_button", "pr:older")] if older else []
    await ctx.reply("practice.nothing", older=older, buttons=[again, [_RESULTS], [("menu.tip", "tip:today")]])


async def _put(ctx: Context, tip: Tip) -> None:
    """Ask that question as it is asked every day."""
    await practice.ask(ctx.tx, ctx.person, tip)
    item = await practice.item_of(ctx.tx, ctx.desk, tip, ctx.now)
    language = ctx.person.language
    parts = curriculum.said_in(ctx.desk, item, language)
    framed = framing.of_question(ctx.desk, item, language, pushed=False)
    ctx.said.append(("practice.question", language))
    composed = content.compose(parts, ctx.capabilities, buttons=framed.buttons)
    for message in content.addressed(composed, ctx.inbound.chat_id, group=ctx.in_group):
        await ctx.queue(message)


@router.on_text(
    *("kết quả", "kết quả của tôi", "kết quả luyện tập", "điểm", "điểm của tôi", "xem điểm", "thành tích"),
    *("my results", "results"),
)
async def results(ctx: Context) -> None:
    """For their own eyes, and never more than practice."""
    if not consent.has(ctx.person, ctx.desk):
        await welcome.offer(ctx)
        return
    found = await practice.results(ctx.tx, ctx.desk, ctx.person)
    label, language = ctx.desk.book.label, ctx.person.language
    leads: list[ButtonSpec] = []
    if await practice.units_of(ctx.tx, ctx.person):
        leads = [("practice.village_button", "pr:unit")]
    await ctx.reply(
        "practice.results",
        found=found,
        areas=[label(language, f"practice.area_{area}") for area in found.areas],
        all_areas=len(Area),
        buttons=[[("practice.ask_button", "pr:ask")], leads, [("menu.open", "menu")]],
    )


@router.on_text(
    *("tắt luyện tập", "ngừng luyện tập", "dừng luyện tập", "thôi luyện tập", "thôi hỏi", "thôi hỏi hằng ngày"),
    *("đừng hỏi nữa", "tắt câu hỏi", "tắt câu hỏi hằng ngày", "practice off"),
)
async def switch_off(ctx: Context) -> None:
    await _want(ctx, wanted=False)


@router.on_text(
    *("bật luyện tập", "mở luyện tập", "hỏi hằng ngày", "hỏi lại hằng ngày", "bật câu hỏi", "bật câu hỏi hằng ngày"),
    *("practice on",),
)
async def switch_on(ctx: Context) -> None:
    await _want(ctx, wanted=True)


async def _want(ctx: Context, *, wanted: bool) -> None:
    if not consent.has(ctx.person, ctx.desk):
        await welcome.offer(ctx)
        return
    await practice.want(ctx.tx, ctx.person, wanted=wanted)
    back: ButtonSpec = ("practice.off_button", "pr:off") if wanted else ("practice.on_button", "pr:on")
    await ctx.reply("practice.on" if wanted else "practice.off", buttons=[[back], [("practice.ask_button", "pr:ask")]])


@router.on_text(
    *("luyện tập thôn", "luyện tập của thôn", "luyện tập ở thôn", "kết quả thôn", "luyện tập xã"),
    *("village practice",),
)
async def village(ctx: Context) -> None:
    """How a unit does, for whoever looks after it: counts, and never who."""
    found = await practice.units_of(ctx.tx, ctx.person)
    if not found:
        await ctx.reply("practice.not_yours")
    elif len(found) == 1:
        await _report(ctx, found[0])
    else:
        listed = found[-_MOST_UNITS:]
        rows = [[Button(unit.name, f"pr:unit:{unit.code}")] for unit in listed]
        await ctx.reply("practice.which_unit", buttons=rows)


async def _report(ctx: Context, unit: Unit) -> None:
    found = await practice.of_unit(ctx.tx, ctx.desk, unit, ctx.now)
    rows: list[list[ButtonSpec]] = []
    if found.worst is not None:
        item = await curriculum.item_of(ctx.tx, ctx.desk, found.worst, ctx.now)
        rows = [[("practice.script_button", f"pr:script:{item.id}"), ("practice.forward_button", f"fw:tip:{item.id}")]]
    await ctx.reply("practice.village", unit=unit.name, found=found, few=practice.FEW, buttons=rows)


@router.on_button("pr")
async def pressed(ctx: Context) -> None:
    """`pr:ITEM:CHOICE` answers; everything else names what to show."""
    what, value = [*ctx.match, "", ""][:2]
    simple = {"ask": ask, "results": results, "off": switch_off, "on": switch_on, "older": _older}.get(what)
    if simple is not None:
        await simple(ctx)
    elif what == "unit":
        await _of_unit(ctx, value)
    elif what == "script":
        await _script(ctx, value)
    else:
        await _answer(ctx, what, value)


async def _older(ctx: Context) -> None:
    has = consent.has(ctx.person, ctx.desk)
    tip = await practice.older(ctx.tx, ctx.desk, ctx.person, ctx.now) if has else None
    if tip is not None:
        await _put(ctx, tip)
    else:
        await ask(ctx)


async def _of_unit(ctx: Context, code: str) -> None:
    """A role may have been taken away since the button was shown."""
    unit = await units.by_code(ctx.tx, code) if code else None
    if not code:
        await village(ctx)
    elif unit is None or unit.id not in {own.id for own in await practice.units_of(ctx.tx, ctx.person)}:
        await ctx.answer("practice.not_yours")
    else:
        await _report(ctx, unit)


async def _script(ctx: Context, id: str) -> None:
    tip = await _tip(ctx, id, ItemKind.TIP)
    if tip is None:
        await ctx.answer("tip.gone")
    else:
        await ctx.reply("practice.script", tip=tip)


async def _tip(ctx: Context, id: str, kind: ItemKind) -> Tip | None:
    """The tip behind the item of a button, while it may be said."""
    number = numbered(id)
    item = await items.get(ctx.tx, number) if number is not None else None
    if item is None or item.kind is not kind or item.key is None:
        return None
    return curriculum.tip_named(ctx.desk, item.key, ctx.now)


async def _answer(ctx: Context, id: str, choice: str) -> None:
    chosen, tip = numbered(choice, digits=1), await _tip(ctx, id, ItemKind.QUESTION)
    asked = practice.question(ctx.desk, tip.id, ctx.now) if tip is not None else None
    if asked is None or chosen not in (1, 2, 3):
        await ctx.answer("practice.gone")
    elif not consent.has(ctx.person, ctx.desk):
        await welcome.offer(ctx)
    else:
        verdict = await practice.answer(ctx.tx, ctx.desk, ctx.person, asked, chosen, ctx.now)
        await _tell(ctx, verdict)


async def _tell(ctx: Context, verdict: Verdict) -> None:
    quiz = verdict.quiz
    choice = quiz.choices[quiz.right - 1]
    more: list[ButtonSpec] = [("practice.more_button", "pr:ask"), _RESULTS]
    if not verdict.fresh:
        await ctx.reply("practice.answered", choice=choice, right=verdict.right, again=verdict.again, buttons=[more])
    elif verdict.right:
        await ctx.reply("practice.right", because=quiz.because, streak=verdict.streak, buttons=[more])
    else:
        wanted = ctx.person.status is PersonStatus.ACTIVE and await practice.is_wanted(ctx.tx, ctx.person)
        fields = {"choice": choice, "because": quiz.because, "wanted": wanted, "streak": verdict.streak}
        await ctx.reply("practice.wrong", **fields, buttons=[more])
