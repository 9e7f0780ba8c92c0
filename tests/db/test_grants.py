"""A rotating pair of tokens in the database: one turn at a time, and what was stored wins over the settings."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.grants import Grant, GrantStore, MemoryGrants, seed_grant
from bot.db import Database
from bot.db.grants import DatabaseGrants

ACCOUNT = "zalo_oa:1"
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)


def pair(name: str, now: datetime = NOW) -> Grant:
    return Grant(
        access_token=f"access {name}",
        refresh_token=f"refresh {name}",
        obtained_at=now,
        expires_at=now + timedelta(hours=25),
    )


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def grants(database: Database, hands: Hands) -> DatabaseGrants:
    return DatabaseGrants(database, ACCOUNT, clock=hands)


async def test_what_is_stored_is_read_again(grants: DatabaseGrants) -> None:
    assert (await grants.read(), await grants.lost()) == (None, None)
    await grants.replace(pair("1"))
    assert await grants.read() == pair("1")
    await grants.replace(pair("2"))
    assert await grants.read() == pair("2")


async def test_accounts_do_not_share(grants: DatabaseGrants, database: Database) -> None:
    other = DatabaseGrants(database, "zalo_oa:2")
    await grants.replace(pair("1"))
    await other.replace(pair("other"))
    await other.mark_lost("gone")
    assert (await grants.read(), await grants.lost()) == (pair("1"), None)


async def test_one_has_the_turn_until_it_ends(grants: DatabaseGrants, hands: Hands) -> None:
    assert not await grants.take_turn("a", 30)  # there is nothing to renew
    await grants.replace(pair("1"))
    assert await grants.take_turn("a", 30)
    assert not await grants.take_turn("b", 30)
    hands.now += timedelta(seconds=31)
    assert await grants.take_turn("b", 30)
    assert not await grants.take_turn("a", 30)
    await grants.give_turn_back("a")
    assert not await grants.take_turn("a", 30)
    await grants.give_turn_back("b")
    assert await grants.take_turn("a", 30)


@pytest.mark.parametrize("ending", ["replace", "mark_lost"])
async def test_an_outcome_ends_the_turn(ending: str, grants: DatabaseGrants) -> None:
    await grants.replace(pair("1"))
    await grants.take_turn("a", 30)
    await (grants.replace(pair("2")) if ending == "replace" else grants.mark_lost("gone"))
    assert await grants.take_turn("b", 30)


async def test_of_many_at_once_one_gets_the_turn(grants: DatabaseGrants) -> None:
    await grants.replace(pair("1"))
    got = await asyncio.gather(*(grants.take_turn(f"owner {n}", 30) for n in range(8)))
    assert sum(got) == 1


async def test_a_late_process_overwrites_nothing(grants: DatabaseGrants) -> None:
    """It was given a pair, stood still, and a human consented meanwhile."""
    await grants.replace(pair("1"))
    await grants.replace(pair("consented"))
    await grants.replace(pair("2"), instead_of=pair("1"))
    await grants.mark_lost("refused", of=pair("1"))
    assert (await grants.read(), await grants.lost()) == (pair("consented"), None)
    await grants.replace(pair("3"), instead_of=pair("consented"))
    assert await grants.read() == pair("3")


async def test_a_pair_that_comes_after_all_is_no_longer_lost(grants: DatabaseGrants) -> None:
    await grants.replace(pair("1"))
    await grants.mark_lost("Zalo refuses it", of=pair("1"))
    assert await grants.lost() == "Zalo refuses it"
    assert await grants.read() == pair("1")
    await grants.replace(pair("2"), instead_of=pair("1"))
    assert await grants.lost() is None


async def test_the_database_wins_over_the_settings_until_what_it_has_is_lost(grants: DatabaseGrants) -> None:
    await wins_over_the_settings(grants)


async def test_so_does_what_is_kept_in_memory() -> None:
    await wins_over_the_settings(MemoryGrants())


async def wins_over_the_settings(store: GrantStore) -> None:
    first, second = seed_grant("a", "r", NOW), seed_grant("b", "s", NOW)
    assert await store.offer(first)
    await store.replace(pair("2"), instead_of=first)
    assert not await store.offer(first)
    assert not await store.offer(second)
    await store.mark_lost("gone")
    assert not await store.offer(first)
    assert await store.read() == pair("2")
    assert await store.offer(second)
    assert (await store.read(), await store.lost()) == (second, None)


async def test_no_token_is_shown(grants: DatabaseGrants) -> None:
    shown = repr(pair("1")) + str([pair("1")])
    assert "access 1" not in shown
    assert "refresh 1" not in shown


async def test_a_database_that_is_away_is_a_lost_connection() -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(ConnectionError) as caught:
        await DatabaseGrants(away, ACCOUNT).read()
    assert "127.0.0.1" not in str(caught.value)
    await away.close()


def test_a_seed_counts_as_good_for_an_hour() -> None:
    seed = seed_grant("a", "r", NOW)
    assert (seed.half_life, seed.expires_at) == (NOW + timedelta(minutes=30), NOW + timedelta(hours=1))
