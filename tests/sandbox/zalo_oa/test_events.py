"""Events: their shapes, what follows a message, what opens the window."""

from __future__ import annotations

from bot.sandbox.zalo_oa import OaUser, ZaloOaSandbox
from tests.sandbox.zalo_oa.conftest import DAY, Client, Now, Receiver


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
