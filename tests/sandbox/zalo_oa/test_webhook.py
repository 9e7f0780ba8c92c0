"""The webhook's sender: probe, signatures, retries, duplicates, order, forgeries."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.sandbox.zalo_oa import OaUser, Timing, ZaloOaSandbox, mac
from tests.sandbox.zalo_oa.conftest import Client, Receiver


def test_the_published_signature_vector() -> None:
    body = b'{"app_id":"360846524940903967","event_name":"user_send_text"}'
    assert mac("360846524940903967", body, "154390853474", "OA_SECRET") == (
        "mac=fe9d903fd70afd8948c3ad0d5a2fcacb208ddbb4e8e744be48c2ad97e5b28c9e"
    )


def test_the_real_pauses_are_the_documented_ones() -> None:
    assert Timing.real().webhook_retries == (30, 300, 900, 1800, 3600)
    assert Timing.real().webhook_timeout == 2


async def test_saving_sends_an_unsigned_probe(sandbox: ZaloOaSandbox, receiver: Receiver) -> None:
    probe = receiver.taken[0]
    assert probe.body == b"{}"
    assert "X-ZEvent-Signature" not in probe.headers
    receiver.statuses = [403]
    assert not await sandbox.set_webhook(receiver.url)
    assert not await sandbox.set_webhook("http://127.0.0.1:9/nobody")
    assert sandbox.webhook.url == receiver.url


async def test_events_are_signed_over_bytes_of_many_forms(
    sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser
) -> None:
    for n in range(30):
        person.write(f"Bà con ơi {n}")
    await sandbox.settled()
    texts = receiver.taken[2:]
    assert all(receiver.signed(sandbox, t) for t in texts)
    bodies = [t.body for t in texts]
    assert any(b"B\xc3\xa0 con" in b for b in bodies)
    assert any(b"B\\u00e0 con" in b for b in bodies)
    assert any(b"\n" in b for b in bodies)
    assert len({tuple(json.loads(b)) for b in bodies}) > 5
    assert any(json.dumps(json.loads(b), separators=(",", ":")).encode() != b for b in bodies)
    assert [t.event["message"]["text"] for t in texts] == [f"Bà con ơi {n}" for n in range(30)]


async def test_a_failure_is_tried_again_with_its_number(
    sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser
) -> None:
    receiver.statuses = [500, 404, 200]
    person.write("một")
    await sandbox.settled()
    tries = [t for t in receiver.taken if t.body != b"{}" and t.event["event_name"] == "user_send_text"]
    assert len({t.body for t in tries}) == 1
    assert [t.headers.get("num_retry") for t in receiver.taken[1:]].count(None) == 2
    entry = sandbox.journal.named("follow")[0]
    assert entry.statuses == [500, 200]
    assert entry.delivered


async def test_after_the_last_retry_the_webhook_is_off(
    sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser
) -> None:
    await sandbox.settled()
    receiver.taken.clear()
    receiver.statuses = [500] * 6
    person.write("một")
    await sandbox.settled()
    assert [t.headers.get("num_retry") for t in receiver.taken] == [None, "1", "2", "3", "4", "5"]
    assert not sandbox.webhook.enabled
    assert sandbox.journal.events[-1].gave_up
    person.write("hai")
    await sandbox.settled()
    assert len(receiver.taken) == 6
    sandbox.webhook.enabled = True
    person.write("ba")
    await sandbox.settled()
    assert len(receiver.taken) == 7


async def test_an_answer_beyond_the_budget_is_none(sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser) -> None:
    await sandbox.settled()
    sandbox.timing.webhook_timeout = 0.02
    receiver.delay = 0.04
    person.write("một")
    entry = sandbox.journal.events[-1]
    while not entry.statuses:  # noqa: ASYNC110 # the receiver has no event of its own
        await asyncio.sleep(0.005)
    receiver.delay, sandbox.timing.webhook_timeout = 0.0, 2.0
    await sandbox.settled()
    assert entry.statuses[0] == 0
    assert entry.statuses[-1] == 200


async def test_duplicates_are_the_same_bytes(sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser) -> None:
    await sandbox.settled()
    receiver.taken.clear()
    sandbox.webhook.copies = 5
    person.write("năm lần")
    await sandbox.settled()
    assert len(receiver.taken) == 5
    assert len({t.body for t in receiver.taken}) == 1
    assert sandbox.journal.events[-1].statuses == [200] * 5


async def test_events_out_of_order(sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser) -> None:
    with sandbox.webhook.out_of_order():
        for text in "abc":
            person.write(text)
        await sandbox.settled()
        assert receiver.names == ["follow"]
    await sandbox.settled()
    assert [e["message"]["text"] for e in receiver.events[1:]] == ["c", "b", "a"]
    sandbox.webhook.hold()
    for n in range(9):
        person.write(str(n))
    assert sandbox.webhook.release(shuffled=True) == 9
    await sandbox.settled()
    assert sorted(e["message"]["text"] for e in receiver.events[4:]) == [str(n) for n in range(9)]


async def test_forgeries(sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser) -> None:
    event = sandbox.shapes.from_user(person, "user_send_text", message={"text": "giả", "msg_id": "1"})
    receiver.statuses = [401, 401]
    await sandbox.settled()
    assert await sandbox.webhook.forge(event) in (200, 401)
    await sandbox.webhook.forge(event, None)
    await sandbox.webhook.forge(b"rubbish", None)
    assert not receiver.signed(sandbox, receiver.taken[-3])
    assert "X-ZEvent-Signature" not in receiver.taken[-2].headers
    sandbox.webhook.sign = False
    person.write("sai khoá")
    await sandbox.settled()
    assert not receiver.signed(sandbox, receiver.taken[-1])
    assert sandbox.webhook.enabled


@pytest.mark.parametrize("named", ["user_received_message"])
async def test_events_that_the_console_switched_off(
    client: Client, sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser, named: str
) -> None:
    sandbox.webhook.muted.add(named)
    await client.cs(person)
    await sandbox.settled()
    assert named not in receiver.names


async def test_watchers_hear_of_everything(client: Client, sandbox: ZaloOaSandbox, person: OaUser) -> None:
    heard: list[tuple[str, OaUser | None]] = []
    sandbox.on_change.append(lambda what, user: heard.append((what, user)))
    person.write("chào")
    await client.cs(person)
    assert heard == [("user_send_text", person), ("message", person)]
