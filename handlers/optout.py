"""Stop, come back, see and erase: these come before everything else, at any moment."""

from __future__ import annotations

from bot.core.events import InboundKind
from bot.core.words import PersonStatus
from bot.outreach import consent
from handlers import membership, menu, profile, welcome
from handlers.phrases import Phrases
from handlers.routing import Context, Router

STOP = Phrases(
    *("dừng", "dừng lại", "dừng hết", "dừng nhận", "dừng nhận tin", "dừng nhận mẹo", "dừng tin", "dừng gửi"),
    *("dừng gửi tin", "dừng tất cả", "dừng theo dõi", "dừng đăng ký", "dừng dịch vụ"),
    *("ngừng", "ngừng lại", "ngừng hết", "ngừng nhận", "ngừng nhận tin", "ngừng nhận mẹo", "ngừng gửi"),
    *("ngừng gửi tin", "ngừng theo dõi", "ngưng", "ngưng lại", "ngưng hết", "ngưng nhận", "ngưng nhận tin"),
    *("ngưng nhận mẹo", "ngưng gửi", "ngưng gửi tin", "ngưng theo dõi", "thôi nhận", "thôi nhận tin"),
    *("thôi không nhận", "thôi không nhận nữa", "không nhận", "không nhận nữa", "không nhận tin", "không nhận tin nữa"),
    *("không muốn nhận", "không muốn nhận nữa", "không muốn nhận tin", "không muốn nhận tin nữa"),
    *("đừng gửi nữa", "đừng gửi tin nữa", "đừng nhắn nữa", "đừng nhắn tin nữa", "hủy đăng ký", "hủy đăng kí"),
    *("bỏ đăng ký", "bỏ đăng kí", "hủy nhận tin", "hủy theo dõi", "tắt tin", "tắt thông báo", "tắt mẹo"),
    *("stop", "stop it", "stop all", "unsubscribe", "opt out"),
    *("duwngf", "duwfng", "dwungf", "dungwf", "dungfw", "duwngf laij", "dwungf laij", "du7ng2", "du72ng", "dung72"),
    *("nguwngf", "nguwfng", "ngungwf", "ngu7ng2", "nguwng", "ngu7ng", "huyr ddawng kys"),
)
WEAK = Phrases("thôi", "hủy", "thooi", "huyr", "huy3")
"""Stop, unless the bot is waiting for something that can be called off."""
NO_THANKS = Phrases("thôi cảm ơn", "thôi cám ơn", "thôi thanks", "thôi khỏi")
_NOTHING_TO_CALL_OFF = ("subscribe", "guest")
RESUME = (
    *(
        "tiếp",
        "tiếp tục",
        "tiếp tục nhận",
        "tiếp tục nhận tin",
        "nhận tiếp",
        "nhận lại",
        "nhận lại tin",
        "nhận tin lại",
    ),
    *("bật lại", "bật tin", "bật tin lại", "mở lại", "đăng ký lại", "đăng kí lại", "quay lại", "gửi lại đi"),
    *("resume", "start again", "tieesp", "tieeps", "tie6p1", "tie61p", "tieesp tucj"),
)
ERASE = (
    *("xóa", "xóa hết", "xóa dữ liệu", "xóa hết dữ liệu", "xóa thông tin", "xóa hết thông tin", "xóa tài khoản"),
    *(
        "xóa tôi",
        "xóa tên tôi",
        "xóa đăng ký",
        "delete",
        "delete my data",
        "delete me",
        "erase",
        "erase me",
        "forget me",
    ),
    *("xoas", "xosa", "xo1a", "xoa1", "xoas duwx lieeuj", "xoas heets"),
)
SHOW = ("dữ liệu của tôi", "thông tin của tôi", "bot lưu gì về tôi", "lưu gì về tôi", "my data")

router = Router()


def _means_stop(ctx: Context) -> bool:
    said = ctx.inbound
    if said.kind is not InboundKind.MESSAGE or not said.addressed or said.media or said.forwarded:
        return False
    if said.command == "stop" or said.text in STOP:
        return True
    calls_off = ctx.step is not None and ctx.step.split(".")[0] not in _NOTHING_TO_CALL_OFF
    return not calls_off and said.text in WEAK and said.text not in NO_THANKS


@router.on(_means_stop)
@router.on_button("stop")
async def stop(ctx: Context) -> None:
    """Record the wish first: a lost confirmation is harmless, a lost wish is not."""
    await consent.withdraw(ctx.tx, ctx.person, ctx.now)
    await ctx.forget()
    key = "group.stopped" if ctx.in_group else "optout.done"
    await ctx.reply(key, buttons=[[("optout.back", "resume")]])


@router.on_command("resume")
@router.on_text(*RESUME)
@router.on_button("resume")
async def resume(ctx: Context) -> None:
    if ctx.in_group:
        await membership.switch_on(ctx)
    elif not consent.has(ctx.person, ctx.desk):
        await welcome.offer(ctx)
    elif ctx.person.status is PersonStatus.ACTIVE and profile.is_asking(ctx):
        await profile.ask_again(ctx)
    else:
        consent.resume(ctx.person, ctx.desk, ctx.now)
        await ctx.reply("optout.resumed", hour=ctx.person.tip_hour, buttons=await menu.buttons_for(ctx))


@router.on_kind(InboundKind.WITHDRAWN)
async def withdrawn(ctx: Context) -> None:
    """Said to the platform instead of to us: nobody is left to be told."""
    await consent.erase(ctx.tx, ctx.desk, ctx.person, ctx.now)
    ctx.erased = True


@router.on_command("delete", "mydata")
@router.on_text(*ERASE, *SHOW)
async def show(ctx: Context) -> None:
    """In plain words what is stored, and two buttons."""
    if ctx.in_group:
        await ctx.reply("group.private_only")
        return
    kept = await consent.kept(ctx.tx, ctx.person)
    await ctx.reply(
        "optout.kept",
        **await profile.described(ctx),
        kept=kept,
        roles=[(ctx.desk.book.label(ctx.person.language, f"optout.role_{r}"), u.name) for r, u in kept.roles],
        buttons=[[("optout.erase", "erase:yes")], [("optout.keep", "erase:no")]],
    )


@router.on_button("erase")
async def erase(ctx: Context) -> None:
    choice = ctx.match[0] if ctx.match else ""
    if ctx.in_group or choice not in ("ask", "yes", "no"):
        await ctx.answer("common.old_button")
    elif choice == "ask":
        await show(ctx)
    elif choice == "no":
        await ctx.reply("optout.kept_on", edit=True, buttons=await menu.buttons_for(ctx))
    else:
        await _erase(ctx)


async def _erase(ctx: Context) -> None:
    """The goodbye is the last thing that is said, and hangs on nobody any more."""
    await consent.erase(ctx.tx, ctx.desk, ctx.person, ctx.now)
    ctx.erased = True
    await ctx.reply("optout.erased", edit=True)
