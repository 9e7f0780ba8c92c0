"""GMF groups: made by the OA, refused for anything else, with events in two spellings."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.zalo_oa import GROUPS_PATH, Group, OaUser, ZaloOaSandbox
from tests.sandbox.zalo_oa.conftest import DAY, Client, Now, Receiver


@pytest.fixture
async def admin(sandbox: ZaloOaSandbox) -> OaUser:
    """An administrator of the OA."""
    found = sandbox.add_user("Cán bộ")
    found.oa_admin = True
    found.follow()
    return found


def _asset(sandbox: ZaloOaSandbox) -> str:
    return next(a.id for a in sandbox.groups.assets.values() if not a.group_id)


async def _create(client: Client, *members: OaUser, asset: str | None = None) -> dict[str, Any]:
    return await client.post(
        f"{GROUPS_PATH}/creategroupwithoa",
        group_name="Thôn 12",
        group_description="Loa của thôn",
        asset_id=asset or _asset(client.sandbox),
        member_user_ids=[user.id for user in members],
    )


async def _group(client: Client, *members: OaUser) -> Group:
    data = (await _create(client, *members))["data"]
    return client.sandbox.groups.all[data["group_id"]]


async def _say(client: Client, group: Group | str, text: str = "Loa loa") -> dict[str, Any]:
    id = group if isinstance(group, str) else group.id
    return await client.post(f"{GROUPS_PATH}/message", recipient={"group_id": id}, message={"text": text})


async def _call(client: Client, name: str, group: Group, *users: OaUser, **more: object) -> int:
    people = {"member_user_ids": [user.id for user in users]} if users else {}
    return await client.code(f"{GROUPS_PATH}/{name}", group_id=group.id, **people, **more)


async def test_a_group_is_made_with_its_link(client: Client, sandbox: ZaloOaSandbox, admin: OaUser) -> None:
    data = (await _create(client, admin))["data"]
    assert set(data) == {
        "name", "avatar", "group_id", "group_link", "group_description", "total_member", "status"
    }  # fmt: skip
    assert data["group_link"].startswith("https://zalo.me/g/")
    assert (data["total_member"], data["status"]) == (1, "enabled")


async def test_who_may_be_in_a_new_group(
    client: Client, sandbox: ZaloOaSandbox, admin: OaUser, person: OaUser, now: Now
) -> None:
    stranger = sandbox.add_user("Lạ")
    assert (await _create(client, person))["error"] == -201
    assert (await _create(client, admin, stranger))["error"] == -232
    small = sandbox.groups.add_asset("gmf10")
    crowd = [sandbox.add_user(f"Bé {n}") for n in range(10)]
    for user in crowd:
        user.write("chào")
    assert (await _create(client, admin, *crowd, asset=small.id))["error"] == -210
    assert (await _create(client, admin, *crowd[:9], asset=small.id))["error"] == 0
    now.forward(8 * DAY)
    client.token = sandbox.issue_pair()[0]
    assert (await _create(client, admin, crowd[0]))["error"] == -232
    sandbox.paid_package = False
    assert (await _create(client, admin))["error"] == -224


async def test_a_package_carries_one_group(client: Client, sandbox: ZaloOaSandbox, admin: OaUser) -> None:
    asset = _asset(sandbox)
    group = await _group(client, admin)
    assert await _create(client, admin, asset=asset) == {"error": -238, "message": "asset_id is already used"}
    quota = (await client.post("/v3.0/oa/quota/group", quota_owner="OA", product_type="gmf100"))["data"]
    assert [(a["asset_id"], a["status"], a["used_id"]) for a in quota] == [(asset, "used", group.id)]
    other = sandbox.groups.add_asset()
    other.disabled = True
    assert await _create(client, admin, asset=other.id) == {"error": -238, "message": "asset_id is disabled"}
    assert (await _create(client, admin, asset="unknown"))["error"] == -201


async def test_a_message_reaches_the_group_at_any_hour(
    client: Client, sandbox: ZaloOaSandbox, admin: OaUser, person: OaUser, now: Now
) -> None:
    group = await _group(client, admin, person)
    now.set(2026, 11, 2, 23)
    text = f"Chào [@{person.id}] và [@{group.id}] và [@123]"
    data = (await _say(client, group, text))["data"]
    assert data == {"message_id": group.received[0].id, "group_id": group.id}
    assert group.mentioned(group.received[0]) == [person.id, group.id]
    assert sandbox.journal.sent(group.id)[0].message_id == data["message_id"]
    assert (await _say(client, group, "x" * 2001))["error"] == -210


async def test_a_group_that_is_disabled_deleted_or_somebody_elses(
    client: Client, sandbox: ZaloOaSandbox, admin: OaUser
) -> None:
    group = await _group(client, admin)
    group.asset.disabled = True
    assert (await _say(client, group))["error"] == -237
    fresh = sandbox.groups.add_asset()
    assert await _call(client, "updateasset", group, asset_id=fresh.id) == 0
    assert (await _say(client, group))["error"] == 0
    group.disabled = True
    assert (await _say(client, group))["error"] == -237
    group.disabled, group.without_oa = False, True
    assert await _say(client, group) == {"error": -403, "message": "OA is not in group"}
    group.without_oa = False
    assert await _call(client, "delete", group) == 0
    assert (await _say(client, group))["error"] == -403
    assert (await _say(client, "an-ordinary-group"))["error"] == -403
    assert fresh.group_id == ""


async def test_groups_and_members_are_listed(
    client: Client, sandbox: ZaloOaSandbox, admin: OaUser, person: OaUser
) -> None:
    group = await _group(client, admin, person)
    listed = (await client.get(f"{GROUPS_PATH}/getgroupsofoa", offset=0, count=5))["data"]
    assert [g["group_id"] for g in listed["groups"]] == [group.id]
    shown = (await client.get(f"{GROUPS_PATH}/getgroup", group_id=group.id))["data"]
    assert (shown["group_info"]["total_member"], shown["group_info"]["max_member"]) == (2, 100)
    assert shown["asset_info"]["asset_type"] == "gmf100"
    members = (await client.get(f"{GROUPS_PATH}/listmember", group_id=group.id, offset=1, count=5))["data"]
    assert (members["total"], [m["user_id"] for m in members["members"]]) == (2, [person.id])
    assert (await client.get(f"{GROUPS_PATH}/listmember", group_id=group.id, count="x"))["error"] == -201


async def test_members_come_and_go(client: Client, sandbox: ZaloOaSandbox, admin: OaUser, person: OaUser) -> None:
    group = await _group(client, admin)
    assert await _call(client, "invite", group, sandbox.add_user("Lạ")) == -232
    assert await _call(client, "addadmins", group, person) == -201
    assert await _call(client, "invite", group, person) == 0
    assert await _call(client, "addadmins", group, person) == 0
    assert group.admins == {admin.id, person.id}
    assert await _call(client, "removeadmins", group, person) == 0
    assert await _call(client, "removemembers", group, person) == 0
    assert list(group.members) == [admin.id]


async def test_requests_wait_where_an_administrator_must_agree(
    client: Client, sandbox: ZaloOaSandbox, admin: OaUser, person: OaUser
) -> None:
    group = await _group(client, admin)
    assert await _call(client, "updateinfo", group, join_appr=True, group_name="Thôn 13") == 0
    assert group.name == "Thôn 13"
    assert not sandbox.groups.join(group, person)
    pending = (await client.get(f"{GROUPS_PATH}/listpendinginvite", group_id=group.id))["data"]
    assert [m["user_id"] for m in pending["members"]] == [person.id]
    assert await _call(client, "rejectpendinginvite", group, person) == 0
    assert await _call(client, "acceptpendinginvite", group, person) == -201
    sandbox.groups.join(group, person)
    assert await _call(client, "acceptpendinginvite", group, person) == 0
    assert person.id in group.members


@pytest.mark.parametrize(
    ("other", "out", "accept"),
    [
        (False, "user_out_group", "accept_request_join_group"),
        (True, "user_leave_group", "react_request_join_group_accept"),
    ],
)
async def test_events_of_a_group(
    client: Client,
    sandbox: ZaloOaSandbox,
    receiver: Receiver,
    admin: OaUser,
    person: OaUser,
    other: bool,
    out: str,
    accept: str,
) -> None:
    sandbox.groups.other_spelling = other
    await sandbox.settled()
    receiver.taken.clear()
    group = await _group(client, admin)
    sandbox.groups.join(group, person)
    before = person.last_interaction
    id = sandbox.groups.write(group, person, "Chào thôn")
    await _say(client, group)
    sandbox.groups.leave(group, person)
    group.settings["join_appr"] = True
    sandbox.groups.join(group, person)
    await _call(client, "acceptpendinginvite", group, person)
    await _call(client, "delete", group)
    await sandbox.settled()
    assert receiver.names == [
        "create_group", "user_join_group", "user_send_group_text", "oa_send_group_text", out,
        "user_request_join_group", accept, "user_join_group", "delete_group",
    ]  # fmt: skip
    joined, text = receiver.events[1:3]
    assert (joined["group_id"], joined["users"]) == (group.id, [{"id": person.id}])
    assert (text["sender"], text["recipient"]) == ({"id": person.id}, {"id": group.id})
    assert text["message"] == {"msg_id": id, "text": "Chào thôn"}
    assert all(receiver.signed(sandbox, t) for t in receiver.taken)
    assert person.last_interaction == before
    with pytest.raises(LookupError):
        sandbox.groups.write(group, sandbox.add_user("Lạ"), "x")


async def test_the_conversation_of_a_group(client: Client, sandbox: ZaloOaSandbox, admin: OaUser) -> None:
    group = await _group(client, admin)
    sandbox.groups.write(group, admin, "một")
    await _say(client, group, "hai")
    lines = (await client.get(f"{GROUPS_PATH}/conversation", group_id=group.id, offset=0, count=5))["data"]
    assert [(e["src"], e["message"]) for e in lines] == [(0, "hai"), (1, "một")]
