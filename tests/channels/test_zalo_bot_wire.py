"""Sending over real HTTP: every error of the table, and everything that one message can be."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.channels.zalo_bot import ZaloBotChannel
from bot.core.channel import ON_WIRE
from bot.core.errors import (
    AccountStopped,
    BadContent,
    BudgetUsed,
    ContactClosed,
    ContactRefused,
    NotSent,
    OutcomeUnknown,
    Reason,
    SendError,
)
from bot.core.events import Button, ContactCard, Entity, EntityKind, Location, Media, MediaKind, Outbound, Sent
from bot.sandbox.zalo_bot import ZaloBotAccount, ZaloBotSandbox, ZaloBotUser
from tests.channels.conftest import Inbox
from tests.channels.zalo_bot_fixtures import (  # noqa: F401 - fixtures
    TOKEN,
    a_linh,
    a_zalo,
    a_zalo_bot,
    a_zalo_channel,
    connect_zalo,
)

WORDS = "Chào bác"
Arrange = Callable[[ZaloBotSandbox, ZaloBotAccount], Any]


def refused(code: int, description: str) -> Arrange:
    return lambda server, bot: server.faults.error(code, description)


def page(status: int, body: bytes = b"<html>") -> Arrange:
    return lambda server, bot: server.faults.garbage(body, status)


NO_RIGHTS, NOT_FOUND, BAD = Reason.NO_RIGHTS, Reason.NOT_FOUND, Reason.BAD_CONTENT

TABLE: list[tuple[str, Arrange, type[SendError], Reason]] = [
    ("chat not found", lambda server, bot: bot.chats.clear(), ContactClosed, NOT_FOUND),
    ("internal, 403", refused(403, "Internal server error"), ContactRefused, NO_RIGHTS),
    ("unknown description", refused(400, "SOMETHING_NEW"), ContactRefused, NO_RIGHTS),
    ("nothing there", refused(404, "Not Found"), ContactRefused, NOT_FOUND),
    ("empty", refused(400, "Text is empty"), BadContent, BAD),
    ("the month is used up", lambda server, bot: bot.quota.spend(3000), BudgetUsed, Reason.BUDGET_USED),
    ("revoked", lambda server, bot: server.faults.revoke_token(bot), AccountStopped, Reason.ACCOUNT_STOPPED),
    ("timed out", refused(408, "Request timeout"), OutcomeUnknown, Reason.NO_ANSWER),
    ("restart", refused(500, "Internal server error"), NotSent, Reason.GAVE_UP),
    ("unavailable", refused(503, "Service Unavailable"), NotSent, Reason.GAVE_UP),
    ("page of a gateway", lambda server, bot: server.faults.garbage(), NotSent, Reason.GAVE_UP),
    ("page of a firewall", page(403), NotSent, Reason.GAVE_UP),
    ("page of a proxy", page(404), NotSent, Reason.GAVE_UP),
    ("gateway that waited", page(504), OutcomeUnknown, Reason.NO_ANSWER),
    ("rubbish", page(200), OutcomeUnknown, Reason.NO_ANSWER),
    ("refused with 200", page(200, b'{"ok":false,"error_code":400}'), ContactRefused, NO_RIGHTS),
    ("closed unread", lambda server, bot: server.faults.drop_before(), OutcomeUnknown, Reason.NO_ANSWER),
    ("closed after delivery", lambda server, bot: server.faults.drop_after(), OutcomeUnknown, Reason.NO_ANSWER),
    ("silence", lambda server, bot: server.faults.hang(), OutcomeUnknown, Reason.NO_ANSWER),
    ("late", lambda server, bot: server.faults.delay(0.5, after=True), OutcomeUnknown, Reason.NO_ANSWER),
]


@pytest.mark.parametrize(("arrange", "kind", "reason"), [r[1:] for r in TABLE], ids=[r[0] for r in TABLE])
async def test_error(
    arrange: Arrange,
    kind: type[SendError],
    reason: Reason,
    zalo: ZaloBotSandbox,
    zalo_bot: ZaloBotAccount,
    linh: ZaloBotUser,
) -> None:
    channel = connect_zalo(zalo, read_seconds=0.2)
    await channel.send(Outbound(chat_id=linh.id, text="trước"))  # so that the connection is an idle one
    arrange(zalo, zalo_bot)
    with pytest.raises(SendError) as caught:
        await channel.send(Outbound(chat_id=linh.id, text=WORDS))
    assert (type(caught.value), caught.value.reason) == (kind, reason)
    shown = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in shown
    assert WORDS not in shown
    await channel.close()


async def test_nobody_there_means_not_sent(
    zalo: ZaloBotSandbox, linh: ZaloBotUser, zalo_channel: ZaloBotChannel
) -> None:
    await zalo_channel.send(Outbound(chat_id=linh.id, text="trước"))
    await zalo.stop()
    with pytest.raises(NotSent) as caught:
        await zalo_channel.send(Outbound(chat_id=linh.id, text="a"))
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    await zalo.start()
    assert (await zalo_channel.send(Outbound(chat_id=linh.id, text="sau"))).message_id


async def test_a_message_leaves_as_plain_text_in_normal_form(
    zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, zalo_channel: ZaloBotChannel
) -> None:
    bold = (Entity(EntityKind.BOLD, 0, 3),)
    sent = await zalo_channel.send(Outbound(chat_id=linh.id, text="Ho\u0323p **thôn** <b>", entities=bold))
    shown = linh.chat(zalo_bot).last
    assert (shown.text, shown.parse_mode) == ("Họp **thôn** <b>", "")
    assert sent == Sent(shown.id, (shown.id,))
    assert [(e.method, e.chat_id, e.message_id) for e in zalo.log] == [("sendMessage", linh.id, shown.id)]


async def test_the_first_byte_on_the_wire_is_told(linh: ZaloBotUser, zalo_channel: ZaloBotChannel) -> None:
    told: list[str] = []
    token = ON_WIRE.set(lambda: told.append("now"))
    await zalo_channel.send(Outbound(chat_id=linh.id, text="a"))
    ON_WIRE.reset(token)
    assert told == ["now"]


async def test_a_picture_is_published_once(zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, linh: ZaloBotUser,
                                           tmp_path: Path) -> None:  # fmt: skip
    shelf: list[tuple[bytes, str]] = []

    async def publish(content: bytes, mime: str) -> str:
        shelf.append((content, mime))
        return f"https://loaso.example.vn/f/{len(shelf)}.{mime.rpartition('/')[2]}"

    channel = connect_zalo(zalo, publish=publish)
    first = await channel.send(Outbound(chat_id=linh.id, text="họp", media=(Media(MediaKind.PHOTO, content=b"JPG"),)))
    (url,) = first.file_ids
    again = await channel.send(Outbound(chat_id=linh.id, media=(Media(MediaKind.PHOTO, file_id=url),)))
    (tmp_path / "lời chào.aac").write_bytes(b"AAC")
    voice = Media(MediaKind.VOICE, path=str(tmp_path / "lời chào.aac"))
    spoken = await channel.send(Outbound(chat_id=linh.id, media=(voice,)))
    assert shelf == [(b"JPG", "image/jpeg"), (b"AAC", "audio/aac")]
    assert again.file_ids == first.file_ids == ("https://loaso.example.vn/f/1.jpeg",)
    photo, bare, sound = linh.chat(zalo_bot).bot_messages
    assert [(m.photo, m.text) for m in (photo, bare)] == [(url, "họp"), (url, "")]
    assert (sound.voice,) == spoken.file_ids == ("https://loaso.example.vn/f/2.aac",)
    await channel.close()


async def test_a_sticker_goes_by_its_id(
    zalo_bot: ZaloBotAccount, linh: ZaloBotUser, zalo_channel: ZaloBotChannel
) -> None:
    await zalo_channel.send(Outbound(chat_id=linh.id, media=(Media(MediaKind.STICKER, file_id="c2b5"),)))
    assert linh.chat(zalo_bot).last.sticker == "c2b5"


async def test_without_a_shelf_only_this_message_is_refused(
    zalo: ZaloBotSandbox, linh: ZaloBotUser, zalo_channel: ZaloBotChannel
) -> None:
    with pytest.raises(ContactRefused, match="LOASO_PUBLIC_URL") as caught:
        await zalo_channel.send(Outbound(chat_id=linh.id, media=(Media(MediaKind.PHOTO, content=b"JPG"),)))
    assert caught.value.reason is Reason.BAD_CONTENT
    assert len(zalo.log) == 0


async def test_a_shelf_that_is_full_may_be_empty_later(zalo: ZaloBotSandbox, linh: ZaloBotUser) -> None:
    async def publish(content: bytes, mime: str) -> str:
        raise OSError(28, "No space left on device")

    channel = connect_zalo(zalo, publish=publish)
    with pytest.raises(NotSent, match="No space left"):
        await channel.send(Outbound(chat_id=linh.id, media=(Media(MediaKind.PHOTO, content=b"JPG"),)))
    await channel.close()


@pytest.mark.parametrize("size", [None, 10 * 1024 * 1024 + 1])
async def test_a_file_that_is_missing_or_huge_is_wrong_for_everybody(
    size: int | None, zalo: ZaloBotSandbox, tmp_path: Path
) -> None:
    async def publish(content: bytes, mime: str) -> str:
        raise AssertionError("nothing to publish")

    path = tmp_path / "ảnh.jpg"
    if size is not None:
        with path.open("wb") as file:
            file.truncate(size)
    channel = connect_zalo(zalo, publish=publish)
    with pytest.raises(BadContent, match="a file cannot be"):
        await channel.send(Outbound(chat_id="x", media=(Media(MediaKind.PHOTO, path=str(path)),)))
    await channel.close()


async def test_half_a_character_is_wrong_for_everybody(zalo_channel: ZaloBotChannel) -> None:
    with pytest.raises(BadContent):
        await zalo_channel.send(Outbound(chat_id="x", text="a\ud83d"))


PHOTO = Media(MediaKind.PHOTO, file_id="https://a.vn/a.jpg")
IMPOSSIBLE: list[tuple[str, Outbound]] = [
    ("an edit", Outbound(chat_id="x", text="a", edit="1")),
    ("a deletion", Outbound(chat_id="x", delete="1")),
    ("a place", Outbound(chat_id="x", location=Location(17.5, 106.5))),
    ("a card", Outbound(chat_id="x", card=ContactCard("+84900000000", "Minh"))),
    ("buttons", Outbound(chat_id="x", text="a", buttons=((Button("Có", data="yes"),),))),
    ("an album", Outbound(chat_id="x", media=(PHOTO, PHOTO))),
    ("a film", Outbound(chat_id="x", media=(Media(MediaKind.VIDEO, file_id="https://a.vn/a.mp4"),))),
    ("words beside a sticker", Outbound(chat_id="x", text="a", media=(Media(MediaKind.STICKER, file_id="c2"),))),
    ("a sticker of our own", Outbound(chat_id="x", media=(Media(MediaKind.STICKER, content=b"a"),))),
    ("a voice of another kind", Outbound(chat_id="x", media=(Media(MediaKind.VOICE, file_id="https://a.vn/a.ogg"),))),
    ("a voice of another kind of our own", Outbound(chat_id="x", media=(
        Media(MediaKind.VOICE, content=b"a", mime="audio/ogg"),))),
    ("a voice in what is said to be a group", Outbound(chat_id="x", group=True, media=(
        Media(MediaKind.VOICE, file_id="https://a.vn/a.aac"),))),
    ("a voice in a group", Outbound(chat_id="zgr-1", media=(Media(MediaKind.VOICE, file_id="https://a.vn/a.aac"),))),
]  # fmt: skip


@pytest.mark.parametrize("message", [row[1] for row in IMPOSSIBLE], ids=[row[0] for row in IMPOSSIBLE])
async def test_what_no_call_carries(message: Outbound, zalo: ZaloBotSandbox, zalo_channel: ZaloBotChannel) -> None:
    with pytest.raises(ValueError, match=r"."):
        await zalo_channel.send(message)
    assert len(zalo.log) == 0


async def test_a_file_of_another_platform_is_wrong_for_everybody(zalo_channel: ZaloBotChannel) -> None:
    with pytest.raises(BadContent):
        await zalo_channel.send(Outbound(chat_id="x", media=(Media(MediaKind.PHOTO, file_id="AgACAgUAA"),)))


async def test_an_answer_to_a_button_is_nothing_to_send(zalo: ZaloBotSandbox, zalo_channel: ZaloBotChannel) -> None:
    assert await zalo_channel.send(Outbound(chat_id="x", answer="q", text="Đã ghi")) == Sent(None)
    assert zalo_channel.prepare(Outbound(chat_id="x", text="a")) is None
    assert (zalo_channel.link("ref_1"), zalo_channel.share_link("ref_1", "x")) == (None, None)
    assert len(zalo.log) == 0


def test_what_the_channel_can_do_is_what_was_bought(zalo: ZaloBotSandbox) -> None:
    can = connect_zalo(zalo, monthly=10, people=5, groups=1).capabilities
    assert (can.limits.per_month, can.limits.people, can.limits.group_chats) == (10, 5, 1)
    assert (can.max_text, can.buttons, can.album, can.types_choices) == (2000, 0, 1, True)


async def test_two_accounts_do_not_mix(
    zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, inbox: Inbox
) -> None:
    other_bot = zalo.add_bot("777:other-token_0000000", "Bot khác")
    first, second, other_inbox = connect_zalo(zalo), connect_zalo(zalo, other_bot.token), Inbox()
    await first.start(inbox)
    await second.start(other_inbox)
    linh.write(zalo_bot, "một")
    linh.write(other_bot, "hai")
    (event,), (other,) = await inbox.holding(1), await other_inbox.holding(1)
    assert [(e.account, e.text) for e in (event, other)] == [("zalo_bot:12345689", "một"), ("zalo_bot:777", "hai")]
    zalo.faults.revoke_token(other_bot)
    with pytest.raises(AccountStopped):
        await second.send(Outbound(chat_id=linh.id, text="a"))
    await first.send(Outbound(chat_id=linh.id, text="vẫn chạy"))
    await first.close()
    await second.close()
