"""What the bot cannot answer is sent on to people: shown first, asked where to, and given back when they answer."""

from __future__ import annotations

from bot.core.events import Button
from bot.core.words import UnitKind
from bot.db import units
from bot.db.tables import Unit
from bot.outreach.questions import answering, asking
from bot.outreach.questions.screening import LONGEST_QUESTION, Refusal, screen
from handlers import menu, places
from handlers.phrases import Phrases
from handlers.places import Rows
from handlers.routing import ButtonSpec, Context, NotMine, Router, numbered

_LEAVE = Phrases(
    "thôi", "thôi khỏi", "hủy", "bỏ", "bỏ qua", "không", "không gửi", "đừng gửi", "cancel", "no", "never mind"
)
_GO = Phrases("gửi", "gửi đi", "ừ", "vâng", "dạ", "ok", "oke", "đồng ý", "có", "được", "send", "yes")
_ANYWHERE = Phrases("không biết", "không rõ", "chưa rõ", "gửi lên tỉnh", "tỉnh", "để sau", "i do not know")
_WAIT_AGAIN = ("ask", "faq")
"""Steps that remember for what the bot waited before them."""

entry = Router()
router = Router()


@entry.on_command("ask")
@entry.on_text("hỏi người", "gặp người thật", "hỏi người thật", "gặp cán bộ", "hỏi cán bộ", "cần gặp người")
@entry.on_text("hỏi tổ công nghệ số", "gửi tổ công nghệ số", "gặp tổ công nghệ số", "gửi câu hỏi", "tôi muốn gặp người")
@entry.on_text("nói chuyện với người", "cho gặp người", "talk to a person", "ask a person", "human")
async def wanted(ctx: Context) -> None:
    """They want a person: for what they asked just now, else for what they write next."""
    if ctx.in_group:
        await ctx.reply("questions.private_only")
        return
    if ctx.inbound.payload:
        await _take(ctx, ctx.inbound.payload)
        return
    await start(ctx)


async def note(ctx: Context) -> None:
    """Hold for a while, redacted, what got no answer, so that one press sends it on."""
    if not ctx.in_group and ctx.text:
        asking.remember(ctx.desk, ctx.contact, ctx.text, ctx.now)


def offer(ctx: Context) -> list[list[ButtonSpec]]:
    """The button under what got no answer."""
    return [] if ctx.in_group else [[("questions.button_send", "q:ask")]]


@entry.on_button("q")
async def pressed(ctx: Context) -> None:
    what, value = [*ctx.match, "", ""][:2]
    number = numbered(value)
    if ctx.in_group:
        await ctx.answer("common.old_button")
    elif what == "ask":
        await start(ctx)
    elif what == "go":
        await go(ctx)
    elif what == "drop":
        await drop(ctx)
    elif what in ("clear", "unclear") and number is not None:
        await judge(ctx, number, clear=what == "clear")
    elif not await _choose(ctx, what, value):
        await menu.old_button(ctx)


async def start(ctx: Context) -> None:
    text = await asking.recall(ctx.tx, ctx.desk, ctx.contact, ctx.now)
    if text is not None:
        await confirm(ctx, text)
        return
    await _expect(ctx, "ask.compose")
    await ctx.reply("questions.compose", most=LONGEST_QUESTION, buttons=[[("questions.button_drop", "q:drop")]])


async def _expect(ctx: Context, step: str) -> None:
    """Wait for `step`, and afterwards again for what was waited for before."""
    nested = ctx.step is not None and ctx.step.partition(".")[0] in _WAIT_AGAIN
    back, data = (ctx.data.get("back"), ctx.data.get("back_data")) if nested else (ctx.step, ctx.data)
    await ctx.expect(step, back=back, back_data=data or {})


async def _step_back(ctx: Context) -> None:
    if ctx.step is not None and ctx.step.startswith("ask."):
        await ctx.step_back()


async def _passes(ctx: Context) -> None:
    """Commands, and what cannot wait, are for others. Raises `NotMine`."""
    refusal = screen(ctx.text).refusal
    if ctx.inbound.command is not None or refusal in (Refusal.DANGER, Refusal.HARM):
        await _step_back(ctx)
        raise NotMine


@router.on_step("ask.compose")
async def compose(ctx: Context) -> None:
    await _passes(ctx)
    if ctx.text in _LEAVE:
        await drop(ctx)
    elif not ctx.text:
        await ctx.reply("questions.text_only")
    else:
        await _take(ctx, ctx.text)


async def _take(ctx: Context, text: str) -> None:
    """Show what would be sent, or say why it cannot be."""
    screened = screen(text)
    if screened.refusal in (Refusal.DANGER, Refusal.HARM):
        raise NotMine
    if screened.refusal is not None:
        await _expect(ctx, "ask.compose")
        await ctx.reply(f"questions.{screened.refusal}", most=LONGEST_QUESTION)
        return
    await confirm(ctx, screened.text)


async def confirm(ctx: Context, text: str) -> None:
    """What would be sent, as it would be stored."""
    await asking.keep(ctx.tx, ctx.desk, ctx.contact, text, ctx.now)
    home = await asking.home(ctx.tx, ctx.person)
    await _expect(ctx, "ask.confirm")
    await ctx.reply(
        "questions.confirm",
        text=text,
        place=home.name if home is not None else "",
        buttons=[[("questions.button_go", "q:go"), ("questions.button_drop", "q:drop")]],
    )


@router.on_step("ask.confirm")
async def confirmed(ctx: Context) -> None:
    await _passes(ctx)
    if ctx.text in _LEAVE:
        await drop(ctx)
    elif ctx.text in _GO:
        await go(ctx)
    else:
        await _step_back(ctx)
        raise NotMine


async def drop(ctx: Context) -> None:
    await asking.forget(ctx.tx, ctx.desk, ctx.contact)
    await _step_back(ctx)
    await ctx.reply("questions.dropped", edit=True)


async def go(ctx: Context) -> None:
    """Send it where they live, if that is known; else ask, for this question alone."""
    home = await asking.home(ctx.tx, ctx.person)
    if home is not None:
        await send(ctx, home)
    else:
        await _ask_where(ctx, "questions.where")


async def _ask_where(ctx: Context, key: str) -> None:
    await _expect(ctx, "ask.place")
    await ctx.reply(key, buttons=[*_ours(await places.district_buttons(ctx)), *_PROVINCE])


_PROVINCE: Rows = [[("questions.button_province", "q:province")]]


def _ours(rows: Rows) -> Rows:
    """Buttons with places whose presses come here instead of changing where somebody lives."""
    return [[_our(spec) for spec in row] for row in rows]


def _our(spec: ButtonSpec) -> ButtonSpec:
    if isinstance(spec, Button):
        return Button(spec.label, _our_data(spec.data or ""))
    return (spec[0], _our_data(spec[1]), spec[2] if len(spec) == 3 else {})


def _our_data(data: str) -> str:
    return "q:where" if data.startswith("set:ask") else data.replace("set:", "q:", 1)


async def _choose(ctx: Context, what: str, value: str) -> bool:
    """A pressed place. Returns whether the button still means something."""
    if what == "where":
        await _ask_where(ctx, "questions.where")
        return True
    if what == "province":
        await send(ctx, await units.root(ctx.tx))
        return True
    if what == "district" and (rows := await places.commune_buttons(ctx, value)):
        await ctx.reply("subscribe.in_district", edit=True, buttons=[*_ours(rows), *_PROVINCE])
        return True
    unit = await units.by_code(ctx.tx, value) if what == "place" else None
    today = ctx.clock.today(ctx.now)
    if unit is None or unit.kind is UnitKind.PROVINCE or (unit.valid_to is not None and unit.valid_to <= today):
        return False
    await send(ctx, unit)
    return True


@router.on_step("ask.place")
async def place_typed(ctx: Context) -> None:
    await _passes(ctx)
    if ctx.text in _LEAVE:
        await drop(ctx)
        return
    if ctx.text in _ANYWHERE:
        await send(ctx, await units.root(ctx.tx))
        return
    found = await places.search(ctx, ctx.text)
    if len(found) == 1:
        await send(ctx, found[0].unit)
    elif found:
        rows = _ours(await places.choices(ctx, found))
        await ctx.reply("subscribe.which", buttons=[*rows, [("subscribe.none_of_these", "q:where")]])
    else:
        await _ask_where(ctx, "questions.where_again")


async def send(ctx: Context, unit: Unit) -> None:
    """Put it to the people there, and say honestly what became of it."""
    text = await asking.shown(ctx.tx, ctx.contact, ctx.now)
    await _step_back(ctx)
    if text is None:  # pressed twice, or after an hour
        await ctx.answer("questions.over")
        return
    receipt = await asking.ask(ctx.tx, ctx.desk, ctx.person, ctx.contact, unit, text, ctx.now)
    most = ctx.desk.house.open_questions
    await ctx.reply(f"questions.{receipt.taken}", id=receipt.id, place=receipt.place, most=most, edit=True)


async def judge(ctx: Context, question_id: int, *, clear: bool) -> None:
    """They say whether an answer helped: if not, it goes one level up, once."""
    question = await answering.own(ctx.tx, ctx.person, question_id)
    if question is None:
        await ctx.answer("questions.over")
    elif clear:
        await answering.settle(ctx.tx, question)
        await ctx.reply("questions.clear")
    elif question.turn > 0:
        await answering.settle(ctx.tx, question)
        await ctx.reply("questions.unclear_again")
    else:
        told = await answering.reopen(ctx.tx, ctx.desk, question, ctx.now)
        waits = told is None and not ctx.clock.is_quiet(ctx.now)
        key = "questions.unclear_waits" if waits else "questions.unclear"
        await ctx.reply(key, place=told.name if told is not None else "")
