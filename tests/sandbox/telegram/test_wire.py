"""How requests may come in and what refusals look like."""

from __future__ import annotations

import json

import aiohttp
import pytest

from bot.sandbox.telegram import BotAccount, Group, TelegramSandbox, User
from tests.sandbox.telegram.conftest import Raw


@pytest.mark.parametrize("name", ["sendMessage", "sendmessage", "SENDMESSAGE"])
async def test_a_method_is_found_whatever_its_case(call: Raw, started: User, name: str) -> None:
    assert (await call(name, chat_id=1001, text="chào")).result["text"] == "chào"


KEYBOARD = {"inline_keyboard": [[{"text": "Có", "callback_data": "yes"}]]}


@pytest.mark.parametrize("way", ["query", "form", "multipart", "json", "json strings", "query and form"])
async def test_parameters_arrive_however_they_travel(call: Raw, started: User, way: str) -> None:
    flat = {"chat_id": "1001", "text": "chào 😀 & bạn", "reply_markup": json.dumps(KEYBOARD)}
    url = f"{call.base}/sendMessage"
    if way == "query":
        answer = await call.request("GET", url, params=flat)
    elif way == "form":
        answer = await call.request("POST", url, data=flat)
    elif way == "multipart":
        form = aiohttp.FormData(flat)
        form.add_field("photo", b"ignored", filename="x.png")
        answer = await call.request("POST", url, data=form)
        call.sandbox.violations.clear()  # the judge knows that sendMessage takes no photo
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in flat.items():
            form.add_field(name, value)
        answer = await call.request("POST", url, data=form)
    elif way == "json":
        answer = await call.request("POST", url, json={"chat_id": 1001, "text": flat["text"], "reply_markup": KEYBOARD})
    elif way == "json strings":
        answer = await call.request("POST", url, json=flat)
    else:
        text = flat.pop("text")
        answer = await call.request("POST", url, params=flat, data={"text": text})
    assert answer.result["text"] == "chào 😀 & bạn"
    assert answer.result["reply_markup"] == KEYBOARD
    assert answer.json["ok"] is True


@pytest.mark.parametrize(
    ("path", "code", "description"),
    [
        ("/bot123456:TOKEN/sendNothing", 404, "Not Found: method not found"),
        ("/bot123456:WRONG/getMe", 401, "Unauthorized: invalid token specified"),
        ("/bot999:TOKEN/getMe", 401, "Unauthorized: invalid token specified"),
        ("/bot123456/getMe", 404, "Not Found"),
        ("/botabc:def/getMe", 404, "Not Found"),
        ("/", 404, "Not Found"),
        ("/elsewhere/getMe", 404, "Not Found"),
        ("/file/bot123456:TOKEN/photos/file_9.jpg", 404, "Not Found"),
        ("/file/bot999:X/photos/file_9.jpg", 401, "Unauthorized: invalid token specified"),
    ],
)
async def test_wrong_paths_and_tokens(call: Raw, path: str, code: int, description: str) -> None:
    answer = await call.request("GET", call.sandbox.url + path)
    assert answer.error == (code, description)


async def test_a_percent_encoded_token_is_a_token(call: Raw) -> None:
    assert (await call.request("GET", f"{call.sandbox.url}/bot123456%3ATOKEN/getMe")).result["username"] == "loaso_bot"


async def test_a_revoked_token_is_unauthorized_until_restored(call: Raw, bot: BotAccount) -> None:
    with call.sandbox.faults.revoke_token(bot):
        assert (await call("getMe")).error == (401, "Unauthorized")
    assert (await call("getMe")).result["id"] == bot.id


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"text": "x"}, "Bad Request: chat_id is empty"),
        ({"chat_id": 1001}, "Bad Request: message text is empty"),
        ({"chat_id": 1001, "text": " \n "}, "Bad Request: message text is empty"),
        ({"chat_id": 424242, "text": "x"}, "Bad Request: chat not found"),
        ({"chat_id": -424242, "text": "x"}, "Bad Request: chat not found"),
        ({"chat_id": "@nobody", "text": "x"}, "Bad Request: chat not found"),
        ({"chat_id": 1001, "text": "x" * 4097}, "Bad Request: message is too long"),
        ({"chat_id": 1001, "text": "😀" * 2049}, "Bad Request: message is too long"),
        ({"chat_id": 1001, "text": "x" * 32769}, "Bad Request: text is too long"),
        ({"chat_id": 1001, "text": "x", "parse_mode": "BBCode"}, "Bad Request: unsupported parse_mode"),
        (
            {"chat_id": 1001, "text": "x", "reply_parameters": {"message_id": 77}},
            "Bad Request: message to be replied not found",
        ),
    ],
)
async def test_bad_messages_are_refused_in_the_servers_words(
    call: Raw, started: User, params: dict[str, object], description: str
) -> None:
    answer = await call.request("POST", f"{call.base}/sendMessage", data={k: _flat(v) for k, v in params.items()})
    call.sandbox.violations.clear()  # missing fields are reported too
    assert answer.status == 400
    if not answer.json["description"].startswith("Bad Request: sendMessage:"):
        assert answer.error == (400, description)


def _flat(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


async def test_rubbish_is_no_json(call: Raw) -> None:
    answer = await call.request(
        "POST", f"{call.base}/sendMessage", data=b"{oops", headers={"Content-Type": "application/json"}
    )
    assert answer.status == 400


async def test_other_verbs_are_not_allowed(call: Raw) -> None:
    answer = await call.request("DELETE", f"{call.base}/getMe")
    assert answer.error == (405, "Method Not Allowed")


async def test_log_out_ends_the_session(call: Raw, bot: BotAccount) -> None:
    assert (await call("close")).result is True
    assert (await call("logOut")).result is True
    assert (await call("getMe")).error == (400, "Logged out")


PRIVATE_ROWS = [
    ("blocked", 403, "Forbidden: bot was blocked by the user"),
    ("deactivated", 403, "Forbidden: user is deactivated"),
    ("never started", 403, "Forbidden: bot can't initiate conversation with a user"),
    ("a bot", 403, "Forbidden: bots can't send messages to bots"),
]


@pytest.mark.parametrize(("state", "code", "description"), PRIVATE_ROWS)
async def test_people_out_of_reach(
    call: Raw, sandbox: TelegramSandbox, bot: BotAccount, started: User, state: str, code: int, description: str
) -> None:
    chat_id = 1001
    if state == "blocked":
        started.block(bot)
    elif state == "deactivated":
        started.deactivate()
    elif state == "never started":
        chat_id = sandbox.add_user().id
    else:
        chat_id = sandbox.add_bot("777:OTHER").id
    for method, more in [("sendMessage", {"text": "x"}), ("sendChatAction", {"action": "typing"})]:
        assert (await call(method, chat_id=chat_id, **more)).error == (code, description)


GROUP_ROWS = [
    ("kicked", 403, "Forbidden: bot was kicked from the group chat"),
    ("left", 403, "Forbidden: bot is not a member of the group chat"),
    ("deleted", 403, "Forbidden: the group chat was deleted"),
    ("muted", 400, "Bad Request: not enough rights to send text messages to the chat"),
    ("unknown", 400, "Bad Request: chat not found"),
]


@pytest.mark.parametrize(("state", "code", "description"), GROUP_ROWS)
async def test_groups_out_of_reach(
    call: Raw, sandbox: TelegramSandbox, bot: BotAccount, person: User, state: str, code: int, description: str
) -> None:
    group = sandbox.add_group(-500, "Thôn Trung", members=[person])
    if state != "unknown":
        group.add_bot(bot, by=person)
    await _put(group, bot, call, state)
    assert (await call("sendMessage", chat_id=-500, text="x")).error == (code, description)


async def _put(group: Group, bot: BotAccount, call: Raw, state: str) -> None:
    if state == "kicked":
        group.remove_bot(bot)
    elif state == "left":
        assert (await call("leaveChat", chat_id=group.id)).result is True
    elif state == "deleted":
        group.delete()
    elif state == "muted":
        group.mute_bot(bot)


async def test_a_kicked_bot_learns_which_kind_of_chat_it_was(
    call: Raw, sandbox: TelegramSandbox, bot: BotAccount, person: User
) -> None:
    group = sandbox.add_group(title="Thôn Trung", supergroup=True, members=[person])
    group.add_bot(bot)
    group.remove_bot(bot)
    answer = await call("sendMessage", chat_id=group.id, text="x")
    assert answer.error == (403, "Forbidden: bot was kicked from the supergroup chat")


async def test_an_upgraded_group_says_its_new_id(
    call: Raw, sandbox: TelegramSandbox, bot: BotAccount, person: User
) -> None:
    group = sandbox.add_group(-500, "Thôn Trung", members=[person])
    group.add_bot(bot)
    new_id = group.upgrade()
    answer = await call("sendMessage", chat_id=-500, text="x")
    assert answer.error == (400, "Bad Request: group chat was upgraded to a supergroup chat")
    assert answer.json["parameters"] == {"migrate_to_chat_id": new_id}
    assert (await call("sendMessage", chat_id=int(new_id), text="x")).result["chat"]["type"] == "supergroup"
    updates = (await call("getUpdates")).result
    service = [u["message"] for u in updates if "message" in u]
    assert service[-2]["migrate_to_chat_id"] == new_id
    assert service[-2]["chat"]["id"] == -500
    assert service[-1]["migrate_from_chat_id"] == -500
    assert service[-1]["chat"]["id"] == new_id
    group.write(person, "/start")
    assert (await call("getUpdates", offset=-1)).result[0]["message"]["chat"]["id"] == new_id
