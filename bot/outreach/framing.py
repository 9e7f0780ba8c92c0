"""What stands around an item when it is sent: who sends it, where it is from, how to stop, what one can press."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from bot.core.channel import Capabilities
from bot.core.events import Button, Buttons
from bot.core.words import CampaignKind, ItemKind
from bot.db import Tx
from bot.db.tables import Campaign, Item
from bot.outreach import curriculum, voice
from bot.outreach.desk import Desk
from messages import Rich


@dataclass(frozen=True, slots=True)
class Frame:
    """Put before the first words, after the last, and under them."""

    header: Rich | None = None
    footer: Rich | None = None
    buttons: Buttons = ()


async def frame(tx: Tx, desk: Desk, campaign: Campaign, item: Item, language: str, account: str) -> Frame:
    """The frame of a campaign's item in a language, for people who read it through `account`."""
    if campaign.kind is CampaignKind.TIP:
        return of_tip(desk, item, language, desk.capabilities.get(account))
    if campaign.kind is CampaignKind.PRACTICE:
        return of_question(desk, item, language)
    header = Rich(campaign.header) if campaign.header else None
    if item.kind is ItemKind.TIP:
        return replace(of_tip(desk, item, language, desk.capabilities.get(account)), header=header)
    footer, buttons = desk.book.say(language, "common.stop_hint"), of_event(desk, campaign, language)
    return Frame(header, footer, buttons)


def of_event(desk: Desk, campaign: Campaign, language: str) -> Buttons:
    """What one can press under a campaign about an event; nothing under any other."""
    if campaign.event_id is None or campaign.kind is CampaignKind.EVENT_CANCELLED:
        return ()
    return event_buttons(desk, campaign.event_id, language)


def event_buttons(desk: Desk, event_id: int, language: str) -> Buttons:
    say = desk.book.label
    yes = Button(say(language, "event.button_yes"), f"ev:yes:{event_id}")
    no = Button(say(language, "event.button_no"), f"ev:no:{event_id}")
    calendar = Button(say(language, "event.button_calendar"), f"ev:ics:{event_id}")
    forward = Button(say(language, "event.button_forward"), f"fw:event:{event_id}")
    return ((yes, no), (calendar, forward))


def of_tip(desk: Desk, item: Item, language: str, can: Capabilities | None, *, pushed: bool = True) -> Frame:
    """Where a tip is from and what one can do with it on a channel. How to stop stands under what comes unasked."""
    tip = desk.pack.tips.get(item.key or "")
    name = tip.source_name if tip is not None else urlsplit(item.source or "").netloc
    footer = desk.book.say(
        language, "tip.footer", name=name, source=item.source, checked_on=item.checked_on, pushed=pushed
    )
    say = desk.book.label
    again = Button(say(language, "tip.again"), f"tip:again:{item.id}")
    simple = Button(say(language, "tip.simple_button"), f"tip:simple:{item.id}")
    forward = Button(say(language, "tip.forward"), f"fw:tip:{item.id}")
    listen = Button(say(language, "voice.listen"), f"tip:listen:{item.id}")
    last = (forward, listen) if voice.can_hear_tip(desk, item, language, can) else (forward,)
    return Frame(footer=footer, buttons=((again, simple), last))


def of_question(desk: Desk, item: Item, language: str, *, pushed: bool = True) -> Frame:
    """The choices of a practice question, one a row; under what comes every day also how not to be asked any more."""
    quiz = curriculum.quiz_in(desk, item.key, language)
    if quiz is None:
        return Frame()
    rows = tuple((Button(choice, f"pr:{item.id}:{number}"),) for number, choice in enumerate(quiz.choices, 1))
    if not pushed:
        return Frame(buttons=rows)
    off = Button(desk.book.label(language, "practice.off_button"), "pr:off")
    return Frame(footer=desk.book.say(language, "common.stop_hint"), buttons=(*rows, (off,)))
