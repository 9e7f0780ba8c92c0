"""Events for everybody: what is coming, whether one goes, the calendar, and calling one off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bot.core.events import ChatKind, Outbound
from bot.core.text import shorten
from bot.core.words import PersonStatus
from bot.db import events as queries
from bot.db import items, units
from bot.db.tables import Event, Person
from bot.outreach import calendar_file, consent, events, framing, people, roles
from bot.outreach import items as content
from handlers import event_compose, welcome
from handlers.routing import ButtonSpec, Context, NotMine, Router, numbered
from handlers.staff_flow import is_busy, notice

router = Router()
_LABEL = 40


@router.on_command("events", "sukien")
@router.on_text("sự kiện", "sự kiện sắp tới", "lịch", "lịch sự kiện", "xem sự kiện", "có sự kiện gì", "events")
async def say_list(ctx: Context) -> None:
    if is_busy(ctx):
        raise NotMine
    await show_list(ctx)


@router.on_button("ev")
async def pressed(ctx: Context) -> None:
    """`ev:VERB:EVENT`; what belongs to the making of an event is elsewhere."""
    verb, argument = [*ctx.match, "", ""][:2]
    if verb == "list":
        await show_list(ctx)
        return
    step = _ABOUT_ONE.get(verb)
    if step is None:
        await event_compose.pressed(ctx, verb, argument)
        return
    number = numbered(argument)
    event = await queries.get(ctx.tx, number) if number is not None else None
    if event is None:
        await notice(ctx, "event.unknown")
    else:
        await step(ctx, event)


async def show_list(ctx: Context) -> None:
    """The next events near them, with their own answer."""
    unit, found = await events.coming(ctx.tx, ctx.person, ctx.now)
    announces = not ctx.in_group and bool(await roles.units_for(ctx.tx, ctx.person, events.ANNOUNCERS))
    extra: list[list[ButtonSpec]] = [[("event.button_new", "ev:new")]] if announces else []
    if not found:
        await ctx.reply("event.none", place=unit.name, buttons=extra)
        return
    lines = [(event, await queries.answer_of(ctx.tx, event.id, ctx.person.id)) for event in found]
    rows: list[list[ButtonSpec]] = [
        [("event.button_show", f"ev:show:{event.id}", {"title": shorten(event.title, _LABEL)})] for event in found
    ]
    await ctx.reply("event.list", place=unit.name, lines=lines, buttons=[*rows, *extra])


async def show_linked(ctx: Context, event_id: int) -> bool:
    """What a followed link was for. Returns whether there was still something to show."""
    event = await queries.get(ctx.tx, event_id)
    if event is None or event.cancelled_at is not None or event.starts_at <= ctx.now:
        return False
    await show(ctx, event)
    return True


async def show(ctx: Context, event: Event) -> None:
    """The announcement as it was sent, and for its organisers the numbers."""
    if event.cancelled_at is not None:
        await notice(ctx, "event.was_cancelled", title=event.title)
        return
    item = await items.get(ctx.tx, event.item_id)
    assert item is not None  # noqa: S101  # a foreign key says so
    buttons = framing.event_buttons(ctx.desk, event.id, ctx.person.language)
    parts = content.compose(content.load(item.parts), ctx.capabilities, buttons=buttons)
    ctx.said.append(("event.card", ctx.person.language))
    for message in content.addressed(parts, ctx.inbound.chat_id, group=ctx.in_group):
        await ctx.queue(message)
    if not ctx.in_group and await events.may_manage(ctx.tx, ctx.person, event):
        await _show_numbers(ctx, event)


async def _show_numbers(ctx: Context, event: Event) -> None:
    answers = await queries.answers(ctx.tx, event.id)
    off: list[list[ButtonSpec]] = [[("event.button_cancel", f"ev:cancel:{event.id}")]]
    await ctx.reply("event.numbers", answers=answers, buttons=off if event.starts_at > ctx.now else [])


async def say_yes(ctx: Context, event: Event) -> None:
    await _answer(ctx, event, going=True)


async def say_no(ctx: Context, event: Event) -> None:
    await _answer(ctx, event, going=False)


async def answer_wished(ctx: Context, wish: Any) -> None:
    """Note the answer that waited for the consent: `[event, going]`, or nothing."""
    event = await queries.get(ctx.tx, int(wish[0])) if wish else None
    if event is not None:
        await _answer(ctx, event, going=bool(wish[1]))


async def _answer(ctx: Context, event: Event, *, going: bool) -> None:
    """Note whether they come; a later answer replaces an earlier one. Nothing is noted without consent."""
    person = await _who(ctx)
    if event.cancelled_at is not None:
        await notice(ctx, "event.was_cancelled", title=event.title)
    elif event.starts_at <= ctx.now:
        await notice(ctx, "event.has_begun")
    elif person is None or not consent.has(person, ctx.desk):
        await _ask_for_consent(ctx, event, going=going)
    else:
        await queries.answer(ctx.tx, event.id, person.id, going, ctx.now)
        await _confirm(ctx, event, person, going=going)


async def _ask_for_consent(ctx: Context, event: Event, *, going: bool) -> None:
    """The answer waits with the question; a group is no place for it."""
    if ctx.in_group:
        await notice(ctx, "event.answer_in_private")
        return
    await ctx.answer("event.consent_first")
    await welcome.offer(ctx, rsvp=[event.id, going])


async def _who(ctx: Context) -> Person | None:
    """In a group, whoever pressed."""
    return await people.sender(ctx.tx, ctx.account, ctx.inbound, ctx.now) if ctx.in_group else ctx.person


async def _confirm(ctx: Context, event: Event, person: Person, *, going: bool) -> None:
    """A short notice in a group; a message in private, where a notice is easily missed."""
    key = "event.going" if going else "event.not_going"
    reminded = person.status is PersonStatus.ACTIVE
    if ctx.in_group:
        await notice(ctx, f"{key}_short")
    else:
        await ctx.reply(key, title=event.title, starts=event.starts_at, reminded=reminded)


async def calendar(ctx: Context, event: Event) -> None:
    """The event as a file for the phone's calendar."""
    if event.cancelled_at is not None:
        await notice(ctx, "event.was_cancelled", title=event.title)
        return
    name = ctx.desk.book.label(ctx.person.language, "event.file_name", id=event.id)
    file = calendar_file.as_file(event, ctx.clock, name)
    said = ctx.desk.book.say(ctx.person.language, "event.file")
    ctx.said.append(("event.file", ctx.person.language))
    await ctx.queue(
        Outbound(chat_id=ctx.inbound.chat_id, text=said.text, entities=said.entities, media=(file,), group=ctx.in_group)
    )


async def ask_to_cancel(ctx: Context, event: Event) -> None:
    """Before it is called off, how many will be told."""
    if not await _may_cancel(ctx, event):
        return
    answers = await queries.answers(ctx.tx, event.id)
    unit = await units.get(ctx.tx, event.unit_id)
    yes: ButtonSpec = ("event.button_cancel_yes", f"ev:off:{event.id}")
    no: ButtonSpec = ("event.button_cancel_no", f"ev:show:{event.id}")
    place = unit.name if unit is not None else ""
    await ctx.reply("event.ask_cancel", event=event, going=answers.going, place=place, buttons=[[yes], [no]])


async def call_off(ctx: Context, event: Event) -> None:
    if not await _may_cancel(ctx, event):
        return
    told = await events.call_off(ctx.tx, ctx.desk, ctx.person, event, ctx.now)
    await ctx.reply("event.cancelled", edit=True, title=event.title, told=told)


async def _may_cancel(ctx: Context, event: Event) -> bool:
    if ctx.inbound.chat_kind is ChatKind.GROUP or not await events.may_manage(ctx.tx, ctx.person, event):
        await notice(ctx, "event.not_yours")
    elif event.cancelled_at is not None:
        await notice(ctx, "event.was_cancelled", title=event.title)
    elif event.starts_at <= ctx.now:
        await notice(ctx, "event.has_begun")
    else:
        return True
    return False


_ABOUT_ONE: dict[str, Callable[[Context, Event], Awaitable[None]]] = {
    "show": show,
    "yes": say_yes,
    "no": say_no,
    "ics": calendar,
    "cancel": ask_to_cancel,
    "off": call_off,
}
