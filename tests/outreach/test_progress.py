"""Words and bars of the report on a run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import Reason
from bot.core.words import RoleName, RunState
from bot.outreach import progress
from bot.outreach.approvals import Verdict
from bot.outreach.broadcasts import Undone
from bot.outreach.drafts import Added
from bot.outreach.roles import BROADCASTERS
from messages import Phrasebook
from tests.support.talk import ZONE

BOOK = Phrasebook(ZONE)
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words(reason: Reason) -> None:
    assert BOOK.label("vi", f"report.reason_{reason}")


def test_everything_that_is_said_by_the_name_of_a_word_exists() -> None:
    keys = BOOK.keys()
    wanted = {f"report.{state}" for state in progress.ENDS}
    wanted |= {f"broadcast.{word}" for word in Undone}
    wanted |= {f"broadcast.sender_{role}" for role in BROADCASTERS}
    wanted |= {f"broadcast.part_{word}" for word in (Added.FULL, Added.TOO_LARGE, Added.EMPTY)}
    wanted |= {f"approval.{word}" for word in Verdict}
    assert wanted <= keys
    assert RoleName.HELPER not in BROADCASTERS


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_bar_is_always_ten_signs_and_a_share(done: int, total: int) -> None:
    drawn = progress.bar(done, total)
    signs, _, share = drawn.partition(" ")
    assert len(signs) == 10
    assert 0 <= int(share.removesuffix("%")) <= 100
    assert (share == "100%") == (done >= total)


@pytest.mark.parametrize("state", [s for s in RunState if s in progress.ENDS])
def test_every_end_can_be_reported(state: RunState) -> None:
    said = BOOK.say(
        "vi",
        f"report.{state}",
        place="Thôn Đông",
        who="người",
        by_hand=True,
        total=10,
        sent=4,
        failed=3,
        skipped=2,
        unknown=1,
        settled=10,
        bar="",
        paused=False,
        begun=True,
        why_failed=[(2, "đã chặn bot"), (1, "đã bỏ tài khoản")],
        why_skipped=[(2, "chưa có cách liên lạc")],
        finished=NOW,
        planned=NOW,
    )
    assert "Thôn Đông" in said.text
    if state is RunState.DONE:
        assert "2 đã chặn bot; 1 đã bỏ tài khoản." in said.text
        assert "6 người chưa chắc nhận được" in said.text
