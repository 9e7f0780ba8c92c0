"""The buttons under a broadcast: when, more, again, away, send, take back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bot.core.events import ChatKind
from bot.db import conversations
from bot.db.tables import Run
from bot.outreach import approvals, broadcasts, moments
from bot.outreach.broadcasts import Undone
from bot.outreach.drafts import MOST_PARTS, Draft
from bot.outreach.mandates import Mandate
from handlers import broadcast, broadcast_preview
from handlers.routing import ButtonSpec, Context, Router, numbered
from handlers.staff_flow import notice

router = Router(ChatKind.PRIVATE)
Step = Callable[[Context, Draft], Awaitable[None]]


@router.on_button("bc")
async def pressed(ctx: Context) -> None:
    """`bc:VERB:NONCE…`; a button of a draft that has ended says so."""
    verb = ctx.match[0] if ctx.match else ""
    if verb == "new":
        await broadcast.begin(ctx, Draft())
    elif verb == "undo":
        await undo(ctx)
    elif (step := _STEPS.get(verb)) is not None and (draft := draft_of(ctx)) is not None:
        await step(ctx, draft)
    else:
        await notice(ctx, "broadcast.stale")


def draft_of(ctx: Context) -> Draft | None:
    """The draft that the pressed button belongs to, if it is still being made."""
    mine = ctx.step is not None and (ctx.step == "offer" or ctx.step.startswith("broadcast."))
    same = len(ctx.match) > 1 and ctx.data.get("nonce") == ctx.match[1]
    return Draft.load(ctx.data) if mine and same else None


async def drop(ctx: Context, draft: Draft) -> None:
    await ctx.forget()
    await ctx.reply("broadcast.dropped", edit=True)


async def more(ctx: Context, draft: Draft) -> None:
    if len(draft.parts) >= MOST_PARTS:
        await notice(ctx, "broadcast.part_full", most=MOST_PARTS)
        return
    done: ButtonSpec = ("broadcast.button_done", f"bc:show:{draft.nonce}")
    await ctx.reply("broadcast.more", left=MOST_PARTS - len(draft.parts), buttons=[[done]])


async def redo(ctx: Context, draft: Draft) -> None:
    draft.clear()
    await broadcast.go_on(ctx, draft)


async def when(ctx: Context, draft: Draft) -> None:
    """Offer hours; any other may be typed."""
    await ctx.expect("broadcast.when", **draft.dump())
    times = broadcasts.usual_times(ctx.desk, ctx.now)
    specs: list[ButtonSpec] = [_time_button(ctx, draft, moment) for moment in times]
    rows = [specs[i : i + 2] for i in range(0, len(specs), 2)]
    await ctx.reply("broadcast.ask_when", buttons=[*rows, [("broadcast.button_back", f"bc:show:{draft.nonce}")]])


def _time_button(ctx: Context, draft: Draft, moment: datetime) -> ButtonSpec:
    today = ctx.clock.today(moment) == ctx.clock.today(ctx.now)
    key = "broadcast.button_today" if today else "broadcast.button_tomorrow"
    return (key, f"bc:at:{draft.nonce}:{int(moment.timestamp())}", {"moment": moment})


async def at(ctx: Context, draft: Draft) -> None:
    """A pressed hour; by now it may have passed."""
    seconds = numbered(ctx.match[2], digits=11) if len(ctx.match) > 2 else None
    await _set_time(ctx, draft, datetime.fromtimestamp(seconds, UTC) if seconds is not None else None)


@router.on_step("broadcast.when")
async def type_time(ctx: Context) -> None:
    await _set_time(ctx, Draft.load(ctx.data), moments.read(ctx.text, ctx.now, ctx.clock))


async def _set_time(ctx: Context, draft: Draft, moment: datetime | None) -> None:
    if moment is None:
        await ctx.reply("broadcast.time_unclear")
    elif moment <= ctx.now:
        await ctx.reply("broadcast.time_past", moment=moment)
    elif moment > ctx.now + broadcasts.FARTHEST:
        await ctx.reply("broadcast.time_far", days=broadcasts.FARTHEST.days)
    else:
        draft.at = moment
        mandate = await broadcast_preview.permit(ctx, draft)
        if mandate is not None:
            await ctx.expect("broadcast.compose", **draft.dump())
            await broadcast_preview.summarise(ctx, draft, mandate)


async def again(ctx: Context, draft: Draft) -> None:
    """They know that the same went out lately."""
    draft.again = True
    await go(ctx, draft)


async def go(ctx: Context, draft: Draft) -> None:
    """Confirm: role, limits and repetition are looked at once more; a draft becomes a campaign once."""
    mandate = await broadcast_preview.permit(ctx, draft)
    if mandate is None:
        return
    if await broadcasts.is_used_up(ctx.tx, ctx.desk, mandate, ctx.person, ctx.now):
        await broadcast_preview.refuse_used_up(ctx)
        return
    if not draft.parts or (draft.at is not None and draft.at <= ctx.now):
        draft.at = None
        await broadcast_preview.show(ctx, draft)
        return
    if await broadcast_preview.lacks_budget(ctx, mandate, draft.parts):
        return
    if not draft.again and await broadcasts.is_repeated(ctx.tx, ctx.desk, mandate, draft.parts, ctx.now):
        await _ask_again(ctx, draft, mandate)
        return
    if mandate.needs_approval:
        await _propose(ctx, draft, mandate)
    else:
        await _send(ctx, draft, mandate)


async def _ask_again(ctx: Context, draft: Draft, mandate: Mandate) -> None:
    yes: ButtonSpec = ("broadcast.button_again", f"bc:again:{draft.nonce}")
    no: ButtonSpec = ("broadcast.button_drop", f"bc:drop:{draft.nonce}")
    await ctx.reply("broadcast.repeated", place=broadcast_preview.target(ctx, mandate), buttons=[[yes], [no]])


async def _send(ctx: Context, draft: Draft, mandate: Mandate) -> None:
    if not await conversations.take(ctx.tx, ctx.contact.id):
        await notice(ctx, "broadcast.stale")
        return
    await ctx.forget()
    _, run = await broadcasts.confirm(ctx.tx, ctx.desk, ctx.person, mandate, draft, ctx.account.id, ctx.now)
    assert run is not None  # noqa: S101  # nobody needs to approve it
    await planned(ctx, run, broadcast_preview.target(ctx, mandate))


async def planned(ctx: Context, run: Run, place: str) -> None:
    """Say when it leaves, in the message that will show its progress; until then it can be taken back."""
    broadcasts.watch(run, ctx.contact)
    soon = run.planned_at <= ctx.now + ctx.desk.house.undo
    await ctx.reply(
        "broadcast.planned",
        edit=True,
        place=place,
        leaves=run.planned_at,
        soon=soon,
        seconds=int(ctx.desk.house.undo.total_seconds()),
        buttons=[[("broadcast.button_undo", f"bc:undo:{run.id}")]],
        tag=f"progress:{run.id}" if ctx.capabilities.edit else None,
    )


async def _propose(ctx: Context, draft: Draft, mandate: Mandate) -> None:
    """Their own words need somebody else's consent, if there is somebody."""
    deciders = await approvals.deciders(ctx.tx, mandate, ctx.person)
    if not deciders:
        await ctx.reply("approval.nobody", place=mandate.unit.name)
        return
    if not await conversations.take(ctx.tx, ctx.contact.id):
        await notice(ctx, "broadcast.stale")
        return
    await ctx.forget()
    campaign, _ = await broadcasts.confirm(ctx.tx, ctx.desk, ctx.person, mandate, draft, ctx.account.id, ctx.now)
    await approvals.ask(ctx.tx, ctx.desk, campaign, deciders, ctx.capabilities, ctx.now)
    await ctx.reply("approval.proposed", edit=True, count=len(deciders))


async def undo(ctx: Context) -> None:
    number = numbered(ctx.match[1]) if len(ctx.match) > 1 else None
    done = Undone.NOT_YOURS if number is None else await broadcasts.undo(ctx.tx, ctx.person, number, ctx.now)
    if done is not Undone.DONE:
        await notice(ctx, f"broadcast.{done}")
        return
    await ctx.reply("broadcast.undone", edit=True, buttons=[[("broadcast.button_new", "bc:new")]])


_STEPS: dict[str, Step] = {
    "to": broadcast.choose_unit,
    "offer": broadcast.begin,
    "show": broadcast_preview.show,
    "more": more,
    "redo": redo,
    "when": when,
    "at": at,
    "go": go,
    "again": again,
    "drop": drop,
}
