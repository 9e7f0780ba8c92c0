"""The envelope, the ways to pass parameters, what is refused and with which words."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from bot.sandbox.zalo_bot import ZaloBotAccount, ZaloBotSandbox, ZaloBotUser
from tests.sandbox.zalo_bot.conftest import TOKEN, Client


async def test_a_bot_is_told_who_it_is(client: Client, bot: ZaloBotAccount) -> None:
    me = await client.result("getMe")
    assert (me["display_name"], me["account_type"], me["can_join_groups"]) == ("Bot Loa Số", "BASIC", False)
    assert me["id"].isdecimal()


@pytest.mark.parametrize(
    ("verb", "how"),
    [
        ("GET", "params"),
        ("POST", "params"),
        ("POST", "json"),
        ("POST", "form"),
        ("POST", "multipart"),
    ],
)
async def test_parameters_come_in_every_way(verb: str, how: str, client: Client, bot: ZaloBotAccount,
                                            linh: ZaloBotUser) -> None:  # fmt: skip
    fields: Any = {"chat_id": linh.id, "text": "Chào bác"}
    if how == "multipart":
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in fields.items():
            form.add_field(name, value)
        fields = form
    name = "data" if how in ("form", "multipart") else how
    status, answer = await client.ask(verb, "sendMessage", **{name: fields})
    assert status == 200
    shown = linh.chat(bot).bot_messages
    assert [(m.id, m.method, m.text) for m in shown] == [(answer["result"]["message_id"], "sendMessage", "Chào bác")]


REFUSED: list[tuple[str, str, dict[str, object], int, str]] = [
    ("a method in another case", "sendmessage", {}, 400, "Bad request: wrong path or API name"),
    ("no chat", "sendMessage", {"text": "a"}, 400, "Bad request: parameter chat_id is invalid"),
    ("an unknown chat", "sendMessage", {"chat_id": "0" * 20, "text": "a"}, 400, "Bad request: chat not found"),
    ("no text", "sendMessage", {"chat_id": "LINH"}, 400, "Bad request: parameter text is invalid"),
    ("blank text", "sendMessage", {"chat_id": "LINH", "text": " \n"}, 400, "Bad request: parameter text is invalid"),
    ("2,001", "sendMessage", {"chat_id": "LINH", "text": "a" * 2001}, 400, "Bad request: parameter text is invalid"),
    ("a mode", "sendMessage", {"chat_id": "LINH", "text": "a", "parse_mode": "MarkdownV2"}, 400,
     "Bad request: parameter parse_mode is invalid"),
    ("a picture's id", "sendPhoto", {"chat_id": "LINH", "photo": "AgAD"}, 400,
     "Bad request: parameter photo is invalid"),
    ("a long caption", "sendPhoto", {"chat_id": "LINH", "photo": "https://a.vn/a.jpg", "caption": "a" * 2001}, 400,
     "Bad request: parameter caption is invalid"),
    ("a voice of another kind", "sendVoice", {"chat_id": "LINH", "voice_url": "https://a.vn/a.ogg"}, 400,
     "Bad request: parameter voice_url is invalid"),
    ("an action", "sendChatAction", {"chat_id": "LINH", "action": "upload_photo"}, 400,
     "Bad request: parameter action is invalid"),
    ("a timeout", "getUpdates", {"timeout": "soon"}, 400, "Bad request: parameter timeout is invalid"),
    ("no webhook", "getWebhookInfo", {}, 404, "Not Found"),
    ("no webhook to test", "testWebhook", {}, 404, "Not Found"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "params", "code", "words"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
async def test_refusal(
    method: str, params: dict[str, object], code: int, words: str, client: Client, linh: ZaloBotUser
) -> None:
    asked = {name: linh.id if value == "LINH" else value for name, value in params.items()}
    status, answer = await client.call(method, **asked)
    assert (status, answer) == (code, {"ok": False, "description": words, "error_code": code})


async def test_a_bad_token_is_unauthorized(client: Client, server: ZaloBotSandbox, bot: ZaloBotAccount) -> None:
    told = {"ok": False, "description": "Unauthorized", "error_code": 401}
    for client.token in ("12345689:other", "999:abc"):
        assert await client.call("getMe") == (401, told)
    client.token = TOKEN
    with server.faults.revoke_token(bot):
        assert await client.call("getMe") == (401, told)
    assert (await client.call("getMe"))[0] == 200


async def test_a_body_that_is_no_json(client: Client) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"{", b"[1]", b"\xff"):
        status, _ = await client.ask("POST", "getMe", data=body, headers=headers)
        assert status == 400


async def test_another_path_and_another_verb(client: Client, server: ZaloBotSandbox) -> None:
    async with client.session.get(f"{server.url}/elsewhere") as answer:
        assert answer.status == 400
    async with client.session.put(f"{server.url}/bot{TOKEN}/getMe") as answer:
        assert answer.status == 400


async def test_what_can_be_sent(client: Client, bot: ZaloBotAccount, linh: ZaloBotUser) -> None:
    await client.result("sendPhoto", chat_id=linh.id, photo="https://a.vn/a.jpg", caption="họp")
    await client.result("sendSticker", chat_id=linh.id, sticker="c2b5")
    await client.result("sendVoice", chat_id=linh.id, voice_url="https://a.vn/a.aac")
    sent = await client.result("sendMessage", chat_id=linh.id, text="**đậm**", parse_mode="markdown")
    photo, sticker, voice, words = linh.chat(bot).bot_messages
    assert (photo.method, photo.photo, photo.text) == ("sendPhoto", "https://a.vn/a.jpg", "họp")
    assert (sticker.sticker, voice.voice, words.text) == ("c2b5", "https://a.vn/a.aac", "**đậm**")
    assert (sent["message_id"], sent["date"]) == (words.id, int(words.at * 1000))


async def test_an_action_is_answered_without_a_result(client: Client, bot: ZaloBotAccount, linh: ZaloBotUser) -> None:
    assert await client.result("sendChatAction", chat_id=linh.id, action="typing") is None
    assert linh.chat(bot).actions == ["typing"]


async def test_successes_sometimes_carry_a_code(client: Client) -> None:
    codes = {(await client.call("getMe"))[1].get("error_code") for _ in range(40)}
    assert codes == {None, 0}


async def test_changes_are_told(server: ZaloBotSandbox, client: Client, bot: ZaloBotAccount, linh: ZaloBotUser) -> None:
    told: list[str] = []
    server.on_change.append(lambda chat: told.append(chat.last.text))
    linh.write(bot, "một")
    await client.result("sendMessage", chat_id=linh.id, text="hai")
    assert told == ["một", "hai"]
    assert (await linh.chat(bot).wait_text("hai")).from_bot


async def test_the_journal_knows_every_call(
    server: ZaloBotSandbox, client: Client, bot: ZaloBotAccount, linh: ZaloBotUser
) -> None:
    sent = await client.result("sendMessage", chat_id=linh.id, text="a")
    await client.call("sendMessage", chat_id="nobody", text="a")
    await client.call("getMe")
    told = [(e.method, e.chat_id, e.status, e.message_id, e.lost) for e in server.log]
    assert told == [
        ("sendMessage", linh.id, 200, sent["message_id"], False),
        ("sendMessage", "nobody", 400, None, False),
        ("getMe", None, 200, None, False),
    ]
    assert (server.sent(bot), server.log.refused(400), server.max_in_window(bot), server.count_429(bot)) == (1, 1, 1, 0)
    assert server.max_per_chat(bot) == server.max_per_chat(bot, chat_id=linh.id) == 1


async def test_a_server_comes_back_at_the_same_address(server: ZaloBotSandbox, client: Client) -> None:
    before = server.url
    await server.stop()
    with pytest.raises(aiohttp.ClientError):
        await client.call("getMe")
    await server.start()
    assert server.url == before
    await client.result("getMe")
