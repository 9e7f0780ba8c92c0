"""Receiving by webhook: who may knock, what is answered, and nothing lost while the storage is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from aiohttp import web

from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_in import ALLOWED_UPDATES
from bot.core.channel import Webhook
from bot.core.errors import SettingsError
from bot.core.events import Inbound, Outbound
from bot.sandbox.telegram import BotAccount, TelegramSandbox, User
from tests.channels.conftest import Inbox, connect, until

SECRET = "x-telegram-bot-api-secret-token"


class Front:
    """Our side of the web: mounts what a channel offers, as `bot.web` does. `statuses` are the answers given."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.secret = ""
        self.url = ""
        self._hook: Webhook | None = None

    def mount(self, hook: Webhook | None) -> None:
        self._hook = hook

    async def handle(self, request: web.Request) -> web.Response:
        assert self._hook is not None
        assert request.path == self._hook.path
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.secret = headers[SECRET]
        answer = await self._hook.accept(headers, await request.read())
        self.statuses.append(answer.status)
        return web.Response(status=answer.status, text=answer.body)


@pytest.fixture
async def front() -> AsyncIterator[Front]:
    front = Front()
    app = web.Application()
    app.router.add_post("/{tail:.*}", front.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    front.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield front
    await runner.cleanup()


@asynccontextmanager
async def hooked(server: TelegramSandbox, front: Front) -> AsyncIterator[TelegramChannel]:
    channel = connect(server, mode="webhook", public_url=front.url)
    front.mount(channel.webhook)
    yield channel
    await channel.close()


async def test_updates_arrive_and_answers_go_out(
    server: TelegramSandbox, front: Front, account: BotAccount, lan: User, inbox: Inbox
) -> None:
    async with hooked(server, front) as channel:
        await channel.start(inbox)
        lan.write(account, "một")
        (event,) = await inbox.holding(1)
        await channel.send(Outbound(chat_id=event.chat_id, text="chào"))
        assert (await channel.check()).ok
        hook = account.webhook.hook
        assert hook is not None
        assert (hook.url, hook.max_connections) == (f"{front.url}/webhook/telegram/7001", 40)
        assert account.updates.allowed == frozenset(ALLOWED_UPDATES)


async def test_the_secret_belongs_to_the_key_and_the_account(
    server: TelegramSandbox, front: Front, account: BotAccount, lan: User, inbox: Inbox
) -> None:
    secrets = []
    for _ in range(2):
        async with hooked(server, front) as channel:
            await channel.start(inbox)
            assert account.webhook.hook is not None
            secrets.append(account.webhook.hook.secret)
    assert secrets[0] == secrets[1]
    assert len(secrets[0]) == 64


async def test_telegram_comes_again_while_the_storage_is_away(
    server: TelegramSandbox, front: Front, account: BotAccount, lan: User, inbox: Inbox
) -> None:
    async with hooked(server, front) as channel:
        await channel.start(inbox)
        inbox.down = True
        lan.write(account, "một")
        lan.write(account, "hai")
        await inbox.until(lambda: len(inbox.refused) >= 2)
        inbox.down = False
        await inbox.holding(2)
    assert inbox.texts == ["một", "hai"]
    assert set(front.statuses) == {500, 200}


BODY = orjson.dumps({"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"},
                     "from": {"id": 5, "is_bot": False, "first_name": "A"}, "text": "một"}})  # fmt: skip
DOOR: list[tuple[str, str | None, bytes, int]] = [
    ("forged", "x" * 64, BODY, 403),
    ("without a secret", "", BODY, 403),
    ("not ASCII", "é", BODY, 403),
    ("a secret that is not UTF-8", "\udcff\udcfe", BODY, 403),
    ("not JSON", None, b"{", 400),
    ("not an object", None, b"[1]", 400),
    ("not an update", None, b'{"message":{}}', 400),
    ("not UTF-8", None, b'{"update_id":1,"a":"\xff"}', 400),
    ("oversized", None, b" " * (1024 * 1024 + 1), 413),
    ("an update of a kind we do not know", None, b'{"update_id":1,"poll":{}}', 200),
    ("an update", None, BODY, 200),
]


@pytest.mark.parametrize(("secret", "body", "status"), [row[1:] for row in DOOR], ids=[row[0] for row in DOOR])
async def test_door(
    secret: str | None, body: bytes, status: int, server: TelegramSandbox, account: BotAccount, inbox: Inbox
) -> None:
    channel = connect(server, mode="webhook", public_url="http://127.0.0.1:9")
    await channel.start(inbox)
    assert channel.webhook is not None
    assert account.webhook.hook is not None
    headers = {SECRET: account.webhook.hook.secret if secret is None else secret}
    answer = await channel.webhook.accept(headers, body)
    assert answer.status == status
    assert len(inbox.events) == (1 if body is BODY and status == 200 else 0)
    assert (await channel.webhook.accept({}, body)).status == 403
    await channel.close()


async def test_before_the_start_and_after_the_stop_telegram_is_asked_to_come_again(
    server: TelegramSandbox, account: BotAccount, inbox: Inbox
) -> None:
    channel = connect(server, mode="webhook", public_url="http://127.0.0.1:9")
    assert channel.webhook is not None
    await channel.start(inbox)
    assert account.webhook.hook is not None
    headers = {SECRET: account.webhook.hook.secret}
    await channel.stop()
    assert (await channel.webhook.accept(headers, BODY)).status == 503
    await channel.close()


async def test_a_stop_awaits_what_came_in(server: TelegramSandbox, account: BotAccount) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def receive(inbound: Inbound) -> None:
        begun.set()
        await go.wait()

    channel = connect(server, mode="webhook", public_url="http://127.0.0.1:9")
    await channel.start(receive)
    assert channel.webhook is not None
    assert account.webhook.hook is not None
    knock = asyncio.ensure_future(channel.webhook.accept({SECRET: account.webhook.hook.secret}, BODY))
    await begun.wait()
    stopping = asyncio.ensure_future(channel.stop())
    await asyncio.sleep(0.01)
    assert not stopping.done()
    go.set()
    await stopping
    assert (await knock).status == 200
    await channel.close()


async def test_a_webhook_that_telegram_does_not_want_yet_is_offered_again(
    server: TelegramSandbox, front: Front, account: BotAccount, lan: User, inbox: Inbox
) -> None:
    server.faults.error(500, "Internal Server Error: restart", count=2, method="setWebhook")
    async with hooked(server, front) as channel:
        await channel.start(inbox)
        lan.write(account, "một")
        await inbox.holding(1)


async def test_health_says_where_updates_go_instead(
    server: TelegramSandbox, front: Front, account: BotAccount, inbox: Inbox, channel: TelegramChannel
) -> None:
    async with hooked(server, front) as hook:
        await hook.start(inbox)
        await channel.start(inbox)
        assert "LOASO_PUBLIC_URL" in (await hook.check()).problem
        await channel.stop()
        await hook.stop()
        await hook.start(inbox)
        assert "set a webhook" in (await channel.check()).problem


async def test_health_says_why_telegram_cannot_deliver(
    server: TelegramSandbox, account: BotAccount, lan: User, inbox: Inbox
) -> None:
    channel = connect(server, mode="webhook", public_url="http://127.0.0.1:9")
    await channel.start(inbox)
    lan.write(account, "một")
    hook = account.webhook.hook
    assert hook is not None
    await until(lambda: hook.last_error)
    problem = (await channel.check()).problem
    assert problem.startswith("Telegram cannot deliver to our webhook (Connection refused)")
    await channel.close()


def test_a_webhook_needs_an_address() -> None:
    with pytest.raises(SettingsError, match="LOASO_PUBLIC_URL"):
        connect(TelegramSandbox(), mode="webhook")
