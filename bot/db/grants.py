"""The rotating pair of tokens of an account: one row, renewed by one process at a time."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.core.clock import utc_now
from bot.core.grants import Grant
from bot.db.session import Database, Tx, is_passing
from bot.db.sql import changed, insert
from bot.db.tables import OauthGrant

_NOBODY = {"turn_owner": None, "turn_until": None}


class DatabaseGrants:
    """The pair of `account` in the database; a turn is a lease in its row, so that no transaction is open while a
    platform is asked. Implements `bot.core.grants.GrantStore`."""

    def __init__(self, database: Database, account: str, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._account = account
        self._clock = clock

    async def read(self) -> Grant | None:
        row = await self._row()
        if row is None:
            return None
        return Grant(
            access_token=row.access_token,
            refresh_token=row.refresh_token,
            obtained_at=row.obtained_at,
            expires_at=row.expires_at,
        )

    async def lost(self) -> str | None:
        row = await self._row()
        return None if row is None or row.lost_at is None else row.problem or "the consent is lost"

    async def offer(self, seed: Grant) -> bool:
        """Which seed was taken is kept as a hash: a pair that was configured and lost is not tried again."""
        values = {**_columns(seed), "seed": _hash(seed), "lost_at": None, "problem": None, **_NOBODY}
        async with self._written() as tx:
            first = insert(tx, OauthGrant).values(account=self._account, **values)
            kept = first.on_conflict_do_update(
                index_elements=[OauthGrant.account],
                set_=values,
                where=sa.and_(OauthGrant.lost_at.is_not(None), OauthGrant.seed != values["seed"]),
            )
            return await changed(tx, kept) > 0

    async def take_turn(self, owner: str, seconds: float) -> bool:
        now = self._clock()
        free = sa.or_(OauthGrant.turn_owner.is_(None), OauthGrant.turn_owner == owner, OauthGrant.turn_until < now)
        until = now + timedelta(seconds=seconds)
        async with self._written() as tx:
            return await changed(tx, self._update(free).values(turn_owner=owner, turn_until=until)) > 0

    async def replace(self, grant: Grant, *, instead_of: Grant | None = None) -> None:
        values = {**_columns(grant), "lost_at": None, "problem": None, **_NOBODY}
        async with self._written() as tx:
            if instead_of is not None:
                await tx.execute(self._update(_is(instead_of)).values(values))
                return
            first = insert(tx, OauthGrant).values(account=self._account, seed="", **values)
            await tx.execute(first.on_conflict_do_update(index_elements=[OauthGrant.account], set_=values))

    async def give_turn_back(self, owner: str) -> None:
        async with self._written() as tx:
            await tx.execute(self._update(OauthGrant.turn_owner == owner).values(_NOBODY))

    async def mark_lost(self, problem: str, *, of: Grant | None = None) -> None:
        same = sa.true() if of is None else _is(of)
        async with self._written() as tx:
            await tx.execute(self._update(same).values(lost_at=self._clock(), problem=problem, **_NOBODY))

    async def _row(self) -> OauthGrant | None:
        async with _asked(), self._database.read() as tx:
            return await tx.get(OauthGrant, self._account)

    @asynccontextmanager
    async def _written(self) -> AsyncIterator[Tx]:
        async with _asked(), self._database.write() as tx:
            yield tx

    def _update(self, *where: sa.ColumnElement[bool]) -> sa.Update:
        return sa.update(OauthGrant).where(OauthGrant.account == self._account, *where)


@asynccontextmanager
async def _asked() -> AsyncIterator[None]:
    """A passing trouble of the database is one word to those who know no SQL."""
    try:
        yield
    except Exception as error:
        if is_passing(error):
            raise ConnectionError("the database cannot be asked for the tokens") from error
        raise


def _columns(grant: Grant) -> dict[str, Any]:
    return {
        "access_token": grant.access_token,
        "refresh_token": grant.refresh_token,
        "obtained_at": grant.obtained_at,
        "expires_at": grant.expires_at,
    }


def _is(grant: Grant) -> sa.ColumnElement[bool]:
    return OauthGrant.refresh_token == grant.refresh_token


def _hash(seed: Grant) -> str:
    return hashlib.sha256(f"{seed.access_token}\n{seed.refresh_token}".encode()).hexdigest()
