"""Webhooks: registering, delivery, order, retries, calls in the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from bot.sandbox.telegram import BotAccount, Limits, TelegramSandbox, Timing, User
from tests.sandbox.telegram.conftest import Raw, until


class Receiver:
    """A webhook that answers what it is told to and remembers what came."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[web.Response] = []
        self.gate: asyncio.Event | None = None
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        update = await request.json()
        self.updates.append(update)
        self.headers.append(dict(request.headers))
        if self.gate is not None and update.get("message", {}).get("text") == "chờ":
            await self.gate.wait()
        return self.answers.pop(0) if self.answers else web.Response()

    async def wait(self, count: int) -> None:
        await until(lambda: len(self.updates) >= count)

    @property
    def texts(self) -> list[str]:
        return [update["message"]["text"] for update in self.updates if "message" in update]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


STRICT_ROWS = [
    ("http://example.com/x", "An HTTPS URL must be provided for webhook"),
    ("https://example.com:8080/x", "Webhook can be set up only on ports 80, 88, 443 or 8443"),
    ("https://127.0.0.1/x", "IP address 127.0.0.1 is reserved"),
    ("https://localhost/x", "IP address 127.0.0.1 is reserved"),
    ("https://192.168.1.5:8443/x", "IP address 192.168.1.5 is reserved"),
]


@pytest.mark.parametrize(("url", "words"), STRICT_ROWS)
async def test_addresses_that_the_real_server_refuses(
    sandbox: TelegramSandbox, call: Raw, url: str, words: str
) -> None:
    sandbox.strict_webhooks = True
    assert (await call("setWebhook", url=url)).error == (400, f"Bad Request: bad webhook: {words}")


async def test_a_public_https_address_is_accepted(sandbox: TelegramSandbox, call: Raw) -> None:
    sandbox.strict_webhooks = True
    answer = await call("setWebhook", url="https://loaso.example:8443/hook")
    assert answer.json == {"ok": True, "result": True, "description": "Webhook was set"}


@pytest.mark.parametrize(
    ("secret", "words"),
    [("x" * 257, "secret token is too long"), ("có dấu", "secret token contains unallowed characters")],
)
async def test_bad_secrets(call: Raw, secret: str, words: str) -> None:
    assert (await call("setWebhook", url="http://127.0.0.1:9/", secret_token=secret)).error == (
        400,
        f"Bad Request: {words}",
    )


async def test_what_setting_and_deleting_say(call: Raw) -> None:
    said = [
        (await call("deleteWebhook")).json["description"],
        (await call("setWebhook", url="http://127.0.0.1:9/a")).json["description"],
        (await call("setWebhook", url="http://127.0.0.1:9/a")).json["description"],
        (await call("setWebhook", url="http://127.0.0.1:9/b")).json["description"],
        (await call("setWebhook", url="")).json["description"],
    ]
    assert said == [
        "Webhook is already deleted",
        "Webhook was set",
        "Webhook is already set",
        "Webhook was set",
        "Webhook was deleted",
    ]


async def test_setting_too_often_is_refused(sandbox: TelegramSandbox, call: Raw) -> None:
    sandbox.timing.set_webhook_interval = 1.0
    await call("setWebhook", url="http://127.0.0.1:9/a")
    answer = await call("setWebhook", url="http://127.0.0.1:9/b")
    assert answer.error == (429, "Too Many Requests: retry after 1")
    assert answer.headers["Retry-After"] == "1"


async def test_the_info_of_no_webhook(call: Raw) -> None:
    info = (await call("getWebhookInfo")).result
    assert info == {"url": "", "has_custom_certificate": False, "pending_update_count": 0}


async def test_updates_arrive_with_the_secret_and_are_then_done(
    call: Raw, bot: BotAccount, started: User, receiver: Receiver
) -> None:
    started.write(bot, "trước")
    await call("setWebhook", url=receiver.url, secret_token="s-e_C", allowed_updates=["message"], max_connections=500)
    started.write(bot, "sau")
    started.block(bot)
    await receiver.wait(2)
    assert receiver.texts == ["trước", "sau"]
    assert receiver.headers[0]["X-Telegram-Bot-Api-Secret-Token"] == "s-e_C"
    assert receiver.headers[0]["Content-Type"] == "application/json"
    assert receiver.updates[1]["update_id"] == receiver.updates[0]["update_id"] + 1
    await _settled(bot)
    info = (await call("getWebhookInfo")).result
    assert info == {
        "url": receiver.url,
        "has_custom_certificate": False,
        "pending_update_count": 0,
        "max_connections": 100,
        "allowed_updates": ["message"],
    }


async def _settled(bot: BotAccount) -> None:
    await until(lambda: not len(bot.updates))


async def test_one_slow_conversation_holds_back_only_itself(
    sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User, receiver: Receiver
) -> None:
    other = sandbox.add_user(1002)
    receiver.gate = asyncio.Event()
    await call("setWebhook", url=receiver.url)
    started.write(bot, "chờ")
    await receiver.wait(1)
    started.write(bot, "sau chờ")
    other.write(bot, "người khác")
    await receiver.wait(2)
    assert receiver.texts == ["chờ", "người khác"]
    receiver.gate.set()
    await receiver.wait(3)
    assert receiver.texts[-1] == "sau chờ"


async def test_an_update_is_repeated_until_it_is_taken(
    call: Raw, bot: BotAccount, started: User, receiver: Receiver
) -> None:
    receiver.answers = [web.Response(status=500), web.Response(status=302), web.Response(status=404)]
    await call("setWebhook", url=receiver.url)
    started.write(bot, "lặp")
    await receiver.wait(4)
    await _settled(bot)
    assert receiver.texts == ["lặp"] * 4
    assert bot.webhook.attempts == 4
    info = (await call("getWebhookInfo")).result
    assert info["last_error_message"] == "Wrong response from the webhook: 404 Not Found"
    assert info["last_error_date"] > 0


async def test_the_wait_doubles_up_to_its_limit_and_retry_after_is_honoured(
    sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User, receiver: Receiver
) -> None:
    sandbox.timing.webhook_retry, sandbox.timing.webhook_retry_max = 0.05, 0.1
    receiver.answers = [web.Response(status=500) for _ in range(4)]
    loop = asyncio.get_running_loop()
    await call("setWebhook", url=receiver.url)
    began = loop.time()
    started.write(bot, "lặp")
    await receiver.wait(5)
    assert loop.time() - began >= 0.05 + 0.1 + 0.1 + 0.1
    receiver.answers = [web.Response(status=503, headers={"Retry-After": "1"})]
    began = loop.time()
    started.write(bot, "đợi")
    await receiver.wait(7)
    assert loop.time() - began >= 1


async def test_nobody_listening_is_an_error_and_polling_gets_what_waits(
    call: Raw, bot: BotAccount, started: User, unused_port: int
) -> None:
    await call("setWebhook", url=f"http://127.0.0.1:{unused_port}/")
    started.write(bot, "có ai không")
    await until(lambda: "last_error_message" in bot.webhook.info())
    info = (await call("getWebhookInfo")).result
    assert info["last_error_message"] == "Connection refused"
    assert info["pending_update_count"] == 1
    await call("deleteWebhook")
    assert len((await call("getUpdates")).result) == 1


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


async def test_dropping_pending_updates(call: Raw, bot: BotAccount, started: User, receiver: Receiver) -> None:
    started.write(bot, "cũ")
    await call("setWebhook", url=receiver.url, drop_pending_updates=True)
    started.write(bot, "mới")
    await receiver.wait(1)
    assert receiver.texts == ["mới"]


async def test_a_call_in_the_answer_is_carried_out(
    call: Raw, bot: BotAccount, started: User, receiver: Receiver
) -> None:
    receiver.answers = [
        web.json_response({"method": "sendMessage", "chat_id": 1001, "text": "trả lời ngay"}),
        web.json_response({"method": "deleteWebhook"}),
        web.Response(text="ok"),
    ]
    await call("setWebhook", url=receiver.url)
    started.write(bot, "một")
    started.write(bot, "hai")
    started.write(bot, "ba")
    await started.chat(bot).wait_text("trả lời ngay")
    await receiver.wait(3)
    assert bot.webhook.hook is not None


async def test_gone_for_long_removes_the_webhook(receiver: Receiver) -> None:
    now = 1_800_000_000.0
    timing = Timing.fast()
    server = TelegramSandbox(limits=Limits.none(), timing=timing, strict_webhooks=False, clock=lambda: now)
    bot = server.add_bot("1:A")
    user = server.add_user(5)
    receiver.answers = [web.Response(status=410) for _ in range(500)]
    await server.start()
    await bot.call("setWebhook", {"url": receiver.url})
    user.start(bot)
    await receiver.wait(2)
    assert bot.webhook.hook is not None
    now += 23 * 3600 + 1
    await until(lambda: bot.webhook.hook is None)
    assert len(bot.updates) == 1
    await server.stop()


async def test_delivery_goes_on_after_a_restart(
    sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User, receiver: Receiver
) -> None:
    await call("setWebhook", url=receiver.url)
    await sandbox.stop()
    started.write(bot, "khi tắt")
    await sandbox.start()
    await receiver.wait(1)
    assert receiver.texts == ["khi tắt"]
