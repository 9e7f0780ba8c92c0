"""Writing to a village: who it goes to, and what it says."""

from __future__ import annotations

from bot.core.events import ChatKind, InboundKind, Outbound
from bot.core.words import RoleName
from bot.db import units
from bot.outreach import broadcasts, mandates
from bot.outreach.drafts import MOST_PARTS, Added, Draft, is_meant_for_others
from bot.outreach.mandates import Mandate
from handlers import broadcast_preview as preview
from handlers.routing import ButtonSpec, Context, NotMine, Router
from handlers.staff_flow import is_busy

router = Router(ChatKind.PRIVATE)
entry = Router(ChatKind.PRIVATE)
_CHILDREN = 8
_IDLE = ("offer", "faq", "guest", "forward")
"""Steps that wait for nothing that a forwarded message could be."""


@entry.on_command("gui", "broadcast")
async def command(ctx: Context) -> None:
    """Words behind the command are the first part."""
    draft = Draft()
    if ctx.inbound.payload:
        draft.parts.append(Outbound(chat_id="", text=ctx.inbound.payload))
    await begin(ctx, draft)


@entry.on_text("gửi tin", "thông báo", "gửi thông báo", "phát tin", "phát loa", "gửi bà con", "nhắn cả thôn")
async def say_so(ctx: Context) -> None:
    if is_busy(ctx):
        raise NotMine
    await begin(ctx, Draft())


async def begin(ctx: Context, draft: Draft) -> None:
    """Ask for what is missing: to whom, then what."""
    held = await mandates.everything(ctx.tx, ctx.person)
    if not held:
        await ctx.reply("broadcast.not_staff")
        return
    if mandates.may_choose(held):
        await ask_unit(ctx, draft, held)
        return
    draft.unit = held[0].unit.code
    await go_on(ctx, draft)


async def ask_unit(ctx: Context, draft: Draft, held: list[Mandate]) -> None:
    await ctx.expect("broadcast.unit", **draft.dump())
    wide = any(m.unit.kind != "village" for m in held)
    await ctx.reply("broadcast.ask_unit", wide=wide, buttons=await _targets(ctx, draft, held))


async def _targets(ctx: Context, draft: Draft, held: list[Mandate]) -> list[list[ButtonSpec]]:
    """A circle, one's own units, and what lies directly below a single one."""
    rows: list[list[ButtonSpec]] = []
    if any(m.role is RoleName.INFLUENCER for m in held):
        rows.append([("broadcast.button_circle", f"bc:to:{draft.nonce}:~")])
    rows += [[unit_button(m.unit.name, f"bc:to:{draft.nonce}:{m.unit.code}")] for m in held[:_CHILDREN]]
    if len(held) == 1:
        below = await units.below(ctx.tx, held[0].unit.id, ctx.clock.today(ctx.now))
        for pair in (below[i : i + 2] for i in range(0, min(len(below), _CHILDREN), 2)):
            rows.append([unit_button(unit.name, f"bc:to:{draft.nonce}:{unit.code}") for unit in pair])
    return [*rows, [("broadcast.button_drop", f"bc:drop:{draft.nonce}")]]


def unit_button(name: str, data: str) -> ButtonSpec:
    return ("broadcast.button_unit", data, {"unit": name})


@router.on_step("broadcast.unit")
async def name_unit(ctx: Context) -> None:
    """A typed name; several that fit are offered as buttons."""
    draft = Draft.load(ctx.data)
    held = await mandates.everything(ctx.tx, ctx.person)
    found = await mandates.find_units(ctx.tx, held, ctx.text, ctx.clock.today(ctx.now))
    if len(found) == 1:
        draft.unit, draft.circle = found[0].code, False
        await go_on(ctx, draft)
        return
    rows: list[list[ButtonSpec]] = [[unit_button(u.name, f"bc:to:{draft.nonce}:{u.code}")] for u in found]
    await ctx.reply("broadcast.which_unit" if found else "broadcast.no_such_unit", buttons=rows)


async def choose_unit(ctx: Context, draft: Draft) -> None:
    """A pressed unit, or `~` for the circle."""
    code = ctx.match[2] if len(ctx.match) > 2 else ""
    if code == "~":
        circle = await mandates.to_circle(ctx.tx, ctx.person)
        draft.unit, draft.circle = circle.unit.code if circle else None, True
    else:
        draft.unit, draft.circle = code, False
    await go_on(ctx, draft)


async def go_on(ctx: Context, draft: Draft) -> None:
    """The unit is known: check what may be checked early, then ask for words or show them."""
    mandate = await preview.permit(ctx, draft)
    if mandate is None:
        return
    if await broadcasts.is_used_up(ctx.tx, ctx.desk, mandate, ctx.person, ctx.now):
        await preview.refuse_used_up(ctx)
        return
    if draft.parts:
        await preview.show(ctx, draft)
        return
    await ctx.expect("broadcast.compose", **draft.dump())
    drop: list[ButtonSpec] = [("broadcast.button_drop", f"bc:drop:{draft.nonce}")]
    await ctx.reply("broadcast.ask_words", place=preview.target(ctx, mandate), buttons=[drop])


@router.on_step("broadcast.compose")
async def compose(ctx: Context) -> None:
    """Everything written now is a part of it."""
    draft = Draft.load(ctx.data)
    added = _add(ctx, draft)
    if added is Added.JOINED:
        await ctx.expect("broadcast.compose", **draft.dump())
    elif added is Added.ALBUM:
        await ctx.expect("broadcast.compose", **draft.dump())
        await ctx.reply("broadcast.album", buttons=[[("broadcast.button_show", f"bc:show:{draft.nonce}")]])
    elif added is Added.NEW:
        await preview.show(ctx, draft)
    else:
        await refuse_part(ctx, added)


def _add(ctx: Context, draft: Draft) -> Added:
    return draft.add(ctx.inbound, max_file=ctx.desk.house.max_file, album=ctx.capabilities.album)


async def refuse_part(ctx: Context, added: Added) -> None:
    largest = ctx.desk.house.max_file // (1024 * 1024)
    await ctx.reply(f"broadcast.part_{added}", most=MOST_PARTS, largest=largest)


def _out_of_the_blue(ctx: Context) -> bool:
    message = ctx.inbound.kind is InboundKind.MESSAGE and ctx.inbound.command is None
    idle = ctx.step is None or ctx.step.partition(".")[0] in _IDLE
    return message and idle and is_meant_for_others(ctx.inbound)


@entry.on(_out_of_the_blue)
async def offer(ctx: Context) -> None:
    """Staff who forward or send something without a word before are asked whether it is to be passed on."""
    held = await mandates.everything(ctx.tx, ctx.person)
    if not held:
        raise NotMine
    draft = Draft.load(ctx.data) if ctx.step == "offer" else Draft()
    added = _add(ctx, draft)
    if added in (Added.FULL, Added.TOO_LARGE, Added.EMPTY):
        await refuse_part(ctx, added)
        return
    await ctx.expect("offer", **draft.dump())
    if added is Added.JOINED:
        return
    place = "" if mandates.may_choose(held) else held[0].unit.name
    yes: ButtonSpec = ("broadcast.button_offer", f"bc:offer:{draft.nonce}", {"place": place})
    no: ButtonSpec = ("broadcast.button_no", f"bc:drop:{draft.nonce}")
    await ctx.reply("broadcast.offer", place=place, count=len(draft.parts), buttons=[[yes], [no]])
