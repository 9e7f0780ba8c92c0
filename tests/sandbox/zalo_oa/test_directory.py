"""Lists and details of people, tags, conversations, quotas, the OA itself."""

from __future__ import annotations

import pytest

from bot.sandbox.zalo_oa import OaUser, ZaloOaSandbox
from tests.sandbox.zalo_oa.conftest import DAY, HOUR, Client, Now

LIST, DETAIL = "/v3.0/oa/user/getlist", "/v3.0/oa/user/detail"
TAG, UNTAG, DROP = (f"/v2.0/oa/tag/{name}" for name in ("tagfollower", "rmfollowerfromtag", "rmtag"))


async def test_people_are_listed_in_pages(client: Client, sandbox: ZaloOaSandbox) -> None:
    people = [sandbox.add_user(f"Bé {n}") for n in range(4)]
    for user in people[:3]:
        user.follow()
    found = (await client.ask(LIST, offset=1, count=5))["data"]
    assert found == {
        "total": 3,
        "count": 2,
        "offset": 1,
        "users": [{"user_id": people[1].id}, {"user_id": people[2].id}],
    }


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"offset": 0, "count": 50}, 0),
        ({"offset": 0, "count": 51}, -210),
        ({"offset": 9951, "count": 50}, 0),
        ({"offset": 9952, "count": 1}, -210),
        ({"offset": -1, "count": 1}, -201),
        ({"offset": "0", "count": 1}, -201),
        ({"last_interaction_period": "LAST_WEEK"}, -201),
    ],
)
async def test_limits_of_the_list(client: Client, query: dict[str, object], code: int) -> None:
    assert (await client.ask(LIST, **query))["error"] == code


async def test_the_list_wants_its_one_parameter(client: Client) -> None:
    assert (await client.get(LIST, offset=0, count=5))["error"] == -201


async def test_people_are_filtered(client: Client, sandbox: ZaloOaSandbox, now: Now) -> None:
    old, yesterday, today = (sandbox.add_user(name) for name in ("Cũ", "Hôm qua", "Hôm nay"))
    now.set(2026, 10, 20, 12)
    old.follow()
    now.set(2026, 11, 1, 12)
    yesterday.write("chào")
    now.set(2026, 11, 2, 12)
    today.follow()
    client.token = sandbox.issue_pair()[0]
    await client.post(TAG, user_id=today.id, tag_name="Xã A")

    async def listed(**query: object) -> list[str]:
        data = (await client.ask(LIST, **query))["data"]
        return [sandbox.users[u["user_id"]].name for u in data["users"]]

    assert await listed(last_interaction_period="TODAY") == ["Hôm nay"]
    assert await listed(last_interaction_period="YESTERDAY") == ["Hôm qua"]
    assert await listed(last_interaction_period="L7D") == ["Hôm qua", "Hôm nay"]
    assert await listed(last_interaction_period="L30D") == ["Cũ", "Hôm qua", "Hôm nay"]
    assert await listed(last_interaction_period="2026_10_01:2026_10_31") == ["Cũ"]
    assert await listed(is_follower="true") == ["Cũ", "Hôm nay"]
    assert await listed(is_follower="false") == ["Hôm qua"]
    assert await listed(tag_name="Xã A") == ["Hôm nay"]


async def test_details(client: Client, sandbox: ZaloOaSandbox, person: OaUser) -> None:
    person.submit_info(phone="84911111111", city="Quảng Trị")
    await client.post(TAG, user_id=person.id, tag_name="Xã A")
    data = (await client.ask(DETAIL, user_id=person.id))["data"]
    assert data["display_name"] == "Bé Hai"
    assert data["user_is_follower"] is True
    assert data["user_last_interaction_date"] == "02/11/2026"
    assert data["tags_and_notes_info"] == {"notes": [], "tag_names": ["Xã A"]}
    assert data["shared_info"]["phone"] == "84911111111"
    assert (await client.ask(DETAIL, user_id="1"))["error"] == -201
    assert (await client.ask(DETAIL, user_id=sandbox.add_user("Lạ").id))["error"] == -213
    await client.post("/v2.0/oa/deletefollowerinfo", user_id=person.id)
    data = (await client.ask(DETAIL, user_id=person.id))["data"]
    assert (data["shared_info"]["phone"], data["tags_and_notes_info"]["tag_names"]) == ("", [])


async def test_tags(client: Client, sandbox: ZaloOaSandbox, person: OaUser) -> None:
    assert await client.post(TAG, user_id=person.id, tag_name="Xã A") == {"error": 0, "message": "Success"}
    assert await client.code(TAG, user_id=int(person.id), tag_name="Trưởng thôn") == 0
    assert (await client.get("/v2.0/oa/tag/gettagsofoa"))["data"] == ["Xã A", "Trưởng thôn"]
    assert await client.code(UNTAG, user_id=person.id, tag_name="Xã A") == 0
    assert await client.code(UNTAG, user_id=person.id, tag_name="Xã A") == -201
    assert await client.code(DROP, tag_name="Trưởng thôn") == 0
    assert await client.code(DROP, tag_name="Trưởng thôn") == -201
    assert person.shared.tags == []
    person.unfollow()
    assert await client.code(TAG, user_id=person.id, tag_name="Xã A") == -213
    assert await client.code(TAG, user_id="1", tag_name="Xã A") == -201


async def test_a_conversation_tells_what_a_lost_answer_did_not(
    client: Client, sandbox: ZaloOaSandbox, person: OaUser, now: Now
) -> None:
    mine = person.write("chào")
    now.forward(1)
    sent = (await client.cs(person, "Chào bà con"))["data"]["message_id"]
    lines = (await client.ask("/v2.0/oa/conversation", user_id=person.id, offset=0, count=10))["data"]
    assert [(e["src"], e["message"], e["message_id"]) for e in lines] == [
        (0, "Chào bà con", sent),
        (1, "chào", mine),
    ]
    assert lines[0]["time"] == int(now.at * 1000)
    assert (lines[0]["from_id"], lines[0]["to_id"]) == (sandbox.oa_id, person.id)
    assert (await client.ask("/v2.0/oa/conversation", user_id=person.id, count=11))["error"] == -210
    other = sandbox.add_user("Bé Tám")
    now.forward(1)
    other.write("mới nhất")
    recent = (await client.ask("/v2.0/oa/listrecentchat", offset=0, count=10))["data"]
    assert [e["message"] for e in recent] == ["mới nhất", "Chào bà con"]


async def test_the_quota_of_a_person(client: Client, sandbox: ZaloOaSandbox, person: OaUser, now: Now) -> None:
    since = str(int(now.at * 1000))
    data = (await client.post("/v3.0/oa/quota/message", user_id=person.id))["data"]
    assert (data["last_interaction"], data["cs_reply"]) == (since, {"remain": 8, "total": 8})
    now.forward(7 * DAY + 1)
    client.token = sandbox.issue_pair()[0]
    data = (await client.post("/v3.0/oa/quota/message", user_id=person.id))["data"]
    assert (data["last_interaction"], data["cs_reply"]) == (since, {"remain": 0, "total": 0})
    assert await client.code("/v3.0/oa/quota/message", user_id="1") == -201


async def test_the_quota_of_the_oa(client: Client, sandbox: ZaloOaSandbox, person: OaUser, now: Now) -> None:
    now.forward(49 * HOUR)
    client.token = sandbox.issue_pair()[0]
    await client.cs(person)
    asked = {"quota_owner": "OA", "product_type": "cs", "quota_type": "sub_quota"}
    (asset,) = (await client.post("/v3.0/oa/quota/message", **asked))["data"]
    assert (asset["total"], asset["remain"]) == (500, 499)
    assert (await client.post("/v3.0/oa/quota/message", **(asked | {"quota_type": "reward_quota"})))["data"] == []
    assert await client.code("/v3.0/oa/quota/message", **(asked | {"quota_type": "gift"})) == -201
    assert await client.code("/v3.0/oa/quota/message") == -201


async def test_the_oa_tells_about_itself(client: Client, sandbox: ZaloOaSandbox, person: OaUser) -> None:
    data = (await client.get("/v2.0/oa/getoa"))["data"]
    assert (data["oaid"], data["oa_type"], data["num_follower"]) == (sandbox.oa_id, 4, 1)
    assert data["is_verified"] is True
    assert data["package_valid_through_date"]
    sandbox.paid_package = False
    assert (await client.get("/v2.0/oa/getoa"))["data"]["package_valid_through_date"] == ""
