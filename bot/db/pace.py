"""The pace that several processes keep together: one row an account, one a chat, on the database's own clock."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from psycopg import AsyncConnection, InterfaceError, OperationalError

from bot.db.direct import connect
from bot.db.session import Database, Tx
from bot.db.sql import changed
from bot.db.tables import ChatPace

_SLOWEST = 1.0
_HALTED_REPLIES = 1.0
"""Replies a second that still leave while runs stand still."""
_PATIENCE, _MOST_PATIENCE = 120.0, 420.0
_RECOVERY = 0.002
"""Part of the full rate that is won back each second, once patience has ended."""
_GROUP_WINDOW = 61.0

_NOW = "extract(epoch FROM clock_timestamp())::float8"
_FACTOR = f"least(1, p.factor + greatest(0, {_NOW} - p.factor_at - p.patience) * {_RECOVERY})"
_STEP = (
    f"1 / (CASE WHEN p.halted_until > {_NOW} THEN {_HALTED_REPLIES}"
    f" ELSE greatest(least({_SLOWEST}, %(full)s), %(full)s * {_FACTOR}) END)"
)
_TAKE = f"""
UPDATE pace p SET free_at = CASE
    WHEN %(slots)s = 0 OR (p.halted_until > {_NOW} AND NOT %(reply)s) THEN p.free_at + %(push)s
    ELSE greatest(p.free_at + %(push)s, {_NOW} - %(late)s) + %(slots)s * {_STEP} END
WHERE p.account_id = %(account)s
RETURNING p.free_at, {_STEP} AS step, {_NOW} AS now, p.halted_until
"""  # noqa: S608  # put together from the constants above
_FULL = """cardinality(c.recent) + cardinality(excluded.recent) - %(most)s"""
_HOLD = f"""
WITH taken AS ({_TAKE}), held AS (
    INSERT INTO chat_pace AS c (account_id, chat, holder, free_at, recent)
    SELECT %(account)s, w.chat, %(holder)s, greatest(t.free_at - t.step, t.now) + w.ahead + w.gap,
        array_fill(greatest(t.free_at - t.step, t.now) + w.ahead, ARRAY[w.counted])
    FROM taken t, unnest(%(chats)s::text[], %(ahead)s::float8[], %(gaps)s::float8[], %(counted)s::int[])
        AS w (chat, ahead, gap, counted)
    ON CONFLICT (account_id, chat) DO UPDATE SET
        holder = excluded.holder,
        free_at = greatest(c.free_at, excluded.free_at),
        recent = (c.recent || excluded.recent)[greatest(1, {_FULL} + 1):]
    WHERE (c.holder = excluded.holder OR c.free_at <= {_NOW})
        AND (cardinality(excluded.recent) = 0 OR {_FULL} <= 0 OR c.recent[{_FULL}] + {_GROUP_WINDOW} <= {_NOW})
    RETURNING c.chat
)
SELECT t.free_at, t.step, t.now, t.halted_until, (SELECT array_agg(chat) FROM held) FROM taken t
"""  # noqa: S608  # put together from the constants above
_BEGIN = f"""
INSERT INTO pace (account_id, free_at, factor, factor_at, patience, halted_until)
VALUES (%(account)s, {_NOW}, 1, 0, {_PATIENCE}, 0) ON CONFLICT DO NOTHING
"""  # noqa: S608  # put together from the constants above
_HALTED = f"p.halted_until > {_NOW}"
_TRYING_MORE = f"p.factor < {_FACTOR}"
_SLOW_DOWN = f"""
INSERT INTO pace AS p (account_id, free_at, factor, factor_at, patience, halted_until)
VALUES (%(account)s, {_NOW}, %(bore)s, {_NOW} + %(pause)s, {_PATIENCE}, {_NOW} + %(pause)s)
ON CONFLICT (account_id) DO UPDATE SET
    factor = CASE WHEN {_HALTED} THEN least(p.factor, %(bore)s) WHEN {_TRYING_MORE} THEN p.factor
        ELSE least({_FACTOR}, %(bore)s) END,
    factor_at = CASE WHEN {_HALTED} THEN p.factor_at ELSE {_NOW} + %(pause)s END,
    patience = CASE WHEN {_HALTED} THEN p.patience WHEN {_TRYING_MORE} THEN least(p.patience * 2, {_MOST_PATIENCE})
        ELSE {_PATIENCE} END,
    halted_until = greatest(p.halted_until, {_NOW} + %(pause)s)
"""  # noqa: S608  # put together from the constants above
_READY = f"""
SELECT chat, greatest(free_at, CASE WHEN cardinality(recent) >= %(most)s
    THEN recent[cardinality(recent) - %(most)s + 1] + {_GROUP_WINDOW} ELSE 0 END)
FROM chat_pace WHERE account_id = %(account)s AND chat = ANY(%(chats)s)
"""  # noqa: S608  # put together from the constants above


@dataclass(frozen=True, slots=True)
class Wish:
    """A chat that is to be written to within the next `ahead` seconds after the slot that is taken. `gap` is for how
    long nobody else may then write to it, `counted` as how many messages of a group it counts (0: not a group)."""

    chat: str
    gap: float
    ahead: float = 0.0
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Granted:
    """Slots from `first` on, `step` seconds apart, of an account whose row was read at `now`: seconds since 1970 on
    the database's clock. `slots` is 0 while runs stand still. `refused` says from when a chat may be tried again."""

    slots: int
    first: float
    step: float
    now: float
    halted_until: float
    held: frozenset[str] = frozenset()
    refused: Mapping[str, float] | None = None


class SharedPace:
    """The way to the rows, on a connection of its own: a message must not wait until a pool has one."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.holder = secrets.token_hex(6)
        self._connection: AsyncConnection[Any] | None = None
        self._turn = asyncio.Lock()

    async def take(
        self,
        account_id: int,
        slots: int,
        *,
        rate: float,
        late: float,
        reply: bool,
        push: float = 0.0,
        chats: Sequence[Wish] = (),
        most: int = 0,
    ) -> Granted:
        """Reserve slots and chats in one statement. `rate` is slots a second when nothing was refused, `late` how many
        seconds ago a slot may lie that nobody used, `push` how many seconds later all that follows has to leave,
        `most` how many messages a group may get in a minute. Only a `reply` gets slots while runs stand still.

        Raises `ConnectionError` when the database cannot be asked.
        """
        asked: dict[str, Any] = {"account": account_id, "slots": slots, "full": rate}
        asked |= {"late": late, "reply": reply, "push": push}
        if chats:
            asked |= {
                "holder": self.holder,
                "most": most,
                "chats": [w.chat for w in chats],
                "ahead": [w.ahead for w in chats],
                "gaps": [w.gap for w in chats],
                "counted": [w.counted for w in chats],
            }
        row = await self._one(_HOLD if chats else _TAKE, asked)
        if row is None:  # the first message ever, or the first after a crash of the server
            await self._run(_BEGIN, asked)
            row = await self._one(_HOLD if chats else _TAKE, asked)
            assert row is not None  # noqa: S101  # nobody deletes it
        free_at, step, now, halted_until, *held = row
        got = 0 if halted_until > now and not reply else slots
        kept = frozenset(held[0] or ()) if held else frozenset()
        refused = await self._ready(account_id, [w.chat for w in chats if w.chat not in kept], most)
        return Granted(got, free_at - got * step, step, now, halted_until, kept, refused)

    async def _ready(self, account_id: int, chats: Sequence[str], most: int) -> dict[str, float]:
        if not chats:
            return {}
        asked: dict[str, Any] = {"account": account_id, "chats": list(chats), "most": max(1, most)}
        return dict(await self._all(_READY, asked))

    async def slow_down(self, account_id: int, retry_after: float, bore: float) -> None:
        """The platform asked to wait: everybody's runs stand still, and go on at the part of the full rate that it
        bore. Where more than that was being tried, the next trial is further away."""
        await self._run(_SLOW_DOWN, {"account": account_id, "pause": retry_after, "bore": bore})

    async def _one(self, statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        found = await self._all(statement, values)
        return found[0] if found else None

    async def _all(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        cursor = await self._run(statement, values)
        found: list[tuple[Any, ...]] = await cursor.fetchall()
        return found

    async def _run(self, statement: str, values: Mapping[str, Any]) -> Any:
        async with self._turn:
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = await connect(self.database, "pace")
                return await self._connection.execute(statement, values)
            except (OperationalError, InterfaceError) as error:
                await self._let_go()
                raise ConnectionError("the pace cannot be asked for") from error

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def close(self) -> None:
        async with self._turn:
            await self._let_go()


async def drop_older(tx: Tx, than: datetime) -> int:
    """Chats that anybody may write to since then."""
    return await changed(tx, sa.delete(ChatPace).where(ChatPace.free_at < than.timestamp()))
