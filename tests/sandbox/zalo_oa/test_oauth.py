"""OAuth v4: codes and refresh tokens that work once, and failures that come with status 200."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from bot.sandbox.zalo_oa import PERMISSION_PATH, TOKEN_PATH, ZaloOaSandbox, challenge_of
from tests.sandbox.zalo_oa.conftest import DAY, Client, Now

VERIFIER = "v" * 43


async def _consent(client: Client, **query: str) -> str:
    """Where the permission page sends the administrator."""
    sandbox = client.sandbox
    query = {"app_id": sandbox.app_id, "redirect_uri": sandbox.redirect_uri, "state": "s1"} | query
    url = sandbox.url + PERMISSION_PATH
    async with client.session.get(url, params=query, allow_redirects=False) as answer:
        assert answer.status == 302
        return answer.headers["Location"]


async def _code(client: Client, **query: str) -> str:
    return parse_qs(urlsplit(await _consent(client, **query)).query)["code"][0]


async def _token(client: Client, secret: str | None = None, **form: str) -> dict[str, Any]:
    form = {"app_id": client.sandbox.app_id} | form
    headers = {"secret_key": client.sandbox.app_secret if secret is None else secret}
    return await client.request("POST", TOKEN_PATH, data=form, headers=headers)


async def _exchange(client: Client, code: str, verifier: str = "", **more: str) -> dict[str, Any]:
    return await _token(client, code=code, code_verifier=verifier, grant_type="authorization_code", **more)


async def _refresh(client: Client, token: str, **more: str) -> dict[str, Any]:
    return await _token(client, refresh_token=token, grant_type="refresh_token", **more)


def _failed(body: dict[str, Any]) -> int:
    assert set(body) == {"error_name", "error_reason", "ref_doc", "error_description", "error"}
    return int(body["error"])


async def test_a_consent_comes_back_with_a_code_the_oa_and_the_state(client: Client, sandbox: ZaloOaSandbox) -> None:
    place = urlsplit(await _consent(client))
    assert f"{place.scheme}://{place.netloc}{place.path}" == sandbox.redirect_uri
    query = parse_qs(place.query)
    assert query["oa_id"] == [sandbox.oa_id]
    assert query["state"] == ["s1"]
    assert query["code"]


@pytest.mark.parametrize(
    ("wrong", "code"), [({"app_id": "1"}, -14002), ({"redirect_uri": "https://elsewhere.vn/"}, -14003)]
)
async def test_a_wrong_link_is_not_redirected(client: Client, wrong: dict[str, str], code: int) -> None:
    query = {"app_id": client.sandbox.app_id, "redirect_uri": client.sandbox.redirect_uri} | wrong
    assert _failed(await client.request("GET", PERMISSION_PATH, params=query)) == code


async def test_an_administrator_may_refuse(client: Client, sandbox: ZaloOaSandbox) -> None:
    sandbox.oauth.refuse_consent = True
    assert "code" not in parse_qs(urlsplit(await _consent(client)).query)


async def test_a_code_gives_a_pair_once(client: Client) -> None:
    code = await _code(client)
    pair = await _exchange(client, code)
    assert set(pair) == {"access_token", "refresh_token", "expires_in"}
    assert pair["expires_in"] == "90000"
    _failed(await _exchange(client, code))


async def test_a_code_is_good_for_ten_minutes(client: Client, now: Now) -> None:
    code, late = await _code(client), await _code(client)
    now.forward(599)
    assert "access_token" in await _exchange(client, code)
    now.forward(1)
    _failed(await _exchange(client, late))


async def test_a_code_of_a_challenge_needs_its_verifier(client: Client, sandbox: ZaloOaSandbox) -> None:
    challenge = challenge_of(VERIFIER)
    assert "access_token" in await _exchange(client, await _code(client, code_challenge=challenge), VERIFIER)
    _failed(await _exchange(client, await _code(client, code_challenge=challenge), "w" * 43))
    sandbox.oauth.code_challenge = challenge
    _failed(await _exchange(client, await _code(client)))
    assert "access_token" in await _exchange(client, await _code(client), VERIFIER)


async def test_a_refresh_token_rotates_and_works_once(client: Client, sandbox: ZaloOaSandbox) -> None:
    access, refresh = sandbox.issue_pair()
    pair = await _refresh(client, refresh)
    assert pair["refresh_token"] != refresh
    assert sandbox.oauth.judge(access) == -220
    assert sandbox.oauth.judge(pair["access_token"]) == 0
    assert _failed(await _refresh(client, refresh)) == -14014
    assert "access_token" in await _refresh(client, pair["refresh_token"])


async def test_a_refresh_token_lives_three_months(client: Client, sandbox: ZaloOaSandbox, now: Now) -> None:
    refresh = sandbox.issue_pair()[1]
    now.forward(90 * DAY)
    _failed(await _refresh(client, refresh))


async def test_a_wrong_secret_app_form_or_grant_costs_no_token(client: Client, sandbox: ZaloOaSandbox) -> None:
    refresh = sandbox.issue_pair()[1]
    _failed(await _token(client, "wrong", refresh_token=refresh, grant_type="refresh_token"))
    assert _failed(await _refresh(client, refresh, app_id="1")) == -14002
    _failed(await _token(client, refresh_token=refresh, grant_type="password"))
    body = {"app_id": sandbox.app_id, "refresh_token": refresh, "grant_type": "refresh_token"}
    headers = {"secret_key": sandbox.app_secret}
    _failed(await client.request("POST", TOKEN_PATH, json=body, headers=headers))
    assert "access_token" in await _refresh(client, refresh)


async def test_an_access_token_lives_twenty_five_hours(client: Client, sandbox: ZaloOaSandbox, now: Now) -> None:
    now.forward(89_999)
    assert sandbox.oauth.judge(client.token) == 0
    now.forward(1)
    assert sandbox.oauth.judge(client.token) == -220


async def test_everything_can_be_expired_or_revoked(client: Client, sandbox: ZaloOaSandbox) -> None:
    access, refresh = sandbox.issue_pair()
    sandbox.oauth.expire_access()
    assert sandbox.oauth.judge(access) == -220
    assert "access_token" in await _refresh(client, refresh)
    refresh, code = sandbox.issue_pair()[1], await _code(client)
    sandbox.oauth.revoke()
    _failed(await _refresh(client, refresh))
    _failed(await _exchange(client, code))


async def test_an_answer_lost_after_rotating_costs_the_grant(client: Client, sandbox: ZaloOaSandbox) -> None:
    refresh = sandbox.issue_pair()[1]
    sandbox.faults.reset_after(path=TOKEN_PATH)
    with pytest.raises(aiohttp.ClientError):
        await _refresh(client, refresh)
    assert sandbox.journal.calls[-1].lost
    assert sandbox.oauth.issued == 3
    _failed(await _refresh(client, refresh))


async def test_an_outage_of_the_oauth_host_costs_nothing(client: Client, sandbox: ZaloOaSandbox) -> None:
    refresh = sandbox.issue_pair()[1]
    sandbox.faults.html(503, path=TOKEN_PATH)
    form = {"app_id": sandbox.app_id, "refresh_token": refresh, "grant_type": "refresh_token"}
    async with client.session.post(sandbox.url + TOKEN_PATH, data=form) as answer:
        assert (answer.status, answer.content_type) == (503, "text/html")
    sandbox.faults.reset_before(path=TOKEN_PATH)
    with pytest.raises(aiohttp.ClientError):
        await _refresh(client, refresh)
    assert "access_token" in await _refresh(client, refresh)


async def test_a_refusal_on_demand_has_the_shape_of_oauth(client: Client, sandbox: ZaloOaSandbox) -> None:
    refresh = sandbox.issue_pair()[1]
    sandbox.faults.error(-32, path=TOKEN_PATH)
    assert _failed(await _refresh(client, refresh)) == -32
    assert "access_token" in await _refresh(client, refresh)
    assert sandbox.journal.count(TOKEN_PATH) == 1
