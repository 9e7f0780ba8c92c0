"""The webhook's sender: probe, signatures, retries, duplicates, order, and what follows a message."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.sandbox.zalo_oa import OaUser, Timing, ZaloOaSandbox, mac
from tests.sandbox.zalo_oa.conftest import DAY, Client, Now, Receiver


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


async def test_a_text_has_the_documented_shape(
    sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser, now: Now
) -> None:
    first = person.write("chào")
    second = person.write("nữa", quote=first)
    await sandbox.settled()
    assert receiver.events[1] == {
        "app_id": sandbox.app_id,
        "sender": {"id": person.id},
        "user_id_by_app": person.id_by_app,
        "recipient": {"id": sandbox.oa_id},
        "event_name": "user_send_text",
        "message": {"text": "chào", "msg_id": first},
        "timestamp": str(int(now.at * 1000)),
    }
    assert receiver.events[2]["message"] == {"text": "nữa", "msg_id": second, "quote_msg_id": first}


async def test_following_and_leaving_have_neither_sender_nor_recipient(
    sandbox: ZaloOaSandbox, receiver: Receiver
) -> None:
    person = sandbox.add_user("Bé Ba")
    person.follow("message_invite")
    person.unfollow()
    await sandbox.settled()
    follow, unfollow = receiver.events
    assert follow["follower"] == {"id": person.id}
    assert (follow["oa_id"], follow["source"]) == (sandbox.oa_id, "message_invite")
    assert {"sender", "recipient"}.isdisjoint(follow)
    assert unfollow["event_name"] == "unfollow"


async def test_attachments(sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser) -> None:
    person.send_image("https://a.vn/1.jpg", "ảnh")
    person.send_gif()
    person.send_link("https://a.vn")
    person.send_audio()
    person.send_video()
    person.send_sticker("7")
    person.send_location(16.8, 107.1)
    person.send_file("don.pdf", 2048)
    person.send_business_card()
    await sandbox.settled()
    shown = [(e["event_name"], e["message"]["attachments"][0]) for e in receiver.events[1:]]
    assert [name.removeprefix("user_send_") for name, _ in shown] == [
        "image", "gif", "link", "audio", "video", "sticker", "location", "file", "business_card"
    ]  # fmt: skip
    assert shown[0][1] == {"type": "image", "payload": {"thumbnail": "https://a.vn/1.jpg", "url": "https://a.vn/1.jpg"}}
    assert shown[3][1]["payload"]["url"].endswith(".amr")
    assert shown[5][1]["payload"]["id"] == "7"
    assert shown[6][1]["payload"] == {"coordinates": {"latitude": "16.8", "longitude": "107.1"}}
    assert set(shown[7][1]["payload"]) == {"size", "name", "checksum", "type", "url"}
    assert receiver.events[1]["message"]["text"] == "ảnh"


async def test_information_arrives_in_both_forms(sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser) -> None:
    person.submit_info(phone="84911111111", city="Quảng Trị", ward="Hướng Hiệp")
    person.submit_info(older_form=True, city="Quảng Trị")
    await sandbox.settled()
    new, old = receiver.events[1:]
    assert new["info"]["phone"] == "84911111111"
    assert new["info"]["full_address"]["user_ward"] == "Hướng Hiệp"
    assert set(old["info"]) == {"address", "phone", "city", "district", "name", "ward"}


async def test_chatnow_is_told_once_and_only_before_a_chat(sandbox: ZaloOaSandbox, receiver: Receiver) -> None:
    person, talker = sandbox.add_user("Bé Tư"), sandbox.add_user("Bé Năm")
    assert person.click_chatnow()
    person.write("chào")
    assert not person.click_chatnow()
    talker.write("chào")
    assert not talker.click_chatnow()
    await sandbox.settled()
    event = receiver.events[0]
    assert (event["event_name"], event["user_id"]) == ("user_click_chatnow", person.id)
    assert "sender" not in event


async def test_a_withdrawal_names_the_person(sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser) -> None:
    person.withdraw()
    await sandbox.settled()
    assert receiver.events[-1]["event_name"] == "user_withdraw"
    assert receiver.events[-1]["user_id"] == person.id


async def test_a_message_is_followed_by_its_events(
    client: Client, sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser
) -> None:
    id = (await client.cs(person))["data"]["message_id"]
    person.reads()
    assert person.reads() == []
    await sandbox.settled()
    sent, received, seen = receiver.events[1:]
    assert (sent["event_name"], sent["message"]["msg_id"]) == ("oa_send_text", id)
    assert "admin_id" not in sent["sender"]
    assert (received["event_name"], received["message"]) == ("user_received_message", {"msg_id": id})
    assert (seen["event_name"], seen["message"]) == ("user_seen_message", {"msg_ids": [id]})
    for event in (sent, received, seen):
        assert event["sender"]["id"] == sandbox.oa_id
        assert event["recipient"] == {"id": person.id}


async def test_receipts_may_stay_away(
    client: Client, sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser
) -> None:
    sandbox.sending.receipts = False
    await client.cs(person)
    await sandbox.settled()
    assert receiver.names == ["follow", "oa_send_text"]


async def test_a_human_agent_is_named(sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser, now: Now) -> None:
    now.forward(8 * DAY)
    id = sandbox.agent_replies(person, "Cán bộ trả lời", admin_id="42")
    await sandbox.settled()
    event = receiver.events[-1]
    assert event["event_name"] == "oa_send_text"
    assert event["sender"] == {"id": sandbox.oa_id, "admin_id": "42"}
    assert event["message"] == {"msg_id": id, "text": "Cán bộ trả lời"}
    assert person.texts == ["Cán bộ trả lời"]


async def test_what_opens_the_window_and_what_does_not(
    client: Client, sandbox: ZaloOaSandbox, person: OaUser, now: Now
) -> None:
    stranger = sandbox.add_user("Bé Sáu")
    stranger.unfollow()
    stranger.withdraw()
    assert stranger.last_interaction is None
    assert stranger.click_chatnow()
    opened = now.at
    button = {"title": "Tiếp", "type": "oa.query.hide", "payload": "#tiep"}
    await client.cs(person, attachment={"type": "template", "payload": {"buttons": [button]}})
    now.forward(60)
    for quiet in (person.reads, person.unfollow, lambda: sandbox.agent_replies(person, "x")):
        quiet()
        assert person.last_interaction == opened
    assert stranger.last_interaction == opened
    for act in (person.follow, person.send_sticker, person.submit_info, lambda: person.tap("Tiếp")):
        now.forward(60)
        act()
        assert person.last_interaction == now.at


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
