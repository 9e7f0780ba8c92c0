"""Receiving by polling: nothing twice, nothing lost while the storage is away, outages, webhooks, stopping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

import pytest
from structlog.testing import capture_logs

from bot.channels.zalo_bot import ZaloBotChannel
from bot.channels.zalo_bot_poll import REMEMBERED, Seen
from bot.core.errors import AccountStopped, NotSent, SettingsError
from bot.core.events import ChatKind, Inbound, InboundKind, Media, MediaKind, Outbound
from bot.sandbox.zalo_bot import ZaloBotAccount, ZaloBotSandbox, ZaloBotUser
from tests.channels.conftest import Inbox, until
from tests.channels.zalo_bot_fixtures import (  # noqa: F401 - fixtures
    NAME,
    TOKEN,
    a_linh,
    a_zalo,
    a_zalo_bot,
    a_zalo_channel,
    connect_zalo,
)


async def seconds(work: Awaitable[None]) -> float:
    """How long it takes."""
    began = time.monotonic()
    await work
    return time.monotonic() - began


async def test_what_waited_is_received_in_order(
    zalo_bot: ZaloBotAccount, linh: ZaloBotUser, zalo_channel: ZaloBotChannel, inbox: Inbox
) -> None:
    for word in ("một", "hai", "ba"):
        linh.write(zalo_bot, word)
    await zalo_channel.start(inbox)
    await inbox.holding(3)
    linh.write(zalo_bot, "bốn")
    await inbox.holding(4)
    assert inbox.texts == ["một", "hai", "ba", "bốn"]


async def test_every_kind_of_message(
    zalo_bot: ZaloBotAccount, linh: ZaloBotUser, zalo_channel: ZaloBotChannel, inbox: Inbox
) -> None:
    said = linh.write(zalo_bot, "/start ref_7")
    linh.send_photo(zalo_bot, "https://a.vn/a.jpg", "nhà em")
    linh.send_sticker(zalo_bot, "c2b5")
    linh.send_voice(zalo_bot, "https://a.vn/a.aac")
    linh.send_unsupported(zalo_bot)
    await zalo_channel.start(inbox)
    start, photo, sticker, voice, unsupported = await inbox.holding(5)
    assert (start.command, start.payload, start.external_id, start.chat_id) == ("start", "ref_7", said.id, linh.id)
    assert (photo.text, photo.media) == ("nhà em", (Media(MediaKind.PHOTO, file_id="https://a.vn/a.jpg"),))
    assert [e.media[0].kind for e in (sticker, voice)] == [MediaKind.STICKER, MediaKind.VOICE]
    assert (unsupported.kind, unsupported.text, unsupported.media) == (InboundKind.MESSAGE, "", ())


async def test_a_group(
    zalo: ZaloBotSandbox,
    zalo_bot: ZaloBotAccount,
    linh: ZaloBotUser,
    zalo_channel: ZaloBotChannel,
    inbox: Inbox,
) -> None:
    group = zalo.add_group("Thôn Đông", [linh])
    group.add_bot(zalo_bot)
    await zalo_channel.start(inbox)
    group.write(linh, "chuyện riêng")
    group.write(linh, "tin", mention=zalo_bot)
    (event,) = await inbox.holding(1)
    assert (event.text, event.chat_kind, event.chat_id, event.sender_id) == ("tin", ChatKind.GROUP, group.id, linh.id)
    await zalo_channel.send(Outbound(chat_id=event.chat_id, text="đây ạ", group=True))
    assert group.chat.last.text == "đây ạ"


async def test_an_update_that_comes_again_is_received_once(
    zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, inbox: Inbox
) -> None:
    zalo.oddities.replays = 10**6
    linh.write(zalo_bot, "một")
    channel = connect_zalo(zalo)
    await channel.start(inbox)
    await until(lambda: len(zalo.log.calls("getUpdates")) >= 5)
    await channel.close()
    assert inbox.texts == ["một"]


@pytest.mark.parametrize("new", [True, False])
async def test_polls_keep_their_distance(
    new: bool, zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, inbox: Inbox
) -> None:
    """Also after an update that was new, or is nothing to us."""
    zalo.oddities.replays = 10**6
    if new:
        linh.write(zalo_bot, "một")
    else:
        zalo_bot.receive({"event_name": "user.followed"})
    channel = connect_zalo(zalo, poll_floor=1000)
    await channel.start(inbox)
    await until(lambda: zalo.log.calls("getUpdates"))
    await asyncio.sleep(0.03)
    await channel.close()
    assert len(zalo.log.calls("getUpdates")) == 1


async def test_idle_polls_are_quiet(
    zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, inbox: Inbox
) -> None:
    channel = connect_zalo(zalo, poll_timeout=0)
    with capture_logs() as logs:
        await channel.start(inbox)
        await until(lambda: zalo.log.refused(408) >= 3)
        linh.write(zalo_bot, "một")
        await inbox.holding(1)
        await channel.close()
    assert logs == []


async def test_an_update_that_cannot_be_stored_is_tried_until_it_is(
    zalo_bot: ZaloBotAccount, linh: ZaloBotUser, zalo_channel: ZaloBotChannel, inbox: Inbox
) -> None:
    inbox.down = True
    linh.write(zalo_bot, "một")
    linh.write(zalo_bot, "hai")
    with capture_logs() as logs:
        await zalo_channel.start(inbox)
        await inbox.until(lambda: len(inbox.refused) >= 3)
        inbox.down = False
        await inbox.holding(2)
        await zalo_channel.stop()
    assert inbox.texts == ["một", "hai"]
    assert {event.text for event in inbox.refused} == {"một"}
    said = [entry["event"] for entry in logs if entry["log_level"] != "debug"]
    assert said == ["update cannot be stored", "updates can be stored again"]
    assert "một" not in str(logs)


async def test_a_stop_during_an_outage_of_the_storage_names_what_is_lost(
    zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, inbox: Inbox
) -> None:
    inbox.down = True
    zalo.oddities.replays = 1
    said = linh.write(zalo_bot, "một")
    channel = connect_zalo(zalo)
    with capture_logs() as logs:
        await channel.start(inbox)
        await inbox.until(lambda: inbox.refused)
        await channel.stop()
    assert [entry["update"] for entry in logs if "before the stop" in entry["event"]] == [said.id]
    inbox.down = False
    await channel.start(inbox)  # it was not taken for seen: when the platform gives it again, it counts
    await inbox.holding(1)
    await channel.close()


async def test_a_stop_awaits_what_was_handed_over(
    zalo_bot: ZaloBotAccount, linh: ZaloBotUser, zalo_channel: ZaloBotChannel
) -> None:
    begun, go, done = asyncio.Event(), asyncio.Event(), []

    async def receive(inbound: Inbound) -> None:
        begun.set()
        await go.wait()
        done.append(inbound.text)

    await zalo_channel.start(receive)
    linh.write(zalo_bot, "một")
    await begun.wait()
    stopping = asyncio.ensure_future(zalo_channel.stop())
    await asyncio.sleep(0.01)
    assert not stopping.done()
    go.set()
    await stopping
    assert done == ["một"]


async def test_stopping_does_not_wait_for_a_poll(zalo_channel: ZaloBotChannel, inbox: Inbox) -> None:
    await zalo_channel.start(inbox)
    assert await seconds(zalo_channel.stop()) < 1


async def test_sending_still_works_after_a_stop(
    zalo_bot: ZaloBotAccount, linh: ZaloBotUser, zalo_channel: ZaloBotChannel, inbox: Inbox
) -> None:
    await zalo_channel.start(inbox)
    await zalo_channel.stop()
    await zalo_channel.send(Outbound(chat_id=linh.id, text="tạm biệt"))
    await zalo_channel.close()
    with pytest.raises(NotSent):
        await zalo_channel.send(Outbound(chat_id=linh.id, text="a"))


async def test_it_can_start_again(
    zalo_bot: ZaloBotAccount, linh: ZaloBotUser, zalo_channel: ZaloBotChannel, inbox: Inbox
) -> None:
    for count, word in enumerate(("một", "hai"), 1):
        await zalo_channel.start(inbox)
        linh.write(zalo_bot, word)
        await inbox.holding(count)
        await zalo_channel.stop()
    assert inbox.texts == ["một", "hai"]


async def test_an_outage_passes_and_is_told_twice(
    zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, zalo_channel: ZaloBotChannel, inbox: Inbox
) -> None:
    with capture_logs() as logs:
        await zalo_channel.start(inbox)
        await until(lambda: zalo_bot.updates.polls)
        outage = zalo.faults.outage()
        linh.write(zalo_bot, "trong lúc mất mạng")
        await until(lambda: outage.hits >= 3)
        outage.lift()
        await inbox.holding(1)
        await zalo_channel.stop()
    assert [entry["event"] for entry in logs] == ["polling is disturbed", "polling works again"]
    assert TOKEN not in str(logs)
    assert "mạng" not in str(logs)


async def test_a_server_that_is_down_at_the_start_is_awaited(
    zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, inbox: Inbox
) -> None:
    linh.write(zalo_bot, "một")
    await zalo.stop()
    channel = connect_zalo(zalo)
    await channel.start(inbox)
    health = await channel.check()
    assert not health.ok
    assert "LOASO_ZALO_BOT_API_URL" in health.problem
    await zalo.start()
    await inbox.holding(1)
    health = await channel.check()
    assert (health.ok, health.name, health.problem) == (True, NAME, "")
    await channel.close()


async def test_a_server_that_never_comes_does_not_keep_us_from_stopping(zalo: ZaloBotSandbox, inbox: Inbox) -> None:
    await zalo.stop()
    channel = connect_zalo(zalo)
    await channel.start(inbox)
    await channel.close()


@pytest.mark.parametrize("method", ["getMe", "deleteWebhook"])
async def test_a_stop_does_not_wait_for_a_start_that_nobody_answers(
    zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, inbox: Inbox, method: str
) -> None:
    hanging = zalo.faults.hang(method=method)
    channel = connect_zalo(zalo, read_seconds=30)
    starting = asyncio.ensure_future(channel.start(inbox))
    await until(lambda: hanging.hits)
    assert await seconds(channel.stop()) < 2
    assert await seconds(starting) < 2
    await channel.close()


async def test_a_refused_token_stops_the_account_at_the_start(zalo: ZaloBotSandbox, inbox: Inbox) -> None:
    channel = connect_zalo(zalo, "999:never_heard_of")
    with pytest.raises(AccountStopped):
        await channel.start(inbox)
    assert (await channel.check()).problem == (
        "Zalo refuses the token of zalo_bot:999: copy it again from the Zalo Bot Creator and set LOASO_ZALO_BOT_TOKEN."
    )
    await channel.close()


async def test_a_token_revoked_while_polling(
    zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, zalo_channel: ZaloBotChannel, inbox: Inbox
) -> None:
    await zalo_channel.start(inbox)
    with capture_logs() as logs, zalo.faults.revoke_token(zalo_bot):
        await until(lambda: any(entry.get("trouble") == "Zalo refuses the token" for entry in logs))
        assert not (await zalo_channel.check()).ok
    linh.write(zalo_bot, "được rồi")
    await inbox.holding(1)


async def test_a_webhook_that_somebody_set_is_removed_and_told(
    zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, zalo_channel: ZaloBotChannel, inbox: Inbox
) -> None:
    rival = connect_zalo(zalo, mode="webhook", public_url="http://127.0.0.1:9")
    await zalo_channel.start(inbox)
    with capture_logs() as logs:
        await rival.start(inbox)
        linh.write(zalo_bot, "một")
        await inbox.holding(1)
        await zalo_channel.stop()
    assert zalo_bot.webhook.hook is None
    assert "somebody set a webhook for this token: it is removed" in [entry.get("trouble") for entry in logs]
    await rival.start(inbox)
    assert "set a webhook" in (await zalo_channel.check()).problem
    await rival.close()


async def test_rubbish_is_waited_out(
    zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, linh: ZaloBotUser, zalo_channel: ZaloBotChannel, inbox: Inbox
) -> None:
    linh.write(zalo_bot, "một")
    zalo.faults.garbage(count=1, method="getUpdates")
    for body in (b"<html>", b'{"ok":true}', b'{"ok":true,"result":"x"}', b'{"ok":true,"result":[5]}'):
        zalo.faults.garbage(body, 200, count=1, method="getUpdates")
    await zalo_channel.start(inbox)
    await inbox.holding(1)


async def test_an_update_that_nobody_understands_holds_nobody_up(
    zalo_bot: ZaloBotAccount, linh: ZaloBotUser, zalo_channel: ZaloBotChannel, inbox: Inbox
) -> None:
    zalo_bot.receive({"event_name": "user.followed", "message": {"message_id": 7}})
    zalo_bot.receive({"event_name": None})
    linh.write(zalo_bot, "một")
    await zalo_channel.start(inbox)
    await inbox.holding(1)
    assert inbox.texts == ["một"]


async def test_a_fault_of_our_own_is_told(zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount, inbox: Inbox) -> None:
    channel = connect_zalo(zalo, poll_timeout=float("nan"))
    with capture_logs() as logs:
        await channel.start(inbox)
        await until(lambda: logs)
    assert [entry["event"] for entry in logs] == ["receiving has ended by a fault"]
    assert "report the log" in (await channel.check()).problem
    await channel.close()


@pytest.mark.parametrize("token", ["geheim", "123:", "x:geheim", "123:ge heim"])
def test_a_wrong_token_is_named_without_being_shown(token: str) -> None:
    with pytest.raises(SettingsError, match="LOASO_ZALO_BOT_TOKEN") as caught:
        connect_zalo(ZaloBotSandbox(), token)
    assert token not in str(caught.value)


def test_only_the_newest_are_remembered() -> None:
    seen = Seen()
    for number in range(REMEMBERED + 1):
        seen.add(str(number))
    assert ("0" in seen, "1" in seen) == (False, True)
