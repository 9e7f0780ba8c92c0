"""Changing what was sent: edits, deletes, copies, forwards, pins."""

from __future__ import annotations

import pytest

from bot.sandbox.telegram import BotAccount, TelegramSandbox, User
from tests.sandbox.telegram.conftest import PNG, Raw

SAME = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a "
    "current content and reply markup of the message"
)
KEYBOARD = {"inline_keyboard": [[{"text": "Có", "callback_data": "yes"}]]}


@pytest.fixture
async def sent(call: Raw, started: User) -> int:
    """A text of the bot with a button."""
    return int((await call("sendMessage", chat_id=1001, text="một", reply_markup=KEYBOARD)).result["message_id"])


async def test_a_text_is_edited(call: Raw, bot: BotAccount, started: User, sent: int) -> None:
    result = (await call("editMessageText", chat_id=1001, message_id=sent, text="hai")).result
    assert result["text"] == "hai"
    assert result["edit_date"] >= result["date"]
    assert "reply_markup" not in result
    message = started.chat(bot).message(sent)
    assert message is not None
    assert (message.text, message.edited, message.buttons) == ("hai", True, [])


async def test_edits_that_are_refused(call: Raw, bot: BotAccount, started: User, sent: int) -> None:
    theirs = started.write(bot, "của tôi").id
    photo = started.send_photo(bot, PNG).json(bot.id)["photo"][-1]["file_id"]
    picture = (await call("sendPhoto", chat_id=1001, photo=photo, caption="ảnh")).result["message_id"]
    missing = "Bad Request: message to edit not found"
    no_text = "Bad Request: there is no text in the message to edit"
    no_caption = "Bad Request: there is no caption in the message to edit"
    media = {"type": "photo", "media": photo}
    rows: list[tuple[str, dict[str, object], str]] = [
        ("editMessageText", {"message_id": sent, "text": "một", "reply_markup": KEYBOARD}, SAME),
        ("editMessageText", {"message_id": 999, "text": "x"}, missing),
        ("editMessageText", {"text": "x"}, "Bad Request: message identifier is not specified"),
        ("editMessageText", {"message_id": theirs, "text": "x"}, "Bad Request: message can't be edited"),
        ("editMessageText", {"message_id": sent, "text": " "}, "Bad Request: message text is empty"),
        ("editMessageText", {"message_id": picture, "text": "x"}, no_text),
        ("editMessageCaption", {"message_id": sent, "caption": "x"}, no_caption),
        ("editMessageCaption", {"message_id": picture, "caption": "ảnh"}, SAME),
        ("editMessageReplyMarkup", {"message_id": sent, "reply_markup": KEYBOARD}, SAME),
        ("editMessageMedia", {"message_id": 999, "media": media}, missing),
    ]
    for method, params, description in rows:
        answer = await call(method, chat_id=1001, **params)
        assert answer.error == (400, description), (method, params)


async def test_captions_media_and_keyboards_are_edited(call: Raw, bot: BotAccount, started: User, sent: int) -> None:
    document = started.send_document(bot, b"1").json(bot.id)["document"]["file_id"]
    photo = started.send_photo(bot, PNG).json(bot.id)["photo"][-1]["file_id"]
    message_id = (await call("sendPhoto", chat_id=1001, photo=photo, caption="ảnh")).result["message_id"]
    assert (await call("editMessageCaption", chat_id=1001, message_id=message_id, caption="mới")).result[
        "caption"
    ] == "mới"
    media = {"type": "document", "media": document, "caption": "tệp"}
    edited = (await call("editMessageMedia", chat_id=1001, message_id=message_id, media=media)).result
    assert (edited["caption"], edited["document"]["file_id"]) == ("tệp", document)
    assert "photo" not in edited
    assert "reply_markup" not in (await call("editMessageReplyMarkup", chat_id=1001, message_id=sent)).result
    assert (await call("editMessageReplyMarkup", chat_id=1001, message_id=sent, reply_markup=KEYBOARD)).status == 200


async def test_messages_are_deleted(call: Raw, bot: BotAccount, started: User, sent: int) -> None:
    theirs = started.write(bot, "riêng tư")
    assert (await call("deleteMessage", chat_id=1001, message_id=sent)).result is True
    assert (await call("deleteMessage", chat_id=1001, message_id=sent)).error == (
        400,
        "Bad Request: message to delete not found",
    )
    assert (await call("deleteMessages", chat_id=1001, message_ids=[theirs.id, 999])).result is True
    assert theirs.deleted
    assert started.chat(bot).bot_messages == []
    answer = await call("editMessageText", chat_id=1001, message_id=sent, text="x")
    assert answer.error == (400, "Bad Request: message to edit not found")


async def test_old_and_foreign_messages_stay(
    sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User, sent: int
) -> None:
    group = sandbox.add_group(-5, "Thôn", members=[started])
    group.add_bot(bot)
    theirs = group.write(started, "/help")
    refused = (400, "Bad Request: message can't be deleted")
    assert (await call("deleteMessage", chat_id=-5, message_id=theirs.id)).error == refused
    group.add_bot(bot, admin=True)
    assert (await call("deleteMessage", chat_id=-5, message_id=theirs.id)).result is True
    message = started.chat(bot).message(sent)
    assert message is not None
    message.date -= 49 * 3600
    assert (await call("deleteMessage", chat_id=1001, message_id=sent)).error == refused


async def test_a_copy_shows_no_origin_and_a_forward_does(
    sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User, sent: int
) -> None:
    other = sandbox.add_user(1002, "Bác")
    other.start(bot)
    copy = (await call("copyMessage", chat_id=1002, from_chat_id=1001, message_id=sent)).result
    assert set(copy) == {"message_id"}
    copied = other.chat(bot).last
    assert (copied.text, copied.reply_markup, "forward_origin" in copied.content) == ("một", None, False)
    forward = (await call("forwardMessage", chat_id=1002, from_chat_id=1001, message_id=sent)).result
    assert forward["forward_origin"]["sender_user"]["id"] == bot.id
    again = (await call("forwardMessage", chat_id=1001, from_chat_id=1002, message_id=forward["message_id"])).result
    assert again["forward_origin"] == forward["forward_origin"]


async def test_copies_replace_captions_and_keyboards(call: Raw, bot: BotAccount, started: User) -> None:
    photo = started.send_photo(bot, PNG, caption="cũ")
    params = {"chat_id": 1001, "from_chat_id": 1001, "message_id": photo.id, "reply_markup": KEYBOARD}
    await call("copyMessage", **params, caption="mới")
    assert (started.chat(bot).last.text, started.chat(bot).last.buttons) == ("mới", ["Có"])
    await call("copyMessage", **params)
    assert started.chat(bot).last.text == "cũ"


async def test_many_are_copied_and_forwarded_at_once(call: Raw, bot: BotAccount, started: User) -> None:
    ids = [started.write(bot, f"tin {n}").id for n in range(3)]
    copied = (await call("copyMessages", chat_id=1001, from_chat_id=1001, message_ids=[*ids, 999])).result
    assert len(copied) == 3
    forwarded = (await call("forwardMessages", chat_id=1001, from_chat_id=1001, message_ids=ids)).result
    assert len(forwarded) == 3
    assert [m.text for m in started.chat(bot).messages[-3:]] == ["tin 0", "tin 1", "tin 2"]
    assert call.sandbox.sent(bot) == 6


async def test_copies_that_are_refused(call: Raw, bot: BotAccount, started: User) -> None:
    protected = (await call("sendMessage", chat_id=1001, text="kín", protect_content=True)).result["message_id"]
    one = {"chat_id": 1001, "from_chat_id": 1001}
    rows: list[tuple[str, dict[str, object], str]] = [
        ("copyMessage", {"message_id": 999}, "message to copy not found"),
        ("forwardMessage", {"message_id": 999}, "message to forward not found"),
        ("copyMessage", {"message_id": protected}, "message can't be copied"),
        ("forwardMessage", {"message_id": protected}, "message can't be forwarded"),
        ("copyMessages", {"message_ids": [998, 999]}, "there are no messages to copy"),
        ("copyMessages", {"message_ids": [2, 1]}, "message identifiers must be in a strictly increasing order"),
        ("copyMessages", {"message_ids": []}, "message identifiers are not specified"),
        ("forwardMessages", {"message_ids": list(range(1, 102))}, "too many messages to forward"),
    ]
    for method, params, words in rows:
        assert (await call(method, **one, **params)).error == (400, f"Bad Request: {words}"), (method, params)


async def test_pins(sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User, sent: int) -> None:
    assert (await call("pinChatMessage", chat_id=1001, message_id=sent)).result is True
    assert (await call("getChat", chat_id=1001)).result["pinned_message"]["message_id"] == sent
    assert started.chat(bot).last.is_service
    assert (await call("unpinChatMessage", chat_id=1001)).result is True
    assert (await call("unpinChatMessage", chat_id=1001)).status == 400
    group = sandbox.add_group(-5, "Thôn", members=[started])
    group.add_bot(bot)
    message_id = (await call("sendMessage", chat_id=-5, text="x")).result["message_id"]
    assert (await call("pinChatMessage", chat_id=-5, message_id=message_id)).error == (
        400,
        "Bad Request: not enough rights to manage pinned messages in the chat",
    )


async def test_reactions(call: Raw, bot: BotAccount, started: User) -> None:
    message = started.write(bot, "hay quá")
    thumb = [{"type": "emoji", "emoji": "👍"}]
    assert (await call("setMessageReaction", chat_id=1001, message_id=message.id, reaction=thumb)).result is True
    assert message.reactions == {bot.id: thumb}
    assert (await call("setMessageReaction", chat_id=1001, message_id=message.id, reaction=thumb * 2)).error == (
        400,
        "Bad Request: REACTIONS_TOO_MANY",
    )
