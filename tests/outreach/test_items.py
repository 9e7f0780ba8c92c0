"""Items: header, footer and buttons where the channel's limits leave room, set apart where they do not."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.channels.memory import LIKE_TELEGRAM
from bot.core.events import Button, Entity, EntityKind, Location, Media, MediaKind, Outbound
from bot.core.text import length
from bot.outreach.items import compose, dump, fingerprint, load
from messages import Rich

HEADER = Rich("📢 Trưởng thôn Đông:", (Entity(EntityKind.BOLD, 0, 2),))
FOOTER = Rich("Nhắn DỪNG để ngừng nhận.", (Entity(EntityKind.ITALIC, 0, 4),))
BUTTONS = ((Button("Đi", "ev:yes:1"),),)


def _part(**fields: object) -> Outbound:
    return Outbound(chat_id="", **fields)  # type: ignore[arg-type]  # tests pass what they test


def _photo(number: int = 1) -> Media:
    return Media(MediaKind.PHOTO, file_id=f"photo{number}")


def test_a_text_is_one_message_with_everything_on_it() -> None:
    part = _part(text="Mời họp", entities=(Entity(EntityKind.BOLD, 0, 3),))
    (message,) = compose([part], LIKE_TELEGRAM, header=HEADER, footer=FOOTER, buttons=BUTTONS)
    assert message.text == f"{HEADER.text}\n\nMời họp\n\n{FOOTER.text}"
    assert message.buttons == BUTTONS
    bold, own, italic = message.entities
    assert message.text[own.offset - 1 : own.offset + own.length - 1] == "Mời"  # the loudspeaker counts two units
    assert (bold.offset, italic.kind) == (0, EntityKind.ITALIC)


def test_a_photo_carries_header_caption_and_footer() -> None:
    (message,) = compose([_part(text="Ảnh", media=(_photo(),))], LIKE_TELEGRAM, header=HEADER, footer=FOOTER)
    assert message.media == (_photo(),)
    assert message.text == f"{HEADER.text}\n\nẢnh\n\n{FOOTER.text}"


def test_a_caption_that_is_too_long_goes_into_messages_of_its_own() -> None:
    part = _part(text="x" * 1020, media=(_photo(),))
    messages = compose([part], LIKE_TELEGRAM, header=HEADER, footer=FOOTER, buttons=BUTTONS)
    assert [bool(m.media) for m in messages] == [False, True, False]
    assert messages[0].text == HEADER.text
    assert messages[2].buttons == BUTTONS


def test_a_sticker_and_a_place_get_their_header_before_and_their_footer_after() -> None:
    for part in (_part(media=(Media(MediaKind.STICKER, file_id="s"),)), _part(location=Location(17.4, 106.6))):
        messages = compose([part], LIKE_TELEGRAM, header=HEADER, footer=FOOTER)
        assert [m.text for m in messages] == [HEADER.text, "", FOOTER.text]


def test_an_album_never_carries_buttons() -> None:
    part = _part(text="Ảnh họp", media=(_photo(1), _photo(2)))
    messages = compose([part], LIKE_TELEGRAM, header=HEADER, footer=FOOTER, buttons=BUTTONS)
    assert [len(m.media) for m in messages] == [2, 0]
    assert not messages[0].buttons
    assert messages[1].buttons == BUTTONS


@given(st.text(min_size=1, max_size=9000), st.integers(60, 4096))
def test_nothing_is_ever_longer_than_the_channel_allows(text: str, limit: int) -> None:
    can = replace(LIKE_TELEGRAM, max_text=limit)
    messages = compose([_part(text=text)], can, header=HEADER, footer=FOOTER)
    assert all(length(m.text) <= limit for m in messages if len(m.text) > 1)


def test_items_come_back_from_their_rows() -> None:
    parts = (_part(text="Mời họp", media=(_photo(),)), _part(location=Location(1.0, 2.0, "Nhà văn hóa")))
    assert load(dump(parts)) == parts


def test_the_fingerprint_looks_at_words_and_files_and_people() -> None:
    same = fingerprint([_part(text="Mời  HỌP!")], "all")
    assert same == fingerprint([_part(text="mời họp")], "all")
    assert same != fingerprint([_part(text="mời họp")], "unit:1")
    assert same != fingerprint([_part(text="mời họp", media=(_photo(),))], "all")
