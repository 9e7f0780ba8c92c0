"""What is sent, and the one call of the Bot API that carries it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from telegram import InputFile

from bot.channels.telegram_out import to_call, to_sent
from bot.core.events import Button, ContactCard, Entity, EntityKind, Location, Media, MediaKind, Outbound, Sent

BOLD = (Entity(EntityKind.BOLD, 0, 3),)
LINK = (Entity(EntityKind.LINK, 0, 3, "https://a.vn"),)
YES = ((Button("Có", data="rsvp:yes"), Button("Xem", url="https://a.vn")),)
KEYBOARD = {"inline_keyboard": [[{"text": "Có", "callback_data": "rsvp:yes"}, {"text": "Xem", "url": "https://a.vn"}]]}
OFF = {"is_disabled": True}
PHOTO = Media(MediaKind.PHOTO, file_id="P")

CALLS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("text", {"text": "chào"}, "sendMessage", {"text": "chào", "link_preview_options": OFF}),
    ("preview", {"text": "chào", "preview": True}, "sendMessage", {"text": "chào"}),
    (
        "formatting",
        {"text": "bác", "entities": BOLD + LINK, "preview": True},
        "sendMessage",
        {
            "text": "bác",
            "entities": [
                {"type": "bold", "offset": 0, "length": 3},
                {"type": "text_link", "offset": 0, "length": 3, "url": "https://a.vn"},
            ],
        },
    ),
    (
        "buttons, silently",
        {"text": "đi?", "buttons": YES, "silent": True, "preview": True},
        "sendMessage",
        {"text": "đi?", "reply_markup": KEYBOARD, "disable_notification": True},
    ),
    (
        "photo with caption",
        {"text": "bác", "entities": BOLD, "media": (PHOTO,), "buttons": YES},
        "sendPhoto",
        {
            "photo": "P",
            "caption": "bác",
            "caption_entities": [{"type": "bold", "offset": 0, "length": 3}],
            "reply_markup": KEYBOARD,
        },
    ),
    ("file", {"media": (Media(MediaKind.FILE, "F"),)}, "sendDocument", {"document": "F"}),
    ("voice", {"media": (Media(MediaKind.VOICE, "F"),)}, "sendVoice", {"voice": "F"}),
    ("sticker", {"media": (Media(MediaKind.STICKER, "F"),)}, "sendSticker", {"sticker": "F"}),
    ("round video", {"media": (Media(MediaKind.VIDEO_NOTE, "F"),)}, "sendVideoNote", {"video_note": "F"}),
    ("location", {"location": Location(17.5, 106.5)}, "sendLocation", {"latitude": 17.5, "longitude": 106.5}),
    (
        "venue",
        {"location": Location(17.5, 106.5, "Nhà văn hóa", "Thôn Đông")},
        "sendVenue",
        {"latitude": 17.5, "longitude": 106.5, "title": "Nhà văn hóa", "address": "Thôn Đông"},
    ),
    (
        "business card",
        {"card": ContactCard("+84900000000", "Minh")},
        "sendContact",
        {"phone_number": "+84900000000", "first_name": "Minh"},
    ),
    (
        "edit",
        {"text": "mới", "edit": "33", "preview": True},
        "editMessageText",
        {"message_id": 33, "text": "mới"},
    ),
    (
        "edit of a caption",
        {"text": "mới", "edit": "33", "media": (PHOTO,)},
        "editMessageCaption",
        {"message_id": 33, "caption": "mới"},
    ),
    (
        "edit of buttons",
        {"edit": "33", "buttons": YES},
        "editMessageReplyMarkup",
        {"message_id": 33, "reply_markup": KEYBOARD},
    ),
    ("delete", {"delete": "33"}, "deleteMessage", {"message_id": 33}),
]


@pytest.mark.parametrize(("message", "method", "fields"), [r[1:] for r in CALLS], ids=[r[0] for r in CALLS])
def test_call(message: dict[str, Any], method: str, fields: dict[str, Any]) -> None:
    call = to_call(Outbound(chat_id="-501", **message))
    assert call.method == method
    assert {k: v for k, v in call.fields.items() if v is not None} == {"chat_id": -501, **fields}


def test_an_answer_is_cut_to_what_a_toast_holds() -> None:
    call = to_call(Outbound(chat_id="501", answer="77", text="a " * 200, alert=True))
    assert call.method == "answerCallbackQuery"
    assert call.fields["callback_query_id"] == "77"
    assert call.fields["show_alert"] is True
    assert len(call.fields["text"]) <= 200


def test_a_public_name_stays_a_name() -> None:
    assert to_call(Outbound(chat_id="@thon_dong", text="a")).fields["chat_id"] == "@thon_dong"


def test_a_file_of_our_own_is_uploaded_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "Lịch họp.pdf"
    path.write_bytes(b"%PDF")
    file = to_call(Outbound(chat_id="1", media=(Media(MediaKind.FILE, path=str(path)),))).fields["document"]
    assert isinstance(file, InputFile)
    assert file.field_tuple == ("Lịch họp.pdf", b"%PDF", "application/pdf")


def test_an_album_carries_its_caption_once() -> None:
    album = (PHOTO, Media(MediaKind.VIDEO, "V"))
    call = to_call(Outbound(chat_id="1", text="bác", entities=BOLD, media=album))
    assert call.method == "sendMediaGroup"
    assert [(m.type, m.media, m.caption) for m in call.fields["media"]] == [("photo", "P", "bác"), ("video", "V", None)]


IMPOSSIBLE: list[tuple[str, dict[str, Any]]] = [
    ("buttons under an album", {"media": (PHOTO, PHOTO), "buttons": YES}),
    ("too large an album", {"media": (PHOTO,) * 11}),
    ("a voice in an album", {"media": (PHOTO, Media(MediaKind.VOICE, "V"))}),
    ("words beside a sticker", {"text": "a", "media": (Media(MediaKind.STICKER, "S"),)}),
    ("words beside a place", {"text": "a", "location": Location(1, 1)}),
]


@pytest.mark.parametrize("message", [row[1] for row in IMPOSSIBLE], ids=[row[0] for row in IMPOSSIBLE])
def test_one_call_never_becomes_two(message: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Telegram carries"):
        to_call(Outbound(chat_id="1", **message))


def test_the_answer_names_the_message_and_the_largest_photo() -> None:
    photo = [{"file_id": "s", "width": 1, "height": 1}, {"file_id": "l", "width": 9, "height": 9}]
    result = [{"message_id": 5, "photo": photo}, {"message_id": 6, "video": {"file_id": "v"}}]
    assert to_sent(Outbound(chat_id="1", media=(PHOTO, PHOTO)), result) == Sent("5", ("5", "6"), ("l", "v"))


def test_an_edit_that_is_only_confirmed_keeps_its_message() -> None:
    assert to_sent(Outbound(chat_id="1", edit="33"), True) == Sent("33")


def test_an_answer_stands_under_what_was_asked() -> None:
    call = to_call(Outbound(chat_id="-7", text="Dạ đây ạ", group=True, quote="41"))
    assert call.fields["reply_parameters"] == {"message_id": 41, "allow_sending_without_reply": True}
