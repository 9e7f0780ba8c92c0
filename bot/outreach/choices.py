"""Answering with a number: what was written out as 1, 2, 3 is remembered, and what people type is understood."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.channel import Capabilities
from bot.core.events import Inbound, InboundKind
from bot.core.text import words
from bot.db import Tx, choices, runs
from bot.db.items import get as get_item
from bot.db.tables import Account, Contact, Person
from bot.outreach.desk import Desk
from bot.outreach.fitting import Option, same_words
from bot.outreach.framing import frame

VALID = timedelta(days=3)
"""For so long a number refers to what was shown."""
_LONGEST = 40
_MOST, _DIGITS = 99, 3
_WORDS = ("một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười")
_ENGLISH = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_MORE = {
    "mot": 1,
    "bon": 4,
    "tư": 4,
    "tu": 4,
    "bay": 7,
    "bẩy": 7,
    "tam": 8,
    "chin": 9,
    "muoi": 10,
    "nhất": 1,
    "nhat": 1,
    "hai": 2,
}
_NUMBERS = {w: n for said in (_WORDS, _ENGLISH) for n, w in enumerate(said, 1)} | _MORE
_BEFORE = frozenset(
    words(
        "dạ da ok ừ uh ờ vâng vang em tôi toi cho xin chọn chon số so câu cau mục muc ý y bấm bam phím phim no"
    ).split()
)
_AFTER = frozenset(words("ạ a nhé nhe nha đi di ad bạn ban với voi ok").split())
_MARKS = re.compile(r"[\ufe0f\u20e3.,;:!()\[\]\"'#]+")


def read_number(text: str) -> int | None:
    """The number that a whole message means: `1`, `1.`, `số 1`, `so 1`, `một`, `chọn 2 ạ`, `1️⃣`. Never raises."""
    if len(text) > _LONGEST:
        return None
    said = _core(_MARKS.sub(" ", text))
    if len(said) != 1:
        return None
    if said[0].isascii() and said[0].isdecimal():
        number = int(said[0]) if len(said[0]) <= _DIGITS else 0
        return number if 0 < number <= _MOST else None
    return _NUMBERS.get(said[0])


def _core(text: str) -> list[str]:
    """The words of a message without the polite ones around them; never nothing."""
    said = _MARKS.sub(" ", words(text)).split()
    while len(said) > 1 and said[0] in _BEFORE:
        said = said[1:]
    while len(said) > 1 and said[-1] in _AFTER:
        said = said[:-1]
    return said


async def remember(tx: Tx, contact_id: int, options: Sequence[Option], now: datetime) -> None:
    """From now on these are what a number means; what was shown at the same moment stays in front of them."""
    found = await choices.get(tx, contact_id)
    before = found.options if found is not None and found.at == now else []
    await choices.put(tx, contact_id, [*before, *([label, data] for label, data in options)], now)


async def shown_at(tx: Tx, contact_id: int, now: datetime) -> int:
    """How many choices were written out at this very moment already."""
    found = await choices.get(tx, contact_id)
    return len(found.options) if found is not None and found.at == now else 0


async def forget_older(tx: Tx, contact_id: int, now: datetime) -> None:
    """Something was said that offers nothing: a number means nothing any more."""
    await choices.drop_before(tx, contact_id, now)


async def resolve(
    tx: Tx, desk: Desk, account: Account, person: Person, contact: Contact, inbound: Inbound, can: Capabilities
) -> tuple[Inbound, Sequence[Option]]:
    """The event as the button that somebody means by a number or by its words, else as it came; with what was offered
    where a number means none of it."""
    plain = inbound.kind is InboundKind.MESSAGE and not inbound.media and not inbound.command and inbound.addressed
    if not can.types_choices or not plain or not inbound.text or len(inbound.text) > 2 * _LONGEST:
        return inbound, ()
    number = read_number(inbound.text)
    options = await _options(tx, desk, account, person, contact, desk.clock.now())
    data = _chosen(options, number, inbound.text)
    if data is None:
        return inbound, options if number is not None else ()
    return replace(inbound, kind=InboundKind.BUTTON, button=data, text=""), ()


def _chosen(options: Sequence[Option], number: int | None, text: str) -> str | None:
    said = " ".join(_core(text))
    for label, data in options:
        for known in (label, _without_number(label)):
            if same_words(text, known) or same_words(said, known):
                return data
    return options[number - 1][1] if number is not None and number <= len(options) else None


def _without_number(label: str) -> str:
    return re.sub(r"^\d+\. ", "", label)


async def _options(
    tx: Tx, desk: Desk, account: Account, person: Person, contact: Contact, now: datetime
) -> Sequence[Option]:
    """What was shown last: by an answer, or by something that was sent to many."""
    found = await choices.get(tx, contact.id)
    since = max(found.at if found is not None else now - VALID, now - VALID)
    sent = await choices.latest_run(tx, contact.id, person.id, since)
    if sent is not None:
        run = await runs.get(tx, sent)
        campaign = await runs.campaign(tx, run.campaign_id) if run is not None else None
        item = await get_item(tx, campaign.item_id) if campaign is not None else None
        if campaign is not None and item is not None:
            framed = await frame(tx, desk, campaign, item, person.language, account.key)
            if framed.buttons:
                return [(b.label, b.data) for row in framed.buttons for b in row if b.data is not None]
    if found is None or found.at < now - VALID:
        return ()
    return [(label, data) for label, data in found.options]
