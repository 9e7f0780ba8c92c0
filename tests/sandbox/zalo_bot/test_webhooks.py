"""Webhooks: what is accepted, how a server is probed, and how updates are delivered."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest
from aiohttp import web

from bot.sandbox.zalo_bot import ZaloBotAccount, ZaloBotSandbox, ZaloBotUser
from tests.channels.conftest import until
from tests.sandbox.zalo_bot.conftest import Client

SECRET = "s" * 8


class Receiver:
    """A server that keeps what is posted to it and answers with `status`."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, str, bytes]] = []
        self.status = 200
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        secret = request.headers.get("X-Bot-Api-Secret-Token", "")
        self.posts.append((secret, request.headers["User-Agent"], await request.read()))
        return web.Response(status=self.status)

    @property
    def texts(self) -> list[str]:
        bodies = [orjson.loads(body) for _, _, body in self.posts if body]
        return [body.get("result", body)["message"]["text"] for body in bodies]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_post("/hook", found.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield found
    await runner.cleanup()


BAD: list[tuple[str, dict[str, str]]] = [
    ("http", {"url": "http://example.vn/x", "secret_token": SECRET}),
    ("localhost", {"url": "https://localhost/x", "secret_token": SECRET}),
    ("a private address", {"url": "https://192.168.1.7/x", "secret_token": SECRET}),
    ("no address", {"url": "x", "secret_token": SECRET}),
    ("a short secret", {"url": "https://example.vn/x", "secret_token": "s" * 7}),
    ("a long secret", {"url": "https://example.vn/x", "secret_token": "s" * 257}),
    ("no secret", {"url": "https://example.vn/x"}),
]


@pytest.mark.parametrize("params", [row[1] for row in BAD], ids=[row[0] for row in BAD])
async def test_what_is_no_webhook(params: dict[str, str], server: ZaloBotSandbox, client: Client) -> None:
    server.strict_webhooks = True
    assert (await client.call("setWebhook", **params))[0] == 400
    assert (await client.call("getWebhookInfo"))[0] == 404


async def test_a_webhook_is_probed_with_nothing(client: Client, receiver: Receiver) -> None:
    found = await client.result("setWebhook", url=receiver.url, secret_token=SECRET)
    assert receiver.posts == [("", "Java/1.8.0_192", b"")]
    assert (found["verification"]["ok"], found["verification"]["outcome"]) == (True, "webhook.ok")
    assert (await client.result("getWebhookInfo"))["url"] == receiver.url
    assert (await client.result("testWebhook"))["status_code"] == 200


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(403, "webhook.http.403"), (404, "webhook.http.404"), (502, "webhook.http.5xx"), (302, "webhook.http.other")],
)
async def test_a_webhook_is_saved_even_when_it_cannot_be_reached(
    status: int, outcome: str, client: Client, receiver: Receiver, bot: ZaloBotAccount
) -> None:
    receiver.status = status
    found = await client.result("setWebhook", url=receiver.url, secret_token=SECRET)
    assert (found["verification"]["ok"], found["verification"]["outcome"]) == (False, outcome)
    assert (bot.webhook.hook.url if bot.webhook.hook else "") == receiver.url


async def test_updates_are_delivered_in_order_bare_and_wrapped(
    client: Client, receiver: Receiver, bot: ZaloBotAccount, linh: ZaloBotUser
) -> None:
    linh.write(bot, "0")
    await client.result("setWebhook", url=receiver.url, secret_token=SECRET)
    for number in range(1, 12):
        linh.write(bot, str(number))
    await until(lambda: len(receiver.posts) == 13)
    assert receiver.texts == [str(n) for n in range(12)]
    assert {secret for secret, _, body in receiver.posts if body} == {SECRET}
    assert {b'"ok":true' in body for _, _, body in receiver.posts if body} == {True, False}


async def test_some_are_delivered_twice(
    server: ZaloBotSandbox, client: Client, receiver: Receiver, bot: ZaloBotAccount, linh: ZaloBotUser
) -> None:
    server.oddities.duplicates = 1
    await client.result("setWebhook", url=receiver.url, secret_token=SECRET)
    linh.write(bot, "một")
    linh.write(bot, "hai")
    await until(lambda: len(receiver.texts) == 4)
    assert receiver.texts == ["một", "một", "hai", "hai"]


async def test_what_is_refused_comes_again_a_few_times(
    server: ZaloBotSandbox, client: Client, receiver: Receiver, bot: ZaloBotAccount, linh: ZaloBotUser
) -> None:
    server.webhook_tries, server.webhook_retry = 3, 0.0
    await client.result("setWebhook", url=receiver.url, secret_token=SECRET)
    receiver.status = 500
    linh.write(bot, "mất")
    await until(lambda: not bot.updates.waiting)
    receiver.status = 200
    linh.write(bot, "còn")
    await until(lambda: bot.webhook.delivered)
    assert receiver.texts == ["mất", "mất", "mất", "còn"]


async def test_what_was_not_delivered_waits_for_a_restart(
    server: ZaloBotSandbox, client: Client, receiver: Receiver, bot: ZaloBotAccount, linh: ZaloBotUser
) -> None:
    await client.result("setWebhook", url=receiver.url, secret_token=SECRET)
    await server.stop()
    linh.write(bot, "một")
    assert len(bot.updates) == 1
    await server.start()
    await until(lambda: receiver.texts == ["một"])
