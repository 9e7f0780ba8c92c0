"""How much an account may have under way."""

from __future__ import annotations

import pytest

from bot.engine.progress import at_once_at


@pytest.mark.parametrize(
    ("rate", "most"),
    [(0.5, 10), (1, 10), (30, 90), (33, 99), (60, 100), (100, 100), (250, 250), (1000, 400), (None, 400)],
)
def test_a_crash_leaves_no_more_unknown_than_this(rate: float | None, most: int) -> None:
    assert at_once_at(rate) == most
