"""Sending over real HTTP: every error of the table, and everything that one message can be."""

from __future__ import annotations

import struct
import traceback
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.channels.zalo_oa import ZaloOaChannel
from bot.core.errors import (
    AccountStopped,
    BadContent,
    BudgetUsed,
    ContactClosed,
    ContactRefused,
    NotSent,
    OutcomeUnknown,
    OutOfWindow,
    Reason,
    SendError,
    SlowDown,
    UploadExpired,
)
from bot.core.events import Button, ContactCard, Location, Media, MediaKind, Outbound, Sent
from bot.sandbox.zalo_oa import CS_PATH, TOKEN_PATH, OaUser
from tests.channels.zalo_oa_fixtures import Oa, official_account

WORDS = "Chào bác"
PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (1280).to_bytes(4, "big") + (960).to_bytes(4, "big")
MOVING = b"GIF89a" + struct.pack("<HH", 320, 200) + b"\0\0\0;"
PAPER = b"%PDF-1.4 giay moi"
Arrange = Callable[[Oa, OaUser], Any]


@pytest.fixture
async def oa() -> AsyncIterator[Oa]:
    async with official_account() as found:
        await found.grant()
        yield found


@pytest.fixture
def lan(oa: Oa) -> OaUser:
    return oa.follower()


@pytest.fixture
def channel(oa: Oa) -> ZaloOaChannel:
    """Not started."""
    return oa.connect()


def refused(code: int, words: str = "") -> Arrange:
    return lambda oa, lan: oa.zalo.faults.error(code, words, path=CS_PATH)


def page(status: int, *, after: bool = False) -> Arrange:
    return lambda oa, lan: oa.zalo.faults.html(status, path=CS_PATH, after=after)


CLOSED, REFUSED, CONTENT = ContactClosed, ContactRefused, BadContent
NOT_FOUND, KICKED, BAD, STOPPED = Reason.NOT_FOUND, Reason.KICKED, Reason.BAD_CONTENT, Reason.ACCOUNT_STOPPED
RESTRICTED, CLOSES = Reason.RESTRICTED, Reason.WINDOW_CLOSED

TABLE: list[tuple[str, Arrange, type[SendError], Reason]] = [
    ("blocked", lambda oa, lan: lan.block(), REFUSED, RESTRICTED),
    ("deactivated", lambda oa, lan: lan.deactivate(), CLOSED, Reason.DEACTIVATED),
    ("chat not found", lambda oa, lan: oa.zalo.users.clear(), CLOSED, NOT_FOUND),
    ("never started", lambda oa, lan: setattr(lan, "last_interaction", None), OutOfWindow, CLOSES),
    ("silent for a week", lambda oa, lan: oa.hands.pass_by(days=7, seconds=1), OutOfWindow, CLOSES),
    ("kicked from group", refused(-403, "OA is not in group"), CLOSED, KICKED),
    ("group deleted", refused(-237, "The group is disabled"), CLOSED, KICKED),
    ("no rights", refused(-217), REFUSED, RESTRICTED),
    ("not followed", refused(-213), REFUSED, RESTRICTED),
    ("had enough", refused(-218), REFUSED, RESTRICTED),
    ("restricted", lambda oa, lan: lan.restrict(), REFUSED, RESTRICTED),
    ("unknown description", refused(-9999, "SOMETHING_NEW"), REFUSED, RESTRICTED),
    ("empty", refused(-201, "text is invalid!"), CONTENT, BAD),
    ("too long", refused(-210), CONTENT, BAD),
    ("file id", refused(-201, "attachment_id is invalid!"), CONTENT, BAD),
    ("not of this kind", refused(-233), CONTENT, BAD),
    ("against the rules", refused(-248), CONTENT, BAD),
    ("too large", page(413), CONTENT, BAD),
    ("upload forgotten", refused(-100), UploadExpired, Reason.GAVE_UP),
    ("flood", refused(-32), SlowDown, Reason.GAVE_UP),
    ("flood of an office", page(429), SlowDown, Reason.GAVE_UP),
    ("night", refused(-234), SlowDown, Reason.GAVE_UP),
    ("paid messages used up", refused(-211), BudgetUsed, Reason.BUDGET_USED),
    ("revoked", lambda oa, lan: oa.zalo.oauth.revoke(), AccountStopped, STOPPED),
    ("no package", lambda oa, lan: setattr(oa.zalo, "paid_package", False), AccountStopped, STOPPED),
    ("not verified", lambda oa, lan: setattr(oa.zalo, "verified", False), AccountStopped, STOPPED),
    ("account disabled", refused(-204), AccountStopped, STOPPED),
    ("application removed", refused(-219), AccountStopped, STOPPED),
    ("restart", page(500), NotSent, Reason.GAVE_UP),
    ("bad gateway", page(502), NotSent, Reason.GAVE_UP),
    ("unavailable", page(503), NotSent, Reason.GAVE_UP),
    ("failed at Zalo", refused(-200), NotSent, Reason.GAVE_UP),
    ("page of a firewall", page(403), NotSent, Reason.GAVE_UP),
    ("page of a proxy", page(404), NotSent, Reason.GAVE_UP),
    ("gateway that waited", page(504, after=True), OutcomeUnknown, Reason.NO_ANSWER),
    ("rubbish", page(200, after=True), OutcomeUnknown, Reason.NO_ANSWER),
    ("closed unread", lambda oa, lan: oa.zalo.faults.reset_before(path=CS_PATH), OutcomeUnknown, Reason.NO_ANSWER),
    ("closed after delivery", lambda oa, lan: oa.zalo.faults.reset_after(path=CS_PATH), OutcomeUnknown,
     Reason.NO_ANSWER),
    ("silence", lambda oa, lan: oa.zalo.faults.stall(path=CS_PATH), OutcomeUnknown, Reason.NO_ANSWER),
    ("late", lambda oa, lan: oa.zalo.faults.stall(3, after=True, path=CS_PATH), OutcomeUnknown, Reason.NO_ANSWER),
]  # fmt: skip


@pytest.mark.parametrize(("arrange", "kind", "reason"), [r[1:] for r in TABLE], ids=[r[0] for r in TABLE])
async def test_error(arrange: Arrange, kind: type[SendError], reason: Reason, oa: Oa, lan: OaUser) -> None:
    channel = oa.connect(read_seconds=0.1)
    await channel.send(Outbound(chat_id=lan.id, text="trước"))  # so that the connection is an idle one
    arrange(oa, lan)
    with pytest.raises(SendError) as caught:
        await channel.send(Outbound(chat_id=lan.id, text=WORDS))
    assert (type(caught.value), caught.value.reason) == (kind, reason)
    told = "".join(traceback.format_exception(caught.value))
    grant = await oa.store.read()
    assert grant is not None
    for secret in (grant.access_token, grant.refresh_token, oa.zalo.app_secret, WORDS):
        assert secret not in told


async def test_nobody_there_means_not_sent(oa: Oa, lan: OaUser, channel: ZaloOaChannel) -> None:
    await channel.send(Outbound(chat_id=lan.id, text="trước"))
    await oa.zalo.stop()
    with pytest.raises(NotSent):
        await channel.send(Outbound(chat_id=lan.id, text="a"))
    await oa.zalo.start()
    assert (await channel.send(Outbound(chat_id=lan.id, text="sau"))).message_id


async def test_a_real_flood_says_how_long(oa: Oa, lan: OaUser, channel: ZaloOaChannel) -> None:
    oa.zalo.limits.per_minute = 1
    await channel.send(Outbound(chat_id=lan.id, text="a"))
    with pytest.raises(SlowDown) as caught:
        await channel.send(Outbound(chat_id=lan.id, text="b"))
    assert caught.value.retry_after == 30


async def test_the_window_is_seven_days_to_the_minute(oa: Oa, lan: OaUser, channel: ZaloOaChannel) -> None:
    oa.hands.pass_by(days=6, hours=23, minutes=59)
    await oa.grant()
    await channel.send(Outbound(chat_id=lan.id, text="còn kịp"))
    assert [(m.text, m.billed) for m in lan.received] == [("còn kịp", True)]
    oa.hands.pass_by(minutes=2)
    with pytest.raises(OutOfWindow):
        await channel.send(Outbound(chat_id=lan.id, text="quá muộn"))
    lan.write("có tôi")
    await channel.send(Outbound(chat_id=lan.id, text="chào lại"))
    assert [(m.text, m.billed) for m in lan.received[1:]] == [("chào lại", False)]


async def test_paid_messages_end_with_the_months(oa: Oa, lan: OaUser, channel: ZaloOaChannel) -> None:
    oa.zalo.limits.paid_messages = 1
    oa.hands.pass_by(days=3)
    await oa.grant()
    await channel.send(Outbound(chat_id=lan.id, text="một"))
    with pytest.raises(BudgetUsed):
        await channel.send(Outbound(chat_id=lan.id, text="hai"))


@pytest.mark.parametrize("told", [True, False], ids=["with quota", "without quota"])
async def test_text_with_buttons(told: bool, oa: Oa, lan: OaUser, channel: ZaloOaChannel) -> None:
    oa.zalo.with_quota = told
    buttons = ((Button("Có", data="rsvp:yes"), Button("Xem", url="https://a.vn/")), (Button("x" * 120, data="n"),))
    sent = await channel.send(Outbound(chat_id=lan.id, text="🎉 Họp thôn_*<b>", buttons=buttons))
    (shown,) = lan.received
    assert sent == Sent(shown.id, (shown.id,))
    assert shown.text == "🎉 Họp thôn_*<b>"
    assert [(b.title, b.kind) for b in shown.buttons] == [
        ("Có", "oa.query.hide"),
        ("Xem", "oa.open.url"),
        ("x" * 99 + "…", "oa.query.hide"),
    ]
    assert lan.written[lan.tap("Có")] == "#>rsvp:yes"
    assert lan.tap("Xem") == "https://a.vn/"


async def test_text_leaves_in_the_one_normal_form(lan: OaUser, channel: ZaloOaChannel) -> None:
    await channel.send(Outbound(chat_id=lan.id, text="tie\u0302\u0301ng" * 285))
    assert lan.texts == ["tiếng" * 285]


KINDS = [(MediaKind.PHOTO, "image", PICTURE), (MediaKind.ANIMATION, "gif", MOVING), (MediaKind.FILE, "file", PAPER)]


@pytest.mark.parametrize(("kind", "shown", "content"), KINDS, ids=[row[1] for row in KINDS])
async def test_a_file_is_uploaded_once(
    kind: MediaKind, shown: str, content: bytes, oa: Oa, lan: OaUser, channel: ZaloOaChannel
) -> None:
    first = await channel.send(Outbound(chat_id=lan.id, media=(Media(kind, content=content),)))
    again = await channel.send(Outbound(chat_id=lan.id, media=(Media(kind, file_id=first.file_ids[0]),)))
    assert again.file_ids == first.file_ids
    assert [message.kind for message in lan.received] == [shown, shown]
    assert [asset.content for asset in oa.zalo.uploads.assets.values()] == [content]


async def test_a_moving_picture_keeps_its_measures(lan: OaUser, channel: ZaloOaChannel) -> None:
    sent = await channel.send(Outbound(chat_id=lan.id, media=(Media(MediaKind.ANIMATION, content=MOVING),)))
    await channel.send(Outbound(chat_id=lan.id, media=(Media(MediaKind.ANIMATION, file_id=sent.file_ids[0]),)))
    for message in lan.received:
        assert message.attachment is not None
        (element,) = message.attachment["payload"]["elements"]
        assert (element["width"], element["height"]) == (320, 200)


async def test_a_picture_by_its_address(oa: Oa, lan: OaUser, channel: ZaloOaChannel) -> None:
    photo = Media(MediaKind.PHOTO, file_id="https://thon.example/anh.jpg")
    sent = await channel.send(Outbound(chat_id=lan.id, text="chú thích", media=(photo,)))
    assert [(m.kind, m.text) for m in lan.received] == [("image", "chú thích")]
    assert sent.file_ids == ("https://thon.example/anh.jpg",)
    assert oa.zalo.uploads.assets == {}


async def test_what_was_uploaded_a_week_ago_is_uploaded_again(oa: Oa, lan: OaUser, channel: ZaloOaChannel) -> None:
    sent = await channel.send(Outbound(chat_id=lan.id, media=(Media(MediaKind.PHOTO, content=PICTURE),)))
    oa.hands.pass_by(days=8)
    await oa.grant()
    lan.write("còn ai không")
    with pytest.raises(UploadExpired):
        await channel.send(Outbound(chat_id=lan.id, media=(Media(MediaKind.PHOTO, file_id=sent.file_ids[0]),)))


async def test_words_beside_a_document_go_first(lan: OaUser, channel: ZaloOaChannel, tmp_path: Path) -> None:
    (tmp_path / "Giấy mời.pdf").write_bytes(PAPER)
    paper = Media(MediaKind.FILE, path=str(tmp_path / "Giấy mời.pdf"))
    yes = ((Button("Có", data="yes"),),)
    sent = await channel.send(Outbound(chat_id=lan.id, text="Mời họp", media=(paper,), buttons=yes))
    assert [(m.kind, m.text, len(m.buttons)) for m in lan.received] == [("text", "Mời họp", 1), ("file", "", 0)]
    assert sent.message_ids == tuple(m.id for m in lan.received)


async def test_a_document_that_fails_after_its_words_is_not_sent_again(oa: Oa, lan: OaUser) -> None:
    channel = oa.connect()
    oa.zalo.faults.error(-32, path=CS_PATH, skip=1)
    with pytest.raises(OutcomeUnknown):
        await channel.send(Outbound(chat_id=lan.id, text="a", media=(Media(MediaKind.FILE, content=PAPER),)))
    assert lan.texts == ["a"]


TAKEN: list[tuple[str, Media, type[SendError]]] = [
    ("a large picture", Media(MediaKind.PHOTO, content=PICTURE + bytes(1024 * 1024)), ContactRefused),
    ("a picture of another type", Media(MediaKind.PHOTO, content=b"RIFF....WEBP"), ContactRefused),
    ("a film for a moving picture", Media(MediaKind.ANIMATION, content=b"\0\0\0 ftypmp42"), ContactRefused),
    ("a large moving picture", Media(MediaKind.ANIMATION, content=MOVING + bytes(5 * 1024 * 1024)), ContactRefused),
    ("a large document", Media(MediaKind.FILE, content=PAPER + bytes(5 * 1024 * 1024)), ContactRefused),
    ("a table of another program", Media(MediaKind.FILE, content=b"PK", name="a.xlsx"), ContactRefused),
    ("a sticker of our own", Media(MediaKind.STICKER, content=b"RIFF"), ContactRefused),
    ("a file that is gone", Media(MediaKind.FILE, path="/nowhere/a.pdf"), BadContent),
]


@pytest.mark.parametrize(("media", "kind"), [row[1:] for row in TAKEN], ids=[row[0] for row in TAKEN])
async def test_what_zalo_does_not_take_is_not_even_uploaded(
    media: Media, kind: type[SendError], oa: Oa, lan: OaUser, channel: ZaloOaChannel
) -> None:
    with pytest.raises(kind) as caught:
        await channel.send(Outbound(chat_id=lan.id, text="a", media=(media,)))
    assert caught.value.reason is Reason.BAD_CONTENT
    assert (list(oa.zalo.journal.calls), lan.received) == ([], [])


async def test_a_huge_file_is_not_even_read(lan: OaUser, channel: ZaloOaChannel, tmp_path: Path) -> None:
    with (tmp_path / "huge.pdf").open("wb") as file:
        file.truncate(60 * 1024 * 1024)
    with pytest.raises(ContactRefused, match="5 MB"):
        await channel.send(Outbound(chat_id=lan.id, media=(Media(MediaKind.FILE, path=str(tmp_path / "huge.pdf")),)))


async def test_an_upload_without_an_answer_has_sent_nothing(oa: Oa, lan: OaUser, channel: ZaloOaChannel) -> None:
    oa.zalo.faults.reset_after(path="/upload/image")
    with pytest.raises(NotSent):
        await channel.send(Outbound(chat_id=lan.id, media=(Media(MediaKind.PHOTO, content=PICTURE),)))


async def test_a_month_of_uploads_stops_the_run_alone(oa: Oa, lan: OaUser, channel: ZaloOaChannel) -> None:
    oa.zalo.limits.uploads = 0
    with pytest.raises(BadContent, match="uploads are used up"):
        await channel.send(Outbound(chat_id=lan.id, media=(Media(MediaKind.PHOTO, content=PICTURE),)))


async def test_half_a_character_is_wrong_for_everybody(lan: OaUser, channel: ZaloOaChannel) -> None:
    with pytest.raises(BadContent):
        await channel.send(Outbound(chat_id=lan.id, text="a\ud83d"))


UNCARRIED: list[tuple[str, dict[str, Any]]] = [
    ("an edit", {"edit": "1", "text": "a"}),
    ("a deletion", {"delete": "1"}),
    ("a place", {"location": Location(17.5, 106.5)}),
    ("a card", {"card": ContactCard("+84900000000", "Minh")}),
    ("an album", {"media": (Media(MediaKind.PHOTO, "https://a.vn/1"), Media(MediaKind.PHOTO, "https://a.vn/2"))}),
    ("a film", {"media": (Media(MediaKind.VIDEO, "https://a.vn/1"),)}),
    ("six buttons", {"text": "a", "buttons": tuple((Button(str(n), data=str(n)),) for n in range(6))}),
    ("buttons without words", {"buttons": ((Button("a", data="a"),),)}),
]


@pytest.mark.parametrize("fields", [row[1] for row in UNCARRIED], ids=[row[0] for row in UNCARRIED])
async def test_what_no_call_carries(fields: dict[str, Any], oa: Oa, lan: OaUser, channel: ZaloOaChannel) -> None:
    with pytest.raises(ValueError):
        await channel.send(Outbound(chat_id=lan.id, **fields))
    assert list(oa.zalo.journal.calls) == []


async def test_buttons_that_are_switched_off(oa: Oa, lan: OaUser) -> None:
    channel = oa.connect(buttons=False)
    assert (channel.capabilities.buttons, channel.capabilities.types_choices) == (0, True)
    with pytest.raises(ValueError):
        await channel.send(Outbound(chat_id=lan.id, text="a", buttons=((Button("a", data="a"),),)))


async def test_an_answer_to_a_button_is_no_call(oa: Oa, channel: ZaloOaChannel) -> None:
    assert await channel.send(Outbound(chat_id="1", answer="x", text="Đã ghi")) == Sent(None)
    assert list(oa.zalo.journal.calls) == []
    assert channel.prepare(Outbound(chat_id="1", text="a")) is None


async def test_what_somebody_sent_can_be_fetched(oa: Oa, channel: ZaloOaChannel) -> None:
    oa.front.files["/anh.jpg"] = PICTURE
    assert await channel.fetch(Media(MediaKind.PHOTO, f"{oa.front.root}/anh.jpg")) == PICTURE
    with pytest.raises(ContactRefused):
        await channel.fetch(Media(MediaKind.PHOTO, f"{oa.front.root}/nothing.jpg"))
    with pytest.raises(ContactRefused):
        await channel.fetch(Media(MediaKind.PHOTO, "attachment-1"))
    with pytest.raises(ValueError):
        await channel.fetch(Media(MediaKind.PHOTO, content=PICTURE))


async def test_a_token_that_expires_in_a_broadcast_costs_nobody_a_message(oa: Oa, channel: ZaloOaChannel) -> None:
    people = [oa.follower(f"người {n}") for n in range(30)]
    for number, person in enumerate(people):
        if number == 10:
            oa.zalo.oauth.expire_access()
        if number == 20:
            oa.hands.pass_by(hours=20)
        await channel.send(Outbound(chat_id=person.id, text="Tin"))
    assert [person.texts for person in people] == [["Tin"]] * 30
    assert oa.zalo.oauth.issued == 3
    assert oa.zalo.journal.count(TOKEN_PATH) == 2
