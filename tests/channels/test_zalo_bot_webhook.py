"""Receiving by webhook: who may knock, what is answered, and nothing lost while the storage is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot.channels.zalo_bot import ZaloBotChannel
from bot.core.channel import Webhook
from bot.core.errors import AccountStopped, SettingsError
from bot.core.events import Inbound, Outbound
from bot.sandbox.zalo_bot import ZaloBotAccount, ZaloBotSandbox, ZaloBotUser
from tests.channels.conftest import Inbox, until
from tests.channels.zalo_bot_fixtures import (  # noqa: F401 - fixtures
    a_linh,
    a_zalo,
    a_zalo_bot,
    connect_zalo,
)

SECRET = "x-bot-api-secret-token"


class Front:
    """Our side of the web: mounts what a channel offers, as `bot.web` does. `statuses` are the answers given."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.url = ""
        self.hook: Webhook | None = None

    async def handle(self, request: web.Request) -> web.Response:
        if self.hook is None:
            return web.Response(status=404)
        assert request.path == self.hook.path
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = await self.hook.accept(headers, await request.read())
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
async def hooked(server: ZaloBotSandbox, front: Front) -> AsyncIterator[ZaloBotChannel]:
    channel = connect_zalo(server, mode="webhook", public_url=front.url)
    front.hook = channel.webhook
    yield channel
    await channel.close()


async def test_updates_arrive_and_answers_go_out(
    zalo: ZaloBotSandbox, front: Front, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, inbox: Inbox
) -> None:
    async with hooked(zalo, front) as channel:
        await channel.start(inbox)
        linh.write(zalo_bot, "một")
        (event,) = await inbox.holding(1)
        await channel.send(Outbound(chat_id=event.chat_id, text="chào"))
        assert (await channel.check()).problem == ""
        hook = zalo_bot.webhook.hook
        assert hook is not None
        assert (hook.url, len(hook.secret)) == (f"{front.url}/webhook/zalo-bot", 64)
    assert front.statuses[0] == 200  # the platform's probe
    assert linh.chat(zalo_bot).last.text == "chào"


async def test_bare_or_wrapped_once_or_twice_each_message_is_received_once(
    zalo: ZaloBotSandbox, front: Front, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, inbox: Inbox
) -> None:
    zalo.oddities.duplicates = 1
    async with hooked(zalo, front) as channel:
        await channel.start(inbox)
        for number in range(10):
            linh.write(zalo_bot, str(number))
        await until(lambda: len(front.statuses) == 21)
    assert inbox.texts == [str(n) for n in range(10)]
    assert set(front.statuses) == {200}


async def test_the_secret_belongs_to_the_key_and_the_account(
    zalo: ZaloBotSandbox, front: Front, zalo_bot: ZaloBotAccount, inbox: Inbox
) -> None:
    secrets = []
    for _ in range(2):
        async with hooked(zalo, front) as channel:
            await channel.start(inbox)
            assert zalo_bot.webhook.hook is not None
            secrets.append(zalo_bot.webhook.hook.secret)
    assert secrets[0] == secrets[1]


async def test_what_cannot_be_stored_is_asked_for_again(
    zalo: ZaloBotSandbox, front: Front, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, inbox: Inbox
) -> None:
    zalo.webhook_tries = 1000
    async with hooked(zalo, front) as channel:
        await channel.start(inbox)
        inbox.down = True
        linh.write(zalo_bot, "một")
        linh.write(zalo_bot, "hai")
        await inbox.until(lambda: len(inbox.refused) >= 2)
        inbox.down = False
        await inbox.holding(2)
    assert inbox.texts == ["một", "hai"]
    assert set(front.statuses) == {500, 200}


UPDATE = {"event_name": "message.text.received", "message": {"message_id": "2d75", "date": 1789033572455, "text": "một",
          "chat": {"id": "6ede", "chat_type": "PRIVATE"}, "from": {"id": "6ede", "is_bot": False}}}  # fmt: skip
BODY = orjson.dumps(UPDATE)
DOOR: list[tuple[str, str | None, bytes, int]] = [
    ("forged", "x" * 64, BODY, 403),
    ("without a secret", "", BODY, 403),
    ("not ASCII", "é", BODY, 403),
    ("a secret that is not UTF-8", "\udcff\udcfe", BODY, 403),
    ("blank is not empty", "", b" ", 403),
    ("not JSON", None, b"{", 400),
    ("not an object", None, b"[1]", 400),
    ("not an update", None, b'{"message":{}}', 400),
    ("nothing within", None, b'{"ok":true,"result":{}}', 400),
    ("not UTF-8", None, b'{"event_name":"message.text.received","a":"\xff"}', 400),
    ("oversized", None, b" " * (1024 * 1024 + 1), 413),
    ("an update of a kind we do not know", None, b'{"event_name":"user.followed"}', 200),
    ("a probe", "", b"", 200),
    ("a probe that knows the secret", None, b"", 200),
    ("an update", None, BODY, 200),
    ("an update in its wrapping", None, orjson.dumps({"ok": True, "result": UPDATE}), 200),
]


@pytest.mark.parametrize(("secret", "body", "status"), [row[1:] for row in DOOR], ids=[row[0] for row in DOOR])
async def test_door(
    secret: str | None, body: bytes, status: int, zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, inbox: Inbox
) -> None:
    channel = connect_zalo(zalo, mode="webhook", public_url="http://127.0.0.1:9")
    await channel.start(inbox)
    assert channel.webhook is not None
    assert zalo_bot.webhook.hook is not None
    headers = {SECRET: zalo_bot.webhook.hook.secret if secret is None else secret}
    for _ in range(2):
        assert (await channel.webhook.accept(headers, body)).status == status
    assert len(inbox.events) == (1 if b"2d75" in body and status == 200 else 0)
    await channel.close()


async def test_after_the_stop_nothing_is_taken(zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, inbox: Inbox) -> None:
    channel = connect_zalo(zalo, mode="webhook", public_url="http://127.0.0.1:9")
    await channel.start(inbox)
    assert channel.webhook is not None
    assert zalo_bot.webhook.hook is not None
    headers = {SECRET: zalo_bot.webhook.hook.secret}
    await channel.stop()
    assert (await channel.webhook.accept(headers, BODY)).status == 503
    await channel.close()


async def test_a_refused_account_takes_nothing(zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, inbox: Inbox) -> None:
    channel = connect_zalo(zalo, mode="webhook", public_url="http://127.0.0.1:9")
    await channel.start(inbox)
    assert channel.webhook is not None
    assert zalo_bot.webhook.hook is not None
    headers = {SECRET: zalo_bot.webhook.hook.secret}
    await channel.stop()
    with zalo.faults.revoke_token(zalo_bot), pytest.raises(AccountStopped):
        await channel.start(inbox)
    assert (await channel.webhook.accept(headers, BODY)).status == 503
    await channel.close()


async def test_a_stop_awaits_what_came_in(zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def receive(inbound: Inbound) -> None:
        begun.set()
        await go.wait()

    channel = connect_zalo(zalo, mode="webhook", public_url="http://127.0.0.1:9")
    await channel.start(receive)
    assert channel.webhook is not None
    assert zalo_bot.webhook.hook is not None
    knock = asyncio.ensure_future(channel.webhook.accept({SECRET: zalo_bot.webhook.hook.secret}, BODY))
    await begun.wait()
    stopping = asyncio.ensure_future(channel.stop())
    await asyncio.sleep(0.01)
    assert not stopping.done()
    go.set()
    await stopping
    assert (await knock).status == 200
    await channel.close()


async def test_a_webhook_that_zalo_does_not_want_yet_is_offered_again(
    zalo: ZaloBotSandbox, front: Front, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, inbox: Inbox
) -> None:
    zalo.faults.error(500, "Internal server error", count=2, method="setWebhook")
    async with hooked(zalo, front) as channel:
        await channel.start(inbox)
        linh.write(zalo_bot, "một")
        await inbox.holding(1)


async def test_a_webhook_that_zalo_cannot_reach_is_told_until_it_can(
    zalo: ZaloBotSandbox, front: Front, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, inbox: Inbox
) -> None:
    channel = connect_zalo(zalo, mode="webhook", public_url=front.url)
    with capture_logs() as logs:
        await channel.start(inbox)
    (entry,) = logs
    assert (entry["event"], entry["outcome"]) == ("Zalo cannot reach our webhook", "webhook.http.404")
    assert (await channel.check()).problem.startswith("Zalo could not reach our webhook (Check that your endpoint")
    front.hook = channel.webhook
    linh.write(zalo_bot, "một")
    await inbox.holding(1)
    assert (await channel.check()).ok
    await channel.close()


async def test_health_says_where_updates_go_instead(
    zalo: ZaloBotSandbox, front: Front, zalo_bot: ZaloBotAccount, inbox: Inbox
) -> None:
    async with hooked(zalo, front) as channel:
        await channel.start(inbox)
        zalo_bot.webhook.remove()
        assert "LOASO_PUBLIC_URL" in (await channel.check()).problem


def test_a_webhook_needs_an_address() -> None:
    with pytest.raises(SettingsError, match="LOASO_PUBLIC_URL"):
        connect_zalo(ZaloBotSandbox(), mode="webhook")
