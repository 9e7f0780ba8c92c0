"""What people do: start, press, block, ask inline, vote; groups with privacy mode."""

from __future__ import annotations

import asyncio

import pytest

from bot.sandbox.telegram import BotAccount, TelegramSandbox, User
from tests.sandbox.telegram.conftest import Raw

KEYBOARD = {
    "inline_keyboard": [
        [{"text": "Đã hiểu", "callback_data": "ok:1"}, {"text": "Đọc thêm", "url": "https://a.vn/x"}],
    ]
}
TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"


async def test_a_deep_link_is_a_command_with_a_payload(call: Raw, bot: BotAccount, person: User) -> None:
    await person.start(bot, "v_12345")
    (update,) = (await call("getUpdates")).result
    assert update["message"]["text"] == "/start v_12345"
    assert update["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    assert update["message"]["chat"] == {
        "id": 1001,
        "first_name": "Bé",
        "username": "be_quangtri",
        "type": "private",
    }
    assert update["message"]["from"]["language_code"] == "vi"


async def test_a_payload_that_no_link_can_carry(bot: BotAccount, person: User) -> None:
    for payload in ("x" * 65, "có dấu", "a b"):
        with pytest.raises(ValueError, match="a payload is"):
            person.start(bot, payload)


async def test_blocking_and_unblocking_are_told(call: Raw, bot: BotAccount, started: User) -> None:
    started.block(bot)
    started.block(bot)
    with pytest.raises(RuntimeError, match="blocked"):
        started.write(bot, "alo")
    started.unblock(bot)
    started.block(bot)
    await started.start(bot)
    changes = [u["my_chat_member"]["new_chat_member"]["status"] for u in (await call("getUpdates")).result[:-1]]
    assert changes == ["kicked", "member", "kicked", "member"]
    assert (await call("sendMessage", chat_id=1001, text="lại gặp")).status == 200


async def test_a_pressed_button_is_answered_once(call: Raw, bot: BotAccount, started: User) -> None:
    await call("sendMessage", chat_id=1001, text="mẹo", reply_markup=KEYBOARD)
    message = started.chat(bot).last
    pressed = await started.press(bot, message, "Đã hiểu")
    (update,) = (await call("getUpdates")).result
    query = update["callback_query"]
    assert (query["data"], query["message"]["message_id"], query["from"]["id"]) == ("ok:1", message.id, 1001)
    assert query["chat_instance"]
    assert not pressed.answered
    waiting = asyncio.create_task(pressed.answer())
    params = {"callback_query_id": query["id"], "text": "Cảm ơn", "show_alert": True}
    assert (await call("answerCallbackQuery", **params)).result is True
    answer = await waiting
    assert (answer.text, answer.show_alert) == ("Cảm ơn", True)
    assert (await call("answerCallbackQuery", **params)).error == (400, TOO_OLD)
    assert (await call("answerCallbackQuery", callback_query_id="1")).error == (400, TOO_OLD)


async def test_an_old_press_cannot_be_answered(
    sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User
) -> None:
    await call("sendMessage", chat_id=1001, text="mẹo", reply_markup=KEYBOARD)
    pressed = started.press(bot, started.chat(bot).last.id, "ok:1")
    sandbox.timing.callback_lifetime = -1
    assert (await call("answerCallbackQuery", callback_query_id=pressed.id)).error == (400, TOO_OLD)
    with pytest.raises(TimeoutError):
        await pressed.answer(timeout=0.01)


async def test_a_long_callback_answer_is_refused(call: Raw) -> None:
    answer = await call("answerCallbackQuery", callback_query_id="1", text="x" * 201)
    assert answer.error == (400, "Bad Request: MESSAGE_TOO_LONG")


async def test_buttons_that_ask_nothing(call: Raw, bot: BotAccount, started: User) -> None:
    await call("sendMessage", chat_id=1001, text="mẹo", reply_markup=KEYBOARD)
    link = started.press(bot, started.chat(bot).last, "Đọc thêm")
    assert link.url == "https://a.vn/x"
    with pytest.raises(LookupError, match="asks the bot nothing"):
        await link.answer()
    with pytest.raises(LookupError, match="Đã hiểu"):
        started.press(bot, started.chat(bot).last, "Không có")
    rows = [
        [{"text": "Có"}],
        [{"text": "Gửi số", "request_contact": True}, {"text": "Ở đâu", "request_location": True}],
    ]
    await call("sendMessage", chat_id=1001, text="chọn", reply_markup={"keyboard": rows})
    message = started.chat(bot).last
    assert started.chat(bot).keyboard is not None
    kinds = [started.press(bot, message, label).message for label in ("Có", "Gửi số", "Ở đâu")]
    assert [m.kind for m in kinds if m] == ["text", "contact", "location"]
    await call("sendMessage", chat_id=1001, text="xong", reply_markup={"remove_keyboard": True})
    assert started.chat(bot).keyboard is None


async def test_waiting_for_messages(call: Raw, bot: BotAccount, started: User) -> None:
    chat = started.chat(bot)
    seen = chat.count
    waiting = asyncio.create_task(chat.wait_new(seen))
    other = asyncio.create_task(chat.wait(lambda m: m.from_bot and "hai" in m.text))
    await asyncio.sleep(0)
    await call("sendMessage", chat_id=1001, text="một")
    assert [m.text for m in await waiting] == ["một"]
    sent = (await call("sendMessage", chat_id=1001, text="gần")).result
    await call("editMessageText", chat_id=1001, message_id=sent["message_id"], text="hai")
    assert (await other).text == "hai"
    assert (await chat.wait_text("một")).from_bot
    with pytest.raises(TimeoutError, match="the chat holds"):
        await chat.wait_new(chat.count, timeout=0.01)


async def test_a_chat_action_is_seen(call: Raw, bot: BotAccount, started: User) -> None:
    assert (await call("sendChatAction", chat_id=1001, action="typing")).result is True
    assert started.chat(bot).actions == ["typing"]
    answer = await call("sendChatAction", chat_id=1001, action="dancing")
    assert answer.error == (400, "Bad Request: wrong parameter action in request")


async def test_replies_point_at_what_they_answer(call: Raw, bot: BotAccount, started: User) -> None:
    asked = started.write(bot, "hỏi")
    params = {"chat_id": 1001, "text": "đáp", "reply_parameters": {"message_id": asked.id}}
    assert (await call("sendMessage", **params)).result["reply_to_message"]["text"] == "hỏi"
    started.write(bot, "hỏi tiếp", reply_to=started.chat(bot).last)
    update = (await call("getUpdates", offset=-1)).result[0]
    assert update["message"]["reply_to_message"]["text"] == "đáp"
    assert "reply_to_message" not in update["message"]["reply_to_message"]
    lost = {"message_id": 999, "allow_sending_without_reply": True}
    assert "reply_to_message" not in (await call("sendMessage", chat_id=1001, text="x", reply_parameters=lost)).result


async def test_an_edit_of_a_person_is_an_update(call: Raw, bot: BotAccount, started: User) -> None:
    started.edit(started.write(bot, "nhầm"), "đúng")
    update = (await call("getUpdates", offset=-1)).result[0]
    assert update["edited_message"]["text"] == "đúng"
    assert update["edited_message"]["edit_date"]


async def test_a_forward_of_a_person_names_the_first_sender(
    sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User
) -> None:
    group = sandbox.add_group(-5, "Thôn", members=[started, sandbox.add_user(1002, "Bác")])
    original = group.write(sandbox.users[1002], "tin lạ")
    started.forward(bot, original)
    message = (await call("getUpdates")).result[-1]["message"]
    assert message["text"] == "tin lạ"
    assert message["forward_origin"]["sender_user"]["first_name"] == "Bác"


async def test_privacy_mode_in_groups(sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User) -> None:
    group = sandbox.add_group(-5, "Thôn", members=[started])
    everything = sandbox.add_bot("777:ALL", username="nghe_het_bot", privacy=False)
    group.add_bot(bot, by=started)
    group.add_bot(everything, by=started)
    bot.updates.clear()
    everything.updates.clear()
    own = (await call("sendMessage", chat_id=-5, text="chào thôn")).result
    message = next(m for m in group.messages if m.id == own["message_id"])
    group.write(started, "chuyện riêng")
    group.write(started, "/help")
    group.write(started, "/help@nghe_het_bot")
    group.write(started, "@loaso_bot ơi")
    group.write(started, "ừ", reply_to=message)
    assert [u.json["message"]["text"] for u in bot.updates.pending()] == ["/help", "@loaso_bot ơi", "ừ"]
    assert len(everything.updates.pending()) == 5


async def test_groups_have_members(sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User) -> None:
    other = sandbox.add_user(1002, "Bác")
    group = sandbox.add_group(-5, "Thôn", members=[started])
    group.add_bot(bot, by=started, admin=True)
    group.join(other)
    assert (await call("getChatMemberCount", chat_id=-5)).result == 3
    group.leave(other)
    assert (await call("getChatMember", chat_id=-5, user_id=1002)).result["status"] == "left"
    assert (await call("getChatMember", chat_id=-5, user_id=1001)).result["status"] == "creator"
    statuses = [m["status"] for m in (await call("getChatAdministrators", chat_id=-5)).result]
    assert statuses == ["creator", "administrator"]
    with pytest.raises(RuntimeError, match="not a member"):
        group.write(other, "cho vào với")
    services = [m for m in group.messages if m.is_service]
    assert [next(iter(m.content)) for m in services] == ["new_chat_members", "new_chat_members", "left_chat_member"]


async def test_inline_queries(sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User) -> None:
    with pytest.raises(ValueError, match="no inline mode"):
        started.ask_inline(bot, "mẹo")
    bot.inline = True
    asked = started.ask_inline(bot, "mẹo")
    assert (await call("getUpdates")).result[0]["inline_query"]["query"] == "mẹo"
    result = {"type": "article", "id": "1", "title": "Mẹo", "input_message_content": {"message_text": "Mẹo"}}
    assert (await call("answerInlineQuery", inline_query_id=asked.id, results=[result, result])).status == 400
    assert (await call("answerInlineQuery", inline_query_id=asked.id, results=[result])).result is True
    assert (await asked.answer())["results"] == [result]
    assert (await call("answerInlineQuery", inline_query_id=asked.id, results=[result])).error == (400, TOO_OLD)


async def test_polls(call: Raw, bot: BotAccount, started: User) -> None:
    params = {"chat_id": 1001, "question": "Có chơi?", "options": ["Có", "Không"], "is_anonymous": False}
    poll = (await call("sendPoll", **params)).result["poll"]
    started.vote(bot, started.chat(bot).last, [1])
    updates = (await call("getUpdates")).result
    assert updates[0]["poll_answer"]["option_ids"] == [1]
    assert updates[0]["poll_answer"]["poll_id"] == poll["id"]
    stopped = (await call("stopPoll", chat_id=1001, message_id=started.chat(bot).last.id)).result
    assert (stopped["is_closed"], stopped["total_voter_count"]) == (True, 1)
    quiz = {**params, "type": "quiz", "correct_option_ids": [5]}
    assert (await call("sendPoll", **quiz)).error == (400, "Bad Request: wrong correct option ID specified")
