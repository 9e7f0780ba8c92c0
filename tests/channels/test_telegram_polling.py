"""Receiving by polling: nothing is confirmed before it is stored, order within a chat, outages, rivals, stopping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

import pytest
from structlog.testing import capture_logs

from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_poll import LAST_WORD, Backoff
from bot.core.errors import AccountStopped, NotSent, SettingsError, SlowDown
from bot.core.events import Inbound, InboundKind, Membership, Outbound
from bot.sandbox.telegram import BotAccount, TelegramSandbox, User
from tests.channels.conftest import TOKEN, Inbox, connect, until


async def seconds(work: Awaitable[None]) -> float:
    """How long it takes."""
    began = time.monotonic()
    await work
    return time.monotonic() - began


async def test_a_start_introduces_the_bot(account: BotAccount, channel: TelegramChannel, inbox: Inbox) -> None:
    await channel.start(inbox)
    profile = account.profile
    assert profile.descriptions == {"": "Chào bác", "en": "Welcome"}
    assert profile.short_descriptions == {"": "Loa Số", "en": "Loa So"}
    assert sorted(language for _, language in profile.commands) == ["", "en"]


async def test_what_waited_is_received_in_order(
    account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox
) -> None:
    for word in ("một", "hai", "ba"):
        lan.write(account, word)
    await channel.start(inbox)
    await inbox.holding(3)
    lan.write(account, "bốn")
    await inbox.holding(4)
    assert inbox.texts == ["một", "hai", "ba", "bốn"]


async def test_chats_do_not_wait_for_each_other(server: TelegramSandbox, account: BotAccount, lan: User) -> None:
    slow, seen = asyncio.Event(), Inbox()

    async def receive(inbound: Inbound) -> None:
        if inbound.text == "chậm":
            await slow.wait()
        await seen(inbound)

    minh = server.add_user(502, "Minh")
    for user, word in ((lan, "chậm"), (lan, "sau chậm"), (minh, "nhanh")):
        user.write(account, word)
    channel = connect(server)
    await channel.start(receive)
    await seen.until(lambda: "nhanh" in seen.texts)
    assert seen.texts == ["nhanh"]
    slow.set()
    await seen.holding(3)
    assert seen.texts == ["nhanh", "chậm", "sau chậm"]
    await channel.close()


async def test_nothing_is_confirmed_while_it_cannot_be_stored(
    account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox
) -> None:
    inbox.down = True
    lan.write(account, "một")
    lan.write(account, "hai")
    with capture_logs() as logs:
        await channel.start(inbox)
        await inbox.until(lambda: len(inbox.refused) >= 3)
        assert len(account.updates) == 2
        inbox.down = False
        await inbox.holding(2)
        await channel.stop()
    assert inbox.texts == ["một", "hai"]
    assert {event.text for event in inbox.refused} == {"một"}
    assert len(account.updates) == 0
    said = [entry["event"] for entry in logs if entry["log_level"] != "debug"]
    assert said == ["updates cannot be stored", "updates can be stored again"]


async def test_a_stop_during_an_outage_of_the_storage_leaves_updates_with_telegram(
    server: TelegramSandbox, account: BotAccount, lan: User, inbox: Inbox
) -> None:
    inbox.down = True
    lan.write(account, "một")
    channel = connect(server)
    await channel.start(inbox)
    await inbox.until(lambda: inbox.refused)
    await channel.close()
    assert len(account.updates) == 1
    inbox.down = False
    again = connect(server)
    await again.start(inbox)
    await inbox.holding(1)
    await again.close()


async def test_a_stop_awaits_what_was_handed_over_and_confirms_it(
    account: BotAccount, lan: User, channel: TelegramChannel
) -> None:
    begun, go, done = asyncio.Event(), asyncio.Event(), []

    async def receive(inbound: Inbound) -> None:
        begun.set()
        await go.wait()
        done.append(inbound.text)

    await channel.start(receive)
    lan.write(account, "một")
    await begun.wait()
    stopping = asyncio.ensure_future(channel.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    go.set()
    await stopping
    assert done == ["một"]
    assert len(account.updates) == 0


async def test_stopping_does_not_wait_for_a_poll(channel: TelegramChannel, inbox: Inbox) -> None:
    await channel.start(inbox)
    assert await seconds(channel.stop()) < 1


async def test_sending_still_works_after_a_stop(
    account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox
) -> None:
    await channel.start(inbox)
    await channel.stop()
    await channel.send(Outbound(chat_id="501", text="tạm biệt"))
    await channel.close()
    with pytest.raises(NotSent):
        await channel.send(Outbound(chat_id="501", text="a"))


async def test_it_can_start_again(account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox) -> None:
    for word in ("một", "hai"):
        await channel.start(inbox)
        lan.write(account, word)
        await inbox.until(lambda word=word: word in inbox.texts)  # type: ignore[misc]  # mypy cannot infer a default of a lambda
        await channel.stop()
    assert inbox.texts == ["một", "hai"]


async def test_an_outage_passes_and_is_told_twice(
    server: TelegramSandbox, account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox
) -> None:
    with capture_logs() as logs:
        await channel.start(inbox)
        outage = server.faults.outage()
        lan.write(account, "trong lúc mất mạng")
        account.polls.restart()
        await until(lambda: outage.hits >= 4)
        outage.lift()
        await inbox.holding(1)
        await channel.stop()
    assert [entry["event"] for entry in logs] == ["polling is disturbed", "polling works again"]
    assert TOKEN not in str(logs)
    assert "mạng" not in str(logs)


async def test_a_server_that_is_down_at_the_start_is_awaited(
    server: TelegramSandbox, account: BotAccount, lan: User, inbox: Inbox
) -> None:
    lan.write(account, "một")
    await server.stop()
    channel = connect(server)
    await channel.start(inbox)
    health = await channel.check()
    assert (health.ok, channel.link("x")) == (False, None)
    assert "LOASO_TELEGRAM_API_URL" in health.problem
    await server.start()
    await inbox.holding(1)
    assert channel.link("x") == "https://t.me/LoaSo_bot?start=x"
    assert (await channel.check()).ok
    await channel.close()


async def test_a_server_that_never_comes_does_not_keep_us_from_stopping(inbox: Inbox) -> None:
    server = TelegramSandbox()
    await server.start()
    await server.stop()
    channel = connect(server)
    await channel.start(inbox)
    await channel.close()


@pytest.mark.parametrize("method", ["getMe", "deleteWebhook", "setMyCommands"])
async def test_a_stop_does_not_wait_for_a_start_that_nobody_answers(
    server: TelegramSandbox, account: BotAccount, inbox: Inbox, method: str
) -> None:
    hanging = server.faults.hang(method=method)
    channel = connect(server, read_seconds=30)
    starting = asyncio.ensure_future(channel.start(inbox))
    await until(lambda: hanging.hits)
    assert await seconds(channel.stop()) < 2
    assert await seconds(starting) < 2
    await channel.close()


async def test_a_stop_does_not_wait_for_a_second_try_that_nobody_answers(
    server: TelegramSandbox, account: BotAccount, inbox: Inbox
) -> None:
    server.faults.error(500, "Internal Server Error: restart", count=1, method="getMe")
    hanging = server.faults.hang(method="getMe")
    channel = connect(server, read_seconds=30)
    with capture_logs() as logs:
        await channel.start(inbox)
        await until(lambda: hanging.hits)
        assert await seconds(channel.stop()) < 2
    assert [entry["event"] for entry in logs] == ["account is not ready yet"]
    await channel.close()


async def test_a_stop_does_not_wait_long_for_a_confirmation_that_nobody_answers(
    server: TelegramSandbox, account: BotAccount, lan: User
) -> None:
    stored = []
    channel = connect(server, read_seconds=30)

    async def receive(inbound: Inbound) -> None:
        server.faults.hang(method="getUpdates")
        stored.append(inbound.text)

    lan.write(account, "một")
    await channel.start(receive)
    await until(lambda: stored)
    assert await seconds(channel.stop()) < LAST_WORD + 1
    assert stored == ["một"]
    await channel.close()


async def test_a_refused_token_stops_the_account_at_the_start(server: TelegramSandbox, inbox: Inbox) -> None:
    channel = connect(server, "7009:AAE-never_heard_of_0000000000000000")
    with pytest.raises(AccountStopped):
        await channel.start(inbox)
    health = await channel.check()
    assert not health.ok
    assert health.problem == (
        "Telegram refuses the token of telegram:7009: get a new one from @BotFather and set LOASO_TELEGRAM_TOKEN."
    )
    await channel.close()


async def test_a_token_revoked_while_polling(
    server: TelegramSandbox, account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox
) -> None:
    await channel.start(inbox)
    with capture_logs() as logs, server.faults.revoke_token(account):
        account.polls.restart()
        await until(lambda: any(entry.get("trouble") == "Telegram refuses the token" for entry in logs))
        assert not (await channel.check()).ok
    lan.write(account, "được rồi")
    await inbox.holding(1)


async def test_a_rival_is_named_and_outlived(
    server: TelegramSandbox, account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox
) -> None:
    await channel.start(inbox)
    with server.faults.error(409, "Conflict: terminated by other getUpdates request", method="getUpdates") as fault:
        account.polls.restart()
        await until(lambda: fault.hits >= 2)
        assert (await channel.check()).problem == "Another process polls with this token: stop one of the two."
    lan.write(account, "một")
    await inbox.holding(1)
    assert (await channel.check()).ok


async def test_two_processes_with_one_token_lose_nothing(
    server: TelegramSandbox, account: BotAccount, lan: User, inbox: Inbox
) -> None:
    """Both receive into the same storage, which knows what it has seen."""
    first, second = connect(server), connect(server)
    await first.start(inbox)
    await second.start(inbox)
    for word in ("một", "hai", "ba"):
        lan.write(account, word)
        await inbox.until(lambda word=word: word in inbox.texts)  # type: ignore[misc]  # mypy cannot infer a default of a lambda
    await first.close()
    await second.close()


async def test_rubbish_and_floods_are_waited_out(
    server: TelegramSandbox, account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox
) -> None:
    lan.write(account, "một")
    server.faults.garbage(count=1, method="getUpdates")
    server.faults.garbage(b'{"ok":true,"result":"x"}', 200, count=1, method="getUpdates")
    server.faults.garbage(b'{"ok":true,"result":true}', 200, count=1, method="getUpdates")
    server.faults.garbage(b'{"ok":true,"result":[5,{"update_id":"x"}]}', 200, count=1, method="getUpdates")
    await channel.start(inbox)
    await inbox.holding(1)


async def test_an_update_that_nobody_understands_holds_nobody_up(
    account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox
) -> None:
    account.receive(
        "message",
        {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "dice": {"emoji": "🎲", "value": 3}},
        1,
    )
    lan.write(account, "một")
    await channel.start(inbox)
    await inbox.holding(1)
    await channel.stop()
    assert len(account.updates) == 0


async def test_blocking_and_coming_back(account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox) -> None:
    await channel.start(inbox)
    lan.block(account)
    lan.start(account, "ref_7")
    left, joined, started = await inbox.holding(3)
    assert [left.membership, joined.membership] == [Membership.LEFT, Membership.JOINED]
    assert (started.command, started.payload) == ("start", "ref_7")


async def test_a_group_from_joining_to_upgrading(
    server: TelegramSandbox, account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox
) -> None:
    await channel.start(inbox)
    group = server.add_group(title="Thôn Đông", members=[lan])
    group.add_bot(account, by=lan)
    group.write(lan, "chuyện riêng")
    group.write(lan, "@LoaSo_bot ơi")
    group.write(lan, "/help")
    new_id = group.upgrade()
    joined, mention, command, moved = await inbox.holding(4)
    assert (joined.membership, joined.chat_title) == (Membership.JOINED, "Thôn Đông")
    assert (mention.text, mention.addressed, command.command) == ("@LoaSo_bot ơi", True, "help")
    assert (moved.kind, moved.chat_id, moved.moved_to) == (InboundKind.MOVED, str(group.id), str(int(new_id)))


async def test_a_fault_of_our_own_is_told(server: TelegramSandbox, account: BotAccount, inbox: Inbox) -> None:
    channel = connect(server, poll_timeout=float("nan"))
    with capture_logs() as logs:
        await channel.start(inbox)
        await until(lambda: logs)
    assert [entry["event"] for entry in logs] == ["receiving has ended by a fault"]
    assert "report the log" in (await channel.check()).problem
    await channel.close()


async def test_a_menu_that_telegram_refuses_is_no_reason_not_to_work(
    server: TelegramSandbox, account: BotAccount, lan: User, channel: TelegramChannel, inbox: Inbox
) -> None:
    server.faults.flood(5, chat_id=None).methods = frozenset({"setmycommands"})
    lan.write(account, "một")
    await channel.start(inbox)
    await inbox.holding(1)


async def test_a_webhook_left_over_is_removed(
    server: TelegramSandbox, account: BotAccount, channel: TelegramChannel, inbox: Inbox
) -> None:
    old = connect(server, mode="webhook", public_url="http://127.0.0.1:9")
    await old.start(inbox)
    await old.close()
    assert account.webhook.hook is not None
    await channel.start(inbox)
    assert account.webhook.hook is None


def test_a_wrong_token_is_named_without_being_shown() -> None:
    with pytest.raises(SettingsError, match="LOASO_TELEGRAM_TOKEN") as caught:
        connect(TelegramSandbox(), "geheim")
    assert "geheim" not in str(caught.value)


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff(30)
    waits = [backoff.next() for _ in range(8)]
    for wait, middle in zip(waits, (1, 2, 4, 8, 16, 30, 30, 30), strict=True):
        assert 0.8 * middle <= wait <= 1.2 * middle
    assert backoff.next(SlowDown(7)) == 7
    backoff.reset()
    assert backoff.next() <= 1.2
