"""The four questions about a person: asked one after another when they subscribe, and again from the settings."""

from __future__ import annotations

from typing import Any

from bot.core.events import Button, ChatKind
from bot.core.words import PersonStatus, TargetGroup, UnitKind
from bot.db import units
from bot.db.tables import Unit
from bot.outreach import consent, curriculum, practice, referrals
from bot.outreach.hours import EARLIEST, LATEST, parse_hour
from bot.outreach.target_groups import group_of
from handlers import faq, menu, places, voice, welcome
from handlers.phrases import Phrases
from handlers.places import Rows
from handlers.routing import Context, NotMine, Router, numbered

FIELDS = ("commune", "village", "group", "hour")
SKIP = Phrases(
    *("bỏ qua", "qua", "bỏ", "sau", "để sau", "không biết", "chưa biết", "chưa rõ", "chưa rõ thôn", "không rõ", "thôi"),
    *("tùy", "sao cũng được", "gì cũng được", "không", "hủy", "để nguyên", "giữ nguyên", "skip", "later", "cancel"),
)
YES = Phrases("phải", "phải rồi", "đúng rồi", "đúng vậy", "có", "ừ", "vâng", "dạ", "ok", "oke", "yes", "chuẩn")
router = Router(ChatKind.PRIVATE)


def is_asking(ctx: Context) -> bool:
    """Whether one of the questions is open."""
    return _mode(ctx) is not None and _field(ctx) in (*FIELDS, "invited")


def is_subscribing(ctx: Context) -> bool:
    return is_asking(ctx) and _mode(ctx) == "subscribe"


def _mode(ctx: Context) -> str | None:
    mode = (ctx.step or "").partition(".")[0]
    return mode if mode in ("subscribe", "settings") else None


def _field(ctx: Context) -> str:
    return (ctx.step or "").partition(".")[2]


def _in_place(ctx: Context) -> bool:
    """Whether the pressed button stood under a question: then what follows takes its place."""
    return (ctx.inbound.button or "").startswith("set:")


async def begin(ctx: Context, home: Unit | None = None) -> None:
    """The first question after the consent; with an invite, whether they live where it says."""
    if home is not None:
        await propose(ctx, home, "subscribe")
    else:
        await ask(ctx, "commune", "subscribe")


async def propose(ctx: Context, home: Unit, mode: str = "settings") -> None:
    await ctx.expect(f"{mode}.invited", unit=home.code)
    await ctx.reply(
        "subscribe.invited",
        place=await places.full_name(ctx, home),
        buttons=[[("subscribe.invited_yes", f"set:place:{home.code}"), ("subscribe.invited_no", "set:ask:commune")]],
    )


async def ask(ctx: Context, field: str, mode: str, *, noted: str = "", again: bool = False) -> None:
    """Put a question, as a step of subscribing or as a change in the settings. `noted` repeats what was just set."""
    await ctx.expect(f"{mode}.{field}")
    subscribing = mode == "subscribe"
    rows = await _answers(ctx, field)
    skip = "subscribe.skip" if subscribing else "settings.keep"
    skip = "subscribe.no_village" if field == "village" else skip
    commune = await places.own_commune(ctx)
    await ctx.reply(
        f"subscribe.{field}",
        step=FIELDS.index(field) + 1 if subscribing else None,
        noted=noted,
        again=again,
        commune=commune.name if commune else "",
        edit=_in_place(ctx),
        buttons=[*rows, [(skip, f"set:skip:{field}")]],
    )


async def _answers(ctx: Context, field: str) -> Rows:
    if field == "commune":
        return await places.district_buttons(ctx)
    if field == "village":
        return await places.village_buttons(ctx)
    if field == "group":
        return [[(f"subscribe.group_{group}", f"set:group:{group}")] for group in TargetGroup]
    return [[Button(f"{hour}:00", f"set:hour:{hour}") for hour in ctx.desk.house.tip_hours]]


async def ask_again(ctx: Context, *, again: bool = False) -> None:
    """The open question once more; `again` says that the answer was not understood."""
    mode = _mode(ctx) or "settings"
    home = await units.by_code(ctx.tx, str(ctx.data.get("unit", ""))) if _field(ctx) == "invited" else None
    if home is not None:
        await propose(ctx, home, mode)
    else:
        await ask(ctx, _field(ctx) if _field(ctx) in FIELDS else "commune", mode, again=again)


async def go_on(ctx: Context, field: str, noted: str) -> None:
    """What follows an answer (or a skipped question)."""
    mode = _mode(ctx) or "settings"
    if field == "commune" and await places.villages(ctx):
        await ask(ctx, "village", mode, noted=noted)
    elif mode == "settings":
        await overview(ctx, noted)
    elif field == "hour":
        await _done(ctx)
    else:
        await ask(ctx, "hour" if field == "group" else "group", mode, noted=noted)


async def _done(ctx: Context) -> None:
    await ctx.forget()
    await ctx.reply("subscribe.done", **await described(ctx), edit=_in_place(ctx), buttons=await menu.buttons_for(ctx))


async def described(ctx: Context) -> dict[str, Any]:
    """What is known about the person, in words."""
    person, label = ctx.person, ctx.desk.book.label
    unit = await units.get(ctx.tx, person.unit_id) if person.unit_id is not None else None
    group = label(person.language, f"subscribe.group_{person.target_group}") if person.target_group else ""
    return {
        "place": await places.full_name(ctx, unit) if unit is not None else "",
        "group": group,
        "hour": person.tip_hour,
        "listens": person.listens,
    }


async def overview(ctx: Context, noted: str = "") -> None:
    """The choices with a button to change each."""
    await ctx.forget()
    stopped = ctx.person.status is PersonStatus.STOPPED
    asked = await practice.is_wanted(ctx.tx, ctx.person)
    await ctx.reply(
        "settings.overview",
        **await described(ctx),
        noted=noted,
        stopped=stopped,
        brought=await referrals.brought(ctx.tx, ctx.person.id),
        edit=_in_place(ctx),
        buttons=[
            [("settings.commune", "set:ask:commune"), ("settings.village", "set:ask:village")],
            [("settings.group", "set:ask:group"), ("settings.hour", "set:ask:hour")],
            [("settings.language", "lang"), ("menu.invite_button", "invite")],
            [("optout.back", "resume") if stopped else ("settings.stop", "stop"), ("settings.data", "erase:ask")],
            [("practice.off_button", "pr:off") if asked else ("practice.on_button", "pr:on")],
            voice.change(ctx),
            [("link.button", "link:start")],
            [("menu.open", "menu")],
        ],
    )


@router.on_button("set")
async def pressed(ctx: Context) -> None:
    """Every button of the questions and the settings. Without consent nothing about a person is kept."""
    if not consent.has(ctx.person, ctx.desk):
        await welcome.offer(ctx)
        return
    what, value = [*ctx.match, "", ""][:2]
    if not await _take(ctx, what, value):
        await menu.old_button(ctx)


async def _take(ctx: Context, what: str, value: str) -> bool:
    """Whether the button still means something."""
    if what == "ask" and value in FIELDS:
        field = "commune" if value == "village" and not await places.villages(ctx) else value
        await ask(ctx, field, _mode(ctx) or "settings")
    elif what == "skip" and value in FIELDS:
        await _skipped(ctx, value)
    elif what == "place":
        unit = await units.by_code(ctx.tx, value)
        return unit is not None and await _live_in(ctx, unit)
    elif what == "group" and value in tuple(TargetGroup):
        await _belong_to(ctx, TargetGroup(value))
    elif what == "hour" and (hour := numbered(value, digits=2)) is not None and EARLIEST <= hour <= LATEST:
        await _hear_at(ctx, hour)
    elif what == "listen":
        await _hear_or_read(ctx, listens=value == "1")
    else:
        return await _turn_page(ctx, what, value)
    return True


async def _turn_page(ctx: Context, what: str, value: str) -> bool:
    """Show other buttons under the same question."""
    mode = _mode(ctx) or "settings"
    skip = "subscribe.skip" if mode == "subscribe" else "settings.keep"
    if what == "district" and (rows := await places.commune_buttons(ctx, value)):
        await ctx.expect(f"{mode}.commune")
        await ctx.reply("subscribe.in_district", edit=True, buttons=[*rows, [(skip, "set:skip:commune")]])
        return True
    page = numbered(value, digits=4) if what == "villages" else None
    if page is not None and (rows := await places.village_buttons(ctx, page)):
        commune = await places.own_commune(ctx)
        await ctx.expect(f"{mode}.village")
        buttons: Rows = [*rows, [("subscribe.no_village", "set:skip:village")]]
        step = 2 if mode == "subscribe" else None
        fields = {"step": step, "noted": "", "again": False, "commune": commune.name if commune else ""}
        await ctx.reply("subscribe.village", **fields, edit=True, buttons=buttons)
        return True
    return False


async def _skipped(ctx: Context, field: str) -> None:
    if is_asking(ctx) and _field(ctx) not in (field, "invited"):
        await ask_again(ctx)
    elif _mode(ctx) == "subscribe":
        after = "village" if field == "commune" else field
        await go_on(ctx, after, "")
    else:
        await overview(ctx)


async def _live_in(ctx: Context, unit: Unit) -> bool:
    if unit.kind is UnitKind.PROVINCE or (unit.valid_to is not None and unit.valid_to <= ctx.clock.today(ctx.now)):
        return False
    ctx.person.unit_id = unit.id
    await ctx.tx.flush()
    field = "village" if unit.kind is UnitKind.VILLAGE else "commune"
    await go_on(ctx, field, await places.full_name(ctx, unit))
    return True


async def _belong_to(ctx: Context, group: TargetGroup) -> None:
    await curriculum.change_group(ctx.tx, ctx.person, group)
    await go_on(ctx, "group", ctx.desk.book.label(ctx.person.language, f"subscribe.group_{group}"))


async def _hear_at(ctx: Context, hour: int) -> None:
    if ctx.person.tip_hour != hour:
        ctx.person.tip_hour = hour
        consent.wait_for_hour(ctx.person, ctx.desk, ctx.now)
    await go_on(ctx, "hour", f"{hour}:00")


async def _hear_or_read(ctx: Context, *, listens: bool) -> None:
    ctx.person.listens = listens
    await overview(ctx, ctx.desk.book.label(ctx.person.language, "voice.listens" if listens else "voice.reads"))


@router.on_step("subscribe")
@router.on_step("settings")
async def said(ctx: Context) -> None:
    """What somebody writes while a question is open: the answer to it, or something else that is answered first."""
    if not is_asking(ctx):
        raise NotMine
    if not ctx.text:
        await ctx.reply("common.media")
        return
    if faq.is_urgent(ctx):
        raise NotMine
    if ctx.text in SKIP:
        await _skipped(ctx, "commune" if _field(ctx) == "invited" else _field(ctx))
        return
    hear = {"group": _hear_group, "hour": _hear_hour}.get(_field(ctx), _hear_place)
    if await hear(ctx):
        return
    answered = await faq.answer_if_sure(ctx)
    await ask_again(ctx, again=not answered)


async def _hear_place(ctx: Context) -> bool:
    if _field(ctx) == "invited" and ctx.text in YES:
        unit = await units.by_code(ctx.tx, str(ctx.data.get("unit", "")))
        return unit is not None and await _live_in(ctx, unit)
    if chosen := _numbered(ctx):
        unit = await units.by_code(ctx.tx, chosen)
        return unit is not None and await _live_in(ctx, unit)
    found = await places.search(ctx, ctx.text)
    if len(found) == 1:
        return await _live_in(ctx, found[0].unit)
    if not found:
        return False
    if (district := places.one_district(found)) and await _turn_page(ctx, "district", district):
        return True
    field = "commune" if _field(ctx) == "invited" else _field(ctx)
    codes = [m.unit.code for m in found if not m.district][: places.MOST_CHOICES]
    await ctx.expect(f"{_mode(ctx)}.{field}", choices=codes)
    rows = await places.choices(ctx, found)
    await ctx.reply("subscribe.which", buttons=[*rows, [("subscribe.none_of_these", "set:ask:commune")]])
    return True


def _numbered(ctx: Context) -> str:
    """The place behind a typed number, when places were listed."""
    codes = [str(code) for code in ctx.data.get("choices", ())]
    said = ctx.text.strip(" .)")
    return codes[int(said) - 1] if said.isdecimal() and len(said) == 1 and 0 < int(said) <= len(codes) else ""


async def _hear_group(ctx: Context) -> bool:
    group = group_of(ctx.text)
    if group is not None:
        await _belong_to(ctx, group)
    return group is not None


async def _hear_hour(ctx: Context) -> bool:
    hour = parse_hour(ctx.text)
    if hour is None:
        return False
    if EARLIEST <= hour <= LATEST:
        await _hear_at(ctx, hour)
    else:
        rows = await _answers(ctx, "hour")
        await ctx.reply("subscribe.hour_outside", earliest=EARLIEST, latest=LATEST, buttons=rows)
    return True
