"""Receiving by webhook: whose signature counts, what is answered, and nothing lost while the storage is away."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping

import orjson
import pytest

from bot.channels.zalo_oa import ZaloOaChannel
from bot.core.events import Button, Inbound, InboundKind, Outbound
from bot.sandbox.zalo_oa import mac
from tests.channels.conftest import Inbox, until
from tests.channels.zalo_oa_fixtures import Oa, official_account

SIGNATURE, TIMESTAMP = "x-zevent-signature", "x-zevent-timestamp"


@pytest.fixture
async def oa() -> AsyncIterator[Oa]:
    async with official_account() as found:
        await found.grant()
        yield found


@pytest.fixture
async def channel(oa: Oa, inbox: Inbox) -> ZaloOaChannel:
    """Started, its webhook saved."""
    found = oa.connect()
    await found.start(inbox)
    await oa.hook(found)
    return found


async def knock(channel: ZaloOaChannel, body: bytes, headers: Mapping[str, str]) -> int:
    assert channel.webhook is not None
    return (await channel.webhook.accept(headers, body)).status


def signed(oa: Oa, body: bytes, timestamp: str, **more: str) -> dict[str, str]:
    return {SIGNATURE: mac(oa.zalo.app_id, body, timestamp, oa.zalo.oa_secret), **more}


async def test_people_write_and_are_answered(oa: Oa, channel: ZaloOaChannel, inbox: Inbox) -> None:
    lan = oa.follower()
    lan.write("một")
    followed, said = await inbox.holding(2)
    assert (followed.kind, followed.command, followed.text) == (InboundKind.MESSAGE, "start", "")
    assert (said.text, said.chat_id, said.sender_id, said.account) == ("một", lan.id, lan.id, channel.account)
    buttons = ((Button("Có", data="rsvp:yes"),),)
    await channel.send(Outbound(chat_id=said.chat_id, text="Đi?", buttons=buttons))
    lan.tap("Có")
    pressed = (await inbox.holding(3))[2]
    assert (pressed.kind, pressed.button, pressed.answer_id) == (InboundKind.BUTTON, "rsvp:yes", None)
    await oa.zalo.settled()
    assert len(inbox.events) == 3  # not our own messages, not their receipts


async def test_duplicates_carry_the_same_id(oa: Oa, channel: ZaloOaChannel, inbox: Inbox) -> None:
    oa.zalo.webhook.copies = 5
    lan = oa.follower()
    lan.write("một")
    events = await inbox.holding(10)
    assert [len({e.external_id for e in events if e.text == words}) for words in ("", "một")] == [1, 1]


async def test_what_arrives_in_another_order_keeps_its_time(oa: Oa, channel: ZaloOaChannel, inbox: Inbox) -> None:
    lan = oa.follower()
    await inbox.holding(1)
    with oa.zalo.webhook.out_of_order():
        for words in ("một", "hai", "ba"):
            lan.write(words)
            oa.hands.pass_by(seconds=1)
    events = (await inbox.holding(4))[1:]
    assert {e.text for e in events} == {"một", "hai", "ba"}
    assert [e.text for e in sorted(events, key=lambda e: e.at)] == ["một", "hai", "ba"]


async def test_however_it_is_written_the_exact_bytes_are_signed(oa: Oa, channel: ZaloOaChannel, inbox: Inbox) -> None:
    lan = oa.follower()
    for number in range(40):
        lan.write(f"thôn {number} 🎉")
    await inbox.holding(41)
    await oa.zalo.settled()
    assert set(oa.front.statuses) == {200}


async def test_a_forger_is_not_heard(oa: Oa, channel: ZaloOaChannel, inbox: Inbox) -> None:
    lan = oa.zalo.add_user("Lan")
    event = oa.zalo.shapes.from_user(lan, "user_send_text", message={"msg_id": "1", "text": "giả"})
    assert await oa.zalo.webhook.forge(event) == 403
    assert await oa.zalo.webhook.forge(event, None) == 403
    oa.zalo.webhook.sign = False
    lan.write("cũng giả")
    await oa.zalo.settled()
    assert inbox.events == []
    assert set(oa.front.statuses[1:]) == {403}


async def test_zalo_comes_again_while_the_storage_is_away(oa: Oa, channel: ZaloOaChannel, inbox: Inbox) -> None:
    lan = oa.follower()
    await inbox.holding(1)
    inbox.down = True
    lan.write("một")
    await inbox.until(lambda: len(inbox.refused) >= 2)
    inbox.down = False
    await inbox.holding(2)
    assert inbox.texts == ["", "một"]
    assert set(oa.front.statuses) == {500, 200}


async def test_what_is_stored_too_slowly_is_asked_for_again_and_stored_all_the_same(oa: Oa) -> None:
    begun: list[Inbound] = []
    done: list[Inbound] = []
    go = asyncio.Event()

    async def receive(inbound: Inbound) -> None:
        begun.append(inbound)
        await go.wait()
        done.append(inbound)

    channel = oa.connect(answer_within=0.01)
    await channel.start(receive)
    body, headers = text_event(oa)
    assert await knock(channel, body, headers) == 500
    go.set()
    assert await knock(channel, body, headers) == 200
    await until(lambda: len(done) == 2)
    assert begun == done


def text_event(oa: Oa, words: str = "một") -> tuple[bytes, dict[str, str]]:
    lan = oa.zalo.add_user("Lan")
    event = oa.zalo.shapes.from_user(lan, "user_send_text", message={"msg_id": "1", "text": words})
    body = orjson.dumps(event)
    return body, signed(oa, body, str(event["timestamp"]))


def of_body(body: bytes, timestamp: str = "", **more: str) -> Callable[[Oa], tuple[bytes, dict[str, str]]]:
    return lambda oa: (body, signed(oa, body, timestamp, **more))


def unsigned(body: bytes, mac: str | None = None) -> Callable[[Oa], tuple[bytes, dict[str, str]]]:
    return lambda oa: (body, {} if mac is None else {SIGNATURE: mac})


EVENT = b'{"app_id":"1","event_name":"user_seen_message","timestamp":"1"}'
HEADER = {TIMESTAMP: "17"}
DOOR: list[tuple[str, Callable[[Oa], tuple[bytes, dict[str, str]]], int]] = [
    ("probe", unsigned(b"{}"), 200),
    ("probe with blanks", unsigned(b" {}\n"), 200),
    ("probe without a body", unsigned(b""), 200),
    ("forged", unsigned(EVENT, mac="mac=" + "0" * 64), 403),
    ("forged probe", unsigned(b"{}", mac="mac=" + "0" * 64), 403),
    ("without a signature", unsigned(EVENT), 403),
    ("not ASCII", unsigned(EVENT, mac="mac=é"), 403),
    ("a signature that is not UTF-8", unsigned(EVENT, mac="\udcff\udcfe"), 403),
    ("without its scheme", unsigned(EVENT, mac=hashlib.sha256(EVENT).hexdigest()), 403),
    ("another timestamp", of_body(EVENT, "2"), 403),
    ("not JSON and nobody's", unsigned(b"{"), 403),
    ("not JSON", of_body(b"{", "17", **HEADER), 400),
    ("not an object", of_body(b"[1]"), 400),
    ("not UTF-8", of_body(b'{"timestamp":"1","a":"\xff"}'), 400),
    ("not an event", of_body(b'{"timestamp":"1"}', "1"), 400),
    ("a name that is no text", of_body(b'{"timestamp":"1","event_name":{}}', "1"), 400),
    ("oversized", of_body(b" " * (1024 * 1024 + 1)), 413),
    ("a receipt", of_body(EVENT, "1"), 200),
    ("a time that is a number", of_body(b'{"event_name":"user_seen_message","timestamp":17}', "17"), 200),
    ("a time in the header", of_body(b'{"event_name":"user_seen_message"}', "17", **HEADER), 200),
    ("the body's time counts more", of_body(EVENT, "1", **HEADER), 200),
    ("an event that we do not know", of_body(b'{"event_name":"new_in_2031","timestamp":"1"}', "1"), 200),
    ("a marker of templates", of_body(b'{"event_name":"change_template_status","timestamp":"1"}', "1"), 200),
    ("a message", text_event, 200),
]


@pytest.mark.parametrize(("arrange", "status"), [row[1:] for row in DOOR], ids=[row[0] for row in DOOR])
async def test_door(arrange: Callable[[Oa], tuple[bytes, dict[str, str]]], status: int, oa: Oa, inbox: Inbox) -> None:
    channel = oa.connect()
    await channel.start(inbox)
    body, headers = arrange(oa)
    assert await knock(channel, body, headers) == status
    assert len(inbox.events) == (1 if arrange is text_event else 0)


async def test_the_published_vector(inbox: Inbox) -> None:
    body = b'{"app_id":"360846524940903967","event_name":"user_send_text"}'
    told = "fe9d903fd70afd8948c3ad0d5a2fcacb208ddbb4e8e744be48c2ad97e5b28c9e"
    async with official_account() as oa:
        await oa.grant()
        oa.zalo.oa_secret = "OA_SECRET"
        channel = oa.connect()
        await channel.start(inbox)
        assert channel.account == "zalo_oa:360846524940903967"
        assert await knock(channel, body, {SIGNATURE: f"mac={told}", TIMESTAMP: "154390853474"}) == 200
        assert await knock(channel, body, {SIGNATURE: f"mac={told}", TIMESTAMP: "154390853475"}) == 403


async def test_before_the_start_and_after_the_stop_zalo_is_asked_to_come_again(oa: Oa, inbox: Inbox) -> None:
    channel = oa.connect()
    body, headers = text_event(oa)
    assert await knock(channel, body, headers) == 503
    assert await knock(channel, b"{}", {}) == 200
    await channel.start(inbox)
    await channel.stop()
    assert await knock(channel, body, headers) == 503
    await channel.start(inbox)
    assert await knock(channel, body, headers) == 200


async def test_a_stop_awaits_what_came_in(oa: Oa) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def receive(inbound: Inbound) -> None:
        begun.set()
        await go.wait()

    channel = oa.connect()
    await channel.start(receive)
    waiting = asyncio.ensure_future(knock(channel, *text_event(oa)))
    await begun.wait()
    stopping = asyncio.ensure_future(channel.stop())
    await asyncio.sleep(0.01)
    assert not stopping.done()
    go.set()
    await stopping
    assert await waiting == 200


async def test_who_knocked_may_leave_and_is_stored_all_the_same(oa: Oa) -> None:
    begun, go = asyncio.Event(), asyncio.Event()
    stored: list[Inbound] = []

    async def receive(inbound: Inbound) -> None:
        begun.set()
        await go.wait()
        stored.append(inbound)

    channel = oa.connect()
    await channel.start(receive)
    waiting = asyncio.ensure_future(knock(channel, *text_event(oa)))
    await begun.wait()
    waiting.cancel()
    go.set()
    await channel.stop()
    assert [inbound.text for inbound in stored] == ["một"]
