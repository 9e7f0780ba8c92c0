"""Buttons that nobody was shown: whatever data somebody sends, the bot answers and nothing breaks."""

from __future__ import annotations

import pytest

from bot.core.words import RoleName
from handlers.routing import numbered
from tests.support.talk import Talk

LONG = "9" * 50
NUMBERS = (LONG, "9" * 18, "9" * 19, "-1", "0", "", "²", "١", " 1", "1_0", "x")
BEFORE = (
    "set:hour:",
    "set:villages:",
    "bc:undo:",
    "bc:at:{nonce}:",
    "fw:tip:",
    "fw:event:",
    "fw:village:tip:",
    "fw:circle:event:",
    "ev:show:",
    "ev:yes:",
    "ev:ics:",
    "ev:cancel:",
    "ev:off:",
    "ap:yes:",
    "ap:no:",
    "ap:why:",
    "tip:again:",
    "tip:simple:",
    "faq:show:",
    "grp:",
    "q:clear:",
    "q:place:",
    "ib:answer:",
    "ib:all:",
    "qe:draft:",
    "qe:yes:",
)


@pytest.mark.parametrize("before", BEFORE)
async def test_a_forged_number_breaks_nothing(talk: Talk, before: str) -> None:
    await talk.village("18859001", "Thôn Đông")
    head = await talk.staff("7", RoleName.VILLAGE_HEAD, "18859001")
    nonce = ""
    if "{nonce}" in before:
        await head.says("gửi tin")
        await head.says("tin một")
        nonce = next((b.data or "").split(":")[2] for b in head.buttons() if b.label == "📢 Gửi ngay")
    for number in NUMBERS:
        keys = await head.presses_data(before.format(nonce=nonce) + number)
        assert "common.broken" not in keys, number


@pytest.mark.parametrize("forged", ["0123", "012", "123", "7" * 40, "١٢"])
async def test_a_forged_hour_is_not_kept(talk: Talk, forged: str) -> None:
    resident = await talk.resident("100")
    await resident.presses_data(f"set:hour:{forged}")
    person = await talk.record("100")
    assert person is not None
    assert person.tip_hour == 7


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("12", 12),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, None),
        ("", None),
        ("-1", None),
        ("²", None),
        ("١", None),
    ],
)
def test_only_plain_digits_are_a_number(text: str, number: int | None) -> None:
    assert numbered(text) == number


def test_fewer_digits_may_be_asked_for() -> None:
    assert numbered("12", digits=2) == 12
    assert numbered("012", digits=2) is None
