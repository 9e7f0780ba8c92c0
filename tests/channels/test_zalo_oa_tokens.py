"""Tokens: renewed in time, by one at a time, stored before they are used, and never lost in silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.channels.zalo_http import ZaloHttp
from bot.channels.zalo_oa_consent import check_state, code_challenge, code_verifier, consent_url, make_state
from bot.channels.zalo_oa_tokens import TokenKeeper
from bot.core.errors import AccountStopped, NotSent, SendError, SlowDown
from bot.core.events import Outbound
from bot.core.grants import Grant, MemoryGrants, seed_grant
from bot.db import Database
from bot.db.grants import DatabaseGrants
from bot.sandbox.zalo_oa import CS_PATH, TOKEN_PATH, challenge_of
from tests.channels.conftest import Inbox, until
from tests.channels.zalo_oa_fixtures import KEY, NOON, Oa, official_account


class Away(MemoryGrants):
    """A store that can be away. `lied` counts tokens that somebody could have used before they were stored."""

    down = False

    async def read(self) -> Grant | None:
        self._ask()
        return await super().read()

    async def replace(self, grant: Grant, *, instead_of: Grant | None = None) -> None:
        self._ask()
        await super().replace(grant, instead_of=instead_of)

    async def give_turn_back(self, owner: str) -> None:
        self._ask()
        await super().give_turn_back(owner)

    def _ask(self) -> None:
        if self.down:
            raise ConnectionError("the database is away")


@pytest.fixture
async def oa() -> AsyncIterator[Oa]:
    async with official_account(Away()) as found:
        yield found


@pytest.fixture
async def http() -> AsyncIterator[ZaloHttp]:
    found = ZaloHttp(read_seconds=0.3)
    yield found
    await found.close()


@pytest.fixture
def keeper(oa: Oa, http: ZaloHttp) -> TokenKeeper:
    return new_keeper(oa, http)


def new_keeper(oa: Oa, http: ZaloHttp, **more: float) -> TokenKeeper:
    options = {"read_seconds": 0.1, "patience": 0.05, "look_seconds": 0.002, "calm": 0.0, **more}
    zalo = oa.zalo
    return TokenKeeper(http, zalo.url, zalo.app_id, zalo.app_secret, oa.store, oa.hands, **options)


def works(oa: Oa, token: str) -> bool:
    return oa.zalo.oauth.judge(token) == 0


async def test_a_young_token_is_used_as_it_is(oa: Oa, keeper: TokenKeeper) -> None:
    grant = await oa.grant()
    oa.hands.pass_by(hours=12, minutes=29)
    assert await keeper.access_token() == grant.access_token
    assert list(oa.zalo.journal.calls) == []


async def test_at_half_its_life_it_is_renewed_once_for_all_who_wait(oa: Oa, keeper: TokenKeeper) -> None:
    await oa.grant()
    oa.hands.pass_by(hours=12, minutes=31)
    tokens = await asyncio.gather(*(keeper.access_token() for _ in range(20)))
    assert len(set(tokens)) == 1
    assert works(oa, tokens[0])
    assert oa.zalo.journal.count(TOKEN_PATH) == 1
    stored = await oa.store.read()
    assert stored is not None
    assert stored.expires_at == oa.hands.now + timedelta(hours=25)


async def test_how_long_it_lives_is_read(oa: Oa, keeper: TokenKeeper) -> None:
    oa.zalo.limits.access_life = 3600
    await oa.grant()
    oa.hands.pass_by(minutes=31)
    await keeper.access_token()
    stored = await oa.store.read()
    assert stored is not None
    assert stored.expires_at == oa.hands.now + timedelta(hours=1)


async def test_without_consent_there_is_no_token(keeper: TokenKeeper) -> None:
    with pytest.raises(AccountStopped, match="loaso zalo connect"):
        await keeper.access_token()


async def test_a_refused_token_is_renewed_once_for_all_who_were_refused(oa: Oa, keeper: TokenKeeper) -> None:
    grant = await oa.grant()
    oa.zalo.oauth.expire_access()
    tokens = await asyncio.gather(*(keeper.refuse(grant.access_token) for _ in range(20)))
    assert len(set(tokens)) == 1
    assert works(oa, tokens[0])
    assert oa.zalo.oauth.issued == 2
    assert await keeper.refuse(grant.access_token) == tokens[0]  # somebody was slow to notice
    assert oa.zalo.oauth.issued == 2


async def test_the_next_refresh_token_is_used_next(oa: Oa, keeper: TokenKeeper) -> None:
    await oa.grant()
    for _ in range(3):
        oa.hands.pass_by(hours=13)
        assert works(oa, await keeper.access_token())
    assert oa.zalo.oauth.issued == 4


PASSING = ["500", "503", "garbage", "reset", "busy", "silence"]


@pytest.mark.parametrize("trouble", PASSING)
async def test_a_passing_trouble_leaves_the_old_token_in_use(trouble: str, oa: Oa, keeper: TokenKeeper) -> None:
    grant = await oa.grant()
    oa.hands.pass_by(hours=13)
    disturb(oa, trouble)
    assert await keeper.access_token() == grant.access_token
    assert await oa.store.lost() is None
    token = await keeper.access_token()
    assert token != grant.access_token
    assert works(oa, token)


@pytest.mark.parametrize("trouble", PASSING)
async def test_without_an_old_token_a_passing_trouble_sends_nothing(trouble: str, oa: Oa, keeper: TokenKeeper) -> None:
    await oa.grant()
    oa.hands.pass_by(hours=26)
    disturb(oa, trouble)
    with pytest.raises(SlowDown if trouble == "busy" else NotSent):
        await keeper.access_token()
    assert works(oa, await keeper.access_token())


def disturb(oa: Oa, trouble: str) -> None:
    faults = oa.zalo.faults
    match trouble:
        case "garbage":
            faults.html(200, path=TOKEN_PATH)
        case "reset":
            faults.reset_before(path=TOKEN_PATH)
        case "busy":
            faults.error(-32, path=TOKEN_PATH)
        case "silence":
            faults.stall(path=TOKEN_PATH)
        case status:
            faults.html(int(status), path=TOKEN_PATH)


async def test_after_a_trouble_it_is_not_asked_again_at_once(oa: Oa, http: ZaloHttp) -> None:
    grant = await oa.grant()
    oa.hands.pass_by(hours=13)
    keeper = new_keeper(oa, http, calm=60)
    with oa.zalo.faults.html(500, path=TOKEN_PATH, count=None) as fault:
        for _ in range(5):
            assert await keeper.access_token() == grant.access_token
        assert fault.hits == 1


async def test_an_answer_that_was_lost_ends_in_an_alarm(oa: Oa, keeper: TokenKeeper) -> None:
    """The pair was rotated and nobody knows the new one: only a human can help."""
    grant = await oa.grant()
    oa.hands.pass_by(hours=13)
    oa.zalo.faults.reset_after(path=TOKEN_PATH)
    assert await keeper.access_token() == grant.access_token  # nobody can know yet
    with pytest.raises(AccountStopped, match="loaso zalo connect"):
        await keeper.access_token()
    assert await oa.store.lost() is not None
    with pytest.raises(AccountStopped):
        await keeper.access_token()
    assert oa.zalo.journal.count(TOKEN_PATH, -14014) == 1  # what is lost is not asked for again


@pytest.mark.parametrize("reason", ["secret", "application", "revoked"])
async def test_any_refusal_needs_a_human(reason: str, oa: Oa, http: ZaloHttp) -> None:
    await oa.grant()
    oa.hands.pass_by(hours=13)
    if reason == "secret":
        oa.zalo.app_secret = "changed"
    keeper = new_keeper(oa, http)
    if reason == "secret":
        oa.zalo.app_secret = "changed again"
    elif reason == "application":
        oa.zalo.app_id = "999"
    else:
        oa.zalo.oauth.revoke()
    with pytest.raises(AccountStopped, match="loaso zalo connect"):
        await keeper.access_token()
    assert await oa.store.lost() is not None


async def test_a_lost_account_works_again_once_somebody_has_consented(oa: Oa, keeper: TokenKeeper) -> None:
    await oa.grant()
    oa.zalo.oauth.revoke()
    oa.hands.pass_by(hours=13)
    with pytest.raises(AccountStopped):
        await keeper.access_token()
    consented = await oa.grant()
    assert await keeper.access_token() == consented.access_token
    assert await oa.store.lost() is None


async def test_a_pair_that_cannot_be_stored_is_not_used(oa: Oa, keeper: TokenKeeper) -> None:
    store = oa.store
    assert isinstance(store, Away)
    grant = await oa.grant()
    await keeper.access_token()
    oa.zalo.oauth.expire_access()
    oa.zalo.faults.stall(0.01, after=True, path=TOKEN_PATH)
    waiting = asyncio.ensure_future(keeper.refuse(grant.access_token))
    await until(lambda: oa.zalo.oauth.issued == 2)
    store.down = True
    for _ in range(2):
        with pytest.raises(NotSent):
            await waiting if not waiting.done() else await keeper.access_token()
    store.down = False
    await keeper.keep()
    stored = await store.read()
    assert stored is not None
    assert stored.access_token == await keeper.access_token()
    assert works(oa, stored.access_token)
    assert oa.zalo.oauth.issued == 2


async def test_who_is_cancelled_does_not_lose_the_pair(oa: Oa, keeper: TokenKeeper) -> None:
    await oa.grant()
    oa.hands.pass_by(hours=26)
    oa.zalo.faults.stall(0.02, after=True, path=TOKEN_PATH)
    waiting = asyncio.ensure_future(keeper.access_token())
    await until(lambda: oa.zalo.oauth.issued == 2)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await keeper.close()
    stored = await oa.store.read()
    assert stored is not None
    assert works(oa, stored.access_token)


async def test_a_token_that_another_process_renews_is_used_meanwhile(oa: Oa, keeper: TokenKeeper) -> None:
    grant = await oa.grant()
    oa.hands.pass_by(hours=13)
    await oa.store.take_turn("another process", 30)
    assert await keeper.access_token() == grant.access_token
    oa.hands.pass_by(hours=13)
    with pytest.raises(NotSent, match="another process"):
        await keeper.access_token()


@pytest.mark.parametrize("refused", [True, False], ids=["refused", "grown old"])
async def test_two_keepers_on_one_database_renew_once(refused: bool, database: Database, http: ZaloHttp) -> None:
    async with official_account() as oa:
        oa.store = DatabaseGrants(database, "zalo_oa:1")
        grant = await oa.grant()
        first, second = new_keeper(oa, http, patience=5), new_keeper(oa, http, patience=5)
        oa.zalo.faults.stall(0.02, after=True, path=TOKEN_PATH)
        if refused:
            oa.zalo.oauth.expire_access()
            asked = [keeper.refuse(grant.access_token) for keeper in (first, second) for _ in range(5)]
        else:
            oa.hands.pass_by(hours=26)
            asked = [keeper.access_token() for keeper in (first, second) for _ in range(5)]
        tokens = await asyncio.gather(*asked)
        assert len(set(tokens)) == 1
        assert works(oa, tokens[0])
        assert oa.zalo.oauth.issued == 2
        assert oa.zalo.journal.count(TOKEN_PATH, -14014) == 0


async def test_a_keeper_whose_turn_ran_out_does_not_lose_the_account(database: Database, http: ZaloHttp) -> None:
    """It stood still between Zalo's answer and the store; the other one was refused meanwhile and raised the alarm."""
    async with official_account() as oa:
        oa.store = DatabaseGrants(database, "zalo_oa:1")
        old = await oa.grant()
        access, refresh = oa.zalo.issue_pair()
        late = replace(old, access_token=access, refresh_token=refresh)
        oa.zalo.oauth._refresh.pop(old.refresh_token)
        other = new_keeper(oa, http)
        with pytest.raises(AccountStopped):
            await other.refuse(old.access_token)
        await oa.store.replace(late, instead_of=old)
        assert await other.access_token() == access


async def test_consenting(oa: Oa, keeper: TokenKeeper, http: ZaloHttp) -> None:
    channel = oa.connect()
    oa.zalo.redirect_uri = channel.callback
    status, headers, _ = await http.request("GET", channel.consent_address())
    assert status == 302
    query = dict(pair.split("=") for pair in headers["Location"].partition("?")[2].split("&"))
    assert check_state(KEY, query["state"], oa.hands.now)
    with pytest.raises(AccountStopped):
        await keeper.exchange_code(query["code"], "not the verifier")
    _, headers, _ = await http.request("GET", channel.consent_address())
    code = headers["Location"].partition("code=")[2].partition("&")[0]
    await channel.consented(code)
    stored = await oa.store.read()
    assert stored is not None
    assert works(oa, stored.access_token)
    with pytest.raises(AccountStopped):
        await channel.consented(code)
    assert await oa.store.lost() is None  # a code that somebody used twice takes nothing away


def test_the_verifier_is_always_the_same_and_the_challenge_fits() -> None:
    verifier = code_verifier(KEY, "1")
    assert (len(verifier), verifier == code_verifier(KEY, "1")) == (43, True)
    assert verifier not in (code_verifier(KEY, "2"), code_verifier(b"other", "1"))
    assert code_challenge(verifier) == challenge_of(verifier)


def test_a_state_is_ours_for_half_an_hour() -> None:
    state = make_state(KEY, NOON)
    assert check_state(KEY, state, NOON + timedelta(minutes=29))
    assert not check_state(KEY, state, NOON + timedelta(minutes=31))
    assert not check_state(KEY, state, NOON - timedelta(minutes=1))
    assert not check_state(b"other", state, NOON)
    for forged in ("", ".", "..", "é\udcff.x.y", f"1{state}", state[:-1], state.replace(".", "")):
        assert not check_state(KEY, forged, NOON)


def test_the_address_of_the_consent_is_written_properly() -> None:
    address = consent_url("https://oauth.example/", "12", "https://a.vn/zalo/callback?x=1", "c-_", "s.t")
    assert address == (
        "https://oauth.example/v4/oa/permission?app_id=12"
        "&redirect_uri=https%3A%2F%2Fa.vn%2Fzalo%2Fcallback%3Fx%3D1&code_challenge=c-_&state=s.t"
    )


async def test_a_channel_takes_the_configured_pair_and_then_what_is_stored(oa: Oa, inbox: Inbox) -> None:
    pair = oa.pair()
    seed = seed_grant(pair.access_token, pair.refresh_token, oa.hands.now)
    lan = oa.follower()
    await oa.connect(seed=seed).start(inbox)
    oa.hands.pass_by(minutes=31)
    channel = oa.connect(seed=seed)
    await channel.start(inbox)
    await channel.send(Outbound(chat_id=lan.id, text="chào"))
    assert lan.texts == ["chào"]
    stored = await oa.store.read()
    assert stored is not None
    assert stored.refresh_token != seed.refresh_token


async def test_a_channel_renews_while_nobody_writes(oa: Oa, inbox: Inbox) -> None:
    await oa.grant()
    await oa.connect().start(inbox)
    oa.hands.pass_by(hours=13)
    await until(lambda: oa.zalo.oauth.issued == 2)
    oa.hands.pass_by(hours=13)
    await until(lambda: oa.zalo.oauth.issued == 3)


async def test_a_channel_tells_when_consent_is_lost_and_found(oa: Oa, inbox: Inbox) -> None:
    told: list[str] = []

    async def lost(detail: str) -> None:
        told.append(detail)

    async def found(_: str) -> None:
        told.append("found")

    await oa.grant()
    lan = oa.follower()
    channel = oa.connect(on_lost=lost, on_found=found)
    await channel.start(inbox)
    oa.zalo.oauth.revoke()
    oa.hands.pass_by(hours=13)
    await until(lambda: told)
    assert "loaso zalo connect" in told[0]
    health = await channel.check()
    assert (health.ok, "loaso zalo connect" in health.problem) == (False, True)
    await oa.grant()
    await until(lambda: len(told) == 2)
    await channel.send(Outbound(chat_id=lan.id, text="chào"))
    assert (told[1], lan.texts) == ("found", ["chào"])


async def test_a_channel_without_consent_hears_people_and_waits_for_somebody_to_consent(oa: Oa, inbox: Inbox) -> None:
    found: list[str] = []

    async def tell(detail: str) -> None:
        found.append(detail)

    channel = oa.connect(on_found=tell)
    await oa.hook(channel)
    with pytest.raises(AccountStopped):
        await channel.start(inbox)
    lan = oa.follower()
    await inbox.holding(1)
    with pytest.raises(AccountStopped):
        await channel.send(Outbound(chat_id=lan.id, text="a"))
    await oa.grant()
    await until(lambda: found)
    await channel.send(Outbound(chat_id=lan.id, text="a"))


async def test_a_channel_out_of_reach_starts_and_sends_later(oa: Oa, inbox: Inbox) -> None:
    await oa.grant()
    lan = oa.follower()
    oa.hands.pass_by(hours=26)
    await oa.zalo.stop()
    channel = oa.connect()
    await channel.start(inbox)
    with pytest.raises(SendError):
        await channel.send(Outbound(chat_id=lan.id, text="a"))
    await oa.zalo.start()
    await channel.send(Outbound(chat_id=lan.id, text="b"))
    assert lan.texts == ["b"]


async def test_a_token_that_is_refused_for_ever_stops_the_account(oa: Oa) -> None:
    await oa.grant()
    lan = oa.follower()
    oa.zalo.faults.error(-216, "Access token is invalid", path=CS_PATH, count=2)
    with pytest.raises(AccountStopped):
        await oa.connect().send(Outbound(chat_id=lan.id, text="a"))
    assert oa.zalo.oauth.issued == 2
