"""Every code that Zalo documents has a meaning, and the right one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.channels.zalo_oa_errors import MEANINGS, TOKEN_REFUSED, Trouble, by_status, meaning
from bot.core.errors import (
    AccountStopped,
    BadContent,
    BudgetUsed,
    ContactClosed,
    ContactRefused,
    NotSent,
    OutcomeUnknown,
    OutOfWindow,
    Reason,
    SendError,
    SlowDown,
    UploadExpired,
)

NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)
DOCUMENTED = (
    "-32 -100 -124 -133 -200 -201 -204 -205 -209 -210 -211 -212 -213 -214 -216 -217 -218 -219 -220 -221 -223 -224 -227 "
    "-230 -232 -233 -234 -235 -237 -238 -240 -241 -242 -244 -248 -249 -320 -321 -403 -1340 -1341"
)


def trouble(code: int, words: str = "words", *, now: datetime = NOON, **headers: str) -> Trouble:
    return Trouble(code, words, {name.replace("_", "-"): value for name, value in headers.items()}, now)


def test_every_documented_code_has_a_meaning() -> None:
    assert set(MEANINGS) == {int(code) for code in DOCUMENTED.split()}
    for code in MEANINGS:
        assert isinstance(meaning(trouble(code)), SendError)


ROWS: list[tuple[str, Trouble, type[SendError], Reason]] = [
    ("blocked", trouble(-244), ContactRefused, Reason.RESTRICTED),
    ("deactivated", trouble(-227), ContactClosed, Reason.DEACTIVATED),
    ("no chat", trouble(-201, "user_id is invalid!"), ContactClosed, Reason.NOT_FOUND),
    ("no recipient", trouble(-201, "recipient is invalid!"), ContactClosed, Reason.NOT_FOUND),
    ("no rights", trouble(-217), ContactRefused, Reason.RESTRICTED),
    ("never heard of", trouble(-2031, "NEW_IN_2031"), ContactRefused, Reason.RESTRICTED),
    ("parse", trouble(-201, "message is invalid!"), BadContent, Reason.BAD_CONTENT),
    ("too long", trouble(-210), BadContent, Reason.BAD_CONTENT),
    ("flood", trouble(-32), SlowDown, Reason.GAVE_UP),
    ("revoked", trouble(-216), AccountStopped, Reason.ACCOUNT_STOPPED),
    ("out of money", trouble(-321), AccountStopped, Reason.ACCOUNT_STOPPED),
    ("silent for a week", trouble(-230), OutOfWindow, Reason.WINDOW_CLOSED),
    ("never wrote", trouble(-232), OutOfWindow, Reason.WINDOW_CLOSED),
    ("budget", trouble(-211), BudgetUsed, Reason.BUDGET_USED),
    ("articles", trouble(-223, "Your OA has reach the limit quota create article"), BudgetUsed, Reason.BUDGET_USED),
    ("no right to call", trouble(-223, "Official Account has not authorized this API"), AccountStopped,
     Reason.ACCOUNT_STOPPED),
    ("upload", trouble(-100), UploadExpired, Reason.GAVE_UP),
    ("being made", trouble(-214), NotSent, Reason.GAVE_UP),
    ("group gone", trouble(-403), ContactClosed, Reason.KICKED),
]  # fmt: skip


@pytest.mark.parametrize(("told", "kind", "reason"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_meaning(told: Trouble, kind: type[SendError], reason: Reason) -> None:
    ours = meaning(told)
    assert (type(ours), ours.reason) == (kind, reason)
    assert str(told.code) in ours.detail


STATUSES: list[tuple[int, type[SendError]]] = [
    (200, OutcomeUnknown),
    (302, NotSent),
    (400, NotSent),
    (401, NotSent),
    (403, NotSent),
    (404, NotSent),
    (413, BadContent),
    (429, SlowDown),
    (500, NotSent),
    (502, NotSent),
    (503, NotSent),
    (504, OutcomeUnknown),
]


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_an_answer_that_is_not_zalos(status: int, kind: type[SendError]) -> None:
    assert type(by_status(status)) is kind


NIGHTS = [
    ("late in the evening", datetime(2026, 11, 20, 15, 5, tzinfo=UTC), 8.0),
    ("after midnight", datetime(2026, 11, 20, 17, 5, tzinfo=UTC), 6.0),
    ("a minute early", datetime(2026, 11, 20, 23, 4, tzinfo=UTC), 1 / 60),
    ("their clock is behind", datetime(2026, 11, 20, 23, 5, tzinfo=UTC), 24.0),
]


@pytest.mark.parametrize("code", [-234, -133])
@pytest.mark.parametrize(("now", "hours"), [row[1:] for row in NIGHTS], ids=[row[0] for row in NIGHTS])
def test_at_night_it_waits_until_five_past_six_in_viet_nam(code: int, now: datetime, hours: float) -> None:
    ours = meaning(trouble(code, now=now))
    assert isinstance(ours, SlowDown)
    assert ours.retry_after == pytest.approx(hours * 3600)


def test_how_long_to_wait_is_read_where_it_is_said() -> None:
    told = [trouble(-32), trouble(-32, Retry_After="7"), trouble(-32, X_RateLimit_Reset="41")]
    odd = [trouble(-32, Retry_After=value) for value in ("", "soon", "-1", "0", "99999999", "٣")]
    waits = [meaning(one) for one in (*told, *odd)]
    assert [wait.retry_after for wait in waits if isinstance(wait, SlowDown)] == [30, 7, 41] + [30] * 6


def test_what_a_human_must_do_is_said_in_plain_words() -> None:
    for code in MEANINGS:
        ours = meaning(trouble(code))
        if isinstance(ours, AccountStopped):
            assert len(ours.detail) > len(f"words ({code}): ")


def test_no_detail_holds_a_token() -> None:
    token = "AbCdEf0123456789_-AbCdEf0123456789"
    assert token not in str(meaning(trouble(-9999, f"token {token} is wrong")))


def test_a_refused_token_is_worth_one_more_try() -> None:
    assert {-216, -220, -124} == TOKEN_REFUSED
