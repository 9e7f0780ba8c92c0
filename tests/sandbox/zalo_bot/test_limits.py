"""What the free plan allows: 3,000 messages a month, 50 people, three groups."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.sandbox.zalo_bot import ZaloBotAccount, ZaloBotSandbox, ZaloBotUser
from tests.sandbox.zalo_bot.conftest import Client, Clock

EXCEEDED = (429, {"ok": False, "description": "Quota exceeded", "error_code": 429})


async def test_a_month_has_3000_messages_and_the_next_month_as_many(
    client: Client, clock: Clock, bot: ZaloBotAccount, linh: ZaloBotUser
) -> None:
    bot.quota.spend(2999)
    await client.result("sendMessage", chat_id=linh.id, text="a")
    assert await client.call("sendMessage", chat_id=linh.id, text="b") == EXCEEDED
    assert await client.result("sendChatAction", chat_id=linh.id, action="typing") is None
    clock.now = datetime(2026, 11, 30, 16, 59, tzinfo=UTC)
    assert await client.call("sendMessage", chat_id=linh.id, text="b") == EXCEEDED
    clock.now = datetime(2026, 11, 30, 17, 0, tzinfo=UTC)  # December begins in Hanoi
    await client.result("sendMessage", chat_id=linh.id, text="c")
    assert bot.quota.used == 1
    assert [m.text for m in linh.chat(bot).bot_messages] == ["a", "c"]


async def test_the_51st_person_is_never_heard(
    server: ZaloBotSandbox, client: Client, bot: ZaloBotAccount, linh: ZaloBotUser
) -> None:
    for number in range(49):
        server.add_user(f"Người {number}").write(bot, "chào")
    assert (len(bot.updates), bot.quota.people) == (49, 50)
    late = server.add_user("Muộn")
    late.write(bot, "chào")
    assert len(bot.updates) == 49
    assert await client.call("sendMessage", chat_id=late.id, text="a") == EXCEEDED
    await client.result("sendMessage", chat_id=linh.id, text="a")


async def test_the_fourth_group_is_never_heard(
    server: ZaloBotSandbox, client: Client, bot: ZaloBotAccount, linh: ZaloBotUser
) -> None:
    groups = [server.add_group(f"Thôn {n}", [linh]) for n in range(4)]
    for group in groups:
        group.add_bot(bot)
        group.write(linh, "ơi", mention=bot)
    assert [update["message"]["chat"]["id"] for update in bot.updates.waiting] == [g.id for g in groups[:3]]
    assert await client.call("sendMessage", chat_id=groups[3].id, text="a") == EXCEEDED
    await client.result("sendMessage", chat_id=groups[0].id, text="a")


async def test_webhook_tests_are_counted_by_the_day(server: ZaloBotSandbox, client: Client) -> None:
    server.limits.webhook_tests = 1
    await client.result("setWebhook", url="http://127.0.0.1:9/x", secret_token="12345678")
    assert (await client.result("testWebhook"))["outcome"] == "webhook.err.conn"
    told = {"ok": False, "description": "Daily limit of webhook tests reached", "errorCode": 426}
    assert await client.call("testWebhook") == (426, told)
