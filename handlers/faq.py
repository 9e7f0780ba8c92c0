"""Free questions: an answer, up to three choices, or the menu; before that, whatever cannot wait."""

from __future__ import annotations

from bot.core.events import Button, InboundKind
from bot.outreach.faq import themes
from bot.outreach.faq.engine import Verdict
from bot.outreach.faq.guard import look
from handlers import areas, menu, voice, welcome
from handlers.phrases import Phrases
from handlers.questions import note, offer
from handlers.routing import ButtonSpec, Context, NotMine, Router
from messages.content.models import FaqEntry

CHOOSE = "faq.choose"
NEVER_MIND = Phrases("thôi", "thôi khỏi", "hủy", "bỏ qua", "không", "không phải", "không có", "never mind", "no")
_NONE_OF_THESE = "0"

router = Router()


def is_urgent(ctx: Context) -> bool:
    """Whether somebody is in danger, or says what must not be searched: that comes before any other question."""
    finding = look(ctx.text)
    return finding is not None and finding.stops


@router.on_step(CHOOSE)
async def chosen(ctx: Context) -> None:
    """A typed 1, 2 or 3 after choices, or "never mind"; anything else is a new question."""
    if ctx.text in NEVER_MIND:
        await _step_back(ctx)
        await ctx.reply("faq.agree")
        return
    entries = [str(id) for id in ctx.data.get("entries", ())]
    said = ctx.text.strip(" .)")
    if len(said) != 1 or said not in "0123456789" or not said:
        raise NotMine
    await _step_back(ctx)
    if said == _NONE_OF_THESE or int(said) > len(entries):
        await none_of_these(ctx)
    else:
        await show(ctx, entries[int(said) - 1])


@router.on_button("faq")
async def pressed(ctx: Context) -> None:
    what, id = [*ctx.match, "", ""][:2]
    if what == "examples":
        await examples(ctx)
    elif what == "none":
        await _step_back(ctx)
        await none_of_these(ctx)
    elif what == "show" and current(ctx, id) is not None:
        await _step_back(ctx)
        await show(ctx, id)
    elif what == "listen" and (entry := current(ctx, id)) is not None:
        await voice.hear_answer(ctx, entry, asked=True)
    else:
        await menu.old_button(ctx)


@router.on_message()
async def asked(ctx: Context) -> None:
    """Whatever nobody else took."""
    greet = welcome.is_due(ctx)
    await _step_back(ctx)
    if not ctx.text:
        await ctx.reply("common.media")
    elif ctx.offered:
        again = [[Button(label, data)] for label, data in ctx.offered]
        await ctx.reply("common.choose_from", most=len(ctx.offered), buttons=again)
    else:
        await _respond(ctx, ctx.advised or ctx.desk.answerer.ask(ctx.text))
    if greet:
        await welcome.offer(ctx)


async def answer_if_sure(ctx: Context) -> bool:
    """Answer a question that came while something else was asked, if it is surely one."""
    verdict = ctx.desk.answerer.ask(ctx.text)
    sure = verdict.action == "answer" or verdict.guard is not None
    if sure:
        await _respond(ctx, verdict)
    return sure


async def _respond(ctx: Context, verdict: Verdict) -> None:
    if verdict.guard is not None:
        await _warn(ctx, verdict)
    if verdict.small_talk is not None:
        await ctx.reply(f"faq.{verdict.small_talk}", buttons=await _menu_unless_new(ctx))
    elif verdict.action == "answer":
        await show(ctx, verdict.entries[0], related=verdict.entries[1:])
    elif verdict.action == "suggest":
        await note(ctx)
        await _offer(ctx, verdict.entries)
    elif verdict.guard is None:
        await note(ctx)
        await ctx.reply("faq.unknown", buttons=[*offer(ctx), *_by_area(ctx), *await _menu_unless_new(ctx)])


async def _warn(ctx: Context, verdict: Verdict) -> None:
    """What needs care, with the numbers to call."""
    facts = [ctx.desk.pack.facts[id] for id in verdict.facts]
    await ctx.reply(f"faq.guard_{verdict.guard}", facts=facts)


async def _offer(ctx: Context, entries: tuple[str, ...]) -> None:
    """Up to three questions that may be meant: to press, or to answer with their number."""
    found = [e for id in entries[:3] if (e := current(ctx, id)) is not None]
    rows: list[list[ButtonSpec]] = [[Button(f"{n}. {e.title}", f"faq:show:{e.id}")] for n, e in enumerate(found, 1)]
    if not ctx.in_group and _may_wait(ctx):
        await ctx.expect(CHOOSE, entries=[e.id for e in found], back=ctx.step, back_data=ctx.data)
    titles = [e.title for e in found]
    fields = {"titles": titles, "areas": _areas_of(ctx, found)}
    await ctx.reply("faq.choices", **fields, buttons=[*rows, [("faq.none_of_these", "faq:none")]])


def _areas_of(ctx: Context, found: list[FaqEntry]) -> list[str]:
    """The names of the areas to choose between, where the choices are of two."""
    areas = list(dict.fromkeys(themes.known(entry.theme) for entry in found))
    names = [ctx.desk.book.label(ctx.person.language, f"faq.theme_{area}") for area in areas]
    return names if len(names) == 2 else []


def _may_wait(ctx: Context) -> bool:
    """Whether a typed number could mean nothing else."""
    return ctx.step in (None, CHOOSE, welcome.CONSENT, welcome.GUEST)


async def _step_back(ctx: Context) -> None:
    """Wait again for what was waited for before choices were offered."""
    if ctx.step == CHOOSE:
        await ctx.step_back()


def _by_area(ctx: Context) -> list[list[ButtonSpec]]:
    return [] if ctx.in_group else [areas.BUTTON]


async def _menu(ctx: Context) -> list[list[ButtonSpec]]:
    return [] if ctx.in_group else await menu.buttons_for(ctx)


async def _menu_unless_new(ctx: Context) -> list[list[ButtonSpec]]:
    """The menu's buttons, but not for somebody who is about to be greeted."""
    return [] if welcome.is_due(ctx) else await _menu(ctx)


def current(ctx: Context, id: str) -> FaqEntry | None:
    """An entry that may be said today."""
    entry = ctx.desk.pack.faq.get(id)
    ok = entry is not None and ctx.desk.pack.current(entry, ctx.clock.today(ctx.now))
    return entry if ok else None


async def show(ctx: Context, id: str, related: tuple[str, ...] = ()) -> None:
    """The answer with its source, and two questions near it."""
    entry = current(ctx, id)
    if entry is None:
        await none_of_these(ctx)
        return
    near = [e for i in dict.fromkeys((*entry.related, *related)) if i != id and (e := current(ctx, i)) is not None]
    rows: list[list[ButtonSpec]] = [[Button(e.title, f"faq:show:{e.id}")] for e in near[:2]]
    rows = [] if ctx.in_group else [*rows, voice.answer_button(ctx, entry)]
    await ctx.reply("faq.answer", entry=entry, body=entry.body(), buttons=rows)
    if ctx.person.listens:
        await voice.hear_answer(ctx, entry)


async def none_of_these(ctx: Context) -> None:
    await ctx.reply("faq.unknown", buttons=[*offer(ctx), *_by_area(ctx), *await _menu(ctx)])


async def examples(ctx: Context) -> None:
    """A handful of questions to press, one a topic, another handful each day."""
    topics: dict[str, FaqEntry] = {}
    for entry in ctx.desk.pack.faq.values():
        if current(ctx, entry.id) is not None:
            topics.setdefault(entry.topic, entry)
    listed = list(topics.values())
    start = ctx.clock.today(ctx.now).toordinal() * 6 % max(len(listed), 1)
    shown = [*listed[start:], *listed[:start]][:6]
    rows: list[list[ButtonSpec]] = [[Button(e.title, f"faq:show:{e.id}")] for e in shown]
    await ctx.reply("faq.examples", buttons=[*rows, *_by_area(ctx)])


closing = Router()


@closing.on_kind(InboundKind.BUTTON)
async def unknown_button(ctx: Context) -> None:
    await menu.old_button(ctx)
