"""One person on several channels: linking them with a code, choosing where to be written to, parting them again."""

from __future__ import annotations

from bot.core.events import Button, InboundKind
from bot.core.words import ContactState, PersonStatus
from bot.db import roles
from bot.db.tables import Contact
from bot.outreach import consent, linking
from bot.outreach.linking import Address, Verdict
from bot.outreach.notify import contact_of, notify
from handlers import menu, welcome
from handlers.routing import ButtonSpec, Context, Router, numbered

LINK = (
    *("liên kết", "nối tài khoản", "nối zalo", "nối telegram", "liên kết zalo", "liên kết telegram", "mã nối"),
    *("nối với zalo", "nối với telegram", "liên kết với zalo", "liên kết với telegram", "nối zalo với telegram"),
    *("nối telegram với zalo", "lấy mã nối", "link my accounts"),
)
UNLINK = (
    *("bỏ liên kết", "bỏ nối", "hủy liên kết", "hủy nối", "thôi nối", "ngắt liên kết", "ngắt nối", "gỡ liên kết"),
    *("bỏ nối zalo", "bỏ nối telegram", "bỏ liên kết zalo", "bỏ liên kết telegram", "unlink"),
)
WHERE = (
    "đổi nơi nhận",
    "đổi chỗ nhận",
    "đổi nơi nhận tin",
    "đổi chỗ nhận tin",
    "chọn nơi nhận tin",
    "receive elsewhere",
)

router = Router()


def _says_code(ctx: Context) -> bool:
    said = ctx.inbound
    plain = said.kind is InboundKind.MESSAGE and said.addressed and not said.media and not said.forwarded
    return plain and linking.read(said.text) is not None


@router.on(_says_code)
async def typed(ctx: Context) -> None:
    if not await _in_private(ctx):
        return
    await _join(ctx, linking.read(ctx.text) or "")


@router.on_command("link")
@router.on_pattern(r"link")  # no phrase: who says "cho xin link" asks for an address
@router.on_text(*LINK)
async def start(ctx: Context) -> None:
    """A code to be sent on the other channel."""
    if not await _in_private(ctx):
        return
    if not consent.has(ctx.person, ctx.desk):
        await welcome.offer(ctx)
        return
    code = await linking.issue(ctx.tx, ctx.contact, ctx.now)
    await ctx.reply("link.code", code=code, minutes=int(linking.VALID.total_seconds()) // 60)


async def _in_private(ctx: Context) -> bool:
    """A group belongs to nobody, and everybody in it would read the code."""
    if ctx.in_group:
        await ctx.reply("group.private_only")
    return not ctx.in_group


@router.on_button("link")
async def pressed(ctx: Context) -> None:
    what, value = [*ctx.match, "", ""][:2]
    if ctx.in_group:
        await ctx.answer("common.old_button")
    elif what == "start":
        await start(ctx)
    elif what == "join" and linking.read(f"{linking.PREFIX}{value}") == value:
        await _join(ctx, value, sure=True)
    elif what == "no":
        await ctx.reply("link.not_joined", edit=True, buttons=await menu.buttons_for(ctx))
    elif what == "prefer" and (contact_id := numbered(value)) is not None:
        await _prefer(ctx, contact_id)
    elif what == "unlink":
        await _part(ctx, value)
    else:
        await menu.old_button(ctx)


async def _join(ctx: Context, letters: str, *, sure: bool = False) -> None:
    """Whoever holds a role is asked first: with a code of their own, others could trick them into sharing it."""
    verdict, other = await linking.look(ctx.tx, ctx.contact, letters, ctx.now)
    if other is None:
        await ctx.reply(f"link.{verdict}")
    elif not sure and await roles.of_person(ctx.tx, ctx.person.id):
        await ctx.reply(
            "link.sure", buttons=[[("link.sure_yes", f"link:join:{letters}")], [("link.sure_no", "link:no")]]
        )
    else:
        await _joined(ctx, other)


async def _joined(ctx: Context, other: Contact) -> None:
    person = await linking.join(ctx.tx, ctx.desk, ctx.contact, other, ctx.now)
    if person is None:
        await ctx.reply(f"link.{Verdict.WRONG}")
        return
    ctx.person = person
    await ctx.forget()
    names = _names(ctx, await linking.addresses(ctx.tx, person))
    here, there = names.get(ctx.contact.id, ""), names.get(other.id, "")
    stopped = person.status is PersonStatus.STOPPED
    back: list[list[ButtonSpec]] = [[("optout.back", "resume")]] if stopped else []
    await ctx.reply("link.done", here=here, there=there, stopped=stopped, buttons=[_choice(names), *back])
    if other.state is ContactState.OPEN:
        stay = ("link.receive_here", f"link:prefer:{other.id}")
        await notify(ctx.tx, ctx.desk, other, "link.joined_there", ctx.now, buttons=[[stay]], elsewhere=here)


def _names(ctx: Context, found: list[Address]) -> dict[int, str]:
    """What people call the places where they can be written to, by contact; a second one of a kind gets a number."""
    names: dict[int, str] = {}
    for address in found:
        name = _name(ctx, address)
        alike = sum(1 for other in names.values() if other.startswith(name))
        names[address.contact.id] = f"{name} {alike + 1}" if alike else name
    return names


def _name(ctx: Context, address: Address) -> str:
    return ctx.desk.book.label(ctx.person.language, f"link.channel_{address.channel}")


def _choice(names: dict[int, str]) -> list[ButtonSpec]:
    return [Button(name, f"link:prefer:{contact_id}") for contact_id, name in names.items()]


@router.on_text(*WHERE)
async def where(ctx: Context) -> None:
    """Buttons for the places of somebody who has several."""
    if not await _in_private(ctx):
        return
    names = _names(ctx, await linking.addresses(ctx.tx, ctx.person))
    if len(names) > 1:
        await ctx.reply("link.where", buttons=[_choice(names)])
    else:
        await ctx.reply("link.not_linked", buttons=[[("link.button", "link:start")]])


def _receive(app: str, *phrases: str) -> None:
    """Saying where one wants to be written to; `app` is how the names of its channels begin."""

    @router.on_text(*phrases)
    async def receive(ctx: Context) -> None:
        found = [] if ctx.in_group else await linking.addresses(ctx.tx, ctx.person)
        there = [a for a in found if a.channel.startswith(app)]
        if len(found) > 1 and len(there) == 1:
            await _prefer(ctx, there[0].contact.id)
        else:
            await where(ctx)


def _said_of(app: str) -> tuple[str, ...]:
    begins = ("nhận qua", "nhận tin qua", "nhận ở", "nhận tin ở", "nhận bằng", "gửi qua", "gửi tin qua", "receive on")
    return tuple(f"{begin} {app}" for begin in begins)


_receive("zalo", *_said_of("zalo"))
_receive("telegram", *_said_of("telegram"), *_said_of("tele"))


async def _prefer(ctx: Context, contact_id: int) -> None:
    """Only an address of their own: anybody can forge a button."""
    chosen = await linking.prefer(ctx.tx, ctx.person, contact_id)
    if chosen is None:
        await menu.old_button(ctx)
        return
    names = _names(ctx, await linking.addresses(ctx.tx, ctx.person))
    await ctx.reply("link.preferred", channel=names[contact_id])


@router.on_command("unlink")
@router.on_text(*UNLINK)
async def unlink(ctx: Context) -> None:
    if await _in_private(ctx):
        await _part(ctx, "ask")


async def _part(ctx: Context, choice: str) -> None:
    away = await linking.elsewhere(ctx.tx, ctx.contact)
    if not away:
        await ctx.reply("link.nothing_to_unlink", buttons=[[("link.button", "link:start")]])
    elif choice == "ask":
        await ctx.reply(
            "link.unlink_sure",
            there=", ".join(dict.fromkeys(_name(ctx, address) for address in away)),
            roles=bool(await roles.of_person(ctx.tx, ctx.person.id)),
            buttons=[[("link.unlink_yes", "link:unlink:yes")], [("link.unlink_no", "link:unlink:no")]],
        )
    elif choice == "yes":
        await _parted(ctx)
    elif choice == "no":
        await ctx.reply("link.kept", edit=True)
    else:
        await menu.old_button(ctx)


async def _parted(ctx: Context) -> None:
    before = ctx.person
    alone = await linking.part(ctx.tx, ctx.contact, ctx.now)
    if alone is None:
        await ctx.reply("link.nothing_to_unlink")
        return
    ctx.person = alone
    await ctx.forget()
    await ctx.reply("link.unlinked", edit=True, buttons=await menu.buttons_for(ctx))
    there = await contact_of(ctx.tx, before.id)
    if there is not None:
        name = ctx.desk.book.label(before.language, f"link.channel_{ctx.account.channel}")
        await notify(ctx.tx, ctx.desk, there, "link.unlinked_there", ctx.now, elsewhere=name)
