"""Arriving: the greeting, the consent, links and codes that somebody followed."""

from __future__ import annotations

from bot.core.events import ChatKind
from bot.core.words import PersonStatus
from bot.db.tables import Unit
from bot.outreach import consent, curriculum, referrals
from bot.outreach.referrals import Payload
from handlers import events, menu, profile, tips, welcome
from handlers.phrases import Phrases
from handlers.routing import Context, NotMine, Router

YES = Phrases(
    *("đồng ý", "đồng ý đăng ký", "tôi đồng ý", "có đồng ý", "nhất trí", "đăng ký", "đăng kí", "1"),
    *("agree", "i agree", "yes i agree", "sign up", "subscribe"),
)
"""Said in so many words: "ok" or "vâng" may as well thank for an answer, and would be no consent."""
NO = Phrases(
    *("không", "ko", "k", "không đồng ý", "chỉ hỏi", "chỉ hỏi không đăng ký", "không đăng ký", "chưa", "để sau", "2"),
    *("bỏ qua", "no", "just asking", "not now"),
)

router = Router(ChatKind.PRIVATE)


@router.on_command("start")
@router.on_text("bắt đầu", "start", "/start")
async def start(ctx: Context) -> None:
    await arrive(ctx, referrals.read(ctx.inbound.payload))


@router.on_pattern(r"#\s?([A-Z0-9]{6,8})")
async def code(ctx: Context) -> None:
    """An invite's code, read from a poster or a Zalo group."""
    await arrive(ctx, referrals.read(ctx.match[0]))


async def arrive(ctx: Context, payload: Payload) -> None:
    """Show first what the link was for, then greet, go on where they were, or open the menu."""
    tip = curriculum.tip_named(ctx.desk, payload.tip, ctx.now) if payload.tip else None
    if tip is not None:
        await tips.show(ctx, tip)
    shown = tip is not None or (payload.event > 0 and await events.show_linked(ctx, payload.event))
    if not consent.has(ctx.person, ctx.desk):
        await welcome.offer(ctx, **({"invite": payload.code} if payload.code else {}))
        return
    home = await _accept(ctx, payload.code)
    if ctx.person.status is PersonStatus.STOPPED:
        await ctx.reply("subscribe.stopped", buttons=[[("optout.back", "resume")], [("menu.open", "menu")]])
    elif home is not None and home.id != ctx.person.unit_id:
        await profile.propose(ctx, home, "subscribe" if profile.is_subscribing(ctx) else "settings")
    elif profile.is_asking(ctx):
        await profile.ask_again(ctx)
    elif not shown:
        await menu.show(ctx)


async def _accept(ctx: Context, code: str) -> Unit | None:
    """Credit whoever brought them. Returns where the invite says that they live."""
    invite = await referrals.accept(ctx.tx, ctx.person, code, ctx.now) if code else None
    return await referrals.place(ctx.tx, invite) if invite is not None else None


@router.on_text("đăng ký nhận mẹo", "đăng ký", "đăng kí", "đăng ký nhận tin", "tham gia", "subscribe", "sign up")
async def sign_up(ctx: Context) -> None:
    if ctx.step == welcome.CONSENT:
        await agree(ctx)
    else:
        await arrive(ctx, Payload())


@router.on_button("consent")
async def decided(ctx: Context) -> None:
    what = ctx.match[0] if ctx.match else ""
    if what == "yes":
        await agree(ctx)
    elif what == "no":
        await decline(ctx)
    else:
        await arrive(ctx, Payload())


@router.on_step(welcome.CONSENT)
async def decided_in_words(ctx: Context) -> None:
    if ctx.text in YES:
        await agree(ctx)
    elif ctx.text in NO:
        await decline(ctx)
    else:
        raise NotMine


async def agree(ctx: Context) -> None:
    """Write the consent down, then ask the four questions; whoever skips them all is subscribed nevertheless."""
    if consent.has(ctx.person, ctx.desk) and ctx.person.status is PersonStatus.ACTIVE:
        await arrive(ctx, Payload())
        return
    waits = ctx.data if ctx.step == welcome.CONSENT else {}
    known = ctx.person.consent_at is not None
    consent.give(ctx.person, ctx.desk, ctx.account.channel, ctx.now)
    await ctx.tx.flush()
    await events.answer_wished(ctx, waits.get("rsvp"))
    home = await _accept(ctx, str(waits.get("invite", "")))
    if known and home is None:
        await ctx.forget()
        await ctx.reply("optout.resumed", hour=ctx.person.tip_hour, buttons=await menu.buttons_for(ctx))
    else:
        await profile.begin(ctx, home)


async def decline(ctx: Context) -> None:
    """Only questions, then. Whoever had agreed to an older notice and not to this one is not written to any more."""
    if consent.has(ctx.person, ctx.desk):
        await menu.show(ctx)
        return
    if ctx.person.status is PersonStatus.ACTIVE:
        await consent.withdraw(ctx.tx, ctx.person, ctx.now)
    await ctx.expect(welcome.GUEST)
    await ctx.reply("subscribe.guest", buttons=await menu.buttons_for(ctx))
