"""The menu, by role; inviting others."""

from __future__ import annotations

import pytest

from bot.core.words import RoleName
from bot.db import people, units
from bot.outreach import referrals
from handlers import commands
from tests.support.talk import Talk

STAFF = {"📣 Gửi tin cho thôn", "➕ Tạo sự kiện", "✅ Duyệt"}


@pytest.mark.parametrize("text", ["/menu", "/help", "menu", "MENU", "trợ giúp", "tro giup", "giúp với"])
async def test_the_menu(talk: Talk, text: str) -> None:
    person = await talk.resident("5")
    assert await person.says(text) == ["menu.show"]
    labels = {b.label for b in person.buttons()}
    assert {"💡 Mẹo hôm nay", "❓ Hỏi đáp", "✏️ Luyện tập", "📅 Sự kiện sắp tới", "⚙️ Cài đặt"} == labels
    assert not labels & STAFF


@pytest.mark.parametrize(
    ("role", "extra"),
    [
        (RoleName.VILLAGE_HEAD, {"📣 Gửi tin cho thôn"}),
        (RoleName.INFLUENCER, {"📣 Gửi tin cho thôn"}),
        (RoleName.EDITOR, {"📣 Gửi tin cho thôn", "➕ Tạo sự kiện"}),
        (RoleName.APPROVER, {"✅ Duyệt"}),
        (RoleName.ADMIN, STAFF),
        (RoleName.HELPER, set()),
    ],
)
async def test_staff_see_what_their_role_may_do(talk: Talk, role: RoleName, extra: set[str]) -> None:
    person = await talk.staff("5", role, "18859")
    await person.says("/menu")
    assert {b.label for b in person.buttons()} & STAFF == extra


async def test_a_stranger_s_menu_offers_to_sign_up(talk: Talk) -> None:
    person = talk.person()
    assert await person.says("/menu") == ["menu.show"]
    assert await person.presses("🔔 Đăng ký nhận mẹo") == ["subscribe.greeting"]


async def test_inviting(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("/settings")
    assert await person.presses("🤝 Giới thiệu cho người thân") == ["menu.invite"]
    assert "start=i_" in person.last.text
    assert "0 người" in person.last.text
    first = person.last.text
    assert person.buttons()[0].url is not None
    assert await person.says("mời người thân") == ["menu.invite"]
    assert person.last.text == first, "always the same code"


async def test_inviting_without_links_shows_the_code(talk: Talk) -> None:
    talk.desk.links, talk.desk.share_links = {}, {}
    person = await talk.resident("5")
    assert await person.says("giới thiệu") == ["menu.invite"]
    assert "#" in person.last.text


async def test_a_stranger_who_wants_to_invite_is_asked_for_consent(talk: Talk) -> None:
    assert await talk.person().says("giới thiệu") == ["subscribe.greeting"]


async def test_codes_are_clear_and_the_first_inviter_counts(talk: Talk) -> None:
    for id in ("1", "2", "3"):
        await talk.resident(id)
    async with talk.database.write() as tx:
        found = [await people.contact(tx, talk.account.id, id) for id in ("1", "2", "3")]
        one, two, three = [await people.get(tx, c.person_id) for c in found if c is not None]
        assert one is not None
        assert two is not None
        assert three is not None
        home = await units.by_code(tx, "19138")
        codes = [await referrals.code_for(tx, p, home, talk.now) for p in (one, two)]
        assert codes[0] == await referrals.code_for(tx, one, home, talk.now)
        assert codes[0] != await referrals.code_for(tx, one, None, talk.now)
        assert all(len(c) == 7 and set(c) <= set(referrals.LETTERS) for c in codes)
        assert await referrals.accept(tx, three, codes[0].lower(), talk.now) is not None
        assert await referrals.accept(tx, three, codes[1], talk.now) is not None
        assert await referrals.accept(tx, one, codes[0], talk.now) is not None
        assert await referrals.accept(tx, three, "NOCODE7", talk.now) is None
        assert [await referrals.brought(tx, p.id) for p in (one, two)] == [1, 0]


@pytest.mark.parametrize(
    ("payload", "code", "tip"),
    [
        *(
            ("i_ABC2345", "ABC2345", ""),
            ("i_abc2345-t_otp_never", "ABC2345", "otp_never"),
            ("t_otp_never", "", "otp_never"),
        ),
        *(
            ("ABC2345", "ABC2345", ""),
            ("", "", ""),
            ("i_AB", "", ""),
            ("i_ABC2340", "", ""),
            ("t_", "", ""),
            ("z_1-y", "", ""),
        ),
    ],
)
def test_payloads(payload: str, code: str, tip: str) -> None:
    assert referrals.read(payload) == referrals.Payload(code, tip)


def test_a_payload_is_written_as_it_is_read() -> None:
    whole = referrals.Payload("ABC2345", "otp_never")
    assert referrals.read(str(whole)) == whole
    assert len(str(referrals.Payload("ABC23456", "x" * 50))) <= 64


async def test_every_command_says_what_it_does(talk: Talk) -> None:
    for language in ("vi", "en"):
        listed = commands.described(talk.desk.book, language)
        assert [name for name, _ in listed] == list(commands.NAMES)
        assert all(0 < len(words) <= 256 for _, words in listed)
