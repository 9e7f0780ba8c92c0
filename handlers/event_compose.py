"""Announcing an event step by step: title, time, place, unit, words, picture; a look at it; confirm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.core.events import ChatKind, MediaKind
from bot.core.words import CampaignKind, ItemKind
from bot.db import conversations
from bot.db.tables import Campaign, Item
from bot.outreach import broadcasts, events, items, mandates, moments
from bot.outreach.event_drafts import LONGEST_PLACE, LONGEST_TITLE, EventDraft, tidy
from bot.outreach.framing import frame
from bot.outreach.mandates import Mandate
from handlers import broadcast
from handlers.broadcast_confirm import planned
from handlers.phrases import Phrases
from handlers.routing import ButtonSpec, Context, NotMine, Router
from handlers.staff_flow import is_busy, notice

router = Router(ChatKind.PRIVATE)
entry = Router(ChatKind.PRIVATE)
_PICTURES = (MediaKind.PHOTO, MediaKind.VIDEO)
_BUTTON_UNITS = 8
_NOTHING = Phrases("bỏ qua", "không", "không có", "không cần", "thế thôi", "hết rồi", "skip")


@entry.on_command("taosukien", "newevent")
async def command(ctx: Context) -> None:
    await begin(ctx)


@entry.on_text("tạo sự kiện", "thêm sự kiện", "đăng sự kiện", "tạo sự kiện mới")
async def say_so(ctx: Context) -> None:
    if is_busy(ctx):
        raise NotMine
    await begin(ctx)


async def begin(ctx: Context) -> None:
    if ctx.in_group:
        await notice(ctx, "broadcast.private_only")
        return
    held = await mandates.everything(ctx.tx, ctx.person, events.ANNOUNCERS)
    if not held:
        await ctx.reply("event.not_staff")
    elif mandates.may_choose(held) or not await _is_used_up(ctx, held[0]):
        await _ask(ctx, EventDraft(), "title")


async def _ask(ctx: Context, draft: EventDraft, step: str, *, skip: bool = False) -> None:
    """Wait for the next thing; what may be left out has a button for that."""
    await ctx.expect(f"event.{step}", **draft.dump())
    later: list[ButtonSpec] = [("event.button_skip", f"ev:skip:{draft.nonce}")] if skip else []
    drop: list[ButtonSpec] = [("event.button_drop", f"ev:drop:{draft.nonce}")]
    await ctx.reply(f"event.ask_{step}", buttons=[later, drop])


@router.on_step("event.title")
async def title(ctx: Context) -> None:
    draft = EventDraft.load(ctx.data)
    draft.title = tidy(ctx.text, LONGEST_TITLE)
    await _ask(ctx, draft, "time" if draft.title else "title")


@router.on_step("event.time")
async def time(ctx: Context) -> None:
    """To come, within a year, and late enough that people hear of it."""
    draft, moment = EventDraft.load(ctx.data), moments.read(ctx.text, ctx.now, ctx.clock)
    if moment is None:
        await ctx.reply("event.time_unclear")
    elif moment <= ctx.now:
        await ctx.reply("event.time_past", moment=moment)
    elif moment > ctx.now + events.FARTHEST:
        await ctx.reply("event.time_far")
    elif not events.is_in_time(ctx.desk, moment, ctx.now):
        await ctx.reply("event.time_at_night")
    else:
        draft.starts_at = moment
        await _ask(ctx, draft, "place")


@router.on_step("event.place")
async def place(ctx: Context) -> None:
    """A name, a point on the map, or one after the other."""
    draft = EventDraft.load(ctx.data)
    where = ctx.inbound.location
    draft.location = where or draft.location
    draft.place = tidy(ctx.text or (where.title or where.address or "" if where else ""), LONGEST_PLACE)
    if draft.place:
        await _ask_unit(ctx, draft)
        return
    await ctx.expect("event.place", **draft.dump())
    await ctx.reply("event.ask_place_name" if draft.location else "event.ask_place")


async def _ask_unit(ctx: Context, draft: EventDraft) -> None:
    held = await mandates.everything(ctx.tx, ctx.person, events.ANNOUNCERS)
    if held and not mandates.may_choose(held):
        draft.unit = held[0].unit.code
        await _ask(ctx, draft, "text", skip=True)
        return
    await ctx.expect("event.unit", **draft.dump())
    rows = [[broadcast.unit_button(m.unit.name, f"ev:to:{draft.nonce}:{m.unit.code}")] for m in held[:_BUTTON_UNITS]]
    await ctx.reply("event.ask_unit", buttons=rows)


@router.on_step("event.unit")
async def unit(ctx: Context) -> None:
    draft = EventDraft.load(ctx.data)
    held = await mandates.everything(ctx.tx, ctx.person, events.ANNOUNCERS)
    found = await mandates.find_units(ctx.tx, held, ctx.text, ctx.clock.today(ctx.now))
    if len(found) == 1:
        await _take_unit(ctx, draft, found[0].code)
        return
    rows = [[broadcast.unit_button(u.name, f"ev:to:{draft.nonce}:{u.code}")] for u in found]
    await ctx.reply("broadcast.which_unit" if found else "broadcast.no_such_unit", buttons=rows)


async def choose_unit(ctx: Context, draft: EventDraft) -> None:
    await _take_unit(ctx, draft, ctx.match[2] if len(ctx.match) > 2 else "")


async def _take_unit(ctx: Context, draft: EventDraft, code: str) -> None:
    draft.unit = code
    if await _permit(ctx, draft) is not None:
        await _ask(ctx, draft, "text", skip=True)


@router.on_step("event.text")
async def text(ctx: Context) -> None:
    """Words about it; a picture with words under it answers the next question too."""
    draft = EventDraft.load(ctx.data)
    if ctx.text in _NOTHING and not ctx.inbound.media:
        await skip(ctx, draft)
        return
    if ctx.text:
        draft.text, draft.entities = ctx.text, ctx.inbound.entities
    if _takes_picture(ctx, draft):
        await preview(ctx, draft)
    elif ctx.text:
        await _ask(ctx, draft, "picture", skip=True)
    else:
        await ctx.reply("event.ask_text")


@router.on_step("event.picture")
async def picture(ctx: Context) -> None:
    draft = EventDraft.load(ctx.data)
    if _takes_picture(ctx, draft) or ctx.text in _NOTHING:
        await preview(ctx, draft)
    else:
        largest = ctx.desk.house.max_file // (1024 * 1024)
        await ctx.reply("event.picture_unfit", largest=largest)


def _takes_picture(ctx: Context, draft: EventDraft) -> bool:
    fits = [m for m in ctx.inbound.media if m.kind in _PICTURES and (m.size or 0) <= ctx.desk.house.max_file]
    draft.media = tuple(fits[:1]) or draft.media
    return bool(fits)


@router.on_step("event.ready")
async def wait_for_button(ctx: Context) -> None:
    """Further pictures of the same album say nothing new."""
    if ctx.inbound.album_id is None:
        await preview(ctx, EventDraft.load(ctx.data))


async def preview(ctx: Context, draft: EventDraft) -> None:
    """Just as residents will see it, and whom it reaches."""
    mandate = await _permit(ctx, draft)
    if mandate is None:
        return
    await ctx.expect("event.ready", **draft.dump())
    header = await events.header(ctx.tx, ctx.desk, mandate)
    campaign, item = Campaign(kind=CampaignKind.EVENT, header=header), Item(kind=ItemKind.EVENT, parts=[])
    framed = await frame(ctx.tx, ctx.desk, campaign, item, "vi", ctx.account.key)
    parts = items.compose(draft.announcement(ctx.desk), ctx.capabilities, header=framed.header, footer=framed.footer)
    for message in items.addressed(parts, ctx.inbound.chat_id, group=False):
        await ctx.queue(message)
    await _summarise(ctx, draft, mandate)


async def _summarise(ctx: Context, draft: EventDraft, mandate: Mandate) -> None:
    leaves = broadcasts.leaves_at(ctx.desk, None, ctx.now)
    reach = await broadcasts.reach(ctx.tx, ctx.desk, mandate.audience, leaves)
    await ctx.reply(
        "event.summary",
        place=mandate.unit.name,
        reach=reach,
        leaves=leaves,
        quiet=ctx.clock.is_quiet(ctx.now + ctx.desk.house.undo),
        buttons=[
            [("event.button_go", f"ev:go:{draft.nonce}")],
            [("event.button_redo", f"ev:redo:{draft.nonce}"), ("event.button_drop", f"ev:drop:{draft.nonce}")],
        ],
    )


async def _permit(ctx: Context, draft: EventDraft) -> Mandate | None:
    """The mandate as it is now; without one, or with the day's number used up, the draft ends."""
    mandate = await mandates.to_unit(ctx.tx, ctx.person, draft.unit or "", events.ANNOUNCERS)
    if mandate is None:
        await ctx.forget()
        await ctx.reply("event.not_yours")
        return None
    return None if await _is_used_up(ctx, mandate) else mandate


async def _is_used_up(ctx: Context, mandate: Mandate) -> bool:
    """Say so where it is."""
    used_up = await events.is_used_up(ctx.tx, ctx.desk, mandate, ctx.person, ctx.now)
    if used_up:
        await ctx.forget()
        await ctx.reply("event.used_up", most=ctx.desk.house.events_per_head_day)
    return used_up


async def pressed(ctx: Context, verb: str, nonce: str) -> None:
    """`ev:VERB:NONCE…`; a button of a draft that has ended says so."""
    if verb == "new":
        await begin(ctx)
        return
    mine = ctx.step is not None and ctx.step.startswith("event.") and ctx.data.get("nonce") == nonce
    step = _STEPS.get(verb)
    if not mine or step is None:
        await notice(ctx, "event.stale")
    else:
        await step(ctx, EventDraft.load(ctx.data))


async def skip(ctx: Context, draft: EventDraft) -> None:
    if ctx.step == "event.text":
        await _ask(ctx, draft, "picture", skip=True)
    elif ctx.step == "event.picture":
        await preview(ctx, draft)
    else:
        await notice(ctx, "event.stale")


async def redo(ctx: Context, draft: EventDraft) -> None:
    await _ask(ctx, EventDraft(), "title")


async def drop(ctx: Context, draft: EventDraft) -> None:
    await ctx.forget()
    await ctx.reply("event.dropped", edit=True)


async def go(ctx: Context, draft: EventDraft) -> None:
    """Confirm: role and time are looked at once more; a draft becomes an event once."""
    mandate = await _permit(ctx, draft)
    if mandate is None:
        return
    if draft.starts_at is None or not events.is_in_time(ctx.desk, draft.starts_at, ctx.now):
        await _ask(ctx, draft, "time")
        return
    if ctx.step != "event.ready" or not await conversations.take(ctx.tx, ctx.contact.id):
        await notice(ctx, "event.stale")
        return
    await ctx.forget()
    _, run = await events.announce(ctx.tx, ctx.desk, ctx.person, mandate, draft, ctx.account.id, ctx.now)
    await planned(ctx, run, mandate.unit.name)


_STEPS: dict[str, Callable[[Context, EventDraft], Awaitable[None]]] = {
    "to": choose_unit,
    "skip": skip,
    "redo": redo,
    "drop": drop,
    "go": go,
}
