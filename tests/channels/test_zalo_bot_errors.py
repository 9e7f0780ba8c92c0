"""Every status and description that the Zalo Bot API may answer with has a meaning."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.zalo_bot_errors import DETAIL, Refusal, WebhookIsSet, judge, translate
from bot.core.errors import (
    AccountStopped,
    BadContent,
    BudgetUsed,
    ContactClosed,
    ContactRefused,
    NotSent,
    OutcomeUnknown,
    Reason,
    SendError,
    SlowDown,
)


def told(code: int, description: str = "", **more: object) -> bytes:
    return orjson.dumps({"ok": False, "description": description, "error_code": code, **more})


CLOSED, REFUSED, CONTENT = ContactClosed, ContactRefused, BadContent
NO_RIGHTS, NOT_FOUND, KICKED, BAD = Reason.NO_RIGHTS, Reason.NOT_FOUND, Reason.KICKED, Reason.BAD_CONTENT
STOPPED, GAVE_UP, NO_ANSWER = Reason.ACCOUNT_STOPPED, Reason.GAVE_UP, Reason.NO_ANSWER
HTML = b"<html>"

TABLE: list[tuple[str, int, bytes, type[SendError], Reason]] = [
    ("blocked", 403, told(403, "Bot was blocked by the user"), REFUSED, NO_RIGHTS),
    ("blocked, said as 400", 400, told(400, "bot was blocked by the user"), CLOSED, Reason.BLOCKED),
    ("kicked from group", 400, told(400, "bot was kicked from the group"), CLOSED, KICKED),
    ("no member", 400, told(400, "bot is not a member of the group"), CLOSED, KICKED),
    ("chat not found", 400, told(400, "Chat not found"), CLOSED, NOT_FOUND),
    ("chat not found, said as 404", 404, told(404, "Chat not found"), CLOSED, NOT_FOUND),
    ("no such id", 400, told(400, "Parameter chat_id is invalid"), CLOSED, NOT_FOUND),
    ("internal, 403", 403, told(403, "Internal server error"), REFUSED, NO_RIGHTS),
    ("no rights", 400, told(400, "have no rights to send a message"), REFUSED, NO_RIGHTS),
    ("unknown description", 400, told(400, "SOMETHING_NEW"), REFUSED, NO_RIGHTS),
    ("no description", 400, told(400), REFUSED, NO_RIGHTS),
    ("unknown code", 418, told(418, "teapot"), REFUSED, NO_RIGHTS),
    ("empty", 400, told(400, "Text is empty"), CONTENT, BAD),
    ("too long", 400, told(400, "Message is too long"), CONTENT, BAD),
    ("caption too long", 400, told(400, "caption must have at most 2000 characters"), CONTENT, BAD),
    ("picture", 400, told(400, "Invalid photo"), CONTENT, BAD),
    ("parameter", 400, told(400, "Bad request: parameter text is invalid"), CONTENT, BAD),
    ("method not found", 400, told(400, "wrong path or API name"), CONTENT, BAD),
    ("too large", 413, told(413, "Request Entity Too Large"), CONTENT, BAD),
    ("the month is used up", 429, told(429, "Quota exceeded"), BudgetUsed, Reason.BUDGET_USED),
    ("flood, should there ever be one", 429, told(429, "", parameters={"retry_after": 17}), SlowDown, GAVE_UP),
    ("revoked", 401, told(401, "Unauthorized"), AccountStopped, STOPPED),
    ("nothing there, perhaps only the chat", 404, told(404, "Not Found"), REFUSED, NOT_FOUND),
    ("timed out", 408, told(408, "Request timeout"), OutcomeUnknown, NO_ANSWER),
    ("restart", 500, told(500, "Internal server error"), NotSent, GAVE_UP),
    ("bad gateway", 502, told(502, "Bad Gateway"), NotSent, GAVE_UP),
    ("unavailable", 503, told(503, "Service Unavailable"), NotSent, GAVE_UP),
    ("gateway that waited, in JSON", 504, told(504, "Gateway Timeout"), OutcomeUnknown, NO_ANSWER),
    ("page of a gateway", 502, HTML, NotSent, GAVE_UP),
    ("page of a firewall", 403, HTML, NotSent, GAVE_UP),
    ("page of a proxy", 404, HTML, NotSent, GAVE_UP),
    ("login page of a network", 401, HTML, NotSent, GAVE_UP),
    ("page about too many requests", 429, HTML, NotSent, GAVE_UP),
    ("redirect", 302, b"", NotSent, GAVE_UP),
    ("JSON of somebody else", 403, b'{"message":"Forbidden"}', NotSent, GAVE_UP),
    ("gateway that waited", 504, HTML, OutcomeUnknown, NO_ANSWER),
    ("edge that waited", 524, HTML, OutcomeUnknown, NO_ANSWER),
    ("proxy that gave up", 408, HTML, OutcomeUnknown, NO_ANSWER),
    ("rubbish", 200, HTML, OutcomeUnknown, NO_ANSWER),
    ("half a document", 200, b'{"ok":true,"res', OutcomeUnknown, NO_ANSWER),
    ("refused with 200", 200, told(400, "Text is empty"), CONTENT, BAD),
    ("refused with 200, in camel case", 200, b'{"ok":false,"errorCode":429}', BudgetUsed, Reason.BUDGET_USED),
    ("refused with 200 for no reason", 200, b'{"ok":false}', OutcomeUnknown, NO_ANSWER),
    ("well with 500", 500, b'{"ok":true}', NotSent, GAVE_UP),
]


@pytest.mark.parametrize(("status", "body", "kind", "reason"), [r[1:] for r in TABLE], ids=[r[0] for r in TABLE])
def test_meaning(status: int, body: bytes, kind: type[SendError], reason: Reason) -> None:
    with pytest.raises(SendError) as caught:
        judge(status, {}, body, to_chat=True)
    assert (type(caught.value), caught.value.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (404, "Not Found", AccountStopped),
        (401, "Unauthorized", AccountStopped),
        (400, "You cannot use this API while a webhook is set. Please remove the webhook first", WebhookIsSet),
    ],
)
def test_without_a_chat_it_is_about_the_account(status: int, words: str, kind: type[SendError]) -> None:
    with pytest.raises(kind):
        judge(status, {}, told(status, words), to_chat=False)


@pytest.mark.parametrize(
    ("headers", "more", "wait"),
    [
        ({"Retry-After": "17"}, {}, 17.0),
        ({}, {"parameters": {"retry_after": 5}}, 5.0),
        ({"Retry-After": "x"}, {}, None),
    ],
)
def test_only_who_says_how_long_is_waited_for(
    headers: Mapping[str, str], more: dict[str, object], wait: float | None
) -> None:
    with pytest.raises(SendError) as caught:
        judge(429, headers, told(429, "Quota exceeded", **more), to_chat=True)
    assert getattr(caught.value, "retry_after", None) == wait


def test_what_went_well_has_a_result_or_none() -> None:
    assert judge(200, {}, b'{"ok":true,"error_code":0,"result":{"message_id":"a"}}', to_chat=True) == {
        "message_id": "a"
    }
    assert judge(200, {}, b'{"ok":true}', to_chat=True) == {}


def test_no_detail_holds_the_token_or_goes_on_for_ever() -> None:
    with pytest.raises(SendError) as caught:
        judge(400, {}, told(400, "no path /bot123:abc/x " + "a" * 5000), to_chat=True, token="123:abc")
    assert "123:abc" not in str(caught.value)
    assert len(caught.value.detail) <= DETAIL


@given(st.integers(), st.text(), st.booleans())
def test_there_is_an_error_for_every_refusal(code: int, words: str, to_chat: bool) -> None:
    assert isinstance(translate(Refusal(code, words, to_chat)), SendError)
