"""A word to somebody is put into the post in the form that its channel can carry; it leaves after the commit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core.events import ChatKind, Outbound
from bot.core.words import Lane
from bot.db import Tx, replies
from bot.db.tables import Account, Contact
from bot.outreach import choices
from bot.outreach.desk import Desk
from bot.outreach.fitting import fit


async def put(
    tx: Tx,
    desk: Desk,
    account_id: int,
    contact_id: int | None,
    message: Outbound,
    now: datetime,
    *,
    language: str,
    lane: Lane = Lane.REPLY,
    tag: str | None = None,
) -> None:
    """Queue a message. Buttons that the channel lacks are written out with numbers, which mean those buttons until
    something else is said."""
    account = await tx.get_one(Account, account_id)
    can = desk.capabilities.get(account.key)
    if can is None or not can.types_choices:
        await replies.add(tx, account_id, contact_id, message, now, lane=lane, tag=tag)
        return
    before = await choices.shown_at(tx, contact_id, now) if contact_id is not None else 0
    hint = desk.book.label(language, "common.answer_with_number")
    fitted = fit(message, can, hint, first=before + 1)
    if contact_id is not None and fitted.messages:
        if fitted.options:
            await choices.remember(tx, contact_id, fitted.options, now)
        else:
            await choices.forget_older(tx, contact_id, now)
    for part in fitted.messages:
        last = part is fitted.messages[-1]
        await replies.add(tx, account_id, contact_id, part, now, lane=lane, tag=tag if last else None)


async def put_beside(tx: Tx, desk: Desk, account: Account, contact: Contact, message: Outbound, now: datetime) -> None:
    """Queue what only goes with something that was said: numbers go on meaning what they meant."""
    message = replace(message, chat_id=contact.external_id, group=contact.kind is ChatKind.GROUP)
    can = desk.capabilities.get(account.key)
    for part in (message,) if can is None else fit(message, can, "").messages:
        await replies.add(tx, account.id, contact.id, part, now)
