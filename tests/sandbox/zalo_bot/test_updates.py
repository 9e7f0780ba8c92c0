"""What people say, and how a poll gets it: one at a time, never confirmed, sometimes again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.sandbox.zalo_bot import ZaloBotAccount, ZaloBotSandbox, ZaloBotUser
from tests.channels.conftest import until
from tests.sandbox.zalo_bot.conftest import Client

IDLE = (408, {"ok": False, "description": "Request timeout", "error_code": 408})


async def told(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = await client.result("getUpdates", timeout=5)
    return found


async def test_an_idle_poll_times_out(client: Client) -> None:
    assert await client.call("getUpdates", timeout=0) == IDLE
    assert await client.call("getUpdates", timeout="0.02") == IDLE


async def test_every_kind_of_message(server: ZaloBotSandbox, client: Client, bot: ZaloBotAccount,
                                     linh: ZaloBotUser) -> None:  # fmt: skip
    server.oddities.photo_url = 1
    said = [
        linh.write(bot, "đăng ký"),
        linh.send_photo(bot, "https://a.vn/a.jpg", "nhà em"),
        linh.send_sticker(bot, "c2b5"),
        linh.send_voice(bot, "https://a.vn/a.aac"),
        linh.send_unsupported(bot),
    ]
    updates = [await told(client) for _ in said]
    assert [u["event_name"] for u in updates] == [
        f"message.{kind}.received" for kind in ("text", "image", "sticker", "voice", "unsupported")
    ]
    assert [u["message"]["message_id"] for u in updates] == [m.id for m in said]
    words, photo, sticker, voice, unsupported = (u["message"] for u in updates)
    assert words == {
        "date": 1795140000000,
        "chat": {"chat_type": "PRIVATE", "id": linh.id},
        "message_id": said[0].id,
        "from": {"id": linh.id, "is_bot": False, "display_name": "Linh"},
        "text": "đăng ký",
    }
    assert (photo["photo_url"], photo["caption"], photo["message_type"]) == (
        "https://a.vn/a.jpg", "nhà em", "CHAT_PHOTO",
    )  # fmt: skip
    assert (sticker["sticker"], voice["voice_url"]) == ("c2b5", "https://a.vn/a.aac")
    assert "text" not in unsupported


async def test_a_picture_has_two_names(bot: ZaloBotAccount, linh: ZaloBotUser) -> None:
    for _ in range(20):
        linh.send_photo(bot, "https://a.vn/a.jpg")
    names = {name for u in bot.updates.waiting for name in u["message"] if name.startswith("photo")}
    assert names == {"photo", "photo_url"}


async def test_a_poll_gets_what_comes_while_it_waits(client: Client, bot: ZaloBotAccount, linh: ZaloBotUser) -> None:
    poll = asyncio.ensure_future(told(client))
    await until(lambda: bot.updates.polls)
    linh.write(bot, "một")
    assert (await poll)["message"]["text"] == "một"
    assert await client.call("getUpdates", timeout=0) == IDLE


async def test_a_poll_that_hung_up_takes_nothing_with_it(
    client: Client, bot: ZaloBotAccount, linh: ZaloBotUser
) -> None:
    poll = asyncio.ensure_future(told(client))
    await until(lambda: bot.updates.polls)
    poll.cancel()
    await asyncio.sleep(0.02)
    linh.write(bot, "một")
    assert (await told(client))["message"]["text"] == "một"


async def test_an_update_may_come_again(server: ZaloBotSandbox, client: Client, bot: ZaloBotAccount,
                                        linh: ZaloBotUser) -> None:  # fmt: skip
    server.oddities.replays = 2
    linh.write(bot, "một")
    ids = {(await told(client))["message"]["message_id"] for _ in range(3)}
    assert len(ids) == 1
    assert await client.call("getUpdates", timeout=0) == IDLE


async def test_a_group_is_heard_only_when_it_speaks_to_the_bot(
    server: ZaloBotSandbox, client: Client, bot: ZaloBotAccount, linh: ZaloBotUser
) -> None:
    group = server.add_group("Thôn Đông", [linh])
    group.add_bot(bot)
    group.write(linh, "chuyện riêng")
    group.write(linh, "tin", mention=bot)
    await client.result("sendMessage", chat_id=group.id, text="đây ạ")
    group.write(linh, "cảm ơn", reply_to=group.chat.last)
    first, second = await told(client), await told(client)
    assert first["message"]["chat"] == {"chat_type": "GROUP", "id": group.id}
    assert [u["message"]["text"] for u in (first, second)] == ["@Bot Loa Số tin", "cảm ơn"]
    assert group.id.startswith("zgr-")
    assert len(bot.updates) == 0


async def test_a_voice_in_a_group_is_confirmed_and_never_heard(
    server: ZaloBotSandbox, client: Client, bot: ZaloBotAccount
) -> None:
    group = server.add_group("Thôn Đông")
    group.add_bot(bot)
    sent = await client.result("sendVoice", chat_id=group.id, voice_url="https://a.vn/a.aac")
    assert sent["message_id"]
    assert group.chat.messages == []


async def test_a_webhook_ends_polling(client: Client, bot: ZaloBotAccount) -> None:
    words = "You cannot use this API while a webhook is set. Please remove the webhook first"
    refused = (400, {"ok": False, "description": words, "error_code": 400})
    poll = asyncio.ensure_future(client.call("getUpdates", timeout=5))
    await until(lambda: bot.updates.polls)
    await client.result("setWebhook", url="http://127.0.0.1:9/x", secret_token="12345678")
    assert await poll == refused
    assert await client.call("getUpdates", timeout=5) == refused
    assert (await client.result("deleteWebhook"))["url"] == ""
    assert await client.call("getUpdates", timeout=0) == IDLE


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_same_seed_makes_the_same_world(seed: int) -> None:
    first, second = ZaloBotSandbox(seed=seed), ZaloBotSandbox(seed=seed)
    assert [first.new_id() for _ in range(3)] == [second.new_id() for _ in range(3)]
    assert [first.chance(0.5) for _ in range(20)] == [second.chance(0.5) for _ in range(20)]
