"""Files that platforms fetch from us: under an address that nobody can guess, for a while."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from bot.db.session import Tx
from bot.db.sql import changed
from bot.db.tables import Published

LIFE = timedelta(days=8)
"""Longer than an account remembers the address (see `Capabilities.upload_life`)."""


class File(NamedTuple):
    """A file and its MIME type."""

    content: bytes
    mime: str


async def put(tx: Tx, content: bytes, mime: str, now: datetime) -> str:
    """Keep a file. Returns the word under which it is found: 256 bits of chance."""
    token = secrets.token_urlsafe(32)
    tx.add(Published(token=token, mime=mime, content=content, expires_at=now + LIFE))
    await tx.flush()
    return token


async def find(tx: Tx, token: str, now: datetime) -> File | None:
    """The file, unless it has expired."""
    query = sa.select(Published.content, Published.mime).where(Published.token == token, Published.expires_at > now)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else File(row.content, row.mime)


async def drop_expired(tx: Tx, now: datetime) -> int:
    return await changed(tx, sa.delete(Published).where(Published.expires_at <= now))
