"""Articles and broadcasts, reactions, templates."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.zalo_oa import OaUser, Profile, ZaloOaSandbox
from tests.sandbox.zalo_oa.conftest import Client, Now

ARTICLE: dict[str, Any] = {
    "type": "normal",
    "title": "Mẹo số 1",
    "author": "Loa Số",
    "description": "Giữ mật khẩu",
    "cover": {"cover_type": "photo", "photo_url": "https://example.vn/a.jpg", "status": "show"},
    "body": [{"type": "text", "content": "Không đưa mã OTP cho ai."}],
    "status": "show",
}


async def _article(client: Client, **changes: object) -> str:
    token = (await client.post("/v2.0/article/create", **(ARTICLE | changes)))["data"]["token"]
    return str((await client.post("/v2.0/article/verify", token=token))["data"]["id"])


async def _broadcast(
    client: Client, id: str, target: object = None, kind: str = "article", template: str = "media"
) -> dict[str, Any]:
    payload = {"template_type": template, "elements": [{"media_type": kind, "attachment_id": id}]}
    message = {"attachment": {"type": "template", "payload": payload}}
    return await client.post("/v2.0/oa/message", recipient={"target": target or {}}, message=message)


async def test_an_article_has_its_id_once_it_is_ready(client: Client, sandbox: ZaloOaSandbox) -> None:
    sandbox.articles.ready_after = 3
    token = (await client.post("/v2.0/article/create", **ARTICLE))["data"]["token"]
    assert [await client.code("/v2.0/article/verify", token=token) for _ in range(3)] == [-214, -214, 0]
    assert await client.code("/v2.0/article/verify", token="unknown") == -201


async def test_an_article_may_be_finished_on_demand(client: Client, sandbox: ZaloOaSandbox) -> None:
    sandbox.articles.ready_after = None
    token = (await client.post("/v2.0/article/create", **ARTICLE))["data"]["token"]
    assert (await _broadcast(client, token))["error"] == -214
    assert await client.code("/v2.0/article/verify", token=token) == -214
    sandbox.articles.finish(token)
    assert await client.code("/v2.0/article/verify", token=token) == 0
    assert (await _broadcast(client, token))["error"] == -201


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": "x" * 151}, -210),
        ({"author": "x" * 51}, -210),
        ({"description": "x" * 301}, -210),
        ({"title": ""}, -201),
        ({"type": "poem"}, -201),
        ({"cover": None}, -201),
        ({"body": []}, -201),
    ],
)
async def test_articles_that_are_refused(client: Client, change: dict[str, Any], code: int) -> None:
    assert await client.code("/v2.0/article/create", **(ARTICLE | change)) == code


async def test_articles_may_run_out(client: Client, sandbox: ZaloOaSandbox) -> None:
    sandbox.limits.articles = 1
    assert [await client.code("/v2.0/article/create", **ARTICLE) for _ in range(2)] == [0, -223]


async def test_articles_are_listed_ten_at_most(client: Client) -> None:
    for n in range(3):
        await _article(client, title=f"Mẹo {n}")
    found = (await client.get("/v2.0/article/getslice", offset=1, limit=10, type="normal"))["data"]
    assert ([m["title"] for m in found["medias"]], found["total"]) == (["Mẹo 1", "Mẹo 0"], 3)
    assert (await client.get("/v2.0/article/getslice", limit=11, type="normal"))["error"] == -201
    assert (await client.get("/v2.0/article/getslice"))["message"] == "type accept only 2 value normal and video."


async def test_a_broadcast_reaches_followers_without_any_window(
    client: Client, sandbox: ZaloOaSandbox, person: OaUser, now: Now
) -> None:
    stranger, refuser = sandbox.add_user("Lạ"), sandbox.add_user("Từ chối")
    stranger.write("chào")
    refuser.follow()
    refuser.restrict()
    id = await _article(client)
    now.set(2026, 11, 28, 10)
    client.token = sandbox.issue_pair()[0]
    sent = (await _broadcast(client, id))["data"]["message_id"]
    assert [(m.id, m.kind, m.origin, m.text) for m in person.received] == [(sent, "article", "broadcast", "Mẹo số 1")]
    assert stranger.received == refuser.received == []
    assert sandbox.broadcasts.all[0].user_ids == (person.id,)
    assert not person.reads()


@pytest.mark.parametrize("target", [{"cities": "4,5", "gender": "0"}, {"cities": [4, 5], "gender": [0]}])
async def test_a_target_is_written_in_either_form(client: Client, sandbox: ZaloOaSandbox, target: object) -> None:
    near, far, unknown = (
        sandbox.add_user(name, profile)
        for name, profile in (("Gần", Profile(cities=4, gender=0)), ("Xa", Profile(cities=9)), ("Ẩn", None))
    )
    for user in (near, far, unknown):
        user.follow()
    assert (await _broadcast(client, await _article(client), target))["error"] == 0
    assert [len(u.received) for u in (near, far, unknown)] == [1, 0, 1]


@pytest.mark.parametrize(
    "target", [{"ages": "8"}, {"village": "1"}, {"gender": "x"}, {"cities": 4}, {"tag_name": "Xã A"}, "all"]
)
async def test_a_target_of_no_such_kind(client: Client, target: object) -> None:
    assert (await _broadcast(client, await _article(client), target))["error"] == -201


async def test_only_known_articles_are_broadcast(client: Client) -> None:
    id = await _article(client)
    assert (await _broadcast(client, "unknown"))["error"] == -201
    assert (await _broadcast(client, id, kind="image"))["error"] == -233
    assert (await _broadcast(client, id, template="list"))["error"] == -233
    text = await client.post("/v2.0/oa/message", recipient={"target": {}}, message={"text": "x"})
    assert text["error"] == -201


@pytest.mark.parametrize(
    ("hour", "minute", "code"), [(5, 59, -234), (6, 0, 0), (21, 59, 0), (22, 0, -234), (0, 0, -234)]
)
async def test_no_broadcast_at_night(
    client: Client, sandbox: ZaloOaSandbox, now: Now, hour: int, minute: int, code: int
) -> None:
    id = await _article(client)
    now.set(2026, 11, 3, hour, minute, 30)
    client.token = sandbox.issue_pair()[0]
    assert (await _broadcast(client, id))["error"] == code


async def test_the_month_has_so_many_broadcasts(client: Client, sandbox: ZaloOaSandbox, now: Now) -> None:
    sandbox.limits.broadcasts = 2
    id = await _article(client)
    assert [(await _broadcast(client, id))["error"] for _ in range(3)] == [0, 0, -211]
    now.set(2026, 12, 1, 7)
    client.token = sandbox.issue_pair()[0]
    assert (await _broadcast(client, id))["error"] == 0


async def test_version_two_sends_nothing_else(client: Client, person: OaUser) -> None:
    body = {"recipient": {"user_id": person.id}, "message": {"text": "x"}}
    assert await client.code("/v2.0/oa/message", **body) == -240


async def test_reactions(client: Client, sandbox: ZaloOaSandbox, person: OaUser) -> None:
    sandbox.limits.reactions = 2
    id = person.write("cảm ơn")

    async def react(icon: str, message_id: str = id) -> int:
        action = {"react_icon": icon, "react_message_id": message_id}
        return await client.code("/v2.0/oa/message", recipient={"user_id": person.id}, sender_action=action)

    assert [await react(icon) for icon in ("/-heart", "/-strong", ":>")] == [0, 0, -210]
    assert sandbox.reactions[id] == ["/-heart", "/-strong"]
    assert [await react("/-remove"), await react("🙂"), await react(":o", "unknown")] == [0, -201, -201]
    assert sandbox.reactions[id] == []


async def test_templates_are_refused_as_documented(client: Client, sandbox: ZaloOaSandbox, person: OaUser) -> None:
    uid, phone = "/v3.0/oa/message/template", "/message/template"
    by_user = {"user_id": person.id, "template_id": "1", "template_data": {}}
    by_phone = {"phone": "84987654321", "template_id": "1", "template_data": {}}
    assert await client.code(uid, **by_user) == -320
    sandbox.templates.refusal = -321
    assert await client.code(phone, **by_phone) == -321
    assert await client.code(uid, template_id="1") == -201
    client.token = "nonsense"
    assert await client.post(phone, **by_phone) == {"error": -124, "message": "Access token invalid"}
    assert await client.code(uid, **by_user) == -216
