"""What Telegram's errors mean: the one place that turns python-telegram-bot's exceptions into ours."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

from telegram import error as theirs

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

os.environ.setdefault("PTB_TIMEDELTA", "true")  # otherwise each 429 costs a deprecation warning

DETAIL = 300
"""Characters of a platform's description that are kept."""

CLOSED: tuple[tuple[str, Reason], ...] = (
    ("bot was blocked by the user", Reason.BLOCKED),
    ("user_is_blocked", Reason.BLOCKED),
    ("user is deactivated", Reason.DEACTIVATED),
    ("user_deactivated", Reason.DEACTIVATED),
    ("can't initiate conversation", Reason.NEVER_STARTED),
    ("bots can't send messages to bots", Reason.NOT_FOUND),
    ("chat not found", Reason.NOT_FOUND),
    ("user not found", Reason.NOT_FOUND),
    ("chat_id is empty", Reason.NOT_FOUND),
    ("peer_id_invalid", Reason.NOT_FOUND),
    ("bot was kicked", Reason.KICKED),
    ("bot is not a member", Reason.KICKED),
    ("group chat was deleted", Reason.KICKED),
    ("group chat was deactivated", Reason.KICKED),
    ("channel_private", Reason.KICKED),
)
"""The address is gone. Parts of descriptions, in lower case, as in Telegram's server source (Client.cpp)."""

CONTENT: tuple[str, ...] = (
    "can't parse",
    "text is empty",
    "text must be non-empty",
    "is too long",
    "_too_long",
    "wrong file identifier",
    "wrong remote file identifier",
    "invalid file",
    "file must be non-empty",
    "file is too big",
    "request entity too large",
    "wrong type of the web page content",
    "failed to get http url content",
    "can't use file of type",
    "type of file mismatch",
    "photo_invalid_dimensions",
    "image_process_failed",
    "media_invalid",
    "media_empty",
    "button_",
    "inline keyboard button",
    "reply markup",
    "entity_bounds_invalid",
    "strings must be encoded in utf-8",
    "wrong http url",
    "unsupported url protocol",
    "there is no caption in the message to edit",
    "there is no text in the message to edit",
    "method not found",
)
"""The message itself is wrong, for whomever it was meant."""

REFUSED: tuple[tuple[str, Reason], ...] = (
    ("not found", Reason.NOT_FOUND),
    ("message_id_invalid", Reason.NOT_FOUND),
    ("query is too old", Reason.EXPIRED),
)
"""The address is there and this message cannot go or change there; everything unknown is refused for want of rights."""

_DONE = ("message is not modified", "message to delete not found")
_SECONDS = re.compile(r"retry after (\d+)")


def translate(error: theirs.TelegramError) -> SendError:
    """Our error for theirs. An unknown description refuses one contact; if it strikes all, the sender stops."""
    meaning = next(MEANINGS[kind] for kind in type(error).__mro__ if kind in MEANINGS)
    return meaning(error)


def already_done(error: theirs.TelegramError) -> bool:
    """Whether Telegram complains that an edit or a deletion had nothing left to do, which is what was wanted."""
    return isinstance(error, theirs.BadRequest) and any(part in error.message.lower() for part in _DONE)


def _by_text(error: theirs.TelegramError) -> SendError:
    if _garbled(error):
        return NotSent(_detail(error))
    text = error.message.lower()
    closed = next((reason for part, reason in CLOSED if part in text), None)
    if closed is not None:
        return ContactClosed(closed, _detail(error))
    if any(part in text for part in CONTENT):
        return BadContent(_detail(error))
    refused = next((reason for part, reason in REFUSED if part in text), Reason.NO_RIGHTS)
    return ContactRefused(refused, _detail(error))


def _token(error: theirs.TelegramError) -> SendError:
    """401 and 404. python-telegram-bot wraps the server's words once more, and 404 may also be a foreign server's."""
    words = [e for e in _chain(error) if isinstance(e, theirs.TelegramError) and not isinstance(e, GarbledAnswer)][-1]
    if _garbled(error):
        return NotSent(_detail(words))
    if "method not found" in words.message.lower():
        return BadContent(_detail(words))
    return AccountStopped(_detail(words))


def _network(error: theirs.TelegramError) -> SendError:
    """5xx and everything without a class of its own. A gateway that waited in vain does not know what became of it."""
    text = error.message.lower()
    if "too many requests" in text:
        seconds = _SECONDS.search(text)
        return SlowDown(float(seconds[1]) if seconds else 1.0, _detail(error))
    if "request entity too large" in text:
        return BadContent(_detail(error))
    if "gateway time" in text or "unknown error in http" in text:
        return OutcomeUnknown(_detail(error))
    return NotSent(_detail(error))


def _migrated(error: theirs.TelegramError) -> SendError:
    assert isinstance(error, theirs.ChatMigrated)  # noqa: S101 - said by MEANINGS
    return ContactMoved(str(error.new_chat_id), _detail(error))


def _flood(error: theirs.TelegramError) -> SendError:
    assert isinstance(error, theirs.RetryAfter)  # noqa: S101 - said by MEANINGS
    wait = error.retry_after
    return SlowDown(wait.total_seconds() if isinstance(wait, timedelta) else float(wait), _detail(error))


def _not_sent(error: theirs.TelegramError) -> SendError:
    return NotSent(_detail(error))


def _unknown(error: theirs.TelegramError) -> SendError:
    return OutcomeUnknown(_detail(error))


MEANINGS: dict[type, Callable[[theirs.TelegramError], SendError]] = {
    theirs.BadRequest: _by_text,
    theirs.Forbidden: _by_text,
    theirs.ChatMigrated: _migrated,
    theirs.RetryAfter: _flood,
    theirs.InvalidToken: _token,
    theirs.EndPointNotFound: _token,
    theirs.Conflict: _not_sent,
    theirs.NetworkError: _network,
    theirs.TimedOut: _unknown,
    theirs.PassportDecryptionError: _unknown,
    theirs.TelegramError: _unknown,
    NotWritten: _not_sent,
    AnswerLost: _unknown,
    GarbledAnswer: _unknown,
}
"""Every class of error there is; the closest ancestor counts, for BadRequest and TimedOut descend from NetworkError."""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _garbled(error: theirs.TelegramError) -> bool:
    """A refusal whose body is not the Bot API's comes from something on the way: Telegram never saw the request."""
    return any(isinstance(cause, GarbledAnswer) for cause in _chain(error))


def _detail(error: theirs.TelegramError) -> str:
    return redact(error.message)[:DETAIL]
