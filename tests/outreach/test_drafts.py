"""Drafts: what is gathered, what is refused, and that a restart loses nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.events import ChatKind, Entity, EntityKind, Inbound, InboundKind, Location, Media, MediaKind, Outbound
from bot.outreach.drafts import MOST_PARTS, Added, Draft, is_meant_for_others, is_question
from bot.outreach.event_drafts import EventDraft, tidy

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


def message(text: str = "", **fields: object) -> Inbound:
    base = {
        "account": "telegram:1",
        "external_id": "1",
        "kind": InboundKind.MESSAGE,
        "chat_id": "1",
        "chat_kind": ChatKind.PRIVATE,
        "at": NOW,
        "text": text,
    }
    return Inbound(**{**base, **fields})  # type: ignore[arg-type]


def add(draft: Draft, said: Inbound) -> Added:
    return draft.add(said, max_file=1000, album=10)


def photo(number: int, album: str | None = "a", text: str = "", size: int = 10) -> Inbound:
    return message(text, media=(Media(MediaKind.PHOTO, file_id=str(number), size=size),), album_id=album)


def test_an_album_is_one_part_of_at_most_ten() -> None:
    draft = Draft()
    assert add(draft, photo(0)) is Added.ALBUM
    assert {add(draft, photo(n)) for n in range(1, 10)} == {Added.JOINED}
    assert add(draft, photo(10)) is Added.FULL
    assert [m.file_id for m in draft.parts[0].media] == [str(n) for n in range(10)]


def test_two_albums_are_two_parts_and_words_stay_with_their_own() -> None:
    draft = Draft()
    add(draft, photo(1, "a"))
    add(draft, photo(2, "a", "một"))
    add(draft, photo(3, "b", "hai"))
    add(draft, photo(4, "b"))
    assert [(p.text, len(p.media)) for p in draft.parts] == [("một", 2), ("hai", 2)]


def test_an_album_survives_between_messages() -> None:
    draft = Draft()
    add(draft, photo(1))
    again = Draft.load(orjson.loads(orjson.dumps(draft.dump())))
    assert add(again, photo(2)) is Added.JOINED


def test_five_parts_and_no_more() -> None:
    draft = Draft()
    assert {add(draft, message(f"phần {n}")) for n in range(MOST_PARTS)} == {Added.NEW}
    assert add(draft, message("thêm")) is Added.FULL


def test_heavy_and_empty_messages_are_refused() -> None:
    draft = Draft()
    assert add(draft, photo(1, None, size=1001)) is Added.TOO_LARGE
    assert add(draft, message("  ")) is Added.EMPTY
    assert draft.parts == []


def test_new_words_must_be_looked_at_anew() -> None:
    draft = Draft(again=True)
    add(draft, message("khác"))
    assert not draft.again


@given(st.text(max_size=30), st.integers(0, 5), st.booleans(), st.none() | st.just(NOW))
def test_a_draft_is_the_same_after_a_restart(text: str, length: int, circle: bool, at: datetime | None) -> None:
    part = Outbound(chat_id="", text=text, entities=(Entity(EntityKind.BOLD, 0, length),), location=Location(1.5, 2.5))
    draft = Draft(unit="44", circle=circle, parts=[part], album="x", at=at)
    assert Draft.load(orjson.loads(orjson.dumps(draft.dump()))) == draft


@given(st.text(max_size=30), st.text(max_size=30), st.none() | st.just(NOW), st.none() | st.just(Location(17.0, 106.0)))
def test_an_event_draft_is_the_same_after_a_restart(
    title: str, text: str, starts: datetime | None, where: Location | None
) -> None:
    poster = Media(MediaKind.PHOTO, file_id="p")
    draft = EventDraft(
        title=title, starts_at=starts, place="nhà", location=where, unit="44", text=text, media=(poster,)
    )
    assert EventDraft.load(orjson.loads(orjson.dumps(draft.dump()))) == draft


@pytest.mark.parametrize(
    "text",
    [
        "Sáng mai 7 giờ họp thôn tại nhà văn hóa, bà con đến đông đủ.",
        "Kính mời bà con đến nhận quà Tết tại hội trường xã vào chiều thứ sáu tuần này",
        "Ai chưa đóng quỹ khuyến học thì gặp bác Tư, cuối tháng là chốt sổ rồi nhé bà con",
    ],
)
def test_announcements_are_meant_for_others(text: str) -> None:
    assert is_meant_for_others(message(text))


@pytest.mark.parametrize(
    "text",
    [
        "Làm sao để đăng ký tài khoản định danh mức hai cho bố mẹ già ở quê",
        "Cho tôi hỏi thẻ bảo hiểm y tế của cháu nhỏ thì làm ở đâu vậy em",
        "Giấy khai sinh của con tôi bị mất thì có làm lại qua mạng được không ạ",
        "Em ơi điện thoại của tôi hết chỗ chứa ảnh rồi thì phải xóa thế nào?",
        "quên mật khẩu",
    ],
)
def test_questions_and_short_words_are_not(text: str) -> None:
    assert not is_meant_for_others(message(text))


def test_anything_forwarded_or_attached_is_meant_for_others() -> None:
    assert is_meant_for_others(message("ngắn", forwarded=True))
    assert is_meant_for_others(photo(1))
    assert is_meant_for_others(message(location=Location(1, 2)))


@given(st.text(max_size=200))
def test_any_text_can_be_asked_whether_it_asks(text: str) -> None:
    assert is_question(text) or not text.endswith("?")


@given(st.text(max_size=300))
def test_a_title_is_one_line_of_its_length(text: str) -> None:
    assert "\n" not in tidy(text, 120)
    assert len(tidy(text, 120).encode("utf-16-le")) // 2 <= 120
