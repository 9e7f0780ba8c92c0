"""People of the demo who are on Zalo: what they can do on the page, and how the product serves them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

import aiohttp
import pytest

from bot.demo import Demo
from bot.sandbox.page.lines import SAMPLES, Line
from bot.sandbox.zalo_oa import Content, Received
from bot.sandbox.zalo_oa.uploads import Asset
from messages import Phrasebook
from tests.demo.conftest import Json, Visit

OA_NEWCOMER, BOT_NEWCOMER, OA_HEAD = 7003, 7004, 7016
BILLED, SILENT, LINKED, BOT_RESIDENT = 7024, 7025, 7026, 7027
HEAD = 7010
NEWS = "Tối thứ Bảy 19 giờ họp thôn tại nhà văn hóa"


async def until(look: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that the product does in its own time."""
    async with asyncio.timeout(seconds):
        while not look():  # noqa: ASYNC110 - what is looked at lies on both sides of the wire
            await asyncio.sleep(0.01)


def texts(demo: Demo, id: int, place: str = "bot") -> list[str]:
    """What Loa Số has written to somebody."""
    line: Line = demo.page.lines.of[id][place]
    return [message["text"] for message in line.shown()["messages"] if message["bot"]]


async def does(demo: Demo, id: int, errand: str, body: Json, place: str = "bot") -> None:
    address = f"{demo.url}api/chat/{id}/{place}/{errand}"
    async with aiohttp.ClientSession() as session, session.post(address, json=body) as response:
        assert response.status == 200, await response.text()


async def test_people_are_marked_by_where_they_are(visit: Visit) -> None:
    state = await visit.get("state")
    people = {one["id"]: one for one in state["people"]}
    channels = {id: [at["channel"] for at in one["places"]] for id, one in people.items()}
    assert channels[OA_NEWCOMER] == ["zalo_oa"]
    assert channels[BOT_NEWCOMER] == ["zalo_bot"]
    assert channels[LINKED] == ["telegram", "zalo_oa"]
    assert people[LINKED]["places"][1]["chat"] == "7026.zalo_oa"
    assert {name for all_of in channels.values() for name in all_of} == set(state["platforms"])


async def test_each_phone_offers_what_its_application_can_do(visit: Visit) -> None:
    can = {id: (await visit.get(f"chat/{id}/bot"))["can"] for id in (HEAD, OA_HEAD, BOT_RESIDENT)}
    assert "follow" in can[OA_HEAD]
    assert can[BOT_RESIDENT] == ["sample", "write"]
    assert {"edit", "start", "forward"} <= set(can[HEAD])
    refused = await visit.post(f"chat/{BOT_RESIDENT}/bot/press", {"message": 1, "button": "a"}, status=400)
    assert "không làm được" in refused["error"]


async def test_one_follows_and_leaves_the_official_account(visit: Visit) -> None:
    assert (await visit.get(f"chat/{OA_NEWCOMER}/bot"))["following"] is False
    for wanted in (True, False):
        await visit.post(f"chat/{OA_NEWCOMER}/bot/follow", {"following": wanted})
        assert (await visit.get(f"chat/{OA_NEWCOMER}/bot"))["following"] is wanted


@pytest.mark.parametrize("id", [OA_HEAD, BOT_RESIDENT])
@pytest.mark.parametrize(("name", "kind"), [("hop_thon.jpg", "photo"), ("nhac_hieu_loa.ogg", "voice")])
async def test_a_picture_or_sound_goes_by_its_address_and_is_shown(visit: Visit, id: int, name: str, kind: str) -> None:
    visit.page.site.root = str(visit.client.make_url("")).rstrip("/")
    (said,) = (await visit.post(f"chat/{id}/bot/sample", {"name": name}))["messages"]
    assert said["kind"] == kind
    assert said["file"]["url"] == f"/demo/samples/{name}"
    assert (await visit.client.get(said["file"]["url"])).status == 200
    assert (await visit.get(f"chat/{id}/bot"))["messages"][-1] == said
    await visit.post(f"chat/{id}/bot/sample", {"name": "../town.py"}, status=400)


async def test_an_uploaded_picture_is_shown_with_what_it_costs(visit: Visit) -> None:
    world = visit.town.worlds.zalo_oa
    user = visit.town.people[BILLED].zalo_oa
    assert user is not None
    content = (SAMPLES / "hop_thon.jpg").read_bytes()
    world.uploads.assets["a1"] = Asset("image", "hop_thon.jpg", content, world.clock())
    user.take(Received("m1", Content("image", "Mời họp", attachment={}, asset="a1"), world.clock(), billed=True))
    shown = (await visit.get(f"chat/{BILLED}/bot"))["messages"][-1]
    assert (shown["kind"], shown["text"], shown["billed"]) == ("photo", "Mời họp", True)
    served = await visit.client.get(f"/demo/{shown['file']['url']}")
    assert (served.content_type, hash(await served.read())) == ("image/jpeg", hash(content))
    assert (await visit.client.get("/demo/api/file/zalo/a2")).status == 404


async def test_pages_are_told_of_zalo_too(visit: Visit) -> None:
    async with visit.client.get("/demo/api/stream") as stream:
        await stream.content.readline()
        await visit.post(f"chat/{OA_NEWCOMER}/bot/follow", {"following": True})
        await visit.post(f"chat/{BOT_NEWCOMER}/bot/write", {"text": "chào"})
        seen: dict[str, Json] = {}
        while not {"standing", "message"} <= set(seen):
            line = (await stream.content.readline()).decode().rstrip()
            if line.startswith("event: "):
                data = (await stream.content.readline()).decode().removeprefix("data: ")
                seen[line.removeprefix("event: ")] = json.loads(data)
    assert seen["standing"] == {"chat": OA_NEWCOMER, "following": True, "blocked": False}
    assert (seen["message"]["chat"], seen["message"]["message"]["text"]) == (BOT_NEWCOMER, "chào")


async def test_a_quoted_message_stands_above_its_answer(visit: Visit) -> None:
    first = (await visit.post(f"chat/{OA_HEAD}/bot/write", {"text": "chào"}))["messages"][0]
    second = (await visit.post(f"chat/{OA_HEAD}/bot/write", {"text": "ạ", "reply_to": first["id"]}))["messages"][0]
    assert (second["id"], second["reply_to"]) == (first["id"] + 1, {"id": first["id"], "text": "chào"})
    await visit.post(f"chat/{OA_HEAD}/bot/write", {"text": "a" * 2001}, status=400)


async def test_who_blocks_the_account_is_marked_so(visit: Visit) -> None:
    await visit.post(f"chat/{OA_HEAD}/bot/block", {"blocked": True})
    people = {one["id"]: one for one in (await visit.get("state"))["people"]}
    assert people[OA_HEAD]["blocked"]
    await visit.post(f"chat/{OA_HEAD}/bot/block", {"blocked": False})
    assert (await visit.get(f"chat/{OA_HEAD}/bot"))["blocked"] is False


async def test_windows_bills_and_tokens_follow_the_clock(demo: Demo) -> None:
    await _knows_until_when_people_may_be_written_to(demo)
    await _tells_the_village(demo)
    await _catches_up_days_later(demo)
    assert len(_told(demo, LINKED)) == 1


async def _knows_until_when_people_may_be_written_to(demo: Demo) -> None:
    ways = {id: (await demo.know(id))["ways"] for id in (HEAD, OA_HEAD, BILLED, SILENT, LINKED, BOT_RESIDENT)}
    assert [(way["channel"], way["state"]) for way in ways[LINKED]] == [("telegram", "open"), ("zalo_oa", "free")]
    assert [way["preferred"] for way in ways[LINKED]] == [True, False]
    states = {id: ways[id][0]["state"] for id in ways}
    assert (states[HEAD], states[BOT_RESIDENT]) == ("open", "open")
    assert (states[OA_HEAD], states[BILLED], states[SILENT]) == ("free", "paid", "waits")
    assert ways[BILLED][0]["until"] == demo.town.people[BILLED].heard_at + 7 * 24 * 3600  # type: ignore[operator]


async def _tells_the_village(demo: Demo) -> None:
    book = Phrasebook(demo.machine.clock.zone)
    await does(demo, HEAD, "write", {"text": NEWS})
    for label in (
        book.label("vi", "broadcast.button_offer", place="Thôn Hà Lời"),
        book.label("vi", "broadcast.button_go"),
    ):
        await until(lambda label=label: bool(_buttons(demo, HEAD, label)))  # type: ignore[misc]
        await does(demo, HEAD, "press", _buttons(demo, HEAD, label)[-1])
    await until(lambda: bool(_buttons(demo, HEAD, book.label("vi", "broadcast.button_undo"))))
    demo.machine.forward(timedelta(minutes=2))
    await until(lambda: len(_told(demo, BILLED)) > 0)
    assert [m.billed for m in demo.town.people[BILLED].zalo_oa.received] == [True]  # type: ignore[union-attr]
    await until(lambda: len(_told(demo, LINKED)) > 0)
    assert texts(demo, SILENT) == []


async def _catches_up_days_later(demo: Demo) -> None:
    issued = demo.worlds.zalo_oa.oauth.issued
    demo.machine.forward(timedelta(days=2))
    await does(demo, SILENT, "write", {"text": "chào Loa Số"})
    await until(lambda: len(_told(demo, SILENT)) > 0)
    assert demo.worlds.zalo_oa.oauth.issued > issued
    assert (await demo.know(SILENT))["ways"][0]["state"] == "free"


def _told(demo: Demo, id: int) -> list[str]:
    """The news as it has reached somebody, wherever it did."""
    return [text for place in demo.page.lines.of[id] for text in texts(demo, id, place) if NEWS in text]


def _buttons(demo: Demo, id: int, label: str) -> list[Json]:
    """The errands that press the buttons whose label has these words."""
    return [
        {"message": message["id"], "button": button["callback_data"]}
        for message in demo.page.lines.of[id]["bot"].shown()["messages"]
        for row in message.get("markup", {}).get("inline_keyboard", ())
        for button in row
        if label in button["text"]
    ]
