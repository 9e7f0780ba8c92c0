"""From an event of the webhook to an `Inbound`: every kind of event, and any JSON at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.zalo_oa_in import to_inbound
from bot.core.events import ChatKind, ContactCard, Inbound, InboundKind, Location, Media, MediaKind, Membership

NOW = datetime(2026, 11, 20, 5, tzinfo=UTC)
SAID_AT = NOW - timedelta(minutes=1)
ACCOUNT, OA, LAN, GROUP = "zalo_oa:36084", "388613280878808645", "246845883529197922", "f414c8f76fa586fbdfb4"
TIME = str(int(SAID_AT.timestamp() * 1000))
URL = "https://f6.photo.talk.zdn.vn/a"


def read(event: dict[str, Any], **more: Any) -> Inbound | None:
    return to_inbound(event, ACCOUNT, NOW, oa_id=OA, oa_name="Loa Số", **more)


def event(name: str, **fields: Any) -> dict[str, Any]:
    return {"app_id": "36084", "event_name": name, "timestamp": TIME, **fields}


def said(kind: str, **message: Any) -> dict[str, Any]:
    ends = {"sender": {"id": LAN}, "recipient": {"id": OA}, "user_id_by_app": "552177279717587730"}
    return event(f"user_send_{kind}", message={"msg_id": "96d3cdf3af150460909", **message}, **ends)


def attached(kind: str, **payload: Any) -> dict[str, Any]:
    return {"attachments": [{"type": kind, "payload": payload}]}


def in_group(words: str, **more: Any) -> dict[str, Any]:
    ends = {"sender": {"id": LAN}, "recipient": {"id": GROUP}, "oa_id": OA}
    return event("user_send_group_text", message={"msg_id": "81d7", "text": words}, **{**ends, **more})


def test_a_message() -> None:
    found = read(said("text", text="Xin cha\u0300o", quote_msg_id="1"))
    assert found == Inbound(
        account=ACCOUNT,
        external_id="96d3cdf3af150460909",
        kind=InboundKind.MESSAGE,
        chat_id=LAN,
        chat_kind=ChatKind.PRIVATE,
        at=SAID_AT,
        sender_id=LAN,
        text="Xin chào",
        message_id="96d3cdf3af150460909",
        replies_to="1",
    )


WORDS: list[tuple[str, str, dict[str, Any]]] = [
    ("a command", "/start THON12", {"command": "start", "payload": "THON12", "kind": InboundKind.MESSAGE}),
    ("a command in capitals", "/TroGiup", {"command": "trogiup", "payload": ""}),
    ("no command", "/ start", {"command": None}),
    ("a code", "#THON12", {"command": None, "text": "#THON12", "kind": InboundKind.MESSAGE}),
    ("a button", "#>rsvp:yes:12", {"kind": InboundKind.BUTTON, "button": "rsvp:yes:12", "answer_id": None, "text": "",
                                   "message_id": None}),
]  # fmt: skip


@pytest.mark.parametrize(("words", "expected"), [row[1:] for row in WORDS], ids=[row[0] for row in WORDS])
def test_words(words: str, expected: dict[str, Any]) -> None:
    found = read(said("text", text=words))
    assert found is not None
    assert {key: getattr(found, key) for key in expected} == expected


MEDIA: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("image", attached("image", url=URL, thumbnail="https://t") | {"text": "chú thích"},
     {"media": (Media(MediaKind.PHOTO, URL),), "text": "chú thích"}),
    ("gif", attached("gif", url=URL, thumbnail="https://t"), {"media": (Media(MediaKind.ANIMATION, URL),)}),
    ("audio", attached("audio", url=f"{URL}.amr"), {"media": (Media(MediaKind.VOICE, f"{URL}.amr"),)}),
    ("video", attached("video", url=URL, description=""), {"media": (Media(MediaKind.VIDEO, URL),)}),
    ("sticker", attached("sticker", url=URL, id="46001"), {"media": (Media(MediaKind.STICKER, URL),)}),
    ("file", attached("file", url=URL, name="Giấy mời.pdf", size="1024", type="pdf", checksum="x"),
     {"media": (Media(MediaKind.FILE, URL, name="Giấy mời.pdf", size=1024),)}),
    ("location", attached("location", coordinates={"latitude": "17.48", "longitude": "106.6"}),
     {"location": Location(17.48, 106.6)}),
    ("location", attached("location", coordinates={"latitude": 17, "longitude": 106.6}),
     {"location": Location(17.0, 106.6)}),
    ("link", attached("link", url="https://a.vn/t/1", description="Tin", thumbnail="") | {"text": "xem"},
     {"text": "xem\nhttps://a.vn/t/1", "media": ()}),
    ("link", attached("link", url="https://a.vn/t/1") | {"text": "https://a.vn/t/1"}, {"text": "https://a.vn/t/1"}),
    ("business_card", attached("link", url="", description='{"phone":"84912345678","name":"Minh"}'),
     {"card": ContactCard("84912345678", "Minh"), "text": ""}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "message", "expected"), MEDIA, ids=[row[0] for row in MEDIA])
def test_attachments(kind: str, message: dict[str, Any], expected: dict[str, Any]) -> None:
    found = read(said(kind, **message))
    assert found is not None
    assert {key: getattr(found, key) for key in expected} == expected


FOLLOWER = {"oa_id": OA, "follower": {"id": LAN}, "user_id_by_app": "552172779717587730"}
ABOUT = {"oa_id": OA, "user_id": LAN, "user_id_by_app": "552172779717587730"}
FROM_OA = {"recipient": {"id": LAN}, "message": {"msg_id": "1f", "text": "chào"}}
LIFE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("follow", {**FOLLOWER, "source": "oa_profile"},
     {"kind": InboundKind.MESSAGE, "command": "start", "text": "", "sender_id": LAN}),
    ("unfollow", FOLLOWER, {"kind": InboundKind.MEMBERSHIP, "membership": Membership.LEFT}),
    ("user_click_chatnow", ABOUT, {"kind": InboundKind.MEMBERSHIP, "membership": Membership.JOINED}),
    ("user_withdraw", ABOUT, {"kind": InboundKind.WITHDRAWN, "sender_id": LAN}),
    ("user_withdraw", {"sender": {"id": LAN}}, {"kind": InboundKind.WITHDRAWN, "sender_id": LAN}),
    ("oa_send_text", {"sender": {"id": OA, "admin_id": "99"}, **FROM_OA},
     {"kind": InboundKind.STAFF_SPOKE, "sender_id": None, "text": "", "external_id": "1f"}),
    ("oa_send_image", {"sender": {"id": OA, "admin_id": "99"}, **FROM_OA}, {"kind": InboundKind.STAFF_SPOKE}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "fields", "expected"), LIFE, ids=[row[0] for row in LIFE])
def test_what_people_do(name: str, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    found = read(event(name, **fields))
    assert found is not None
    assert (found.chat_id, found.chat_kind, found.at) == (LAN, ChatKind.PRIVATE, SAID_AT)
    assert {key: getattr(found, key) for key in expected} == expected
    if "message" not in fields:
        assert found.external_id == f"{name}:{TIME}:{LAN}"


NOTHING: list[dict[str, Any]] = [
    event("oa_send_text", sender={"id": OA}, **FROM_OA),
    event("oa_send_anonymous_text", sender={"id": OA, "admin_id": "9"}, **FROM_OA),
    event("oa_send_group_text", sender={"id": OA, "admin_id": "9"}, **FROM_OA),
    event("user_received_message", sender={"id": OA}, recipient={"id": LAN}, message={"msg_id": "1"}),
    event("user_seen_message", sender={"id": OA}, recipient={"id": LAN}, message={"msg_ids": ["1"]}),
    event("user_reacted_message", sender={"id": LAN}, message={"msg_id": "1", "react_icon": "/-heart"}),
    event("anonymous_send_text", sender={"id": LAN}, message={"msg_id": "1", "text": "a"}),
    event("user_submit_info", sender={"id": LAN}, info={"name": "Name Example", "phone": "84912345678"}),
    event("update_user_info", user_id=LAN, data={"method": "dynamic_url"}),
    event("add_user_to_tag", oa_id=OA, tag={"user_ids": [LAN], "name": "x"}),
    event("user_out_group", oa_id=OA, group_id=GROUP),
    event("user_leave_group", oa_id=OA, group_id=GROUP),
    event("update_group_info", oa_id=OA, group_id=GROUP),
    event("change_template_status"),
    event("new_in_2031", sender={"id": LAN}, message={"msg_id": "1", "text": "a"}),
    event("user_send_text", message={"msg_id": "1", "text": "from nobody"}),
    said("text", text=""),
    said("text", text="#>"),
    said("image", **attached("image", url="file:///etc/passwd")),
    said("location", **attached("location", coordinates={"latitude": "nan", "longitude": "1"})),
    said("business_card", **attached("link", url="", description="{")),
    {},
]


@pytest.mark.parametrize("told", NOTHING, ids=[str(told.get("event_name")) for told in NOTHING])
def test_what_is_nothing_to_us(told: dict[str, Any]) -> None:
    assert read(told) is None


GROUPS: list[tuple[str, str, bool, str]] = [
    ("to each other", "mai họp lúc mấy giờ", False, "mai họp lúc mấy giờ"),
    ("to us by number", f"[@{OA}] lịch họp", True, "lịch họp"),
    ("to us by name", "@loa số lịch họp", True, "@loa số lịch họp"),
    ("to somebody else", "[@123] lịch họp", False, "lịch họp"),
    ("a command to us", f"[@{OA}] /help", True, "/help"),
]


@pytest.mark.parametrize(("words", "addressed", "left"), [row[1:] for row in GROUPS], ids=[row[0] for row in GROUPS])
def test_groups(words: str, addressed: bool, left: str) -> None:
    found = read(in_group(words))
    assert found is not None
    assert (found.chat_id, found.chat_kind, found.sender_id) == (GROUP, ChatKind.GROUP, LAN)
    assert (found.text, found.addressed) == (left, addressed)


def test_a_button_pressed_in_a_group() -> None:
    found = read(in_group("#>rsvp:yes"))
    assert found is not None
    assert (found.kind, found.button, found.chat_id, found.sender_id) == (InboundKind.BUTTON, "rsvp:yes", GROUP, LAN)
    assert read(in_group("#>")) is None


def test_a_group_wherever_it_is_named() -> None:
    for more in ({"group_id": GROUP}, {"group": {"id": GROUP}}, {"group": {"group_id": GROUP}}):
        found = read(in_group("chào", recipient={"id": OA}, **more))
        assert found is not None
        assert found.chat_id == GROUP
    assert read(in_group("chào", recipient={"id": OA})) is None


@pytest.mark.parametrize(
    ("name", "membership"),
    [
        ("create_group", Membership.JOINED),
        ("user_join_group", Membership.JOINED),
        ("delete_group", Membership.LEFT),
    ],
)
def test_the_life_of_a_group(name: str, membership: Membership) -> None:
    found = read(event(name, oa_id=OA, group_id=GROUP, group={"name": "Thôn Đông"}, users=[{"id": LAN}]))
    assert found is not None
    assert (found.kind, found.membership, found.chat_kind) == (InboundKind.MEMBERSHIP, membership, ChatKind.GROUP)
    assert (found.chat_id, found.chat_title, found.sender_id) == (GROUP, "Thôn Đông", None)
    assert found.external_id == f"{name}:{TIME}:{GROUP}"


def test_nothing_happens_in_the_future() -> None:
    moments = {
        "a minute ahead": (str(int((NOW + timedelta(minutes=1)).timestamp() * 1000)), NOW),
        "the year 9999": ("253402300799000", NOW),
        "beyond it": ("9" * 30, NOW),
        "no time": (None, NOW),
        "a number": (int(TIME), SAID_AT),
        "words": ("yesterday", NOW),
        "other digits": ("١٢٣", NOW),
        "negative": ("-5", NOW),
    }
    for moment, expected in moments.values():
        found = read(said("text", text="a") | {"timestamp": moment})
        assert found is not None
        assert found.at == expected


def test_without_an_id_the_moment_tells_messages_apart() -> None:
    found = read(event("user_send_text", sender={"id": LAN}, message={"text": "a"}))
    assert found is not None
    assert (found.external_id, found.message_id) == (f"user_send_text:{TIME}:{LAN}", None)


NAMES = st.sampled_from(
    ["user_send_text", "user_send_image", "user_send_location", "user_send_business_card", "user_send_file",
     "user_send_link", "user_send_group_text", "follow", "unfollow", "user_withdraw", "oa_send_text", "create_group",
     "delete_group", "user_click_chatnow"]
)  # fmt: skip
KEYS = st.sampled_from(
    ["event_name", "timestamp", "sender", "recipient", "follower", "message", "id", "admin_id", "msg_id", "text", "url",
     "attachments", "type", "payload", "coordinates", "latitude", "longitude", "description", "group_id", "group",
     "size", "name", "user_id", "oa_id"]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=20),
    st.sampled_from(["#>a", "/start x", "image", "location", "link", "https://a.vn/b", '{"phone":1}', "[@1]", "1e400"]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=25,
)


@given(name=NAMES, fields=st.dictionaries(KEYS, JSON, max_size=8))
def test_no_json_is_a_surprise(name: str, fields: dict[str, Any]) -> None:
    found = read({**fields, "event_name": name})
    if found is not None:
        assert found.chat_id
        assert found.external_id
        assert found.at <= NOW
        for words in (found.text, found.chat_id, found.external_id):
            assert "\0" not in words
            words.encode()


@given(JSON)
def test_any_attachment(payload: Any) -> None:
    for kind in ("image", "location", "link", "file"):
        read(said(kind, attachments=[{"type": kind, "payload": payload}]))
        read(said(kind, attachments=payload))
