"""Consulting messages: who may be written to, what is refused, what is billed."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from bot.sandbox.zalo_oa import CS_PATH, OaUser, ZaloOaSandbox
from tests.sandbox.zalo_oa.conftest import DAY, HOUR, Client, Now

BUTTONS: list[dict[str, Any]] = [
    {"title": "Mở trang", "type": "oa.open.url", "payload": {"url": "https://example.vn/t/1"}},
    {"title": "Xem mẹo", "type": "oa.query.show", "payload": "#meo"},
    {"title": "Huỷ", "type": "oa.query.hide", "payload": "#huy"},
    {"title": "Gọi", "type": "oa.open.phone", "payload": {"phone_code": "84919018791"}},
]


def template(**payload: object) -> dict[str, Any]:
    return {"type": "template", "payload": payload}


def media(**element: object) -> dict[str, Any]:
    return template(template_type="media", elements=[element])


async def test_a_text_arrives(client: Client, sandbox: ZaloOaSandbox, person: OaUser, now: Now) -> None:
    data = (await client.cs(person, "Xin chào\n"))["data"]
    assert data["user_id"] == person.id
    assert data["sent_time"] == str(int(now.at * 1000))
    assert len(data["message_id"]) == 20
    assert data["quota"] == {"quota_type": "reply", "remain": "8", "total": "8"}
    assert [(m.id, m.kind, m.text, m.billed) for m in person.received] == [
        (data["message_id"], "text", "Xin chào\n", False)
    ]
    sandbox.with_quota = False
    assert set((await client.cs(person))["data"]) == {"message_id", "user_id", "sent_time"}


async def test_ids_are_strings_too_long_for_a_double(person: OaUser) -> None:
    assert len(person.id) == 19
    assert int(person.id) > 2**53


@pytest.mark.parametrize(
    ("age", "code", "billed"),
    [
        (0, 0, False),
        (48 * HOUR, 0, False),
        (48 * HOUR + 1, 0, True),
        (7 * DAY - 60, 0, True),
        (7 * DAY, 0, True),
        (7 * DAY + 60, -230, None),
    ],
)
async def test_the_window_decides(
    client: Client, person: OaUser, now: Now, age: float, code: int, billed: bool | None
) -> None:
    now.forward(age)
    client.token = client.sandbox.issue_pair()[0]
    assert await client.cs_code(person) == code
    assert [m.billed for m in person.received] == ([billed] if billed is not None else [])


async def test_paid_messages_run_out_and_come_back_with_the_month(
    client: Client, sandbox: ZaloOaSandbox, person: OaUser, now: Now
) -> None:
    sandbox.limits.paid_messages = 2
    now.set(2026, 11, 28, 9)
    person.write("chào")
    now.set(2026, 11, 30, 23, 59)
    client.token = sandbox.issue_pair()[0]
    assert (await client.cs(person))["data"]["quota"]["remain"] == "1"
    assert [await client.cs_code(person) for _ in range(2)] == [0, -211]
    now.set(2026, 12, 1, 0, 0)
    assert (await client.cs(person))["data"]["quota"]["quota_type"] == "sub_quota"
    assert sandbox.journal.sent()[0].billed


async def test_somebody_who_never_wrote_cannot_be_written_to(client: Client, sandbox: ZaloOaSandbox) -> None:
    assert await client.cs_code(sandbox.add_user("Lạ")) == -232


async def test_who_blocked_restricted_or_left_zalo(client: Client, person: OaUser) -> None:
    person.restrict()
    assert await client.cs_code(person) == -244
    person.restrict(False)
    person.deactivate()
    assert await client.cs_code(person) == -227
    person.deactivate(False)
    person.block()
    assert (await client.cs_code(person), person.following) == (-244, False)
    person.write("tôi quay lại")
    assert await client.cs_code(person) == 0


async def test_a_package_and_a_verified_oa_are_needed(client: Client, sandbox: ZaloOaSandbox, person: OaUser) -> None:
    sandbox.verified = False
    assert await client.cs_code(person) == -221
    sandbox.paid_package = False
    assert await client.cs_code(person) == -224


async def test_length_is_counted_after_nfc(client: Client, person: OaUser) -> None:
    longest = unicodedata.normalize("NFD", "ế" * 2000)
    assert await client.cs_code(person, longest) == 0
    assert await client.cs_code(person, longest + "ế") == -210


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": {"text": "x"}}, "recipient is invalid!"),
        ({"recipient": {"user_id": 2512523625412515}, "message": {"text": "x"}}, "user_id is invalid!"),
        ({"recipient": {"user_id": "2512523625412515"}, "message": {"text": "x"}}, "user_id is invalid!"),
        ({"recipient": {"message_id": "x"}, "message": {"text": "x"}}, "message_id is invalid!"),
    ],
)
async def test_a_field_that_is_wrong_is_named(client: Client, body: dict[str, Any], words: str) -> None:
    assert await client.post(CS_PATH, **body) == {"error": -201, "message": words}


async def test_a_body_that_is_no_json_is_refused(client: Client) -> None:
    for body in (b"{", b"[]", b""):
        assert (await client.request("POST", CS_PATH, data=body))["error"] == -201


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({}, -201),
        ({"text": "   "}, -201),
        ({"text": 5}, -201),
        ({"text": "x", "quote_message_id": "unknown"}, -201),
        ({"attachment": {"type": "video", "payload": {}}}, -233),
        ({"attachment": template(template_type="carousel")}, -233),
        ({"attachment": "x"}, -201),
        ({"attachment": media(media_type="video", url="https://x.vn/a.mp4")}, -233),
        ({"attachment": media(media_type="article", attachment_id="x")}, -233),
        ({"attachment": media(media_type="image")}, -201),
        ({"attachment": media(media_type="image", url="https://x.vn/a.jpg", attachment_id="x")}, -201),
        ({"attachment": media(media_type="image", url="a.jpg")}, -201),
        ({"attachment": media(media_type="image", attachment_id="unknown")}, -201),
        ({"attachment": media(media_type="gif", url="https://x.vn/a.gif")}, -201),
        ({"attachment": {"type": "file", "payload": {"token": "unknown"}}}, -201),
        ({"attachment": template(buttons=BUTTONS)}, -201),
        ({"text": "x", "attachment": template(buttons=[])}, -201),
        ({"text": "x", "attachment": template(buttons=[*BUTTONS, *BUTTONS])}, -210),
        ({"text": "x", "attachment": template(buttons=[BUTTONS[1] | {"title": "x" * 101}])}, -210),
        ({"text": "x", "attachment": template(buttons=[BUTTONS[1] | {"payload": "x" * 1001}])}, -210),
        ({"text": "x", "attachment": template(buttons=[BUTTONS[1] | {"payload": {"url": "x"}}])}, -201),
        ({"text": "x", "attachment": template(buttons=[BUTTONS[0] | {"payload": "https://x.vn"}])}, -201),
        ({"text": "x", "attachment": template(buttons=[BUTTONS[0] | {"type": "oa.click"}])}, -233),
        ({"attachment": template(template_type="list", elements=[{"title": "x"}] * 6)}, -210),
        ({"attachment": template(template_type="list", elements=[])}, -201),
        ({"attachment": template(template_type="request_user_info", elements=[{}, {}])}, -210),
    ],
)
async def test_what_the_platform_does_not_take(
    client: Client, person: OaUser, message: dict[str, Any], code: int
) -> None:
    body = await client.post(CS_PATH, recipient={"user_id": person.id}, message=message)
    assert body["error"] == code
    assert person.received == []


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"attachment": media(media_type="image", url="https://x.vn/a.jpg")}, "image"),
        ({"attachment": media(media_type="gif", url="https://x.vn/a.gif", width=9, height=9)}, "gif"),
        ({"attachment": media(media_type="sticker", attachment_id="46001")}, "sticker"),
        ({"attachment": template(template_type="request_user_info", elements=[{"title": "Xin"}])}, "request_user_info"),
        ({"attachment": template(template_type="list", elements=[{"title": "Một"}, {"title": "Hai"}])}, "list"),
    ],
)
async def test_kinds_of_messages(client: Client, person: OaUser, message: dict[str, Any], kind: str) -> None:
    assert await client.cs_code(person, "", **message) == 0
    assert person.received[0].kind == kind
    assert person.received[0].attachment == message["attachment"]


async def test_buttons_are_shown_and_tapped(client: Client, person: OaUser) -> None:
    await client.cs(person, "Chọn", attachment=template(buttons=BUTTONS))
    assert [b.title for b in person.received[0].buttons] == ["Mở trang", "Xem mẹo", "Huỷ", "Gọi"]
    assert person.tap("Mở trang") == "https://example.vn/t/1"
    assert person.tap("Gọi") == "84919018791"
    assert person.written == {}
    assert person.written[person.tap("Xem mẹo")] == "#meo"
    with pytest.raises(LookupError):
        person.tap("Không có")


async def test_rows_of_a_list_are_tapped_too(client: Client, person: OaUser) -> None:
    rows = [
        {"title": "Trang", "default_action": {"type": "oa.open.url", "url": "https://example.vn"}},
        {"title": "Mẹo", "default_action": {"type": "oa.query.hide", "payload": "#meo"}},
    ]
    await client.cs(person, "", attachment=template(template_type="list", elements=rows, buttons=BUTTONS[2:3]))
    assert person.tap("Trang") == "https://example.vn"
    assert person.written[person.tap("Mẹo")] == "#meo"
    assert person.written[person.tap("Huỷ")] == "#huy"


async def test_quotes_and_answers_by_message(client: Client, person: OaUser) -> None:
    id = person.write("Mật khẩu wifi?")
    assert await client.cs_code(person, "Đây", quote_message_id=id) == 0
    assert person.received[0].quote_id == id
    assert await client.code(CS_PATH, recipient={"message_id": id}, message={"text": "theo tin"}) == 0
    assert person.texts == ["Đây", "theo tin"]


@pytest.mark.parametrize("path", ["/v3.0/oa/message/transaction", "/v3.0/oa/message/promotion"])
async def test_discontinued_paths_always_refuse(client: Client, person: OaUser, path: str) -> None:
    assert await client.code(path, recipient={"user_id": person.id}, message={"text": "x"}) == -240
