"""Queries about items and events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from bot.core.words import ItemKind
from bot.db.session import Tx
from bot.db.sql import insert
from bot.db.tables import Item, Upload


async def add(
    tx: Tx,
    kind: ItemKind,
    parts: list[dict[str, Any]],
    now: datetime,
    *,
    key: str | None = None,
    language: str = "vi",
    title: str = "",
    account_id: int | None = None,
    author_id: int | None = None,
) -> Item:
    """A new item. `account_id` is the account whose file ids its parts hold."""
    item = Item(
        kind=kind,
        key=key,
        language=language,
        title=title,
        parts=parts,
        account_id=account_id,
        author_id=author_id,
        created_at=now,
    )
    tx.add(item)
    await tx.flush()
    return item


async def get(tx: Tx, item_id: int) -> Item | None:
    return await tx.get(Item, item_id)


async def by_key(tx: Tx, kind: ItemKind, key: str, language: str = "vi") -> Item | None:
    query = sa.select(Item).where(Item.kind == kind, Item.key == key, Item.language == language)
    return (await tx.execute(query)).scalar_one_or_none()


async def put_tip(
    tx: Tx,
    key: str,
    language: str,
    title: str,
    parts: list[dict[str, Any]],
    *,
    kind: ItemKind = ItemKind.TIP,
    source: str,
    pack_version: str,
    checked_on: date,
    expires_on: date,
    now: datetime,
) -> Item:
    """The item of a tip (or of its question) as the pack has it now."""
    change = {
        "title": title,
        "parts": parts,
        "source": source,
        "pack_version": pack_version,
        "checked_on": checked_on,
        "expires_on": expires_on,
    }
    row = {"kind": kind, "key": key, "language": language, "created_at": now, **change}
    statement = insert(tx, Item).values(row)
    await tx.execute(statement.on_conflict_do_update(index_elements=["kind", "key", "language"], set_=change))
    found = await by_key(tx, kind, key, language)
    assert found is not None  # noqa: S101  # just written in this transaction
    return found


async def upload(tx: Tx, account_id: int, digest: str, since: datetime | None = None) -> Upload | None:
    """Under which id that account can send a file again, if it was uploaded after `since`."""
    row = await tx.get(Upload, (account_id, digest))
    return row if row is not None and (since is None or row.at >= since) else None


async def forget_uploads(tx: Tx, account_id: int, digests: Sequence[str]) -> None:
    await tx.execute(sa.delete(Upload).where(Upload.account_id == account_id, Upload.digest.in_(digests)))


async def remember_upload(tx: Tx, account_id: int, digest: str, file_id: str, now: datetime) -> None:
    row = {"account_id": account_id, "digest": digest, "file_id": file_id, "at": now}
    statement = insert(tx, Upload).values(row)
    change = {"file_id": file_id, "at": now}
    await tx.execute(statement.on_conflict_do_update(index_elements=["account_id", "digest"], set_=change))
