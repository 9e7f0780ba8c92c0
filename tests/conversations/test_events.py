"""An event from the first word to the last: announced, answered, put into the calendar, reminded of, called off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import icalendar
import pytest

from bot.core.errors import ContactRefused, Reason
from bot.core.events import Location, Media, MediaKind, Outbound
from bot.core.words import CampaignKind, DeliveryState, Lane, RoleName, RunState
from bot.db import events as queries
from bot.db import people, roles, runs, units
from bot.db.tables import Campaign, Event, Run
from bot.outreach import campaigns, events
from tests.support.talk import ZONE, Speaker, Talk

VILLAGE = "18859001"


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


async def village(talk: Talk) -> Speaker:
    """A commune's editor, a village with two residents, and one next door."""
    await talk.village(VILLAGE, "Thôn Đông")
    await talk.village("18859002", "Thôn Tây")
    editor = await talk.staff("8", RoleName.EDITOR, "18859")
    await talk.resident("100", unit=VILLAGE)
    await talk.resident("101", unit=VILLAGE)
    await talk.resident("200", unit="18859002")
    return editor


async def announce(editor: Speaker, when: str = "19h ngày 26/11", unit: str = "Thôn Đông") -> None:
    await editor.says("tạo sự kiện")
    await editor.says("Lớp học VNeID")
    await editor.says(when)
    await editor.says("Nhà văn hóa thôn")
    await editor.says(unit)
    await editor.presses("Bỏ qua")
    await editor.presses("Bỏ qua")
    assert await editor.presses("📢 Đăng và gửi") == ["broadcast.planned"]


async def sent_out(talk: Talk, editor: Speaker, when: str = "19h ngày 26/11") -> None:
    await announce(editor, when)
    talk.advance(seconds=61)
    await talk.deliver()


async def remind(talk: Talk) -> list[Run]:
    async with talk.database.write() as tx:
        return await events.plan_reminders(tx, talk.desk, talk.now)


async def event(talk: Talk) -> Event:
    async with talk.database.read() as tx:
        found = await queries.get(tx, 1)
    assert found is not None
    return found


async def of_kind(talk: Talk, kind: CampaignKind) -> list[tuple[Run, Campaign]]:
    async with talk.database.read() as tx:
        return [pair for pair in await runs.latest(tx, 20) if pair[1].kind is kind]


async def test_announced_step_by_step_and_read_by_the_village_alone(talk: Talk) -> None:
    editor = await village(talk)
    assert await editor.says("tạo sự kiện") == ["event.ask_title"]
    assert await editor.says("Lớp học VNeID") == ["event.ask_time"]
    assert await editor.says("thứ năm 19h") == ["event.ask_place"]
    assert await editor.says("Nhà văn hóa thôn") == ["event.ask_unit"]
    assert await editor.says("thon dong") == ["event.ask_text"]
    assert await editor.says("Mang theo _căn cước_ & điện thoại") == ["event.ask_picture"]
    assert await editor.says(media=(Media(MediaKind.PHOTO, file_id="poster"),)) == ["event.summary"]
    preview = next(m for m in reversed(editor.heard[:-1]) if m.text)
    summary = editor.last
    assert "2 người ở Thôn Đông" in summary.text
    assert await editor.presses("📢 Đăng và gửi") == ["broadcast.planned"]
    talk.advance(seconds=61)
    await talk.deliver()
    got = next(m for m in talk.person("100").heard if m.text)
    assert got.text == preview.text
    assert got.text.startswith("📢 Cán bộ Phường Đồng Thuận mời bà con:")
    assert "19:00 thứ Năm, 26/11/2026" in got.text
    assert "_căn cước_ &" in got.text
    assert [media.file_id for m in talk.person("100").heard for media in m.media] == ["poster"]
    assert [b.label for row in got.buttons for b in row] == ["✅ Đi", "❌ Không", "📅 Thêm vào lịch", "↗️ Chuyển tiếp"]
    assert talk.person("200").heard == []
    found = await event(talk)
    assert (found.title, found.place) == ("Lớp học VNeID", "Nhà văn hóa thôn")
    assert found.starts_at == at(19, day=26)


async def test_a_village_head_is_not_asked_for_the_unit(talk: Talk) -> None:
    await village(talk)
    head = await talk.staff("7", RoleName.VILLAGE_HEAD, VILLAGE)
    await head.says("/taosukien")
    await head.says("Họp thôn")
    await head.says("19h tối mai")
    assert await head.says("Nhà văn hóa") == ["event.ask_text"]
    assert await head.says("bỏ qua") == ["event.ask_picture"]
    assert await head.says("không") == ["event.summary"]


async def test_a_head_announces_three_events_a_day_and_no_more(talk: Talk) -> None:
    await village(talk)
    head = await talk.staff("7", RoleName.VILLAGE_HEAD, VILLAGE)
    for number in range(3):
        await head.says("tạo sự kiện")
        for word in (f"Họp lần {number}", "19h tối mai", "Nhà văn hóa", "bỏ qua", "bỏ qua"):
            await head.says(word)
        assert await head.presses("📢 Đăng và gửi") == ["broadcast.planned"]
    assert await head.says("tạo sự kiện") == ["event.used_up"]
    assert "đủ 3 sự kiện" in head.last.text
    assert await head.presses("↩️ Hoàn tác") == ["broadcast.undone"]
    assert await head.says("tạo sự kiện") == ["event.ask_title"], "what was taken back does not count"


async def test_the_number_of_events_is_looked_at_again_when_confirming(talk: Talk) -> None:
    await village(talk)
    head = await talk.staff("7", RoleName.VILLAGE_HEAD, VILLAGE)
    await head.says("tạo sự kiện")
    for word in ("Họp", "19h tối mai", "Nhà văn hóa", "bỏ qua", "bỏ qua"):
        await head.says(word)
    talk.desk.house = type(talk.desk.house)(events_per_head_day=0)
    assert await head.presses("📢 Đăng và gửi") == ["event.used_up"]
    async with talk.database.read() as tx:
        assert await runs.latest(tx, 1) == []


async def test_a_head_of_two_villages_hears_of_the_limit_with_the_village(talk: Talk) -> None:
    await village(talk)
    head = await talk.staff("7", RoleName.VILLAGE_HEAD, VILLAGE)
    async with talk.database.write() as tx:
        contact, west = await people.contact(tx, talk.account.id, "7"), await units.by_code(tx, "18859002")
        assert contact is not None
        assert west is not None
        await roles.grant(tx, contact.person_id, RoleName.VILLAGE_HEAD, west.id, talk.now)
    talk.desk.house = type(talk.desk.house)(events_per_head_day=0)
    await head.says("tạo sự kiện")
    for word in ("Họp", "19h tối mai", "Nhà văn hóa"):
        await head.says(word)
    assert await head.says("Thôn Tây") == ["event.used_up"]


async def test_editors_announce_as_many_as_there_are(talk: Talk) -> None:
    editor = await village(talk)
    talk.desk.house = type(talk.desk.house)(events_per_head_day=0)
    await announce(editor)


async def test_an_announcement_holds_until_the_event_begins(talk: Talk) -> None:
    editor = await village(talk)
    await announce(editor)
    ((run, _),) = await of_kind(talk, CampaignKind.EVENT)
    assert run.valid_until == at(19, day=26)
    talk.now = at(19, 1, day=26)
    await talk.deliver()
    assert talk.person("100").heard == []


async def test_residents_cannot_announce(talk: Talk) -> None:
    await village(talk)
    assert await talk.person("100").says("tạo sự kiện") == ["event.not_staff"]
    assert await talk.person("100").presses_data("ev:new") == ["event.not_staff"]
    influencer = await talk.staff("9", RoleName.INFLUENCER, VILLAGE)
    assert await influencer.says("/taosukien") == ["event.not_staff"]


async def test_times_that_cannot_be(talk: Talk) -> None:
    editor = await village(talk)
    await editor.says("tạo sự kiện")
    await editor.says("Họp")
    assert await editor.says("hôm nào đó") == ["event.time_unclear"]
    assert await editor.says("8h sáng nay") == ["event.time_past"]
    assert await editor.says("8h 1/3/2030") == ["event.time_far"]
    talk.now = at(21)
    assert await editor.says("6h sáng mai") == ["event.time_at_night"]
    assert await editor.says("8h sáng mai") == ["event.ask_place"]


async def test_a_place_on_the_map(talk: Talk) -> None:
    editor = await village(talk)
    await editor.says("tạo sự kiện")
    await editor.says("Họp")
    await editor.says("19h tối mai")
    assert await editor.says(location=Location(17.4, 106.6)) == ["event.ask_place_name"]
    assert await editor.says("Nhà văn hóa") == ["event.ask_unit"]
    await editor.presses("Phường Đồng Thuận")
    await editor.presses("Bỏ qua")
    await editor.presses("Bỏ qua")
    await editor.presses("📢 Đăng và gửi")
    talk.advance(seconds=61)
    await talk.deliver()
    point = Location(17.4, 106.6)
    assert any(m.location == point or "q=17.400000,106.600000" in m.text for m in talk.person("200").heard)
    assert "ev:yes:1" in [b.data for b in talk.person("200").buttons()]


async def test_leaving_dropping_and_beginning_anew(talk: Talk) -> None:
    editor = await village(talk)
    await editor.says("tạo sự kiện")
    assert await editor.says("thôi") == ["event.dropped"]
    await editor.says("tạo sự kiện")
    assert await editor.says("Thông báo") == ["event.ask_time"], "a title may be a word that begins something else"
    assert await editor.presses("🗑 Bỏ") == ["event.dropped"]
    assert await editor.presses("🗑 Bỏ") == ["event.stale"]
    await editor.says("tạo sự kiện")
    assert await editor.says("   ") == ["event.ask_title"]


async def test_pressing_twice_announces_once(talk: Talk) -> None:
    editor = await village(talk)
    await announce(editor)
    assert await editor.presses("📢 Đăng và gửi") == ["event.stale"]
    async with talk.database.read() as tx:
        assert await queries.get(tx, 2) is None


async def test_undo_takes_the_event_with_it(talk: Talk) -> None:
    editor = await village(talk)
    await announce(editor)
    assert await editor.presses("↩️ Hoàn tác") == ["broadcast.undone"]
    talk.advance(seconds=61)
    await talk.deliver()
    assert talk.person("100").heard == []
    assert (await event(talk)).cancelled_at is not None
    assert await remind(talk) == []
    assert await talk.person("100").says("sự kiện") == ["event.none"]


async def test_a_role_taken_away_before_confirming(talk: Talk) -> None:
    editor = await village(talk)
    await editor.says("tạo sự kiện")
    for word in ("Họp", "19h tối mai", "Nhà văn hóa", "Thôn Đông", "bỏ qua", "bỏ qua"):
        await editor.says(word)
    async with talk.database.write() as tx:
        contact = await people.contact(tx, talk.account.id, "8")
        unit = await units.by_code(tx, "18859")
        assert contact is not None
        assert unit is not None
        await roles.revoke(tx, contact.person_id, RoleName.EDITOR, unit.id)
    assert await editor.presses("📢 Đăng và gửi") == ["event.not_yours"]


async def test_answers_can_be_changed_and_are_counted_for_the_author(talk: Talk) -> None:
    editor = await village(talk)
    await sent_out(talk, editor)
    one, two = talk.person("100"), talk.person("101")
    assert await one.presses("✅ Đi") == ["event.going"]
    assert await two.presses("✅ Đi") == ["event.going"]
    assert await two.presses("❌ Không") == ["event.not_going"]
    assert await one.presses("✅ Đi") == ["event.going"]
    assert await editor.says("/events") == ["event.list"]
    assert await editor.presses("Lớp học VNeID") == ["event.card", "event.numbers"]
    assert editor.last.text == "👥 1 người hẹn đi, 1 người báo không đi."
    assert await one.says("sự kiện") == ["event.list"]
    assert "✅ Bà con đã hẹn đi" in one.last.text
    assert await one.presses("Lớp học VNeID") == ["event.card"]


async def test_answers_in_a_group_are_those_of_whoever_pressed(talk: Talk) -> None:
    editor = await village(talk)
    await sent_out(talk, editor)
    one = talk.person("100").in_group("-7")
    assert await one.presses_data("ev:yes:1") == ["event.going_short"]
    stranger = talk.person("999").in_group("-7")
    assert await stranger.presses_data("ev:yes:1") == ["event.answer_in_private"]
    async with talk.database.read() as tx:
        assert (await queries.answers(tx, 1)).going == 1


async def going(talk: Talk) -> tuple[int, int]:
    async with talk.database.read() as tx:
        found = await queries.answers(tx, 1)
    return found.going, found.not_going


async def test_an_answer_waits_for_the_consent(talk: Talk) -> None:
    editor = await village(talk)
    await sent_out(talk, editor)
    stranger = talk.person("999")
    assert await stranger.presses_data("ev:yes:1") == ["event.consent_first", "subscribe.greeting"]
    assert await going(talk) == (0, 0), "nothing is noted without consent"
    assert await stranger.presses_data("ev:no:1") == ["event.consent_first", "subscribe.greeting"]
    assert await stranger.presses("Đồng ý, đăng ký") == ["event.not_going", "subscribe.commune"]
    assert await going(talk) == (0, 1), "the last answer counts"
    assert await stranger.presses_data("ev:yes:1") == ["event.going"]


async def test_an_answer_is_forgotten_where_consent_is_refused(talk: Talk) -> None:
    editor = await village(talk)
    await sent_out(talk, editor)
    stranger = talk.person("999")
    await stranger.presses_data("ev:yes:1")
    assert await stranger.presses("Chỉ hỏi, không đăng ký") == ["subscribe.guest"]
    assert await stranger.presses_data("consent:yes") == ["subscribe.commune"]
    assert await going(talk) == (0, 0)


async def test_a_consent_that_comes_after_the_start_notes_no_answer(talk: Talk) -> None:
    editor = await village(talk)
    await sent_out(talk, editor)
    stranger = talk.person("999")
    await stranger.presses_data("ev:yes:1")
    talk.now = at(19, 1, day=26)
    assert await stranger.presses("Đồng ý, đăng ký") == ["event.has_begun", "subscribe.commune"]
    assert await going(talk) == (0, 0)


async def test_whoever_stopped_may_answer_and_is_told_how_to_be_reminded(talk: Talk) -> None:
    editor = await village(talk)
    await sent_out(talk, editor)
    one = talk.person("100")
    await one.says("dừng")
    assert await one.presses_data("ev:yes:1") == ["event.going"]
    assert "nhắn: tiếp" in one.last.text


async def test_a_group_is_no_place_to_ask_for_consent(talk: Talk) -> None:
    editor = await village(talk)
    await sent_out(talk, editor)
    stranger = talk.person("999")
    await stranger.says("chào")
    assert await stranger.in_group("-7").presses_data("ev:yes:1") == ["event.answer_in_private"]
    assert await going(talk) == (0, 0)


async def test_answers_after_the_start_come_too_late(talk: Talk) -> None:
    editor = await village(talk)
    await sent_out(talk, editor)
    talk.now = at(19, 1, day=26)
    assert await talk.person("100").presses("✅ Đi") == ["event.has_begun"]
    assert await talk.person("100").presses_data("ev:yes:77") == ["event.unknown"]


def newest_file(speaker: Speaker) -> Media:
    return next(media for message in reversed(speaker.heard) for media in message.media)


async def test_the_calendar_file_reads_back(talk: Talk) -> None:
    editor = await village(talk)
    await sent_out(talk, editor)
    resident = talk.person("100")
    assert await resident.presses("📅 Thêm vào lịch") == ["event.file"]
    file = newest_file(resident)
    assert file.kind is MediaKind.FILE
    assert file.name in ("su-kien-1.ics", None), "where it lies at an address it has no name"
    calendar = icalendar.Calendar.from_ical(file.content or b"")
    (found,) = calendar.walk("VEVENT")
    assert found["SUMMARY"] == "Lớp học VNeID"
    assert found["LOCATION"] == "Nhà văn hóa thôn"
    assert found["UID"] == "event-1@loaso"
    assert found.decoded("DTSTART") == at(19, day=26)
    assert found["DTSTART"].params["TZID"] == "Asia/Ho_Chi_Minh"
    assert [z["TZID"] for z in calendar.walk("VTIMEZONE")] == ["Asia/Ho_Chi_Minh"]
    assert [a.decoded("TRIGGER") for a in found.walk("VALARM")] == [timedelta(days=-1), timedelta(hours=-2)]
    await resident.presses("📅 Thêm vào lịch")
    assert newest_file(resident).content == file.content, "the same file every time"


async def test_those_who_come_are_reminded_twice(talk: Talk) -> None:
    editor = await village(talk)
    await sent_out(talk, editor)
    await talk.person("100").presses("✅ Đi")
    await talk.person("101").presses("❌ Không")
    assert await remind(talk) == [], "not yet within three days"
    talk.now = at(8, day=24)
    assert len(await remind(talk)) == 2
    assert await remind(talk) == [], "planned once, however often the job runs"
    async with talk.database.read() as tx:
        reminders = [run for run, of in await runs.latest(tx, 9) if of.kind is CampaignKind.EVENT_REMINDER]
    assert sorted(r.planned_at for r in reminders) == [at(18, day=25), at(17, day=26)]
    before = len(talk.person("100").heard)
    talk.now = at(18, day=25)
    await talk.deliver()
    assert talk.person("100").last.text.startswith("⏰ Nhắc bà con")
    talk.now = at(17, day=26)
    await talk.deliver()
    assert len(talk.person("100").heard) == before + 2
    assert not any("⏰" in m.text for m in talk.person("101").heard)
    assert await talk.person("100").presses("❌ Không") == ["event.not_going"]


@pytest.mark.parametrize(
    ("starts", "second"),
    [
        (at(19, day=26), at(17, day=26)),
        (at(8, 30, day=26), at(20, day=25)),
        (at(5, day=26), at(20, day=25)),
        (at(9, day=26), at(7, day=26)),
        (at(23, 30, day=26), at(20, day=26)),
    ],
)
async def test_reminders_keep_out_of_the_night(talk: Talk, starts: datetime, second: datetime) -> None:
    times = events.reminder_times(talk.desk.clock, starts)
    assert [t for t, _ in times] == [at(18, day=25), second]
    assert all(not talk.desk.clock.is_quiet(t) and t < until <= starts for t, until in times)


async def test_a_reminder_that_could_not_leave_in_the_evening_does_not_leave_at_night(talk: Talk) -> None:
    editor = await village(talk)
    await sent_out(talk, editor)
    await talk.person("100").presses("✅ Đi")
    talk.now = at(9, day=24)
    await remind(talk)
    before = len(talk.person("100").heard)
    talk.now = at(23, day=25)
    await talk.deliver()
    talk.now = at(9, day=26)
    await talk.deliver()
    assert len(talk.person("100").heard) == before
    talk.now = at(17, 5, day=26)
    await talk.deliver()
    assert len(talk.person("100").heard) == before + 1


async def test_called_off_after_asking_and_those_who_come_hear_of_it(talk: Talk) -> None:
    editor = await village(talk)
    await sent_out(talk, editor)
    one, two = talk.person("100"), talk.person("101")
    await one.presses("✅ Đi")
    talk.now = at(9, day=24)
    await remind(talk)
    await editor.presses_data("ev:show:1")
    assert await editor.presses("🚫 Hủy sự kiện") == ["event.ask_cancel"]
    assert "1 người đã hẹn đi" in editor.last.text
    heard = len(two.heard)
    assert await editor.presses("🚫 Hủy và báo bà con") == ["event.cancelled"]
    await talk.deliver()
    assert one.last.text.startswith("🚫 Đã hủy: Lớp học VNeID")
    assert len(two.heard) == heard
    assert all(run.state is RunState.CANCELLED for run, _ in await of_kind(talk, CampaignKind.EVENT_REMINDER))
    assert await remind(talk) == []
    for moment in (at(18, day=25), at(17, day=26)):
        talk.now = moment
        await talk.deliver()
    assert not any("⏰" in m.text for m in one.heard)
    assert await one.presses("✅ Đi") == ["event.was_cancelled"]
    assert await one.presses("📅 Thêm vào lịch") == ["event.was_cancelled"]
    assert await editor.presses_data("ev:off:1") == ["event.was_cancelled"]
    assert await one.says("sự kiện") == ["event.none"]


async def test_only_its_author_and_editors_may_call_it_off(talk: Talk) -> None:
    editor = await village(talk)
    await sent_out(talk, editor)
    assert await talk.person("100").presses_data("ev:cancel:1") == ["event.not_yours"]
    assert await talk.person("100").presses_data("ev:off:1") == ["event.not_yours"]
    above = await talk.staff("9", RoleName.ADMIN, "44")
    assert await above.presses_data("ev:cancel:1") == ["event.ask_cancel"]
    assert await above.presses("Không hủy") == ["event.card", "event.numbers"]


@pytest.mark.parametrize(
    ("when", "now", "urgent"),
    [
        ("19h ngày 26/11", at(12, day=26), False),
        ("22h ngày 26/11", at(20, 45, day=26), True),
        ("6h ngày 27/11", at(22, day=26), True),
        ("9h ngày 27/11", at(22, day=26), False),
    ],
)
async def test_the_notice_passes_quiet_hours_only_when_it_would_come_too_late(
    talk: Talk, when: str, now: datetime, urgent: bool
) -> None:
    editor = await village(talk)
    await sent_out(talk, editor, when)
    await talk.person("100").presses("✅ Đi")
    talk.now = now
    await editor.presses_data("ev:off:1")
    ((run, campaign),) = await of_kind(talk, CampaignKind.EVENT_CANCELLED)
    assert campaign.urgent is urgent
    assert (run.lane is Lane.ALERT) is urgent
    before = len(talk.person("100").heard)
    await talk.deliver()
    heard = len(talk.person("100").heard) - before
    assert heard == (0 if talk.desk.clock.is_quiet(now) and not urgent else 1)


async def test_the_list_shows_what_is_near(talk: Talk) -> None:
    editor = await village(talk)
    assert await talk.person("200").says("/events") == ["event.none"]
    await sent_out(talk, editor)
    assert await talk.person("200").says("/events") == ["event.none"]
    assert await talk.person("100").says("lịch") == ["event.list"]
    assert await editor.presses_data("ev:list") == ["event.list"]
    assert await talk.person("777").says("/events") == ["event.list"]
    talk.now = at(20, day=26)
    assert await talk.person("100").says("/events") == ["event.none"]


async def test_a_link_opens_the_event(talk: Talk) -> None:
    editor = await village(talk)
    await sent_out(talk, editor)
    assert "event.card" in await talk.person("100").says("/start e_1")
    assert "event.card" in await talk.person("998").says("/start e_1")
    assert "event.card" not in await talk.person("100").says("/start e_99")


async def test_in_english(talk: Talk) -> None:
    editor = await village(talk)
    await talk.resident("300", unit=VILLAGE)
    async with talk.database.write() as tx:
        contact = await people.contact(tx, talk.account.id, "300")
        assert contact is not None
        person = await people.get(tx, contact.person_id)
        assert person is not None
        person.language = "en"
    await sent_out(talk, editor)
    guest = talk.person("300")
    assert await guest.says("/events") == ["event.list"]
    assert "19:00, 26/11/2026" in guest.last.text
    await guest.presses("Lớp học VNeID")
    assert [b.label for b in guest.buttons()][:2] == ["✅ Going", "❌ Not going"]
    await guest.presses("✅ Going")
    assert "Noted" in guest.last.text


async def test_nobody_is_told_again_of_an_event_that_has_begun(talk: Talk) -> None:
    """An operator who repeats what failed does not invite people to what is over."""
    editor = await village(talk)
    resident = await talk.resident("31", unit=VILLAGE)

    def refuse(message: Outbound) -> None:
        if message.chat_id == "31":
            raise ContactRefused(Reason.NO_RIGHTS, "not enough rights")

    talk.channel.fail = refuse
    await sent_out(talk, editor)
    talk.channel.fail = lambda _message: None
    ((run, _),) = await of_kind(talk, CampaignKind.EVENT)
    talk.advance(days=5)
    before = len(resident.heard)
    async with talk.database.write() as tx:
        with pytest.raises(campaigns.WrongState, match="has begun"):
            await campaigns.requeue(tx, await campaigns.find(tx, run.id), DeliveryState.FAILED, talk.now)
    await talk.deliver()
    assert len(resident.heard) == before
