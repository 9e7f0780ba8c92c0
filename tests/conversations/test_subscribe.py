"""Arriving: the greeting, consent, the four questions, links, resuming, odd input."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

import pytest

from bot.core.events import Media, MediaKind
from bot.core.words import PersonStatus, TargetGroup
from bot.db import conversations, people, units
from bot.outreach import referrals
from tests.support.talk import Speaker, Talk


async def agreed(talk: Talk, id: str = "1001") -> Speaker:
    person = talk.person(id)
    await person.says("/start")
    await person.presses("consent:yes")
    return person


async def home_of(talk: Talk, id: str = "1001") -> str | None:
    person = await talk.record(id)
    assert person is not None
    async with talk.database.read() as tx:
        unit = await units.get(tx, person.unit_id) if person.unit_id else None
    return unit.code if unit else None


async def step_of(talk: Talk, id: str = "1001") -> str | None:
    async with talk.database.read() as tx:
        contact = await people.contact(tx, talk.account.id, id)
        assert contact is not None
        waiting = await conversations.get(tx, contact.id)
    return waiting.step if waiting else None


async def invite_of(talk: Talk, id: str) -> str:
    """The code of a resident for where they live."""
    async with talk.database.write() as tx:
        contact = await people.contact(tx, talk.account.id, id)
        assert contact is not None
        person = await people.get(tx, contact.person_id)
        assert person is not None
        home = await units.get(tx, person.unit_id) if person.unit_id else None
        return await referrals.code_for(tx, person, home, talk.now)


async def test_a_whole_subscription_by_buttons(talk: Talk) -> None:
    await talk.village("v1", "Thôn Đông")
    person = talk.person()
    assert await person.says("/start") == ["subscribe.greeting"]
    assert "máy trả lời tự động" in person.last.text
    assert await person.presses("Đồng ý, đăng ký") == ["subscribe.commune"]
    assert "1/4" in person.last.text
    assert await person.presses("Đồng Hới") == ["subscribe.in_district"]
    assert await person.presses("Phường Đồng Thuận") == ["subscribe.village"]
    assert "2/4" in person.last.text
    assert await person.presses("Thôn Đông") == ["subscribe.group"]
    assert "3/4" in person.last.text
    assert "Thôn Đông, Phường Đồng Thuận" in person.last.text
    assert await person.presses("Người cao tuổi") == ["subscribe.hour"]
    assert "4/4" in person.last.text
    assert await person.presses("17:00") == ["subscribe.done"]
    known = await talk.record("1001")
    assert known is not None
    assert (known.status, known.target_group, known.tip_hour) == (PersonStatus.ACTIVE, TargetGroup.ELDERLY, 17)
    assert await home_of(talk) == "v1"
    assert (known.consent_version, known.consent_via) == (talk.desk.house.consent_version, talk.account.channel)
    assert known.consent_at is not None
    assert talk.now - known.consent_at < timedelta(seconds=1)
    assert await step_of(talk) is None


async def test_a_whole_subscription_by_typing(talk: Talk) -> None:
    await talk.village("v1", "Thôn Đông")
    person = talk.person()
    await person.says("/start")
    assert await person.says("Đồng ý ạ") == ["subscribe.commune"]
    assert await person.says("bac ly") == ["subscribe.village"]
    assert await person.says("thôn đông") == ["subscribe.group"]
    assert await person.says("dạ tui buôn bán ngoài chợ") == ["subscribe.hour"]
    assert await person.says("6h tối") == ["subscribe.done"]
    known = await talk.record("1001")
    assert known is not None
    assert (known.target_group, known.tip_hour) == (TargetGroup.BUSINESS_HOUSEHOLD, 18)
    assert await home_of(talk) == "v1"


async def test_nothing_is_stored_before_consent(talk: Talk) -> None:
    person = talk.person()
    await person.says("/start")
    for text in ("bắc lý", "người cao tuổi", "19h"):
        await person.says(text)
    known = await talk.record("1001")
    assert known is not None
    assert known.status is PersonStatus.NEW
    assert (known.unit_id, known.target_group, known.tip_hour, known.consent_at) == (None, None, None, None)


@pytest.mark.parametrize("text", ["ok", "vâng", "dạ", "cảm ơn", "👍"])
async def test_a_polite_word_is_no_consent(talk: Talk, text: str) -> None:
    person = talk.person()
    await person.says("/start")
    await person.says(text)
    known = await talk.record("1001")
    assert known is not None
    assert known.consent_at is None


async def test_skipping_everything_subscribes_with_defaults(talk: Talk) -> None:
    person = await agreed(talk)
    assert await person.presses("Bỏ qua") == ["subscribe.group"]
    assert await person.says("bỏ qua") == ["subscribe.hour"]
    assert await person.presses("set:skip:hour") == ["subscribe.done"]
    known = await talk.record("1001")
    assert known is not None
    assert (known.status, known.target_group, known.tip_hour, known.unit_id) == (
        PersonStatus.ACTIVE,
        TargetGroup.RESIDENT,
        talk.desk.house.tip_hour,
        None,
    )


async def test_consent_alone_makes_somebody_active(talk: Talk) -> None:
    await agreed(talk)
    known = await talk.record("1001")
    assert known is not None
    assert known.status is PersonStatus.ACTIVE
    assert known.target_group is TargetGroup.RESIDENT


async def test_a_first_question_is_answered_before_the_greeting(talk: Talk) -> None:
    person = talk.person()
    assert await person.says("quên mật khẩu vneid") == ["faq.answer", "subscribe.greeting"]
    assert len(person.heard) == 2
    assert await person.says("OTP là gì") == ["faq.answer"], "the greeting comes once"
    assert await step_of(talk) == "subscribe.consent"
    assert await person.says("đồng ý") == ["subscribe.commune"]


async def test_whoever_only_asks_is_not_asked_again(talk: Talk) -> None:
    person = talk.person()
    await person.says("/start")
    assert await person.presses("Chỉ hỏi, không đăng ký") == ["subscribe.guest"]
    assert await person.says("quên mật khẩu vneid") == ["faq.answer"]
    assert await person.says("ơ cái cây kia màu gì") == ["faq.unknown"]
    known = await talk.record("1001")
    assert known is not None
    assert known.status is PersonStatus.NEW
    assert await person.presses("🔔 Đăng ký nhận mẹo") == ["subscribe.greeting"]


async def test_any_first_message_greets(talk: Talk) -> None:
    assert await talk.person("1").says("chào bạn") == ["faq.greeting", "subscribe.greeting"]
    photo = (Media(MediaKind.PHOTO, file_id="f"),)
    assert await talk.person("2").says("", media=photo) == ["common.media", "subscribe.greeting"]
    assert await talk.person("3").says("/menu") == ["menu.show"]
    assert await talk.person("4").says("/settings") == ["subscribe.greeting"]


async def test_start_in_the_middle_offers_the_current_step(talk: Talk) -> None:
    person = await agreed(talk)
    await person.says("bắc lý")
    talk.advance(days=3)
    assert await person.says("/start") == ["subscribe.group"]
    assert "3/4" in person.last.text
    assert await person.says("học sinh") == ["subscribe.hour"]
    assert await person.says("/start") == ["subscribe.hour"]
    assert await person.says("tiếp") == ["subscribe.hour"]


async def test_start_of_a_subscriber_opens_the_menu(talk: Talk) -> None:
    person = await talk.resident("5")
    assert await person.says("/start") == ["menu.show"]


async def test_a_new_notice_asks_again(talk: Talk) -> None:
    person = await talk.resident("5")
    async with talk.database.write() as tx:
        contact = await people.contact(tx, talk.account.id, "5")
        assert contact is not None
        known = await people.get(tx, contact.person_id)
        assert known is not None
        known.consent_version = "2020-01"
    assert await person.says("/start") == ["subscribe.consent_again"]
    assert await person.presses("Đồng ý, đăng ký") == ["optout.resumed"]
    record = await talk.record("5")
    assert record is not None
    assert record.consent_version == talk.desk.house.consent_version


async def test_declining_a_new_notice_stops(talk: Talk) -> None:
    person = await talk.resident("5")
    async with talk.database.write() as tx:
        contact = await people.contact(tx, talk.account.id, "5")
        assert contact is not None
        known = await people.get(tx, contact.person_id)
        assert known is not None
        known.consent_version = "2020-01"
    await person.says("/start")
    assert await person.presses("Chỉ hỏi, không đăng ký") == ["subscribe.guest"]
    record = await talk.record("5")
    assert record is not None
    assert record.status is PersonStatus.STOPPED


async def test_a_commune_without_villages_skips_that_question(talk: Talk) -> None:
    person = await agreed(talk)
    assert await person.says("phong nha") == ["subscribe.group"]


async def test_several_places_are_asked_about(talk: Talk) -> None:
    person = await agreed(talk)
    assert await person.says("quang tien") == ["subscribe.which"]
    assert [b.label for b in person.buttons()] == [
        "Xã Nam Ba Đồn (Xã Quảng Tiên cũ)",
        "Xã Trung Thuần (Xã Quảng Tiến cũ)",
        "Không phải các nơi này",
    ]
    assert await person.says("2") == ["subscribe.group"]
    assert await home_of(talk) == "19030"


async def test_none_of_the_places_asks_again(talk: Talk) -> None:
    person = await agreed(talk)
    await person.says("quang tien")
    assert await person.presses("Không phải các nơi này") == ["subscribe.commune"]


async def test_an_old_district_offers_its_communes(talk: Talk) -> None:
    person = await agreed(talk)
    assert await person.says("huyện minh hóa") == ["subscribe.in_district"]
    assert "Xã Dân Hóa" in [b.label for b in person.buttons()]
    assert await person.says("Minh Hóa") == ["subscribe.which"]
    assert await person.presses("Nơi khác thuộc Huyện Minh Hóa cũ") == ["subscribe.in_district"]
    assert await person.presses("Xã Kim Phú") == ["subscribe.group"]
    assert await home_of(talk) == "18943"


async def test_village_and_commune_in_one_line(talk: Talk) -> None:
    await talk.village("v1", "Thôn 1")
    await talk.village("v2", "Thôn 1", "19138")
    person = await agreed(talk)
    assert await person.says("thôn 1, xã phong nha") == ["subscribe.group"]
    assert await home_of(talk) == "v2"


async def test_a_village_name_that_is_not_unique_is_asked_about(talk: Talk) -> None:
    await talk.village("v1", "Thôn 1")
    await talk.village("v2", "Thôn 1", "19138")
    person = await agreed(talk)
    assert await person.says("thon 1") == ["subscribe.which"]
    assert await person.presses("Thôn 1, Xã Phong Nha") == ["subscribe.group"]
    assert await home_of(talk) == "v2"


async def test_many_villages_come_in_pages(talk: Talk) -> None:
    for number in range(1, 31):
        await talk.village(f"v{number}", f"Thôn {number}")
    person = await agreed(talk)
    assert await person.says("đồng thuận") == ["subscribe.village"]
    assert [b.label for b in person.buttons()][:3] == ["Thôn 1", "Thôn 2", "Thôn 3"]
    assert await person.presses("Tiếp theo ➡") == ["subscribe.village"]
    assert await person.presses("Tiếp theo ➡") == ["subscribe.village"]
    assert "Thôn 30" in [b.label for b in person.buttons()]
    assert await person.presses("⬅ Trước") == ["subscribe.village"]
    assert await person.says("17") == ["subscribe.group"]
    assert await home_of(talk) == "v17"


async def test_an_unknown_village_keeps_the_commune(talk: Talk) -> None:
    await talk.village("v1", "Thôn Đông")
    person = await agreed(talk)
    await person.says("đồng thuận")
    assert await person.says("xóm bờ kè") == ["subscribe.village"]
    assert await person.says("chưa rõ thôn") == ["subscribe.group"]
    assert await home_of(talk) == "18859"


async def test_a_question_in_the_middle_is_answered_and_the_step_comes_again(talk: Talk) -> None:
    person = await agreed(talk)
    assert await person.says("quên mật khẩu vneid thì làm sao") == ["faq.answer", "subscribe.commune"]
    assert await step_of(talk) == "subscribe.commune"


async def test_danger_comes_before_the_questions(talk: Talk) -> None:
    person = await agreed(talk)
    assert await person.says("tôi muốn tự tử") == ["faq.guard_self_harm"]
    assert await step_of(talk) == "subscribe.commune"


async def test_what_is_not_understood_is_asked_again(talk: Talk) -> None:
    person = await agreed(talk)
    assert await person.says("hành tinh sao hỏa") == ["subscribe.commune"]
    assert "chưa tìm ra" in person.last.text
    await person.says("bỏ qua")
    assert await person.says("blabla") == ["subscribe.group"]
    await person.says("5")
    assert await person.says("lúc gà gáy") == ["subscribe.hour"]
    known = await talk.record("1001")
    assert known is not None
    assert known.target_group is TargetGroup.BUSINESS_HOUSEHOLD


@pytest.mark.parametrize("text", ["5 giờ sáng", "10h đêm", "23h", "6h"])
async def test_an_hour_of_rest_is_asked_again(talk: Talk, text: str) -> None:
    person = await agreed(talk)
    await person.says("bỏ qua")
    await person.says("bỏ qua")
    assert await person.says(text) == ["subscribe.hour_outside"]
    assert await person.says("7 giờ sáng") == ["subscribe.done"]


async def test_pressing_twice_changes_nothing(talk: Talk) -> None:
    person = await agreed(talk)
    assert await person.presses_data("consent:yes") == ["subscribe.commune"]
    await person.presses_data("set:place:18859")
    assert await person.presses_data("set:place:18859") == ["subscribe.group"]
    await person.presses_data("set:group:student")
    assert await person.presses_data("set:group:student") == ["subscribe.hour"]
    await person.presses_data("set:hour:19")
    assert await person.presses_data("set:hour:19") == ["settings.overview"]
    known = await talk.record("1001")
    assert known is not None
    assert (known.target_group, known.tip_hour, known.tip_day) == (TargetGroup.STUDENT, 19, 0)


async def test_an_old_skip_does_not_go_back(talk: Talk) -> None:
    person = await agreed(talk)
    await person.says("bắc lý")
    await person.says("học sinh")
    assert await person.presses_data("set:skip:commune") == ["subscribe.hour"]


@pytest.mark.parametrize(
    "data",
    [
        *(
            "set:place:nowhere",
            "set:place:44",
            "set:group:kings",
            "set:hour:25",
            "set:hour:-1",
            "set:hour:99999999999999999",
        ),
        *(
            "set:hour:٣",
            "set:district:atlantis",
            "set:villages:1",
            "set:villages:x",
            "set:ask:name",
            "set:skip:x",
            "set",
            "set:",
        ),
        "set:::::",
    ],
)
async def test_odd_buttons_are_old_buttons(talk: Talk, data: str) -> None:
    person = await agreed(talk)
    assert await person.presses_data(data) == ["common.old_button", "menu.show"]


async def test_buttons_of_a_forgotten_person_greet(talk: Talk) -> None:
    person = talk.person()
    assert await person.presses_data("set:place:18859") == ["subscribe.greeting"]
    known = await talk.record("1001")
    assert known is not None
    assert known.unit_id is None


@pytest.mark.parametrize("name", ["_*[<&", unicodedata.normalize("NFD", "Nguyễn Thị Ánh"), "👵🏽", "x" * 10_000, ""])
async def test_names_break_nothing(talk: Talk, name: str) -> None:
    person = talk.person("9", name)
    assert await person.says("/start") == ["subscribe.greeting"]
    assert await person.says("<b>" + "chữ _*[ " * 1200) != ["common.broken"]


async def test_a_link_sets_the_village_and_credits_the_inviter(talk: Talk) -> None:
    await talk.village("v1", "Thôn Đông")
    await talk.resident("7", unit="v1")
    code = await invite_of(talk, "7")
    person = talk.person()
    assert await person.says(f"/start i_{code}") == ["subscribe.greeting"]
    assert await person.presses("Đồng ý, đăng ký") == ["subscribe.invited"]
    assert "Thôn Đông, Phường Đồng Thuận" in person.last.text
    assert await person.presses("Phải, tôi ở đó") == ["subscribe.group"]
    assert await home_of(talk) == "v1"
    inviter = talk.person("7")
    assert await inviter.says("/settings") == ["settings.overview"]
    assert "giới thiệu 1 người" in inviter.last.text


async def test_a_code_can_be_typed(talk: Talk) -> None:
    await talk.resident("7", unit="19138")
    code = await invite_of(talk, "7")
    person = talk.person()
    assert await person.says(f"#{code.lower()}") == ["subscribe.greeting"]
    await person.says("quên mật khẩu vneid")
    assert await person.says("đồng ý") == ["subscribe.invited"]
    assert await person.says("phải") == ["subscribe.group"]
    assert await home_of(talk) == "19138"


async def test_an_invitation_from_elsewhere_asks_for_the_commune(talk: Talk) -> None:
    await talk.resident("7", unit="19138")
    code = await invite_of(talk, "7")
    person = talk.person()
    await person.says(f"/start i_{code}")
    await person.says("đồng ý")
    assert await person.presses("Chỗ khác") == ["subscribe.commune"]
    assert await home_of(talk) is None


async def test_a_subscriber_who_follows_a_link_is_asked_to_move(talk: Talk) -> None:
    await talk.resident("7", unit="19138")
    code = await invite_of(talk, "7")
    person = await talk.resident("8", unit="18859")
    assert await person.says(f"/start i_{code}") == ["subscribe.invited"]
    assert await home_of(talk, "8") == "18859"
    assert await person.presses("Phải, tôi ở đó") == ["settings.overview"]
    assert await home_of(talk, "8") == "19138"


async def test_one_s_own_link_changes_nothing(talk: Talk) -> None:
    person = await talk.resident("7")
    code = await invite_of(talk, "7")
    assert await person.says(f"/start i_{code}") == ["menu.show"]
    async with talk.database.read() as tx:
        known = await talk.record("7")
        assert known is not None
        assert await referrals.brought(tx, known.id) == 0


@pytest.mark.parametrize(
    "payload", ["nonsense", "i_", "i_ZZZZZZZ", "t_no_such_tip", "💥", "x" * 5000, "-", "i_-t_", "nhom"]
)
async def test_unknown_payloads_are_ignored(talk: Talk, payload: str) -> None:
    person = talk.person()
    assert await person.says(f"/start {payload}") == ["subscribe.greeting"]
    assert await person.says("đồng ý") == ["subscribe.commune"]


async def test_a_shared_tip_comes_first(talk: Talk) -> None:
    await talk.resident("7", unit="19138")
    code = await invite_of(talk, "7")
    person = talk.person()
    assert await person.says(f"/start i_{code}-t_otp_never") == ["tip.body", "subscribe.greeting"]
    assert await person.says("đồng ý") == ["subscribe.invited"]
    known = await talk.resident("8")
    assert await known.says("/start t_otp_never") == ["tip.body"]


async def test_a_foreigner_reads_english(talk: Talk) -> None:
    person = talk.person(language="en")
    assert await person.says("/start") == ["subscribe.greeting"]
    assert "automatic" in person.last.text
    assert await person.says("I agree") == ["subscribe.commune"]
    assert "commune" in person.last.text


async def test_another_language_falls_back_to_vietnamese(talk: Talk) -> None:
    person = talk.person(language="fr")
    await person.says("/start")
    assert "Chào bà con" in person.last.text


async def test_the_first_tip_comes_the_next_day_when_the_hour_has_passed(talk: Talk) -> None:
    person = await agreed(talk)
    await person.presses_data("set:hour:7")
    known = await talk.record("1001")
    assert known is not None
    assert known.tipped_on == talk.desk.clock.today(talk.now)
    await person.presses_data("set:hour:19")
    await talk.person("2").says("/start")
    talk.now -= timedelta(hours=3)
    await talk.person("2").says("đồng ý")
    early = await talk.record("2")
    assert early is not None
    assert early.tipped_on is not None
    assert early.tipped_on < talk.desk.clock.today(talk.now)
