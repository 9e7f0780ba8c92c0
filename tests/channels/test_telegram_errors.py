"""Every error of the library has a meaning, and every known description the right one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import timedelta

import pytest
import telegram
from telegram import error as theirs

from bot.channels.telegram_errors import CLOSED, CONTENT, MEANINGS, already_done, translate
from bot.channels.telegram_http import AnswerLost, GarbledAnswer, NotWritten, redact
from bot.core.errors import (
    AccountStopped,
    BadContent,
    ContactClosed,
    ContactMoved,
    ContactRefused,
    NotSent,
    OutcomeUnknown,
    Reason,
    SendError,
    SlowDown,
)


def every_error() -> Iterator[type]:
    for module in pkgutil.iter_modules(telegram.__path__):
        if not module.name.startswith("ext"):
            importlib.import_module(f"telegram.{module.name}")
    waiting: list[type] = [theirs.TelegramError]
    while waiting:
        kind = waiting.pop()
        yield kind
        heirs: list[type] = kind.__subclasses__()
        waiting += [heir for heir in heirs if not _optional(heir)]


def _optional(kind: type) -> bool:
    """Of the part of the library that we do not use; a test elsewhere may have imported it."""
    return kind.__module__.startswith("telegram.ext")


def test_the_library_has_no_error_that_we_do_not_know() -> None:
    assert set(every_error()) == set(MEANINGS)


BLOCKED = "Forbidden: bot was blocked by the user"
ROWS: list[tuple[str, theirs.TelegramError, type[SendError], Reason]] = [
    ("blocked", theirs.Forbidden(BLOCKED), ContactClosed, Reason.BLOCKED),
    ("deactivated", theirs.Forbidden("Forbidden: user is deactivated"), ContactClosed, Reason.DEACTIVATED),
    ("403 in capitals is 400", theirs.BadRequest("Bad Request: PEER_ID_INVALID"), ContactClosed, Reason.NOT_FOUND),
    ("no chat", theirs.BadRequest("Bad Request: chat not found"), ContactClosed, Reason.NOT_FOUND),
    ("no rights", theirs.BadRequest("Bad Request: CHAT_WRITE_FORBIDDEN"), ContactRefused, Reason.NO_RIGHTS),
    ("never heard of", theirs.BadRequest("Bad Request: NEW_IN_2031"), ContactRefused, Reason.NO_RIGHTS),
    ("parse", theirs.BadRequest("Bad Request: can't parse entities: Xyz"), BadContent, Reason.BAD_CONTENT),
    ("moved", theirs.ChatMigrated(-100123), ContactMoved, Reason.NOT_FOUND),
    ("flood", theirs.RetryAfter(17), SlowDown, Reason.GAVE_UP),
    ("flood without parameters", theirs.NetworkError("Too Many Requests: retry after 5"), SlowDown, Reason.GAVE_UP),
    ("revoked", theirs.InvalidToken("Unauthorized"), AccountStopped, Reason.ACCOUNT_STOPPED),
    ("conflict", theirs.Conflict("Conflict: terminated by other"), NotSent, Reason.GAVE_UP),
    ("5xx", theirs.NetworkError("Internal Server Error: restart"), NotSent, Reason.GAVE_UP),
    ("504", theirs.NetworkError("Gateway Timeout (504)"), OutcomeUnknown, Reason.NO_ANSWER),
    ("413", theirs.NetworkError("Request Entity Too Large"), BadContent, Reason.BAD_CONTENT),
    ("never left", NotWritten("ClientConnectorError"), NotSent, Reason.GAVE_UP),
    ("perhaps arrived", AnswerLost("ServerDisconnectedError"), OutcomeUnknown, Reason.NO_ANSWER),
    ("rubbish after 200", GarbledAnswer("x"), OutcomeUnknown, Reason.NO_ANSWER),
]


@pytest.mark.parametrize(("error", "kind", "reason"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_meaning(error: theirs.TelegramError, kind: type[SendError], reason: Reason) -> None:
    ours = translate(error)
    assert (type(ours), ours.reason) == (kind, reason)


@pytest.mark.parametrize("kind", [theirs.BadRequest, theirs.Forbidden])
def test_a_description_counts_more_than_its_code(kind: type[theirs.TelegramError]) -> None:
    for part, reason in CLOSED:
        assert (type(translate(kind(part.upper()))), translate(kind(part)).reason) == (ContactClosed, reason)
    assert {type(translate(kind(part))) for part in CONTENT} == {BadContent}


def test_how_long_to_wait_is_in_seconds() -> None:
    waits = [translate(theirs.RetryAfter(wait)) for wait in (17, timedelta(minutes=2))]
    assert [wait.retry_after for wait in waits if isinstance(wait, SlowDown)] == [17, 120]


def test_a_refusal_that_is_not_telegrams_was_never_telegrams() -> None:
    """A firewall's 403 page must not close a contact, a proxy's 404 page must not stop an account."""
    for kind in (theirs.Forbidden, theirs.InvalidToken, theirs.BadRequest, theirs.NetworkError):
        refusal = kind("Forbidden (403). Parsing the server response b'bot was blocked by the user' failed")
        refusal.__cause__ = GarbledAnswer("x")
        assert type(translate(refusal)) is NotSent


def test_an_unknown_method_does_not_stop_the_account() -> None:
    wrapped = theirs.InvalidToken("Either the bot token was rejected or the endpoint does not exist")
    wrapped.__cause__ = theirs.InvalidToken("Not Found: method not found")
    assert type(translate(wrapped)) is BadContent


def test_nothing_left_to_do_is_done() -> None:
    assert already_done(theirs.BadRequest("Bad Request: message is not modified: specified new message content"))
    assert not already_done(theirs.BadRequest("Bad Request: message to edit not found"))


def test_no_detail_holds_a_token() -> None:
    token = "123456:AAE-fAkE_tOkEn_000000000000000000000"
    ours = translate(theirs.NetworkError(f"no route to https://api.telegram.org/bot{token}/sendMessage"))
    assert token not in str(ours)
    assert "AAE" not in str(ours)
    assert redact("at 12:30 to 5 people") == "at 12:30 to 5 people"
