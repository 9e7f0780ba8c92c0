"""Queries about articles that are broadcast to an account's followers."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.db.session import Tx
from bot.db.tables import Article


async def add(tx: Tx, account_id: int, title: str, token: str, now: datetime) -> Article:
    row = Article(account_id=account_id, title=title, token=token, created_at=now)
    tx.add(row)
    await tx.flush()
    return row


async def get(tx: Tx, article_id: int) -> Article | None:
    return await tx.get(Article, article_id)


async def latest(tx: Tx, limit: int) -> list[Article]:
    return list((await tx.execute(sa.select(Article).order_by(Article.id.desc()).limit(limit))).scalars())


async def made(tx: Tx, article_id: int, external_id: str) -> None:
    """The platform has finished making it."""
    await tx.execute(sa.update(Article).where(Article.id == article_id).values(external_id=external_id))


async def claim(tx: Tx, article_id: int, now: datetime) -> bool:
    """Whether it has not been sent yet; from now on it counts as sent, so that nobody sends it twice."""
    mine = sa.and_(Article.id == article_id, Article.sent_at.is_(None))
    claimed = sa.update(Article).where(mine).values(sent_at=now).returning(Article.id)
    return (await tx.execute(claimed)).scalar_one_or_none() is not None


async def sent(tx: Tx, article_id: int, message_id: str) -> None:
    await tx.execute(sa.update(Article).where(Article.id == article_id).values(message_id=message_id))


async def release(tx: Tx, article_id: int) -> None:
    """It surely was not sent."""
    await tx.execute(sa.update(Article).where(Article.id == article_id).values(sent_at=None))
