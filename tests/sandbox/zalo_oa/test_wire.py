"""The envelope, tokens, rates, faults and uploads: what every call shares."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from bot.sandbox.zalo_oa import CS_PATH, OaUser, ZaloOaSandbox
from tests.sandbox.zalo_oa.conftest import DAY, Client, Now, Receiver

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
GIF = b"GIF89a" + bytes(100)
JPEG = b"\xff\xd8\xff" + bytes(100)


async def test_the_header_must_be_access_token(client: Client, person: OaUser) -> None:
    body = {"recipient": {"user_id": person.id}, "message": {"text": "x"}}
    for headers in ({}, {"Authorization": f"Bearer {client.token}"}, {"access_token": "nonsense"}):
        answer = await client.request("POST", CS_PATH, json=body, headers=headers)
        assert answer == {"error": -216, "message": "Access token is invalid"}


async def test_a_token_that_was_good_is_told_so(client: Client, sandbox: ZaloOaSandbox, person: OaUser) -> None:
    sandbox.oauth.expire_access()
    assert await client.cs(person) == {"error": -220, "message": "access_token is expired or removed"}
    client.token = sandbox.issue_pair()[0]
    assert await client.cs_code(person) == 0


async def test_an_unknown_path_is_refused_politely(client: Client) -> None:
    assert await client.code("/v3.0/oa/message/everybody") == -209


async def test_the_rate_of_the_app(session: aiohttp.ClientSession, now: Now) -> None:
    ticks = [0.0]
    sandbox = ZaloOaSandbox(clock=now, monotonic=lambda: ticks[0])
    sandbox.limits.per_minute = 3
    await sandbox.start()
    client = Client(sandbox, session, sandbox.issue_pair()[0])
    person = sandbox.add_user("Bé")
    person.follow()
    remain = []
    for _ in range(3):
        assert await client.cs_code(person) == 0
        remain.append((client.headers["X-RateLimit-Limit"], client.headers["X-RateLimit-Remain"]))
    assert remain == [("3", "2"), ("3", "1"), ("3", "0")]
    assert await client.cs(person) == {"error": -32, "message": "Your application reached limit call api"}
    ticks[0] = 60.0
    assert await client.cs_code(person) == 0
    await sandbox.stop()


@pytest.mark.parametrize("after", [False, True])
async def test_a_reset_connection(client: Client, sandbox: ZaloOaSandbox, person: OaUser, after: bool) -> None:
    fault = sandbox.faults.reset_after() if after else sandbox.faults.reset_before()
    with pytest.raises(aiohttp.ClientError):
        await client.cs(person, "mất")
    assert fault.hits == 1
    assert person.texts == (["mất"] if after else [])
    entry = sandbox.journal.calls[-1]
    assert (entry.error, entry.lost) == ((0, True) if after else (None, False))
    assert await client.cs_code(person, "lại") == 0


@pytest.mark.parametrize("after", [False, True])
async def test_a_page_of_html(client: Client, sandbox: ZaloOaSandbox, person: OaUser, after: bool) -> None:
    sandbox.faults.html(502, after=after)
    body = {"recipient": {"user_id": person.id}, "message": {"text": "x"}}
    headers = {"access_token": client.token}
    async with client.session.post(sandbox.url + CS_PATH, json=body, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")
    assert len(person.received) == int(after)


@pytest.mark.parametrize("after", [False, True])
async def test_a_stall_that_the_client_does_not_wait_for(
    client: Client, sandbox: ZaloOaSandbox, person: OaUser, after: bool
) -> None:
    sandbox.faults.stall(after=after)
    with pytest.raises(TimeoutError):
        await client.request(
            "POST",
            CS_PATH,
            json={"recipient": {"user_id": person.id}, "message": {"text": "x"}},
            headers={"access_token": client.token},
            timeout=aiohttp.ClientTimeout(total=0.03),
        )
    while not sandbox.journal.calls or (after and not sandbox.journal.calls[-1].lost):  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    assert len(person.received) == int(after)
    assert sandbox.journal.calls[-1].error == (0 if after else None)


async def test_a_stall_that_ends_in_time(client: Client, sandbox: ZaloOaSandbox, person: OaUser) -> None:
    sandbox.faults.stall(0.01)
    sandbox.faults.stall(0.01, after=True)
    assert [await client.cs_code(person) for _ in range(2)] == [0, 0]
    assert [c.lost for c in sandbox.journal.calls] == [False, False]


async def test_refusals_on_demand_for_some(client: Client, sandbox: ZaloOaSandbox, person: OaUser) -> None:
    other = sandbox.add_user("Bé Bảy")
    other.follow()
    with sandbox.faults.error(-204, path=CS_PATH, user_id=person.id, count=None, skip=1):
        assert [await client.cs_code(who) for who in (person, other, person, person)] == [0, 0, -204, -204]
    assert await client.cs_code(person) == 0
    sandbox.faults.error(-32, "Your OA reached limit call api")
    assert (await client.cs(person))["message"] == "Your OA reached limit call api"
    sandbox.faults.error(-200)
    sandbox.faults.clear()
    assert await client.cs_code(person) == 0


async def test_the_journal_counts(client: Client, sandbox: ZaloOaSandbox, person: OaUser) -> None:
    id = (await client.cs(person))["data"]["message_id"]
    await client.cs(person, "x" * 2001)
    sent = sandbox.journal.sent(person.id)
    assert [(c.path, c.user_id, c.message_id, c.error) for c in sent] == [(CS_PATH, person.id, id, 0)]
    assert sandbox.journal.count(CS_PATH) == 1
    assert sandbox.journal.count(error=-210) == 1
    assert sandbox.journal.refused() == {-210: 1}
    sandbox.journal.clear()
    assert sandbox.journal.refused() == {}


async def test_a_restart_keeps_the_port_and_the_people(client: Client, sandbox: ZaloOaSandbox, person: OaUser) -> None:
    url = sandbox.url
    await sandbox.stop()
    with pytest.raises(aiohttp.ClientError):
        await client.cs(person)
    await sandbox.start()
    assert sandbox.url == url
    assert await client.cs_code(person) == 0


@pytest.mark.parametrize(
    ("kind", "name", "content", "field"),
    [
        ("image", "a.png", PNG, "attachment_id"),
        ("image", "a.jpg", JPEG, "attachment_id"),
        ("gif", "a.gif", GIF, "attachment_id"),
        ("file", "a.pdf", b"%PDF", "token"),
        ("file", "a.DOCX", b"PK", "token"),
        ("file", "a.csv", b"a,b", "token"),
    ],
)
async def test_uploads(client: Client, kind: str, name: str, content: bytes, field: str) -> None:
    assert list((await client.upload(kind, name, content))["data"]) == [field]


@pytest.mark.parametrize(
    ("kind", "name", "content", "code"),
    [
        ("image", "a.png", PNG + bytes(1024 * 1024), -210),
        ("gif", "a.gif", GIF + bytes(5 * 1024 * 1024), -210),
        ("file", "a.pdf", bytes(5 * 1024 * 1024 + 1), -210),
        ("image", "a.png", GIF, -201),
        ("gif", "a.gif", PNG, -201),
        ("file", "a.exe", b"MZ", -201),
        ("image", "a.png", b"", -201),
    ],
)
async def test_uploads_that_are_refused(client: Client, kind: str, name: str, content: bytes, code: int) -> None:
    assert (await client.upload(kind, name, content))["error"] == code


async def test_an_upload_needs_the_field_file_and_a_quota(client: Client, sandbox: ZaloOaSandbox) -> None:
    assert (await client.upload("image", "a.png", PNG, field="image"))["error"] == -201
    sandbox.limits.uploads = 1
    assert [(await client.upload("image", "a.png", PNG))["error"] for _ in range(2)] == [0, -211]


async def test_an_upload_lives_seven_days(client: Client, sandbox: ZaloOaSandbox, person: OaUser, now: Now) -> None:
    image = (await client.upload("image", "a.png", PNG))["data"]["attachment_id"]
    token = (await client.upload("file", "a.pdf", b"%PDF"))["data"]["token"]
    element = {"media_type": "image", "attachment_id": image}
    picture = {"type": "template", "payload": {"template_type": "media", "elements": [element]}}
    file = {"type": "file", "payload": {"token": token}}
    now.forward(7 * DAY)
    client.token = sandbox.issue_pair()[0]
    assert await client.cs_code(person, "", attachment=picture) == 0
    assert await client.cs_code(person, "", attachment=file) == 0
    now.forward(1)
    person.write("còn đây")
    for old in (picture, file):
        assert await client.cs(person, "", attachment=old) == {"error": -100, "message": "attachment_id was expired"}
    element["media_type"] = "gif"
    gif = element | {"width": 1, "height": 1}
    picture["payload"] = {"template_type": "media", "elements": [gif]}
    assert await client.cs_code(person, "", attachment=picture) == -201


async def test_events_of_a_stopped_platform_wait_for_its_start(
    sandbox: ZaloOaSandbox, receiver: Receiver, person: OaUser
) -> None:
    await sandbox.settled()
    await sandbox.stop()
    person.write("chờ")
    assert receiver.names == ["follow"]
    await sandbox.start()
    await sandbox.settled()
    assert receiver.names == ["follow", "user_send_text"]
