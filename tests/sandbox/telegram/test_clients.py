"""Two real libraries against the server, with an independent judge between them."""

from __future__ import annotations

import asyncio
from typing import Any

import aiogram
import aiohttp
import pytest
import telegram
from aiogram import exceptions as aiogram_errors
from aiogram.types import BufferedInputFile, InputMediaPhoto
from aiohttp import web
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputMediaDocument, MessageEntity
from telegram import error as telegram_errors
from telegram.ext import Application, CallbackQueryHandler, CommandHandler, ContextTypes, MessageHandler, filters

from bot.sandbox.telegram import BotAccount, Judge, TelegramSandbox, User
from tests.sandbox.telegram.conftest import PNG, TOKEN, Raw

BUTTONS = InlineKeyboardMarkup([[InlineKeyboardButton("Có", callback_data="yes")]])


async def test_ptb_does_everything(ptb: telegram.Bot, bot: BotAccount, started: User) -> None:
    me = await ptb.get_me()
    assert (me.username, me.first_name) == ("loaso_bot", "Loa Số")
    text = await ptb.send_message(
        1001, "Xin chào bà con", entities=[MessageEntity("bold", 0, 8)], reply_markup=BUTTONS, protect_content=False
    )
    assert text.entities[0].type == "bold"
    await ptb.edit_message_text("Chào lại", 1001, text.message_id)
    photo = await ptb.send_photo(
        1001, PNG, caption="<i>ảnh</i>", parse_mode="HTML", reply_to_message_id=text.message_id
    )
    assert photo.reply_to_message is not None
    await ptb.send_photo(1001, photo.photo[-1].file_id)
    await ptb.send_voice(1001, b"ogg", duration=3)
    await ptb.send_video(1001, b"mp4", width=320, height=240)
    await ptb.send_audio(1001, b"mp3", title="Bản tin")
    await ptb.send_animation(1001, b"gif")
    await ptb.send_video_note(1001, b"mp4")
    await ptb.send_document(1001, b"x", filename="a.csv")
    await ptb.send_location(1001, 17.47, 106.6)
    await ptb.send_venue(1001, 17.47, 106.6, "Nhà văn hoá", "Thôn Trung")
    await ptb.send_contact(1001, "+84901234567", "Tổ số")
    await ptb.send_poll(1001, "Hỏi?", ["A", "B"], is_anonymous=False)
    await ptb.send_chat_action(1001, "typing")
    album = await ptb.send_media_group(
        1001, [InputMediaDocument(b"1", filename="1"), InputMediaDocument(b"2", filename="2")]
    )
    await ptb.edit_message_media(InputMediaDocument(b"3", filename="3"), 1001, album[0].message_id)
    await ptb.edit_message_caption(1001, photo.message_id, caption="mới")
    await ptb.copy_message(1001, 1001, photo.message_id)
    await ptb.copy_messages(1001, 1001, [text.message_id, photo.message_id])
    await ptb.forward_message(1001, 1001, photo.message_id)
    await ptb.forward_messages(1001, 1001, [text.message_id, photo.message_id])
    await ptb.pin_chat_message(1001, text.message_id)
    await ptb.unpin_chat_message(1001)
    await ptb.set_message_reaction(1001, text.message_id, "👍")
    await ptb.delete_message(1001, text.message_id)
    await ptb.delete_messages(1001, [photo.message_id])
    chat = await ptb.get_chat(1001)
    assert chat.first_name == "Bé"
    assert (await ptb.get_chat_member(1001, 1001)).status == "member"


async def test_ptb_sets_itself_up(ptb: telegram.Bot, bot: BotAccount) -> None:
    await ptb.set_my_commands([("start", "Bắt đầu"), ("stop", "Dừng")])
    await ptb.set_my_commands([("start", "Start")], language_code="en")
    assert [c.description for c in await ptb.get_my_commands()] == ["Bắt đầu", "Dừng"]
    assert [c.description for c in await ptb.get_my_commands(language_code="en")] == ["Start"]
    await ptb.delete_my_commands(language_code="en")
    assert await ptb.get_my_commands(language_code="en") == ()
    await ptb.set_my_name("Loa Số Quảng Trị")
    assert (await ptb.get_my_name()).name == "Loa Số Quảng Trị"
    assert bot.me()["first_name"] == "Loa Số Quảng Trị"
    await ptb.set_my_description("Tôi là máy")
    assert (await ptb.get_my_description(language_code="vi")).description == "Tôi là máy"
    await ptb.set_my_short_description("Máy")
    assert (await ptb.get_my_short_description()).short_description == "Máy"
    await ptb.set_chat_menu_button(menu_button=telegram.MenuButtonCommands())
    assert (await ptb.get_chat_menu_button()).type == "commands"
    assert (await ptb.get_webhook_info()).url == ""


@pytest.mark.parametrize(
    ("commands", "description"),
    [
        ([{"command": "Start", "description": "x"}], "Bad Request: BOT_COMMAND_INVALID"),
        ([{"command": "a" * 33, "description": "x"}], "Bad Request: BOT_COMMAND_INVALID"),
        ([{"command": "a", "description": ""}], "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID"),
        ([{"command": "a", "description": "x" * 257}], "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID"),
        ([{"command": "a", "description": "x"}] * 101, "Bad Request: BOT_COMMANDS_TOO_MUCH"),
    ],
)
async def test_commands_that_are_refused(call: Raw, commands: list[dict[str, str]], description: str) -> None:
    assert (await call("setMyCommands", commands=commands)).error == (400, description)


Fault = tuple[int, str, dict[str, Any] | None]
FLOOD: Fault = (429, "Too Many Requests: retry after 3", {"retry_after": 3})
MIGRATED: Fault = (400, "Bad Request: group chat was upgraded", {"migrate_to_chat_id": -100})
ERRORS: list[tuple[Fault, type[Exception], type[Exception]]] = [
    ((400, "Bad Request: chat not found", None), telegram_errors.BadRequest, aiogram_errors.TelegramBadRequest),
    ((401, "Unauthorized", None), telegram_errors.InvalidToken, aiogram_errors.TelegramUnauthorizedError),
    ((403, "Forbidden: user is deactivated", None), telegram_errors.Forbidden, aiogram_errors.TelegramForbiddenError),
    ((409, "Conflict: x", None), telegram_errors.Conflict, aiogram_errors.TelegramConflictError),
    (FLOOD, telegram_errors.RetryAfter, aiogram_errors.TelegramRetryAfter),
    (MIGRATED, telegram_errors.ChatMigrated, aiogram_errors.TelegramMigrateToChat),
    ((500, "Internal Server Error: restart", None), telegram_errors.NetworkError, aiogram_errors.RestartingTelegram),
    ((413, "Request Entity Too Large", None), telegram_errors.NetworkError, aiogram_errors.TelegramEntityTooLarge),
]


@pytest.mark.parametrize(("fault", "ptb_error", "aiogram_error"), ERRORS)
async def test_both_libraries_understand_refusals(
    sandbox: TelegramSandbox,
    ptb: telegram.Bot,
    aio: aiogram.Bot,
    started: User,
    fault: Fault,
    ptb_error: type[Exception],
    aiogram_error: type[Exception],
) -> None:
    with sandbox.faults.error(*fault):
        with pytest.raises(ptb_error):
            await ptb.send_message(1001, "x")
        with pytest.raises(aiogram_error):
            await aio.send_message(1001, "x")


async def test_aiogram_does_the_same(aio: aiogram.Bot, bot: BotAccount, started: User) -> None:
    assert (await aio.get_me()).username == "loaso_bot"
    sent = await aio.send_message(1001, "*đậm*", parse_mode="MarkdownV2")
    assert sent.entities is not None
    photo = await aio.send_photo(1001, BufferedInputFile(PNG, "a.png"), caption="ảnh")
    assert photo.photo is not None
    await aio.send_media_group(
        1001,
        [InputMediaPhoto(media=BufferedInputFile(PNG + b"x", "b.png")), InputMediaPhoto(media=photo.photo[-1].file_id)],
    )
    file = await aio.get_file(photo.photo[-1].file_id)
    assert file.file_path is not None
    content = await aio.download_file(file.file_path)
    assert content is not None
    assert content.read() == PNG
    await aio.edit_message_text("mới", chat_id=1001, message_id=sent.message_id)
    assert (await aio.get_chat(1001)).first_name == "Bé"
    started.write(bot, "chào aiogram")
    (update,) = await aio.get_updates()
    assert update.message is not None
    assert update.message.text == "chào aiogram"
    started.block(bot)
    with pytest.raises(aiogram_errors.TelegramForbiddenError, match="bot was blocked by the user"):
        await aio.send_message(1001, "x")


async def _echo(update: telegram.Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.effective_message is not None
    await update.effective_message.reply_text(f"Bạn nói: {update.effective_message.text}", reply_markup=BUTTONS)


async def _pressed(update: telegram.Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.callback_query is not None
    await update.callback_query.answer("Đã ghi")
    await update.callback_query.edit_message_text("Cảm ơn")


def _application(sandbox: TelegramSandbox) -> Application[Any, Any, Any, Any, Any, Any]:
    application = (
        Application.builder()
        .token(TOKEN)
        .base_url(f"{sandbox.url}/bot")
        .base_file_url(f"{sandbox.url}/file/bot")
        .build()
    )
    application.add_handler(CommandHandler("start", _echo))
    application.add_handler(MessageHandler(filters.TEXT, _echo))
    application.add_handler(CallbackQueryHandler(_pressed))
    return application


async def test_a_polling_application_talks_with_a_person(
    sandbox: TelegramSandbox, bot: BotAccount, person: User
) -> None:
    application = _application(sandbox)
    async with application:
        await application.start()
        assert application.updater is not None
        await application.updater.start_polling(poll_interval=0.01, timeout=1, drop_pending_updates=True)
        person.start(bot, "moi")
        reply = await person.chat(bot).wait_text("Bạn nói: /start moi")
        pressed = person.press(bot, reply, "Có")
        assert (await pressed.answer()).text == "Đã ghi"
        await person.chat(bot).wait(lambda m: m.edited and m.text == "Cảm ơn")
        await application.updater.stop()
        await application.stop()


async def test_the_application_mounts_below_another_server(bot: BotAccount, sandbox: TelegramSandbox) -> None:
    inner = TelegramSandbox()
    inner.add_bot(TOKEN, username="loaso_bot")
    outer = web.Application()
    outer.add_subapp("/telegram", inner.app)
    runner = web.AppRunner(outer, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}/telegram/bot"
    async with telegram.Bot(TOKEN, base_url=base) as client:
        assert client.username == "loaso_bot"
    await runner.cleanup()


async def test_the_judge_finds_what_the_server_would_overlook(
    call: Raw, sandbox: TelegramSandbox, started: User
) -> None:
    assert Judge.available()
    rows: list[tuple[str, dict[str, object], str]] = [
        ("sendMessage", {"chat_id": 1001, "text": "x", "textt": "y"}, "sendMessage has no field textt"),
        ("sendMessage", {"chat_id": 1001}, "sendMessage: text: Field required"),
        (
            "sendMessage",
            {"chat_id": 1001, "text": "x", "disable_notification": "maybe"},
            "sendMessage: disable_notification",
        ),
        (
            "sendMessage",
            {"chat_id": 1001, "text": "x", "reply_markup": {"inline_keyboard": [[{"text": "a", "data": "b"}]]}},
            "sendMessage: unknown sendMessage.reply_markup.inline_keyboard.data",
        ),
    ]
    for method, params, words in rows:
        answer = await call(method, **params)
        assert answer.status == 400
        assert answer.json["description"].startswith(f"Bad Request: {words}")
        assert sandbox.violations.pop().startswith(words)
    assert sandbox.violations == []


async def test_the_live_stream_shows_everything(
    call: Raw, sandbox: TelegramSandbox, bot: BotAccount, started: User
) -> None:
    with sandbox.subscribe() as stream:
        started.send_photo(bot, PNG)
        markup = {"inline_keyboard": [[{"text": "Có", "callback_data": "y"}]]}
        sent = (await call("sendMessage", chat_id=1001, text="một", reply_markup=markup)).result
        await call("sendChatAction", chat_id=1001, action="typing")
        await call("editMessageText", chat_id=1001, message_id=sent["message_id"], text="hai", reply_markup=markup)
        pressed = started.press(bot, sent["message_id"], "Có")
        await call("answerCallbackQuery", callback_query_id=pressed.id, text="Rồi")
        await call("deleteMessage", chat_id=1001, message_id=sent["message_id"])
        started.block(bot)
        events = [await stream.get() for _ in range(7)]
    assert [e.kind for e in events] == [
        "message",
        "message",
        "chat_action",
        "edited",
        "callback_answer",
        "deleted",
        "membership",
    ]
    assert {event.chat_id for event in events} == {1001}
    assert events[0].data["file_path"].startswith("photos/")
    assert (events[1].bot_id, events[1].chat_id, events[1].data["text"]) == (bot.id, 1001, "một")
    assert [event async for event in stream] == []


async def test_a_slow_reader_of_the_stream_loses_the_oldest(
    sandbox: TelegramSandbox, bot: BotAccount, person: User
) -> None:
    stream = sandbox.subscribe(size=2)
    for n in range(4):
        person.write(bot, f"tin {n}")
    assert [(await stream.get()).data["text"] for _ in range(2)] == ["tin 2", "tin 3"]
    assert stream.lost == 2


async def test_many_people_at_once(sandbox: TelegramSandbox, bot: BotAccount, session: aiohttp.ClientSession) -> None:
    sandbox.anyone_reachable = True
    raw = Raw(sandbox, session, bot.token)
    answers = await asyncio.gather(*(raw("sendMessage", chat_id=10_000 + n, text="x") for n in range(200)))
    assert all(answer.status == 200 for answer in answers)
    assert sandbox.sent(bot) == 200
    assert len({answer.result["message_id"] for answer in answers}) == 200
