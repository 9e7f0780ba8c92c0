"""Telling authors how their runs go: one message that changes while it is sent, and a plain report at the end."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.errors import Reason
from bot.core.events import Outbound
from bot.core.words import DeliveryState, RunState
from bot.db import Tx, reasons, runs
from bot.db.tables import Campaign, Contact, Person, Run
from bot.outreach import broadcasts, letterbox
from bot.outreach.desk import Desk
from messages import Rich

EVERY = timedelta(seconds=3)
"""The least time between two changes of one progress message."""

ENDS = (RunState.DONE, RunState.CANCELLED, RunState.STOPPED, RunState.MISSED)
_UNDER_WAY = (RunState.SENDING, RunState.PAUSED)
_BAR = 10


async def tell(tx: Tx, desk: Desk, run: Run, now: datetime) -> None:
    """Bring a watched run's message up to date: queue an edit when numbers changed, or the report when it ended."""
    contact = await tx.get(Contact, run.progress_contact_id) if run.progress_contact_id is not None else None
    if contact is None or run.reported_at is not None:
        return
    if run.state in ENDS:
        await _report(tx, desk, run, contact, now)
    elif run.state in _UNDER_WAY and run.materialised_at is not None and run.progress_message_id is not None:
        await _update(tx, desk, run, contact, now)


async def _update(tx: Tx, desk: Desk, run: Run, contact: Contact, now: datetime) -> None:
    last = desk.told.get(run.id)
    if last is not None and now - last[0] < EVERY:
        return
    said = await _say(tx, desk, run, contact, "report.progress")
    if last is None or last[1] != said.text:
        desk.told[run.id] = (now, said.text)
        await _queue(tx, desk, run, contact, said, now)


async def _report(tx: Tx, desk: Desk, run: Run, contact: Contact, now: datetime) -> None:
    """The last word. Said again only if the run is started again by an operator who asks for it."""
    said = await _say(tx, desk, run, contact, f"report.{run.state}")
    await _queue(tx, desk, run, contact, said, now)
    run.reported_at = now
    desk.told.pop(run.id, None)
    await tx.flush()


async def _queue(tx: Tx, desk: Desk, run: Run, contact: Contact, said: Rich, now: datetime) -> None:
    """An edit of the progress message where there is one, else a new message."""
    message = Outbound(
        chat_id=contact.external_id, text=said.text, entities=said.entities, edit=run.progress_message_id
    )
    person = await tx.get_one(Person, contact.person_id)
    await letterbox.put(tx, desk, contact.account_id, contact.id, message, now, language=person.language)


async def _say(tx: Tx, desk: Desk, run: Run, contact: Contact, key: str) -> Rich:
    person = await tx.get_one(Person, contact.person_id)
    campaign = await runs.campaign(tx, run.campaign_id)
    counts = await runs.counts(tx, run)
    why = await reasons.why(tx, run.id)
    return desk.book.say(
        person.language,
        key,
        place=await _place(tx, desk, campaign, person.language),
        by_hand=campaign.audience.startswith("unit:"),
        who=desk.book.label(person.language, f"report.who_{'groups' if _is_for_groups(campaign) else 'people'}"),
        total=run.total,
        sent=counts[DeliveryState.SENT],
        failed=counts[DeliveryState.FAILED],
        skipped=counts[DeliveryState.SKIPPED],
        unknown=counts[DeliveryState.UNKNOWN],
        settled=run.total - counts.open,
        bar=bar(run.total - counts.open, run.total),
        paused=run.state is RunState.PAUSED,
        begun=run.materialised_at is not None,
        why_failed=_reasons(desk, person.language, why, DeliveryState.FAILED),
        why_skipped=_reasons(desk, person.language, why, DeliveryState.SKIPPED),
        finished=run.finished_at or run.started_at or run.planned_at,
        planned=run.planned_at,
    )


def _is_for_groups(campaign: Campaign) -> bool:
    return campaign.audience.startswith("chats:")


async def _place(tx: Tx, desk: Desk, campaign: Campaign, language: str) -> str:
    """To whom it went, as its author would say it."""
    word = campaign.audience.partition(":")[0]
    if word in ("circle", "chats", "going"):
        return desk.book.label(language, f"report.to_{word}")
    return await broadcasts.place_of(tx, campaign) or desk.book.label(language, "report.to_people")


def _reasons(
    desk: Desk, language: str, why: dict[tuple[DeliveryState, Reason], int], of: DeliveryState
) -> list[tuple[int, str]]:
    """Numbers with words, the commonest first."""
    counted = [(count, reason) for (state, reason), count in why.items() if state is of]
    ranked = sorted(counted, key=lambda pair: (-pair[0], pair[1]))
    return [(count, desk.book.label(language, f"report.reason_{reason}")) for count, reason in ranked]


def bar(done: int, total: int) -> str:
    """How far it is, as text that every phone shows."""
    share = min(max(done / total, 0), 1) if total else 1
    full = int(share * _BAR)
    return "▰" * full + "▱" * (_BAR - full) + f" {int(share * 100)}%"
