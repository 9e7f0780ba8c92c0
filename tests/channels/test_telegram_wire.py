"""Sending over real HTTP: every error of the table, and everything that one message can be."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.channels.telegram import TelegramChannel
from bot.core.errors import (
    AccountStopped,
    BadContent,
    ContactClosed,
    ContactMoved,
    ContactRefused,
    NotSent,
    OutcomeUnknown,
    Reason,
    SendError,
    SlowDown,
)
from bot.core.events import Button, ContactCard, Entity, EntityKind, Location, Media, MediaKind, Outbound
from bot.sandbox.telegram import BotAccount, Limits, TelegramSandbox, User
from tests.channels.conftest import TOKEN, Inbox, connect

WORDS = "Chào bác"
PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (1280).to_bytes(4, "big") + (960).to_bytes(4, "big")
Arrange = Callable[[TelegramSandbox, BotAccount], Any]


def refused(code: int, description: str, **parameters: object) -> Arrange:
    return lambda server, bot: server.faults.error(code, description, parameters or None)


def bad(description: str) -> Arrange:
    return refused(400, f"Bad Request: {description}")


def forbidden(description: str) -> Arrange:
    return refused(403, f"Forbidden: {description}")


CLOSED, REFUSED, CONTENT = ContactClosed, ContactRefused, BadContent
NO_RIGHTS, NOT_FOUND, KICKED, BAD = Reason.NO_RIGHTS, Reason.NOT_FOUND, Reason.KICKED, Reason.BAD_CONTENT

TABLE: list[tuple[str, Arrange, type[SendError], Reason]] = [
    ("blocked", lambda server, bot: server.users[501].block(bot), CLOSED, Reason.BLOCKED),
    ("deactivated", lambda server, bot: server.users[501].deactivate(), CLOSED, Reason.DEACTIVATED),
    ("chat not found", bad("chat not found"), CLOSED, NOT_FOUND),
    ("private chat not found", bad("private chat not found"), CLOSED, NOT_FOUND),
    ("peer", bad("PEER_ID_INVALID"), CLOSED, NOT_FOUND),
    ("never started", forbidden("bot can't initiate conversation with a user"), CLOSED, Reason.NEVER_STARTED),
    ("to a bot", forbidden("bots can't send messages to bots"), CLOSED, NOT_FOUND),
    ("kicked from group", forbidden("bot was kicked from the group chat"), CLOSED, KICKED),
    ("kicked from supergroup", forbidden("bot was kicked from the supergroup chat"), CLOSED, KICKED),
    ("no member", forbidden("bot is not a member of the supergroup chat"), CLOSED, KICKED),
    ("group deleted", forbidden("the group chat was deleted"), CLOSED, KICKED),
    ("no rights", bad("have no rights to send a message"), REFUSED, NO_RIGHTS),
    ("not enough rights", bad("not enough rights to send text messages to the chat"), REFUSED, NO_RIGHTS),
    ("not enough rights, 403", forbidden("not enough rights to send photos to the chat"), REFUSED, NO_RIGHTS),
    ("write forbidden", bad("CHAT_WRITE_FORBIDDEN"), REFUSED, NO_RIGHTS),
    ("administrators only", bad("need administrator rights in the channel chat"), REFUSED, NO_RIGHTS),
    ("topic closed", bad("TOPIC_CLOSED"), REFUSED, NO_RIGHTS),
    ("restricted", bad("CHAT_RESTRICTED"), REFUSED, NO_RIGHTS),
    ("no voice wanted", bad("VOICE_MESSAGES_FORBIDDEN"), REFUSED, NO_RIGHTS),
    ("unknown description", bad("SOMETHING_NEW"), REFUSED, NO_RIGHTS),
    ("gone", bad("message to edit not found"), REFUSED, NOT_FOUND),
    ("cannot be edited", bad("message can't be edited"), REFUSED, NO_RIGHTS),
    ("too late an answer", bad("query is too old and response timeout expired"), REFUSED, Reason.EXPIRED),
    ("moved", refused(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1001),
     ContactMoved, NOT_FOUND),
    ("entities", bad("can't parse entities: Can't find end of the entity"), CONTENT, BAD),
    ("empty", bad("message text is empty"), CONTENT, BAD),
    ("too long", bad("message is too long"), CONTENT, BAD),
    ("caption too long", bad("message caption is too long"), CONTENT, BAD),
    ("file id", bad("wrong file identifier/HTTP URL specified"), CONTENT, BAD),
    ("button data", bad("BUTTON_DATA_INVALID"), CONTENT, BAD),
    ("button url", bad("BUTTON_URL_INVALID"), CONTENT, BAD),
    ("markup", bad("reply markup is too long"), CONTENT, BAD),
    ("too large", refused(413, "Request Entity Too Large"), CONTENT, BAD),
    ("flood", lambda server, bot: server.faults.flood(17), SlowDown, Reason.GAVE_UP),
    ("flood without parameters", refused(429, "Too Many Requests: retry after 17"), SlowDown, Reason.GAVE_UP),
    ("revoked", lambda server, bot: server.faults.revoke_token(bot), AccountStopped, Reason.ACCOUNT_STOPPED),
    ("unknown token", refused(401, "Unauthorized: invalid token specified"), AccountStopped, Reason.ACCOUNT_STOPPED),
    ("malformed token", refused(404, "Not Found"), AccountStopped, Reason.ACCOUNT_STOPPED),
    ("restart", refused(500, "Internal Server Error: restart"), NotSent, Reason.GAVE_UP),
    ("bad gateway", refused(502, "Bad Gateway"), NotSent, Reason.GAVE_UP),
    ("unavailable", refused(503, "Service Unavailable"), NotSent, Reason.GAVE_UP),
    ("page of a gateway", lambda server, bot: server.faults.garbage(), NotSent, Reason.GAVE_UP),
    ("page of a firewall", lambda server, bot: server.faults.garbage(b"<html>", 403), NotSent, Reason.GAVE_UP),
    ("page of a proxy", lambda server, bot: server.faults.garbage(b"<html>", 404), NotSent, Reason.GAVE_UP),
    ("gateway that waited", lambda server, bot: server.faults.garbage(b"<html>", 504), OutcomeUnknown,
     Reason.NO_ANSWER),
    ("rubbish", lambda server, bot: server.faults.garbage(b"<html>", 200), OutcomeUnknown, Reason.NO_ANSWER),
    ("refused with 200", lambda server, bot: server.faults.garbage(b'{"ok":false,"error_code":400}', 200),
     OutcomeUnknown, Reason.NO_ANSWER),
    ("a new group that is no number", refused(400, "Bad Request: upgraded", migrate_to_chat_id="x"), NotSent,
     Reason.GAVE_UP),
    ("closed unread", lambda server, bot: server.faults.drop_before(), OutcomeUnknown, Reason.NO_ANSWER),
    ("closed after delivery", lambda server, bot: server.faults.drop_after(), OutcomeUnknown, Reason.NO_ANSWER),
    ("silence", lambda server, bot: server.faults.hang(), OutcomeUnknown, Reason.NO_ANSWER),
    ("late", lambda server, bot: server.faults.delay(3, after=True), OutcomeUnknown, Reason.NO_ANSWER),
]  # fmt: skip


@pytest.mark.parametrize(("arrange", "kind", "reason"), [r[1:] for r in TABLE], ids=[r[0] for r in TABLE])
async def test_error(
    arrange: Arrange,
    kind: type[SendError],
    reason: Reason,
    server: TelegramSandbox,
    account: BotAccount,
    lan: User,
    channel: TelegramChannel,
) -> None:
    await channel.send(Outbound(chat_id="501", text="trước"))  # so that the connection is an idle one
    arrange(server, account)
    with pytest.raises(SendError) as caught:
        await channel.send(Outbound(chat_id="501", text=WORDS))
    assert (type(caught.value), caught.value.reason) == (kind, reason)
    told = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in told
    assert WORDS not in told
    if isinstance(caught.value, SlowDown):
        assert caught.value.retry_after == 17
    if isinstance(caught.value, ContactMoved):
        assert caught.value.new_id == "-1001"


async def test_nobody_there_means_not_sent(server: TelegramSandbox, lan: User, channel: TelegramChannel) -> None:
    await channel.send(Outbound(chat_id="501", text="trước"))
    await server.stop()
    with pytest.raises(NotSent):
        await channel.send(Outbound(chat_id="501", text="a"))
    await server.start()
    assert (await channel.send(Outbound(chat_id="501", text="sau"))).message_id


async def test_a_real_flood_says_how_long(server: TelegramSandbox, account: BotAccount, lan: User) -> None:
    account.meter.limits = Limits(per_second=None, per_chat_second=1, chat_burst=1)
    channel = connect(server)
    await channel.send(Outbound(chat_id="501", text="a"))
    with pytest.raises(SlowDown) as caught:
        await channel.send(Outbound(chat_id="501", text="b"))
    assert caught.value.retry_after >= 1
    await channel.close()


async def test_a_real_upgraded_group(server: TelegramSandbox, account: BotAccount, channel: TelegramChannel) -> None:
    group = server.add_group(title="Thôn Đông")
    group.add_bot(account)
    new_id = group.upgrade()
    with pytest.raises(ContactMoved) as caught:
        await channel.send(Outbound(chat_id=str(group.id), text="a", group=True))
    assert caught.value.new_id == str(int(new_id))
    await channel.send(Outbound(chat_id=caught.value.new_id, text="a", group=True))


async def test_text_with_formatting_and_buttons(account: BotAccount, lan: User, channel: TelegramChannel) -> None:
    bold = (Entity(EntityKind.BOLD, 3, 8), Entity(EntityKind.LINK, 0, 2, "https://a.vn/"))
    buttons = ((Button("Có", data="rsvp:yes"), Button("Xem", url="https://a.vn/")),)
    sent = await channel.send(Outbound(chat_id="501", text="🎉 Họp thôn_*<b>", entities=bold, buttons=buttons))
    shown = lan.chat(account).last
    assert (sent.message_id, sent.message_ids) == (str(shown.id), (str(shown.id),))
    assert (shown.text, shown.buttons) == ("🎉 Họp thôn_*<b>", ["Có", "Xem"])
    assert [(e["type"], e["offset"], e["length"]) for e in shown.entities] == [("text_link", 0, 2), ("bold", 3, 8)]


KINDS = [
    (MediaKind.PHOTO, "photo"),
    (MediaKind.VIDEO, "video"),
    (MediaKind.ANIMATION, "animation"),
    (MediaKind.VOICE, "voice"),
    (MediaKind.AUDIO, "audio"),
    (MediaKind.FILE, "document"),
    (MediaKind.VIDEO_NOTE, "video_note"),
    (MediaKind.STICKER, "sticker"),
]


@pytest.mark.parametrize(("kind", "shown"), KINDS, ids=[kind for kind, _ in KINDS])
async def test_a_file_is_uploaded_once(
    kind: MediaKind, shown: str, account: BotAccount, lan: User, channel: TelegramChannel
) -> None:
    words = "" if kind in (MediaKind.STICKER, MediaKind.VIDEO_NOTE) else "chú thích"
    first = await channel.send(Outbound(chat_id="501", text=words, media=(Media(kind, content=PICTURE),)))
    (file_id,) = first.file_ids
    second = await channel.send(Outbound(chat_id="501", text=words, media=(Media(kind, file_id=file_id),)))
    assert second.file_ids == (file_id,)
    told = [(m.kind, m.file_bytes, m.text) for m in lan.chat(account).bot_messages]
    assert told == [(shown, PICTURE, words)] * 2


async def test_an_album(account: BotAccount, lan: User, channel: TelegramChannel, tmp_path: Path) -> None:
    (tmp_path / "Ảnh họp.jpg").write_bytes(PICTURE)
    album = (Media(MediaKind.PHOTO, path=str(tmp_path / "Ảnh họp.jpg")), Media(MediaKind.VIDEO, content=b"two"))
    bold = (Entity(EntityKind.BOLD, 0, 3),)
    sent = await channel.send(Outbound(chat_id="501", text="Họp thôn", entities=bold, media=album))
    shown = lan.chat(account).bot_messages
    assert [(m.kind, m.file_bytes, m.text) for m in shown] == [("photo", PICTURE, "Họp thôn"), ("video", b"two", "")]
    assert sent.message_ids == tuple(str(m.id) for m in shown)
    again = await channel.send(
        Outbound(chat_id="501", media=tuple(Media(m.kind, f) for m, f in zip(album, sent.file_ids, strict=True)))
    )
    assert len(again.message_ids) == 2


async def test_a_missing_file_is_wrong_for_everybody(channel: TelegramChannel) -> None:
    with pytest.raises(BadContent, match="cannot be read"):
        await channel.send(Outbound(chat_id="501", media=(Media(MediaKind.FILE, path="/nowhere/a.pdf"),)))


async def test_a_huge_file_is_not_even_read(channel: TelegramChannel, tmp_path: Path) -> None:
    with (tmp_path / "huge.mp4").open("wb") as file:
        file.truncate(60 * 1024 * 1024)
    with pytest.raises(BadContent, match="too large"):
        await channel.send(Outbound(chat_id="501", media=(Media(MediaKind.VIDEO, path=str(tmp_path / "huge.mp4")),)))


async def test_half_a_character_is_wrong_for_everybody(channel: TelegramChannel) -> None:
    with pytest.raises(BadContent):
        await channel.send(Outbound(chat_id="501", text="a\ud83d"))


async def test_a_place_a_venue_and_a_card(account: BotAccount, lan: User, channel: TelegramChannel) -> None:
    await channel.send(Outbound(chat_id="501", location=Location(17.5, 106.5)))
    await channel.send(Outbound(chat_id="501", location=Location(17.5, 106.5, "Nhà văn hóa", "Thôn Đông")))
    await channel.send(Outbound(chat_id="501", card=ContactCard("+84900000000", "Minh")))
    assert [m.kind for m in lan.chat(account).bot_messages] == ["location", "venue", "contact"]


async def test_editing(account: BotAccount, lan: User, channel: TelegramChannel) -> None:
    yes = ((Button("Có", data="yes"),),)
    text_id = (await channel.send(Outbound(chat_id="501", text="cũ", buttons=yes))).message_id
    photo = Media(MediaKind.PHOTO, content=PICTURE)
    photo_id = (await channel.send(Outbound(chat_id="501", text="cũ", media=(photo,)))).message_id
    edited = await channel.send(Outbound(chat_id="501", edit=text_id, text="mới"))
    await channel.send(Outbound(chat_id="501", edit=photo_id, text="chú thích mới", media=(photo,)))
    first, second = lan.chat(account).bot_messages
    assert (edited.message_id, first.text, first.buttons, second.text) == (text_id, "mới", [], "chú thích mới")
    await channel.send(Outbound(chat_id="501", edit=text_id, buttons=yes))
    assert (first.text, first.buttons) == ("mới", ["Có"])


async def test_the_same_edit_twice_is_done(account: BotAccount, lan: User, channel: TelegramChannel) -> None:
    sent = await channel.send(Outbound(chat_id="501", text="a"))
    for _ in range(2):
        edited = await channel.send(Outbound(chat_id="501", edit=sent.message_id, text="b"))
        assert edited.message_id == sent.message_id


async def test_deleting_twice_is_done(account: BotAccount, lan: User, channel: TelegramChannel) -> None:
    sent = await channel.send(Outbound(chat_id="501", text="a"))
    for _ in range(2):
        await channel.send(Outbound(chat_id="501", delete=sent.message_id))
    assert lan.chat(account).bot_messages == []


async def test_a_pressed_button_is_answered(
    account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox
) -> None:
    await channel.start(inbox)
    sent = await channel.send(Outbound(chat_id="501", text="Đi?", buttons=((Button("Có", data="yes"),),)))
    pressed = lan.press(account, int(sent.message_id or 0), "Có")
    (event,) = await inbox.holding(1)
    assert (event.button, event.message_id, event.chat_id) == ("yes", sent.message_id, "501")
    await channel.send(Outbound(chat_id="501", answer=event.answer_id, text="Đã ghi", alert=True))
    answer = await pressed.answer()
    assert (answer.text, answer.show_alert) == ("Đã ghi", True)


async def test_what_somebody_sent_can_be_fetched(
    account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox
) -> None:
    await channel.start(inbox)
    lan.send_photo(account, PICTURE, caption="ảnh")
    (event,) = await inbox.holding(1)
    assert await channel.fetch(event.media[0]) == PICTURE
    with pytest.raises(SendError):
        await channel.fetch(Media(MediaKind.PHOTO, "no such file"))


async def test_a_file_that_went_missing_does_not_stop_the_account(
    server: TelegramSandbox, account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox
) -> None:
    await channel.start(inbox)
    lan.send_photo(account, PICTURE)
    (event,) = await inbox.holding(1)
    server.files.at = lambda path: None  # type: ignore[method-assign]  # the fault under test
    with pytest.raises(ContactRefused):
        await channel.fetch(event.media[0])


async def test_links(channel: TelegramChannel, inbox: Inbox) -> None:
    assert channel.link("ref_1") is None
    assert channel.share_link("ref_1", "x") is None
    await channel.start(inbox)
    assert channel.link("ref_1") == "https://t.me/LoaSo_bot?start=ref_1"
    assert channel.share_link("ref_1", "Mời bà con & cô bác") == (
        "https://t.me/share/url?url=https%3A%2F%2Ft.me%2FLoaSo_bot%3Fstart%3Dref_1"
        "&text=M%E1%BB%9Di%20b%C3%A0%20con%20%26%20c%C3%B4%20b%C3%A1c"
    )


async def test_two_accounts_do_not_mix(server: TelegramSandbox, account: BotAccount, lan: User, inbox: Inbox) -> None:
    other_account = server.add_bot("7002:AAE-other_tOkEn_00000000000000000000", username="other_bot")
    first, second = connect(server), connect(server, other_account.token)
    other_inbox = Inbox()
    await first.start(inbox)
    await second.start(other_inbox)
    lan.start(other_account)
    lan.write(account, "một")
    (event,), (other,) = await inbox.holding(1), await other_inbox.holding(1)
    assert (event.account, other.account) == ("telegram:7001", "telegram:7002")
    server.faults.revoke_token(other_account)
    with pytest.raises(AccountStopped):
        await second.send(Outbound(chat_id="501", text="a"))
    await first.send(Outbound(chat_id="501", text="vẫn chạy"))
    await first.close()
    await second.close()
