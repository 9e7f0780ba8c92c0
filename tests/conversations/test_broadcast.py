"""A village head writes to the village: compose, preview, confirm, undo, limits."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.errors import ContactClosed, OutcomeUnknown, Reason
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
    Outbound,
)
from bot.core.words import CampaignState, PersonStatus, RoleName, RunState
from bot.db import conversations, people, roles, runs, units
from bot.db.tables import Campaign, Run
from bot.inbox import Inbox
from bot.outreach import campaigns, progress
from handlers import ROUTERS
from tests.support.talk import ZONE, Speaker, Talk

VILLAGE = "18859001"
TEXT = "Sáng mai 7 giờ họp thôn tại nhà văn hóa, bà con đến đông đủ."


async def head_of_village(talk: Talk, residents: int = 3) -> Speaker:
    """A head of Thôn Đông and so many neighbours."""
    await talk.village(VILLAGE, "Thôn Đông")
    head = await talk.staff("7", RoleName.VILLAGE_HEAD, VILLAGE)
    for number in range(residents):
        await talk.resident(str(100 + number), unit=VILLAGE)
    return head


async def all_runs(talk: Talk) -> list[tuple[Run, Campaign]]:
    async with talk.database.read() as tx:
        return await runs.latest(tx, 20)


async def run_of(talk: Talk) -> Run:
    return (await all_runs(talk))[0][0]


async def watch(talk: Talk) -> None:
    """What the job does every two seconds."""
    async with talk.database.write() as tx:
        for run in await runs.watched(tx):
            await progress.tell(tx, talk.desk, run, talk.now)
    await talk.flush()


async def begin_due(talk: Talk) -> Run:
    """A run's time has come, and nothing has left yet."""
    async with talk.database.write() as tx:
        run = (await runs.due(tx, talk.now))[0]
        await campaigns.begin(tx, talk.desk, run, talk.now)
    return run


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


async def test_a_head_writes_sees_confirms_and_the_village_reads_it(talk: Talk) -> None:
    head = await head_of_village(talk)
    assert await head.says("gửi tin") == ["broadcast.ask_words"]
    assert "Thôn Đông" in head.last.text
    assert await head.says(TEXT) == ["broadcast.summary"]
    preview, summary = head.heard[-2:]
    assert preview.text.startswith("📢 Trưởng thôn Đông (Phường Đồng Thuận) gửi bà con:\n\n" + TEXT)
    assert "DỪNG" in preview.text
    assert "4 người ở Thôn Đông: 4 qua " in summary.text
    assert await head.presses("📢 Gửi ngay") == ["broadcast.planned"]
    assert "60 giây" in head.last.text
    await talk.deliver()
    assert talk.person("100").heard == [], "nothing leaves within the minute to undo"
    talk.advance(seconds=61)
    await talk.deliver()
    for number in ("100", "101", "102"):
        assert [m.text for m in talk.person(number).heard] == [preview.text]
    assert (await run_of(talk)).state is RunState.DONE


@pytest.mark.parametrize("word", ["/gui", "/broadcast", "thông báo", "Thong bao", "GỬI TIN ạ"])
async def test_every_way_in(talk: Talk, word: str) -> None:
    head = await head_of_village(talk)
    assert await head.says(word) == ["broadcast.ask_words"]


async def test_the_menu_button_and_words_behind_the_command(talk: Talk) -> None:
    head = await head_of_village(talk)
    assert await head.presses_data("bc:new") == ["broadcast.ask_words"]
    assert await head.says("/gui Mai họp thôn") == ["broadcast.summary"]
    assert "Mai họp thôn" in head.heard[-2].text


@pytest.mark.parametrize("word", ["/gui", "thông báo", "/broadcast"])
async def test_strangers_and_residents_are_told_who_can(talk: Talk, word: str) -> None:
    stranger = talk.person("5")
    resident = await talk.resident("6")
    assert await stranger.says(word) == ["broadcast.not_staff"]
    assert await resident.says(word) == ["broadcast.not_staff"]
    assert "trưởng thôn" in resident.last.text


PLAIN: list[dict[str, Any]] = [
    {"media": (Media(MediaKind.PHOTO, file_id="p"),), "text": "Ảnh mới"},
    {"media": (Media(MediaKind.STICKER, file_id="s"),)},
    {"media": (Media(MediaKind.VOICE, file_id="o"),)},
    {"text": "dấu _ * [ < & giữ nguyên"},
]
MORE: list[dict[str, Any]] = [
    {"media": (Media(MediaKind.VIDEO, file_id="v"),)},
    {"media": (Media(MediaKind.AUDIO, file_id="a"),)},
    {"media": (Media(MediaKind.FILE, file_id="f", name="giay.pdf"),), "text": "Mẫu đơn"},
    {"media": (Media(MediaKind.ANIMATION, file_id="g"),)},
    {"media": (Media(MediaKind.VIDEO_NOTE, file_id="n"),)},
    {"location": Location(17.4, 106.6, "Nhà văn hóa", "Thôn Đông")},
    {"card": ContactCard("0912345678", "Trạm y tế")},
    {"text": "đậm _ * [ < & giữ nguyên", "entities": (Entity(EntityKind.BOLD, 0, 3),)},
]


def zip_files(got: list[Outbound], fields: dict[str, Any]) -> list[tuple[Media, Media]]:
    return list(zip((media for m in got for media in m.media), fields.get("media", ()), strict=True))


def is_same(got: Media, sent: Media) -> bool:
    """As it was, or at an address where the platform carries no such files."""
    return got == sent or f"/{sent.file_id}".encode() in (got.content or b"")


async def send_and_compare(talk: Talk, fields: dict[str, Any]) -> list[Outbound]:
    """What residents get, which is what the preview showed."""
    head = await head_of_village(talk, 1)
    await head.says("gửi tin")
    assert await head.says(**fields) == ["broadcast.summary"]
    shown = head.heard[1:-1]
    await head.presses("📢 Gửi ngay")
    talk.advance(seconds=61)
    await talk.deliver()
    got = talk.person("100").heard
    assert [(m.text, m.media, m.location, m.card, m.entities) for m in got] == [
        (m.text, m.media, m.location, m.card, m.entities) for m in shown
    ], "residents get what the preview showed"
    assert "Trưởng thôn" in "".join(m.text for m in got)
    return got


@pytest.mark.parametrize("fields", PLAIN, ids=[str(n) for n in range(len(PLAIN))])
async def test_anything_can_be_sent(talk: Talk, fields: dict[str, Any]) -> None:
    got = await send_and_compare(talk, fields)
    assert fields.get("text", "") in "".join(m.text for m in got)
    assert [is_same(a, b) for a, b in zip_files(got, fields)] == [True] * len(fields.get("media", ()))


@pytest.mark.parametrize("fields", MORE, ids=[str(n) for n in range(len(MORE))])
async def test_anything_can_be_sent_of_many_kinds(talk: Talk, fields: dict[str, Any]) -> None:
    got = await send_and_compare(talk, fields)
    if talk.channel.capabilities.formatting:
        assert fields.get("text", "") in "".join(m.text for m in got)
    assert [is_same(a, b) for a, b in zip_files(got, fields)] == [True] * len(fields.get("media", ()))


async def test_formatting_survives_the_header(talk: Talk) -> None:
    head = await head_of_village(talk, 1)
    await head.says("gửi tin")
    await head.says("đậm đây", entities=(Entity(EntityKind.BOLD, 0, 3),))
    shown = head.heard[-2]
    bold = next(e for e in shown.entities if e.kind is EntityKind.BOLD)
    units16 = shown.text.encode("utf-16-le")[bold.offset * 2 : (bold.offset + bold.length) * 2]
    assert units16.decode("utf-16-le") == "đậm"


async def test_an_album_is_gathered_into_one(talk: Talk) -> None:
    head = await head_of_village(talk, 1)
    await head.says("gửi tin")
    assert await head.says(media=(Media(MediaKind.PHOTO, file_id="1"),), album_id="9") == ["broadcast.album"]
    assert await head.says("Đường mới", media=(Media(MediaKind.PHOTO, file_id="2"),), album_id="9") == []
    assert await head.says(media=(Media(MediaKind.VIDEO, file_id="3"),), album_id="9") == []
    assert await head.presses("👀 Xem trước") == ["broadcast.summary"]
    await head.presses("📢 Gửi ngay")
    talk.advance(seconds=61)
    await talk.deliver()
    album = next(m for m in talk.person("100").heard if m.media)
    assert [m.file_id for m in album.media] == ["1", "2", "3"]
    assert "Đường mới" in album.text


async def test_several_parts_up_to_five(talk: Talk) -> None:
    head = await head_of_village(talk, 1)
    await head.says("gửi tin")
    await head.says("phần một")
    assert await head.presses("➕ Thêm nội dung") == ["broadcast.more"]
    for number in range(2, 6):
        assert await head.says(f"phần {number}") == ["broadcast.summary"]
    assert await head.says("phần 6") == ["broadcast.part_full"]
    assert await head.presses("➕ Thêm nội dung") == ["broadcast.part_full"]
    await head.presses("📢 Gửi ngay")
    talk.advance(seconds=61)
    await talk.deliver()
    texts = [m.text for m in talk.person("100").heard]
    assert len(texts) == 5
    assert "phần một" in texts[0]
    assert texts[-1].startswith("phần 5")


async def test_what_cannot_be_sent_on_is_refused(talk: Talk) -> None:
    head = await head_of_village(talk, 1)
    await head.says("gửi tin")
    heavy = Media(MediaKind.VIDEO, file_id="v", size=21 * 1024 * 1024)
    assert await head.says(media=(heavy,)) == ["broadcast.part_too_large"]
    assert "20 MB" in head.last.text
    assert await head.says("   ") == ["broadcast.part_empty"]


async def test_a_long_text_says_in_how_many_pieces_it_goes(talk: Talk) -> None:
    head = await head_of_village(talk, 1)
    await head.says("gửi tin")
    assert await head.says("chữ. " * 1000) == ["broadcast.summary"]
    pieces = 2 if talk.channel.capabilities.max_text > 4000 else 3
    assert f"{pieces} tin liền nhau" in head.last.text
    await head.presses("📢 Gửi ngay")
    talk.advance(seconds=61)
    await talk.deliver()
    assert len(talk.person("100").heard) == pieces


async def test_edit_begins_anew_and_drop_ends_it(talk: Talk) -> None:
    head = await head_of_village(talk, 1)
    await head.says("gửi tin")
    await head.says("sai rồi")
    assert await head.presses("✏️ Sửa lại") == ["broadcast.ask_words"]
    await head.says("đúng rồi")
    assert "sai rồi" not in head.heard[-2].text
    assert await head.presses("🗑 Bỏ") == ["broadcast.dropped"]
    assert await head.presses("📢 Gửi ngay") == ["broadcast.stale"]
    assert await all_runs(talk) == []


@pytest.mark.parametrize("word", ["hủy", "huỷ", "bỏ", "thôi", "Hủy ạ"])
async def test_a_word_leaves_the_flow_and_does_not_unsubscribe(talk: Talk, word: str) -> None:
    head = await head_of_village(talk, 1)
    await head.says("gửi tin")
    await head.says(TEXT)
    assert await head.says(word) == ["broadcast.dropped"]
    record = await talk.record("7")
    assert record is not None
    assert record.status == "active"


async def test_pressing_twice_sends_once(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says(TEXT)
    button = next(b.data for b in head.buttons() if b.label == "📢 Gửi ngay")
    assert await head.presses_data(button or "") == ["broadcast.planned"]
    assert await head.presses_data(button or "") == ["broadcast.stale"]
    talk.advance(seconds=61)
    await talk.deliver()
    assert len(await all_runs(talk)) == 1
    assert len(talk.person("100").heard) == 1


async def test_undo_within_the_minute(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says(TEXT)
    await head.presses("📢 Gửi ngay")
    talk.advance(seconds=40)
    assert await head.presses("↩️ Hoàn tác") == ["broadcast.undone"]
    talk.advance(seconds=60)
    await talk.deliver()
    await watch(talk)
    assert talk.person("100").heard == []
    assert (await run_of(talk)).state is RunState.CANCELLED
    assert await head.presses("↩️ Hoàn tác") == ["broadcast.undo_too_late"]


async def test_undo_too_late_and_by_somebody_else(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says(TEXT)
    await head.presses("📢 Gửi ngay")
    run = await run_of(talk)
    assert await talk.person("100").presses_data(f"bc:undo:{run.id}") == ["broadcast.undo_not_yours"]
    assert await head.presses_data("bc:undo:999999") == ["broadcast.undo_not_yours"]
    talk.advance(seconds=61)
    await talk.deliver()
    assert await head.presses_data(f"bc:undo:{run.id}") == ["broadcast.undo_too_late"]
    assert len([m for m in talk.person("100").heard if TEXT in m.text]) == 1


async def test_quiet_hours_hold_it_until_morning_and_say_so(talk: Talk) -> None:
    head = await head_of_village(talk)
    talk.now = at(21)
    await head.says("gửi tin")
    await head.says(TEXT)
    assert "07:00" in head.last.text
    await head.presses("📢 Gửi lúc 07:00 thứ Ba, 24/11/2026")
    assert (await run_of(talk)).planned_at == at(7, day=24)
    talk.now = at(23)
    await talk.deliver()
    assert talk.person("100").heard == []
    talk.now = at(7, day=24)
    await talk.deliver()
    assert len(talk.person("100").heard) == 1


async def test_an_hour_by_button(talk: Talk) -> None:
    head = await head_of_village(talk)
    talk.now = at(12)
    await head.says("gửi tin")
    await head.says(TEXT)
    assert await head.presses("🕖 Hẹn giờ") == ["broadcast.ask_when"]
    labels = [b.label for b in head.buttons()]
    assert labels == ["Hôm nay 17:00", "Hôm nay 19:00", "Mai 07:00", "↩️ Quay lại"]
    assert await head.presses("Hôm nay 17:00") == ["broadcast.summary"]
    assert "17:00" in head.last.text
    assert await head.presses("📢 Gửi lúc 17:00 thứ Hai, 23/11/2026") == ["broadcast.planned"]
    assert (await run_of(talk)).planned_at == at(17)


async def test_an_hour_by_words(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says(TEXT)
    await head.presses("🕖 Hẹn giờ")
    assert await head.says("khi nào cũng được") == ["broadcast.time_unclear"]
    assert await head.says("8h") == ["broadcast.time_past"]
    assert await head.says("8h 20/5/2027") == ["broadcast.time_far"]
    assert await head.says("7 giờ sáng mai") == ["broadcast.summary"]
    await head.presses("📢 Gửi lúc 07:00 thứ Ba, 24/11/2026")
    assert (await run_of(talk)).planned_at == at(7, day=24)


async def test_an_hour_in_the_night_moves_to_the_morning(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says(TEXT)
    await head.presses("🕖 Hẹn giờ")
    await head.says("22h tối nay")
    assert "07:00 thứ Ba" in head.last.text
    await head.presses("📢 Gửi lúc 07:00 thứ Ba, 24/11/2026")
    assert (await run_of(talk)).planned_at == at(7, day=24)


async def test_an_hour_that_passed_meanwhile_is_asked_again(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says(TEXT)
    await head.presses("🕖 Hẹn giờ")
    await head.presses("Hôm nay 11:00")
    talk.now = at(12)
    assert await head.presses("📢 Gửi lúc 11:00 thứ Hai, 23/11/2026") == ["broadcast.summary"]
    assert await all_runs(talk) == []


async def test_the_same_text_within_two_days_asks_first(talk: Talk) -> None:
    head = await head_of_village(talk)
    for answer in ("broadcast.planned", "broadcast.repeated"):
        await head.says("gửi tin")
        await head.says(TEXT)
        assert await head.presses("📢 Gửi ngay") == [answer]
        talk.advance(seconds=61)
        await talk.deliver()
    assert await head.presses("📢 Vẫn gửi") == ["broadcast.planned"]
    talk.advance(days=3)
    await talk.deliver()
    await head.says("gửi tin")
    await head.says(TEXT)
    assert await head.presses("📢 Gửi ngay") == ["broadcast.planned"]


async def test_two_a_day_and_no_more(talk: Talk) -> None:
    head = await head_of_village(talk)
    for number in range(2):
        await head.says("gửi tin")
        await head.says(f"tin số {number}")
        assert await head.presses("📢 Gửi ngay") == ["broadcast.planned"]
    assert await head.says("gửi tin") == ["broadcast.used_up"]
    talk.advance(days=1)
    assert await head.says("gửi tin") == ["broadcast.ask_words"]


async def test_the_limit_is_looked_at_again_when_confirming(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says("tin ba")
    draft = next(b.data for b in head.buttons() if b.label == "📢 Gửi ngay")
    talk.desk.house = type(talk.desk.house)(broadcasts_per_head_day=0)
    assert await head.presses_data(draft or "") == ["broadcast.used_up"]
    assert await all_runs(talk) == []


async def test_people_who_had_their_share_are_counted_and_spared(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says("tin một")
    await head.presses("📢 Gửi ngay")
    talk.advance(seconds=61)
    await talk.deliver()
    await head.says("gửi tin")
    await head.says("tin hai")
    assert "4 người đã nhận đủ tin" in head.last.text
    await head.presses("📢 Gửi ngay")
    talk.advance(seconds=61)
    await talk.deliver()
    await watch(talk)
    assert len(talk.person("100").heard) == 1
    assert "4 đã nhận đủ tin trong ngày" in head.last.text


async def test_a_role_taken_away_before_confirming(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says(TEXT)
    async with talk.database.write() as tx:
        contact = await people.contact(tx, talk.account.id, "7")
        unit = await units.by_code(tx, VILLAGE)
        assert contact is not None
        assert unit is not None
        await roles.revoke(tx, contact.person_id, RoleName.VILLAGE_HEAD, unit.id)
    assert await head.presses("📢 Gửi ngay") == ["broadcast.not_yours"]
    assert await all_runs(talk) == []


async def test_a_village_without_anybody(talk: Talk) -> None:
    await talk.village(VILLAGE, "Thôn Đông")
    head = await talk.staff("7", RoleName.VILLAGE_HEAD, VILLAGE)
    async with talk.database.write() as tx:
        contact = await people.contact(tx, talk.account.id, "7")
        assert contact is not None
        person = await people.get(tx, contact.person_id)
        assert person is not None
        person.status = PersonStatus.STOPPED
    await head.says("gửi tin")
    assert await head.says(TEXT) == ["broadcast.nobody"]


async def test_a_head_who_sends_something_out_of_the_blue_is_asked(talk: Talk) -> None:
    head = await head_of_village(talk)
    assert await head.says(TEXT, forwarded=True) == ["broadcast.offer"]
    assert await head.presses("📢 Gửi cho Thôn Đông") == ["broadcast.summary"]
    assert await head.presses("📢 Gửi ngay") == ["broadcast.planned"]


async def test_a_photo_or_an_album_out_of_the_blue(talk: Talk) -> None:
    head = await head_of_village(talk, 1)
    assert await head.says(media=(Media(MediaKind.PHOTO, file_id="1"),), album_id="9") == ["broadcast.offer"]
    assert await head.says(media=(Media(MediaKind.PHOTO, file_id="2"),), album_id="9") == []
    await head.presses("📢 Gửi cho Thôn Đông")
    assert len(head.heard[-2].media) == 2
    assert await head.presses("🗑 Bỏ") == ["broadcast.dropped"]


async def test_an_open_question_does_not_stand_in_the_way_of_an_offer(talk: Talk) -> None:
    head = await head_of_village(talk)
    async with talk.database.write() as tx:
        contact = await people.contact(tx, talk.account.id, "7")
        assert contact is not None
        await conversations.put(tx, contact.id, "faq.choose", {"entries": []}, talk.now)
    assert await head.says("Ảnh đường mới", media=(Media(MediaKind.PHOTO, file_id="1"),)) == ["broadcast.offer"]
    assert await head.presses("📢 Gửi cho Thôn Đông") == ["broadcast.summary"]


async def test_a_text_that_only_the_header_makes_too_long_is_said_to_be_split(talk: Talk) -> None:
    head = await head_of_village(talk, 1)
    await head.says("gửi tin")
    most = talk.channel.capabilities.max_text
    await head.says("chữ. " * (most // 5 - 4))
    assert "2 tin liền nhau" in head.last.text


async def test_a_long_text_is_offered_and_a_question_is_not(talk: Talk) -> None:
    head = await head_of_village(talk)
    assert await head.says(TEXT) == ["broadcast.offer"]
    assert await head.presses("Không gửi") == ["broadcast.dropped"]
    asked = await head.says("Làm sao để đăng ký tài khoản định danh mức hai cho bố mẹ già ở quê")
    assert "broadcast.offer" not in asked
    asked = await head.says("Cho tôi hỏi thẻ bảo hiểm y tế của cháu nhỏ thì làm ở đâu vậy em?")
    assert "broadcast.offer" not in asked


async def test_residents_are_never_offered_to_send(talk: Talk) -> None:
    resident = await talk.resident("6")
    assert "broadcast.offer" not in await resident.says(TEXT, forwarded=True)
    assert "broadcast.offer" not in await resident.says(TEXT)


async def test_an_editor_chooses_the_unit_by_button_or_by_name(talk: Talk) -> None:
    await head_of_village(talk)
    editor = await talk.staff("8", RoleName.EDITOR, "18859")
    assert await editor.says("gửi tin") == ["broadcast.ask_unit"]
    assert [b.label for b in editor.buttons()][:2] == ["Phường Đồng Thuận", "Thôn Đông"]
    assert await editor.says("Lệ Thủy") == ["broadcast.no_such_unit"]
    assert await editor.says("thon dong") == ["broadcast.ask_words"]
    await editor.says(TEXT)
    assert "📢 Cán bộ Phường Đồng Thuận gửi bà con:" in editor.heard[-2].text
    await editor.presses("📢 Gửi ngay")
    talk.advance(seconds=61)
    await talk.deliver()
    assert len(talk.person("100").heard) == 1
    assert not any("gửi bà con" in m.text for m in editor.heard[5:]), "the editor lives elsewhere"


async def test_an_editor_presses_a_unit(talk: Talk) -> None:
    await head_of_village(talk)
    editor = await talk.staff("8", RoleName.EDITOR, "18859")
    await editor.says("gửi tin")
    assert await editor.presses("Thôn Đông") == ["broadcast.ask_words"]


async def test_a_forged_unit_is_refused(talk: Talk) -> None:
    await head_of_village(talk)
    editor = await talk.staff("8", RoleName.EDITOR, "18859")
    await editor.says("gửi tin")
    data = next(b.data for b in editor.buttons() if b.label == "Thôn Đông") or ""
    assert await editor.presses_data(data.replace(VILLAGE, "44")) == ["broadcast.not_yours"]


async def test_staff_flows_stay_out_of_groups(talk: Talk) -> None:
    head = await head_of_village(talk)
    assert await head.in_group("-5").says("/gui") == ["broadcast.private_only"]
    assert "broadcast.ask_words" not in await head.in_group("-5").says("gửi tin")


async def test_a_command_in_between_ends_the_draft(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says(TEXT)
    await head.says("/gui")
    assert await head.says("nội dung khác") == ["broadcast.summary"]
    assert TEXT not in head.heard[-2].text


async def test_progress_is_told_in_one_message_and_reported_plainly(talk: Talk) -> None:
    head = await head_of_village(talk, 6)
    refused = {"101": ContactClosed(Reason.BLOCKED), "102": ContactClosed(Reason.DEACTIVATED)}

    def fail(message: Outbound) -> None:
        if message.chat_id in refused:
            raise refused[message.chat_id]
        if message.chat_id == "103":
            raise OutcomeUnknown

    await head.says("gửi tin")
    await head.says(TEXT)
    await head.presses("📢 Gửi ngay")
    shown = (await run_of(talk)).progress_message_id
    assert shown is not None
    talk.channel.fail = fail
    talk.advance(seconds=61)
    await begin_due(talk)
    await watch(talk)
    assert "0%" in head.last.text
    assert head.last.edit == shown
    before = len(head.heard)
    talk.advance(seconds=1)
    await watch(talk)
    assert len(head.heard) == before, "nothing changed, nothing is said"
    await talk.deliver()
    talk.advance(seconds=3)
    await watch(talk)
    report = head.last
    assert report.edit == shown
    assert "Đã gửi xong" in report.text
    assert "4 trong 7 người đã nhận" in report.text
    assert "1 đã chặn Loa Số" in report.text
    assert "1 đã bỏ tài khoản" in report.text
    assert "Chưa rõ 1" in report.text
    before = len(head.heard)
    await watch(talk)
    assert len(head.heard) == before, "the last word is said once"


async def test_edits_come_at_most_every_three_seconds(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says(TEXT)
    await head.presses("📢 Gửi ngay")
    talk.advance(seconds=61)
    run = await begin_due(talk)
    await watch(talk)
    async with talk.database.write() as tx:
        again = await runs.get(tx, run.id)
        assert again is not None
        again.state = RunState.PAUSED
    before = len(head.heard)
    talk.advance(seconds=2)
    await watch(talk)
    assert len(head.heard) == before
    talk.advance(seconds=1)
    await watch(talk)
    assert "tạm dừng" in head.last.text


async def test_without_a_message_to_edit_the_report_is_a_new_one(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says(TEXT)
    await head.presses("📢 Gửi ngay")
    async with talk.database.write() as tx:
        run = (await runs.watched(tx))[0]
        run.progress_message_id = None
    talk.advance(seconds=61)
    await talk.deliver()
    await watch(talk)
    assert head.last.edit is None
    assert "Đã gửi xong" in head.last.text


async def test_a_channel_that_cannot_edit_gets_the_report_alone(talk: Talk) -> None:
    head = await head_of_village(talk)
    talk.inbox.capabilities = {talk.channel.account: replace(talk.channel.capabilities, edit=False)}
    await head.says("gửi tin")
    await head.says(TEXT)
    await head.presses("📢 Gửi ngay")
    assert head.last.edit is None
    talk.advance(seconds=61)
    await begin_due(talk)
    before = len(head.heard)
    await watch(talk)
    assert len(head.heard) == before, "no new message for every number"
    await talk.deliver()
    await watch(talk)
    assert "Đã gửi xong" in head.last.text
    assert head.last.edit is None


async def test_a_missed_run_is_reported(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says(TEXT)
    await head.presses("📢 Gửi ngay")
    talk.advance(days=5)
    await talk.deliver()
    await watch(talk)
    assert "chưa gửi được" in head.last.text
    assert (await run_of(talk)).reported_at is not None


async def test_the_header_names_the_role_and_never_the_person(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says(TEXT)
    await head.presses("📢 Gửi ngay")
    _, campaign = (await all_runs(talk))[0]
    assert campaign.state is CampaignState.APPROVED
    assert head.name not in campaign.header


async def test_two_processes_that_hear_the_same_press_send_once(talk: Talk) -> None:
    head = await head_of_village(talk)
    await head.says("gửi tin")
    await head.says(TEXT)
    data = next(b.data for b in head.buttons() if b.label == "📢 Gửi ngay")
    other = Inbox(
        talk.database, talk.desk, ROUTERS, {talk.channel.account: talk.channel.capabilities}, lambda _rows: None
    )
    handled = await asyncio.gather(
        *(
            inbox.handle(
                Inbound(
                    account=talk.channel.account,
                    external_id=f"press-{number}",
                    kind=InboundKind.BUTTON,
                    chat_id="7",
                    chat_kind=ChatKind.PRIVATE,
                    at=talk.now,
                    sender_id="7",
                    button=data,
                    message_id="1",
                    answer_id=str(number),
                )
            )
            for number, inbox in enumerate((talk.inbox, other))
        )
    )
    first, second = sorted(key for one in handled for key in one.keys)
    assert first == "broadcast.planned"
    assert second in ("broadcast.stale", "broadcast.repeated"), "as far as the other one had come"
    assert len(await all_runs(talk)) == 1
