"""Deciding about what somebody proposes: yes, or no with a reason."""

from __future__ import annotations

from bot.core.events import ChatKind
from bot.db.tables import Campaign, Run
from bot.outreach import approvals, broadcasts, notify
from bot.outreach.approvals import Verdict
from handlers import inbox_entries
from handlers.routing import Context, Router, numbered
from handlers.staff_flow import notice

router = Router(ChatKind.PRIVATE)
_REASONS = ("source", "wording", "time")


@router.on_button("ap")
async def pressed(ctx: Context) -> None:
    """`ap:VERB:CAMPAIGN…`."""
    verb, argument, why = [*ctx.match, "", "", ""][:3]
    number = numbered(argument)
    if verb == "list":
        await show_waiting(ctx)
    elif number is None:
        await notice(ctx, "approval.over")
    elif verb == "yes":
        await approve(ctx, number)
    elif verb == "no":
        await ask_why(ctx, number)
    else:
        word = why if why in _REASONS else _REASONS[0]
        reason = ctx.desk.book.label("vi", f"approval.reason_{word}")
        await reject(ctx, number, reason)


async def show_waiting(ctx: Context) -> None:
    """Everything that still waits for them, here where they ask, also after they have said stop."""
    found = await approvals.waiting(ctx.tx, ctx.person)
    for campaign in found:
        await approvals.show(ctx.tx, ctx.desk, campaign, ctx.contact, ctx.capabilities, ctx.now)
    entries = await inbox_entries.show_each(ctx)
    if not found and not entries:
        await ctx.reply("approval.none_waiting")


async def approve(ctx: Context, campaign_id: int) -> None:
    verdict, campaign, run = await approvals.approve(ctx.tx, ctx.desk, ctx.person, campaign_id, ctx.now)
    if campaign is None or run is None:
        await notice(ctx, f"approval.{verdict}")
        return
    await _tell_author(ctx, campaign, run)
    await ctx.reply("approval.approved", edit=True, leaves=run.planned_at)


async def _tell_author(ctx: Context, campaign: Campaign, run: Run) -> None:
    """The author watches it go, and has their minute."""
    contact = await notify.contact_of(ctx.tx, campaign.author_id or 0, prefer=ctx.account.id, desk=ctx.desk)
    if contact is None:
        return
    broadcasts.watch(run, contact)
    edits = contact.account_id == ctx.account.id and ctx.capabilities.edit
    await notify.notify(
        ctx.tx,
        ctx.desk,
        contact,
        "approval.was_approved",
        ctx.now,
        leaves=run.planned_at,
        buttons=[[("broadcast.button_undo", f"bc:undo:{run.id}")]],
        tag=f"progress:{run.id}" if edits else None,
    )


async def ask_why(ctx: Context, campaign_id: int) -> None:
    verdict, _ = await approvals.look(ctx.tx, ctx.person, campaign_id)
    if verdict is not Verdict.DONE:
        await notice(ctx, f"approval.{verdict}")
        return
    await ctx.expect("approval.reason", campaign=campaign_id)
    rows = [[(f"approval.button_{word}", f"ap:why:{campaign_id}:{word}")] for word in _REASONS]
    await ctx.reply("approval.ask_reason", buttons=rows)


@router.on_step("approval.reason")
async def give_reason(ctx: Context) -> None:
    if not ctx.text.strip():
        await ctx.reply("approval.ask_reason")
        return
    await reject(ctx, int(ctx.data.get("campaign", 0)), ctx.text.strip())


async def reject(ctx: Context, campaign_id: int, reason: str) -> None:
    """The author is told why; the reason is kept nowhere."""
    await ctx.forget()
    verdict, campaign = await approvals.reject(ctx.tx, ctx.person, campaign_id, ctx.now)
    if verdict is not Verdict.DONE or campaign is None:
        await notice(ctx, f"approval.{verdict}")
        return
    contact = await notify.contact_of(ctx.tx, campaign.author_id or 0, prefer=ctx.account.id, desk=ctx.desk)
    if contact is not None:
        again = [[("broadcast.button_new", "bc:new")]]
        await notify.notify(ctx.tx, ctx.desk, contact, "approval.was_rejected", ctx.now, reason=reason, buttons=again)
    await ctx.reply("approval.rejected", edit=True)
