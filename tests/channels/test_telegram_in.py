"""Updates as Telegram sends them, and what becomes of each."""

from __future__ import annotations

import copy
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram import Bot, Update

from bot.channels.telegram_in import to_inbound
from bot.channels.telegram_text import formatted
from bot.core.events import (
    ChatKind,
    ContactCard,
    Entity,
    EntityKind,
    Inbound,
    InboundKind,
    Location,
    Media,
    MediaKind,
    Membership,
)
from bot.core.text import length, nfc

ACCOUNT, BOT_ID, BOT_NAME = "telegram:7001", "7001", "LoaSo_bot"
NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
SENT = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)

LAN = {"id": 501, "is_bot": False, "first_name": "Lan", "last_name": "Trần", "language_code": "vi"}
US = {"id": 7001, "is_bot": True, "first_name": "Loa Số", "username": "LoaSo_bot"}
PRIVATE = {"id": 501, "first_name": "Lan", "type": "private"}
GROUP = {"id": -1001234567890, "title": "Thôn Đông", "type": "supergroup"}


def message(chat: dict[str, Any] = PRIVATE, **fields: Any) -> dict[str, Any]:
    head = {"message_id": 12, "from": LAN, "chat": chat, "date": int(SENT.timestamp())}
    return {"update_id": 900, "message": {**head, **fields}}


def edited(**fields: Any) -> dict[str, Any]:
    update = message(edit_date=int(NOW.timestamp()), **fields)
    return {"update_id": 901, "edited_message": update["message"]}


def pressed(data: str = "rsvp:yes", **fields: Any) -> dict[str, Any]:
    below = {"message_id": 33, "from": US, "chat": PRIVATE, "date": 1772000000, "text": "Bác có đi không?"}
    query = {"id": "4382bfdwdsb323b2d9", "from": LAN, "message": below, "chat_instance": "-3", "data": data}
    return {"update_id": 902, "callback_query": {**query, **fields}}


def member(before: str, after: str, chat: dict[str, Any] = PRIVATE, **more: Any) -> dict[str, Any]:
    change = {
        "chat": chat,
        "from": LAN,
        "date": int(SENT.timestamp()),
        "old_chat_member": {"user": US, "status": before},
        "new_chat_member": {"user": US, "status": after, **more},
    }
    return {"update_id": 903, "my_chat_member": change}


def read(update: dict[str, Any]) -> Inbound | None:
    return to_inbound(update, ACCOUNT, BOT_ID, BOT_NAME, NOW)


def event(update: dict[str, Any]) -> Inbound:
    inbound = read(update)
    assert inbound is not None
    return inbound


def test_an_answer_says_to_which_message() -> None:
    assert event(message(text="Ra xã là làm được", reply_to_message={"message_id": 41, "from": US})).replies_to == "41"


def test_a_text_carries_who_where_and_when() -> None:
    assert event(message(text="Chào bác")) == Inbound(
        account=ACCOUNT,
        external_id="900",
        kind=InboundKind.MESSAGE,
        chat_id="501",
        chat_kind=ChatKind.PRIVATE,
        at=SENT,
        sender_id="501",
        sender_name="Lan Trần",
        language="vi",
        text="Chào bác",
        message_id="12",
    )


def test_a_parsed_update_reads_like_its_json() -> None:
    parsed = Update.de_json(message(text="xin chào"), Bot("7001:abc"))
    assert to_inbound(parsed, ACCOUNT, BOT_ID, BOT_NAME, NOW) == event(message(text="xin chào"))


PHOTO = [
    {"file_id": "small", "file_unique_id": "s", "width": 90, "height": 67, "file_size": 1000},
    {"file_id": "large", "file_unique_id": "l", "width": 1280, "height": 960, "file_size": 90000},
    {"file_id": "middle", "file_unique_id": "m", "width": 320, "height": 240, "file_size": 9000},
]
FILE = {"file_id": "F", "file_unique_id": "f", "file_size": 5}
POINT = {"latitude": 17.4689, "longitude": 106.6223}

CONTENT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("largest photo", {"photo": PHOTO}, {"media": (Media(MediaKind.PHOTO, "large", size=90000),)}),
    ("caption", {"photo": PHOTO, "caption": "Họp thôn"}, {"text": "Họp thôn"}),
    (
        "document",
        {"document": {**FILE, "file_name": "Lịch.pdf", "mime_type": "application/pdf"}},
        {"media": (Media(MediaKind.FILE, "F", name="Lịch.pdf", mime="application/pdf", size=5),)},
    ),
    ("animation", {"animation": FILE, "document": FILE}, {"media": (Media(MediaKind.ANIMATION, "F", size=5),)}),
    ("video", {"video": FILE}, {"media": (Media(MediaKind.VIDEO, "F", size=5),)}),
    ("voice", {"voice": FILE}, {"media": (Media(MediaKind.VOICE, "F", size=5),)}),
    ("audio", {"audio": FILE}, {"media": (Media(MediaKind.AUDIO, "F", size=5),)}),
    ("video note", {"video_note": FILE}, {"media": (Media(MediaKind.VIDEO_NOTE, "F", size=5),)}),
    ("sticker", {"sticker": FILE}, {"media": (Media(MediaKind.STICKER, "F", size=5),)}),
    ("album", {"photo": PHOTO, "media_group_id": "13000"}, {"album_id": "13000"}),
    ("location", {"location": POINT}, {"location": Location(17.4689, 106.6223)}),
    (
        "venue",
        {"location": POINT, "venue": {"location": POINT, "title": "Nhà văn hóa", "address": "Thôn Đông"}},
        {"location": Location(17.4689, 106.6223, "Nhà văn hóa", "Thôn Đông")},
    ),
    (
        "business card",
        {"contact": {"phone_number": "+84900000000", "first_name": "Minh"}},
        {"card": ContactCard("+84900000000", "Minh")},
    ),
    ("forwarded", {"text": "a", "forward_origin": {"type": "hidden_user", "date": 1}}, {"forwarded": True}),
    ("command", {"text": "/Start ref_ab-1"}, {"command": "start", "payload": "ref_ab-1", "text": "/Start ref_ab-1"}),
    ("command to us", {"text": "/help@loaso_BOT"}, {"command": "help", "payload": ""}),
    ("payload of lines", {"text": "/gop hai\ndòng "}, {"command": "gop", "payload": "hai\ndòng"}),
    ("no command", {"text": "/dừng"}, {"command": None, "text": "/dừng"}),
    ("slash inside", {"text": "và/hoặc"}, {"command": None}),
    (
        "formatting",
        {
            "text": "đậm @lan http://a.vn",
            "entities": [
                {"type": "bold", "offset": 0, "length": 3},
                {"type": "mention", "offset": 4, "length": 4},
                {"type": "url", "offset": 9, "length": 11},
                {"type": "text_link", "offset": 4, "length": 4, "url": "https://vi.du"},
                {"type": "expandable_blockquote", "offset": 0, "length": 3},
            ],
        },
        {
            "entities": (
                Entity(EntityKind.BOLD, 0, 3),
                Entity(EntityKind.LINK, 4, 4, "https://vi.du"),
                Entity(EntityKind.BLOCKQUOTE, 0, 3),
            )
        },
    ),
    ("half an emoji", {"text": "a\ud83d"}, {"text": "a\ufffd"}),
    ("odd time", {"text": "a", "date": -5}, {"at": NOW}),
]


@pytest.mark.parametrize(("fields", "expected"), [row[1:] for row in CONTENT], ids=[row[0] for row in CONTENT])
def test_content(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    inbound = event(message(**fields))
    assert {name: getattr(inbound, name) for name in expected} == expected


IGNORED: list[tuple[str, dict[str, Any]]] = [
    ("poll", message(poll={"id": "1"})),
    ("somebody joined", message(GROUP, new_chat_members=[LAN])),
    ("pinned", message(GROUP, pinned_message={"message_id": 1})),
    ("channel post", {"update_id": 1, "channel_post": message()["message"]}),
    ("message in a channel", message({"id": -1009, "type": "channel", "title": "Báo"}, text="a")),
    ("another bot", message(GROUP, text="a", **{"from": {"id": 9, "is_bot": True, "first_name": "b"}})),
    ("second half of a migration", message(GROUP, migrate_from_chat_id=-55)),
    ("moving live location", edited(location=POINT)),
    ("button of an inline message", pressed(message=None, inline_message_id="x")),
    ("game button", pressed(data="")),
    ("inline query", {"update_id": 1, "inline_query": {"id": "1", "from": LAN, "query": "", "offset": ""}}),
    ("promoted", member("member", "administrator", GROUP)),
    ("no update id", {"message": message(text="a")["message"]}),
    ("not a chat", message({"id": "501", "type": "private"}, text="a")),
    ("nothing", {}),
]


@pytest.mark.parametrize("update", [row[1] for row in IGNORED], ids=[row[0] for row in IGNORED])
def test_nothing_comes_of(update: dict[str, Any]) -> None:
    assert read(update) is None


def test_a_pressed_button() -> None:
    inbound = event(pressed())
    assert (inbound.kind, inbound.button, inbound.answer_id) == (InboundKind.BUTTON, "rsvp:yes", "4382bfdwdsb323b2d9")
    assert (inbound.chat_id, inbound.sender_id, inbound.message_id, inbound.at) == ("501", "501", "33", NOW)


def test_a_button_under_a_message_that_telegram_no_longer_shows() -> None:
    inbound = event(pressed(message={"chat": GROUP, "message_id": 3, "date": 0}))
    assert (inbound.chat_id, inbound.chat_kind, inbound.at) == ("-1001234567890", ChatKind.GROUP, NOW)


def test_an_edit_has_the_time_of_the_edit() -> None:
    inbound = event(edited(text="sửa"))
    assert (inbound.kind, inbound.text, inbound.at, inbound.message_id) == (InboundKind.EDITED, "sửa", NOW, "12")


MEMBERSHIP = [
    ("blocked", member("member", "kicked"), Membership.LEFT),
    ("unblocked", member("kicked", "member"), Membership.JOINED),
    ("added to a group", member("left", "member", GROUP), Membership.JOINED),
    ("added as admin", member("left", "administrator", GROUP), Membership.JOINED),
    ("removed from a group", member("administrator", "kicked", GROUP), Membership.LEFT),
    ("restricted and inside", member("left", "restricted", GROUP, is_member=True), Membership.JOINED),
    ("restricted and outside", member("member", "restricted", GROUP, is_member=False), Membership.LEFT),
]


@pytest.mark.parametrize(("update", "expected"), [row[1:] for row in MEMBERSHIP], ids=[row[0] for row in MEMBERSHIP])
def test_membership(update: dict[str, Any], expected: Membership) -> None:
    inbound = event(update)
    assert (inbound.kind, inbound.membership, inbound.at) == (InboundKind.MEMBERSHIP, expected, SENT)


def test_an_upgraded_group() -> None:
    old = {"id": -55, "title": "Thôn Đông", "type": "group"}
    inbound = event(message(old, migrate_to_chat_id=-1001234567890))
    assert (inbound.kind, inbound.chat_id, inbound.moved_to) == (InboundKind.MOVED, "-55", "-1001234567890")


def mention(words: str, name: str, kind: str = "mention", **more: Any) -> dict[str, Any]:
    offset = length(words[: words.index(name)])
    return {"text": words, "entities": [{"type": kind, "offset": offset, "length": length(name), **more}]}


ADDRESSED = [
    ("idle talk", {"text": "mai mưa không"}, False),
    ("mention", mention("🎉 hỏi @loaso_bot với", "@loaso_bot"), True),
    ("mention of another", mention("hỏi @other_bot", "@other_bot"), False),
    ("longer name", mention("hỏi @loaso_bot2", "@loaso_bot2"), False),
    ("mention in a caption", {"photo": PHOTO, "caption": "@LoaSo_bot", "caption_entities": [
        {"type": "mention", "offset": 0, "length": 10}]}, True),
    ("mention by id", mention("hỏi Loa", "Loa", "text_mention", user=US), True),
    ("reply to us", {"text": "vâng", "reply_to_message": {"message_id": 1, "from": US}}, True),
    ("reply to another", {"text": "vâng", "reply_to_message": {"message_id": 1, "from": LAN}}, False),
    ("command", {"text": "/help"}, True),
    ("command to us", {"text": "/help@LoaSo_bot"}, True),
    ("command to another", {"text": "/help@other_bot"}, False),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), [row[1:] for row in ADDRESSED], ids=[row[0] for row in ADDRESSED])
def test_in_a_group_the_bot_knows_when_it_is_meant(fields: dict[str, Any], expected: bool) -> None:
    inbound = event(message(GROUP, **fields))
    assert (inbound.addressed, inbound.chat_title) == (expected, "Thôn Đông")


def test_a_command_to_another_bot_is_no_command() -> None:
    assert event(message(GROUP, text="/stop@other_bot")).command is None


def test_an_anonymous_admin_is_nobody_in_particular() -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    inbound = event(message(GROUP, text="/help", sender_chat=GROUP, **{"from": anonymous}))
    assert (inbound.sender_id, inbound.sender_name, inbound.command) == (None, "Thôn Đông", "help")


def test_decomposed_text_becomes_nfc_and_keeps_its_formatting() -> None:
    words = unicodedata.normalize("NFD", "Hội nghị 🎉 chuyển đổi số")
    start = words.index("chuyê\u0309n".replace("ê", "e\u0302"))
    raw = {"type": "bold", "offset": length(words[:start]), "length": length(words[start:])}
    whole, (entity,) = formatted(words, [raw])
    assert whole == "Hội nghị 🎉 chuyển đổi số"
    assert covered(whole, entity) == "chuyển đổi số"


def covered(words: str, entity: Entity) -> str:
    units = words.encode("utf-16-le")[entity.offset * 2 : (entity.offset + entity.length) * 2]
    return units.decode("utf-16-le")


PIECES = st.lists(st.text(max_size=8), min_size=3, max_size=3)


@given(PIECES)
def test_formatting_survives_normalising(pieces: list[str]) -> None:
    """Spaces around the formatted stretch: nothing joins over them, so it must cover exactly its own normal form."""
    before, inside, after = pieces[0] + " ", pieces[1], " " + pieces[2]
    raw = {"type": "bold", "offset": length(before), "length": length(inside)}
    whole, entities = formatted(before + inside + after, [raw])
    assert whole == nfc(before + inside + after)
    assert [covered(whole, e) for e in entities] == ([nfc(inside)] if inside else [])


@given(st.text(max_size=12), st.integers(-3, 30), st.integers(-3, 30))
def test_formatting_stays_within_the_text(words: str, offset: int, span: int) -> None:
    whole, entities = formatted(words, [{"type": "bold", "offset": offset, "length": span}])
    assert all(0 <= e.offset < e.offset + e.length <= length(whole) for e in entities)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
REAL = [message(**row[1]) for row in CONTENT] + [row[1] for row in IGNORED + MEMBERSHIP] + [pressed(), edited(text="a")]


@settings(max_examples=400)
@given(st.data())
def test_no_mutation_of_an_update_is_a_surprise(data: st.DataObject) -> None:
    update = copy.deepcopy(data.draw(st.sampled_from(REAL)))
    for _ in range(data.draw(st.integers(1, 4))):
        mutate(update, data)
    inbound = read(update)
    assert inbound is None or inbound.account == ACCOUNT


def mutate(node: Any, data: st.DataObject) -> None:
    """Replace or remove one thing somewhere in the tree."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(node[key], dict | list) and data.draw(st.booleans()):
            node = node[key]
        elif data.draw(st.booleans()):
            node[key] = data.draw(JUNK)
            return
        else:
            del node[key]
            return
