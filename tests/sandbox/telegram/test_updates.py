"""getUpdates: confirming, limits, long polls, conflicts, which kinds."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.sandbox.telegram import BotAccount, Limits, TelegramSandbox, Timing, User
from tests.sandbox.telegram.conftest import Raw

WEBHOOK = "http://127.0.0.1:9/hook"
ACTIVE = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
OTHER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"


async def _ids(call: Raw, **params: object) -> list[int]:
    return [update["update_id"] for update in (await call("getUpdates", **params)).result]


async def test_nothing_to_read_is_an_empty_list(call: Raw) -> None:
    answer = await call("getUpdates")
    assert answer.json == {"ok": True, "result": []}


async def test_ids_rise_by_one_and_an_offset_confirms(call: Raw, bot: BotAccount, started: User) -> None:
    for n in range(5):
        started.write(bot, f"tin {n}")
    ids = await _ids(call)
    assert ids == list(range(ids[0], ids[0] + 5))
    assert await _ids(call) == ids
    assert await _ids(call, offset=ids[2]) == ids[2:]
    assert await _ids(call) == ids[2:]
    assert await _ids(call, offset=ids[-1] + 1) == []
    assert len(bot.updates) == 0


async def test_a_negative_offset_keeps_the_newest(call: Raw, bot: BotAccount, started: User) -> None:
    for n in range(5):
        started.write(bot, f"tin {n}")
    ids = await _ids(call)
    assert await _ids(call, offset=-2) == ids[-2:]
    assert await _ids(call) == ids[-2:]
    assert await _ids(call, offset=-50) == ids[-2:]


@pytest.mark.parametrize(("limit", "expected"), [(1, 1), (0, 1), (-5, 1), (100, 100), (1000, 100), (None, 100)])
async def test_the_limit_is_clamped(
    call: Raw, bot: BotAccount, started: User, limit: int | None, expected: int
) -> None:
    for n in range(105):
        started.write(bot, f"tin {n}")
    assert len(await _ids(call, **({} if limit is None else {"limit": limit}))) == expected


async def test_a_long_poll_answers_when_something_comes(call: Raw, bot: BotAccount, started: User) -> None:
    poll = asyncio.create_task(call("getUpdates", timeout=10))
    await asyncio.sleep(0.05)
    assert not poll.done()
    began = time.monotonic()
    started.write(bot, "đây")
    assert (await poll).result[0]["message"]["text"] == "đây"
    assert time.monotonic() - began < 1


async def test_the_timeout_is_clamped(sandbox: TelegramSandbox, call: Raw) -> None:
    sandbox.timing.max_poll = 0.1
    began = time.monotonic()
    assert (await call("getUpdates", timeout=1000)).result == []
    assert 0.09 <= time.monotonic() - began < 2
    assert (await call("getUpdates", timeout=-3)).result == []


async def test_a_second_poll_kills_the_older_one(call: Raw, bot: BotAccount, started: User) -> None:
    older = asyncio.create_task(call("getUpdates", timeout=10))
    await asyncio.sleep(0.05)
    newer = asyncio.create_task(call("getUpdates", timeout=10))
    assert (await older).error == (409, OTHER)
    assert not newer.done()
    started.write(bot, "ai nghe?")
    assert len((await newer).result) == 1


async def test_later_conflicts_are_delayed(sandbox: TelegramSandbox, call: Raw) -> None:
    sandbox.timing.conflict_delay = 0.8
    await call("setWebhook", url=WEBHOOK)
    began = time.monotonic()
    assert (await call("getUpdates")).error == (409, ACTIVE)
    assert time.monotonic() - began < 0.7
    assert (await call("getUpdates")).error == (409, ACTIVE)
    assert time.monotonic() - began >= 0.8
    assert (await call("deleteWebhook")).json["description"] == "Webhook was deleted"
    assert (await call("getUpdates")).result == []


async def test_setting_a_webhook_ends_a_poll(call: Raw) -> None:
    poll = asyncio.create_task(call("getUpdates", timeout=10))
    await asyncio.sleep(0.05)
    await call("setWebhook", url=WEBHOOK)
    assert (await poll).error == (409, "Conflict: terminated by setWebhook request")


async def test_asking_the_same_again_at_once_is_slowed_down(
    sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User
) -> None:
    sandbox.timing.repeated_poll, sandbox.timing.repeated_poll_single = 0.3, 0.2
    began = time.monotonic()
    assert (await call("getUpdates", offset=5)).result == []
    assert (await call("getUpdates", offset=5)).result == []
    assert time.monotonic() - began >= 0.3
    for n in range(3):
        started.write(bot, f"tin {n}")
    assert len(await _ids(call, offset=6)) == 3
    assert len(await _ids(call, offset=6)) == 1
    await asyncio.sleep(0.21)
    assert len(await _ids(call, offset=6)) == 3


async def test_the_real_servers_waits_are_the_defaults() -> None:
    timing = Timing()
    assert (timing.conflict_delay, timing.repeated_poll, timing.repeated_poll_single) == (3.0, 3.0, 0.5)
    assert (timing.max_poll, timing.update_lifetime) == (50.0, 86400.0)


async def test_updates_live_a_day() -> None:
    now = 1_800_000_000.0
    server = TelegramSandbox(limits=Limits.none(), clock=lambda: now)
    bot = server.add_bot("1:A")
    server.add_user(5).start(bot)
    now += 86400 - 1
    assert len(bot.updates) == 1
    now += 2
    assert len(bot.updates) == 0


async def test_membership_of_the_bot_is_told_by_default_and_of_others_not(
    sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User
) -> None:
    group = sandbox.add_group(-500, "Thôn", members=[started])
    group.add_bot(bot, by=started, admin=True)
    group.join(sandbox.add_user(1002))
    kinds = [next(k for k in u if k != "update_id") for u in (await call("getUpdates")).result]
    assert "my_chat_member" in kinds
    assert "chat_member" not in kinds


async def test_allowed_updates_stick_until_they_are_changed(
    sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User
) -> None:
    await call("getUpdates", allowed_updates=["chat_member", "message_reaction"])
    group = sandbox.add_group(-500, "Thôn", members=[started])
    group.add_bot(bot, by=started, admin=True)
    group.join(sandbox.add_user(1002))
    started.write(bot, "không ai nghe")
    started.react(bot, started.chat(bot).last, "👍")
    updates = (await call("getUpdates")).result
    assert [next(k for k in u if k != "update_id") for u in updates] == ["chat_member", "message_reaction"]
    await call("getUpdates", offset=updates[-1]["update_id"] + 1, allowed_updates=[])
    started.write(bot, "nghe rồi")
    assert [u["message"]["text"] for u in (await call("getUpdates")).result] == ["nghe rồi"]


async def test_a_restarting_server_tells_the_poll(sandbox: TelegramSandbox, call: Raw) -> None:
    poll = asyncio.create_task(call("getUpdates", timeout=30))
    await asyncio.sleep(0.05)
    url = sandbox.url
    await sandbox.stop()
    assert (await poll).error == (500, "Internal Server Error: restart")
    await sandbox.start()
    assert sandbox.url == url
    assert (await call("getMe")).result["is_bot"] is True
