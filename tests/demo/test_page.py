"""The endpoints of the page: everything that one can do on behalf of a person."""

from __future__ import annotations

import asyncio
import io
import re

import aiohttp
import orjson
import pytest

from bot.sandbox.page.server import STATIC
from tests.demo.conftest import Json, Visit

NEWCOMER, HEAD, RESIDENT, BLOCKED = 7001, 7010, 7020, 7023


async def test_the_page_and_its_files_are_served_with_a_strict_policy(visit: Visit) -> None:
    response = await visit.client.get("/demo/")
    text = await response.text()
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    for address in re.findall(r'(?:src|href)="(static/[^"]+)"', text):
        assert (await visit.client.get(f"/demo/{address}")).status == 200, address


def test_no_file_of_the_page_fetches_from_elsewhere_or_reads_data_as_html() -> None:
    for path in STATIC.iterdir():
        text = path.read_text("utf-8")
        assert "innerHTML" not in text, path
        assert "insertAdjacentHTML" not in text, path
        assert not re.search(r"(?:src|href|url|import)\W{1,3}https?:", text), path


async def test_everybody_is_there_with_what_they_do_and_where_they_live(visit: Visit) -> None:
    state = await visit.get("state")
    people = {one["id"]: one for one in state["people"]}
    assert len([one for one in people.values() if one["part"] != "newcomer"]) == 40
    assert people[HEAD] | {"place": "Thôn Hà Lời", "part": "village_head"} == people[HEAD]
    assert people[BLOCKED]["blocked"]
    assert {one["title"] for one in state["groups"]} == {"Nhóm thôn Hà Lời", "Nhóm thôn Quy Hợp"}
    assert state["pulse"]["clock"]["quiet"] is False


async def test_a_newcomer_presses_start(visit: Visit) -> None:
    before = await visit.get(f"chat/{NEWCOMER}/bot")
    assert before["started"] is False
    await visit.post(f"chat/{NEWCOMER}/bot/start", {"payload": "i_ABCDEFG"})
    after = await visit.get(f"chat/{NEWCOMER}/bot")
    assert after["started"] is True
    assert [one["text"] for one in after["messages"]] == ["/start i_ABCDEFG"]


async def test_texts_come_back_as_they_were_written(visit: Visit) -> None:
    text = "<img src=x onerror=alert(1)> & “chữ” 🎉"
    said = await visit.post(f"chat/{RESIDENT}/bot/write", {"text": text})
    assert said["messages"][0]["text"] == text
    shown = await visit.get(f"chat/{RESIDENT}/bot")
    assert shown["messages"][-1]["text"] == text


async def test_one_answers_corrects_and_forwards(visit: Visit) -> None:
    told = await visit.says("Họp thôn 19 giờ", to=HEAD)
    answer = await visit.post(f"chat/{HEAD}/bot/write", {"text": "dạ", "reply_to": told["message_id"]})
    (mine,) = answer["messages"]
    assert mine["reply_to"]["text"] == "Họp thôn 19 giờ"
    (edited,) = (await visit.post(f"chat/{HEAD}/bot/edit", {"message": mine["id"], "text": "dạ vâng"}))["messages"]
    assert (edited["text"], "edited" in edited) == ("dạ vâng", True)
    passed = await visit.post(f"chat/{HEAD}/bot/forward", {"from": "bot", "message": told["message_id"]})
    assert passed["messages"][0]["origin"] == "Loa Số"
    refused = await visit.post(f"chat/{HEAD}/bot/edit", {"message": told["message_id"], "text": "khác"}, status=400)
    assert "chính mình" in refused["error"]


async def test_one_writes_in_a_group_that_one_is_in(visit: Visit) -> None:
    (group, other) = visit.town.groups
    await visit.post(f"chat/{HEAD}/{group.id}/write", {"text": "chào cả nhà"})
    shown = await visit.get(f"chat/{HEAD}/{group.id}")
    assert (shown["title"], shown["messages"][-1]["text"]) == ("Nhóm thôn Hà Lời", "chào cả nhà")
    await visit.post(f"chat/{HEAD}/{other.id}/write", {"text": "chào"}, status=400)


@pytest.mark.parametrize(
    ("errand", "body", "kind"),
    [
        ("sample", {"name": "hop_thon.jpg", "caption": "Mời họp"}, "photo"),
        ("sample", {"name": "nhac_hieu_loa.ogg"}, "voice"),
        ("location", {}, "venue"),
        ("contact", {}, "contact"),
    ],
)
async def test_one_sends_more_than_text(visit: Visit, errand: str, body: Json, kind: str) -> None:
    said = await visit.post(f"chat/{RESIDENT}/bot/{errand}", body)
    assert said["messages"][0]["kind"] == kind


async def test_files_from_the_disk_arrive_whole_and_several_are_an_album(visit: Visit) -> None:
    content = bytes(range(256)) * 8192
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("kind", "document")
    form.add_field("caption", "đơn")
    form.add_field("file", io.BytesIO(content), filename="đơn.pdf", content_type="application/pdf")
    response = await visit.client.post(f"/demo/api/chat/{HEAD}/bot/files", data=form)
    (said,) = (await response.json())["messages"]
    assert (said["kind"], said["text"], said["file"]["name"]) == ("document", "đơn", "đơn.pdf")
    served = await visit.client.get(f"/demo/{said['file']['url']}")
    assert hash(await served.read()) == hash(content)
    assert served.headers["Content-Disposition"] == "attachment"

    album = aiohttp.FormData()
    for name in ("a.png", "b.png"):
        album.add_field("file", name.encode(), filename=name, content_type="image/png")
    response = await visit.client.post(f"/demo/api/chat/{HEAD}/bot/files", data=album)
    both = (await response.json())["messages"]
    assert [one["kind"] for one in both] == ["photo", "photo"]
    assert both[0]["media_group_id"] == both[1]["media_group_id"]


async def test_a_player_may_ask_for_a_part_of_a_file(visit: Visit) -> None:
    said = await visit.post(f"chat/{HEAD}/bot/sample", {"name": "nhac_hieu_loa.ogg"})
    found = said["messages"][0]["file"]
    part = await visit.client.get(f"/demo/{found['url']}", headers={"Range": "bytes=0-3"})
    assert (part.status, await part.read()) == (206, b"OggS")
    assert part.headers["Content-Range"] == f"bytes 0-3/{found['size']}"


async def test_a_pressed_button_brings_the_answer_of_the_bot(visit: Visit) -> None:
    markup = {"inline_keyboard": [[{"text": "Có", "callback_data": "yes"}, {"text": "Xem", "url": "https://t.me/x"}]]}
    told = await visit.says("Đi không ạ?", to=RESIDENT, reply_markup=markup)

    async def answer() -> None:
        query, offset = None, 0
        while query is None:
            updates = await visit.town.bot.call("getUpdates", {"timeout": 5, "offset": offset})
            for update in updates["result"]:
                query, offset = update.get("callback_query"), update["update_id"] + 1
        assert query["data"] == "yes"
        fields = {"callback_query_id": query["id"], "text": "Đã ghi", "show_alert": True}
        await visit.town.bot.call("answerCallbackQuery", fields)

    pressed, _ = await asyncio.gather(
        visit.post(f"chat/{RESIDENT}/bot/press", {"message": told["message_id"], "button": "yes"}), answer()
    )
    assert pressed == {"text": "Đã ghi", "alert": True, "url": ""}
    opened = await visit.post(f"chat/{RESIDENT}/bot/press", {"message": told["message_id"], "button": "Xem"})
    assert opened == {"url": "https://t.me/x"}
    gone = await visit.post(f"chat/{RESIDENT}/bot/press", {"message": told["message_id"], "button": "no"}, status=400)
    assert gone["error"]


async def test_who_has_blocked_the_bot_says_nothing_until_they_take_it_back(visit: Visit) -> None:
    refused = await visit.post(f"chat/{BLOCKED}/bot/write", {"text": "a"}, status=400)
    assert "chặn" in refused["error"]
    await visit.post(f"chat/{BLOCKED}/bot/block", {"blocked": False})
    await visit.post(f"chat/{BLOCKED}/bot/write", {"text": "a"})
    assert (await visit.get(f"chat/{BLOCKED}/bot"))["blocked"] is False


async def test_the_clock_goes_forward_only(visit: Visit) -> None:
    clock = await visit.post("clock", {"minutes": 60})
    assert clock["now"] == visit.page.machine.now().timestamp()
    assert visit.page.machine.clock.local(visit.page.machine.now()).hour == 13
    await visit.post("clock", {"hour": "07:00"})
    local = visit.page.machine.clock.local(visit.page.machine.now())
    assert (local.day, local.hour) == (24, 7)
    for wrong in ({"minutes": -1}, {"minutes": 0}, {"minutes": 1e12}, {"hour": "25:00"}, {"minutes": "x"}, {}):
        await visit.post("clock", wrong, status=400)
    assert visit.page.machine.clock.local(visit.page.machine.now()) == local


async def test_another_site_may_not_act(visit: Visit) -> None:
    address = f"chat/{HEAD}/bot/write"
    await visit.post(address, {"text": "a"}, status=403, Origin="https://elsewhere.example")
    await visit.post(address, {"text": "a"}, status=403, **{"Sec-Fetch-Site": "cross-site"})
    plain = await visit.client.post(f"/demo/api/{address}", data=b"{}", headers={"Content-Type": "text/plain"})
    assert plain.status == 415
    assert visit.town.people[HEAD].user.chat(visit.town.bot).messages == []


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("chat/1/bot/write", {"text": "a"}),
        ("chat/x/bot/write", {"text": "a"}),
        (f"chat/{HEAD}/-5/write", {"text": "a"}),
        (f"chat/{HEAD}/bot/write", {"text": "  "}),
        (f"chat/{HEAD}/bot/write", {"text": "a" * 5000}),
        (f"chat/{HEAD}/bot/write", {"text": 5}),
        (f"chat/{HEAD}/bot/sample", {"name": "../town.py"}),
        (f"chat/{HEAD}/bot/press", {"message": 99, "button": "a"}),
        (f"chat/{NEWCOMER}/bot/start", {"payload": "a b"}),
    ],
)
async def test_what_cannot_be_done_is_one_sentence(visit: Visit, address: str, body: Json) -> None:
    assert (await visit.post(address, body, status=400))["error"].endswith(".")


async def test_pages_are_told_what_happens_and_later_ones_what_has_happened(visit: Visit) -> None:
    async with visit.client.get("/demo/api/stream") as stream:
        assert stream.content_type == "text/event-stream"
        await visit.says("Mẹo hôm nay", to=RESIDENT)
        seen: list[tuple[str, Json]] = []
        while not any(kind == "message" for kind, _ in seen):
            line = (await stream.content.readline()).decode().rstrip()
            if line.startswith("event: "):
                data = (await stream.content.readline()).decode().removeprefix("data: ")
                seen.append((line.removeprefix("event: "), orjson.loads(data)))
    assert seen[0][0] == "pulse"
    kind, event = seen[-1]
    assert (kind, event["chat"], event["message"]["text"]) == ("message", RESIDENT, "Mẹo hôm nay")
    recent = (await visit.get("state"))["recent"]
    assert [(one["chat"], one["message"]["text"]) for one in recent] == [(RESIDENT, "Mẹo hôm nay")]
