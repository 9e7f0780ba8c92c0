"""Articles for all followers of an account: a few a month, and by day alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from bot.core.clock import Clock
from bot.core.errors import UserError
from bot.core.text import shorten
from bot.db import Tx, articles, budgets
from bot.db.budgets import ARTICLES
from bot.db.tables import Article

BEGINS, ENDS = time(6, 5), time(21, 30)
"""The platform takes broadcasts from 06:00 to 21:59; a little less is safe."""
MAX_TITLE, MAX_DESCRIPTION, MAX_BODY = 150, 300, 20_000


class NotNow(UserError):
    """An article may not be broadcast at this moment; says when or why."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What an article says. `cover` is the public address of a picture."""

    title: str
    body: str
    cover: str
    author: str = "Loa Số"
    description: str = ""

    @property
    def summary(self) -> str:
        """What stands below the title: Zalo refuses none, so the text's beginning serves where nobody wrote one."""
        return self.description.strip() or shorten(" ".join(self.body.split()), MAX_DESCRIPTION)

    def check(self) -> None:
        """Raises `UserError`."""
        if not self.title.strip() or len(self.title) > MAX_TITLE:
            raise UserError(f"An article's title has 1 to {MAX_TITLE} characters")
        if len(self.description) > MAX_DESCRIPTION:
            raise UserError(f"An article's description has at most {MAX_DESCRIPTION} characters")
        if not self.body.strip() or len(self.body) > MAX_BODY:
            raise UserError(f"An article's text has 1 to {MAX_BODY:,} characters")
        if not self.cover.startswith("https://"):
            raise UserError("Zalo wants a cover picture: give its public address with --cover https://…")


def check_hour(clock: Clock, now: datetime) -> None:
    """Raises `NotNow` at night."""
    if not BEGINS <= clock.local(now).time() <= ENDS:
        raise NotNow(f"Zalo broadcasts articles from {BEGINS:%H:%M} to {ENDS:%H:%M} only: send it by day")


async def used(tx: Tx, clock: Clock, account_id: int, now: datetime) -> int:
    """How many broadcasts an account has used in the month of `now`."""
    return await budgets.used(tx, account_id, ARTICLES, _month(clock, now))


async def check_left(tx: Tx, clock: Clock, account_id: int, limit: int, now: datetime) -> None:
    """Raises `NotNow` when none of the month's broadcasts is left."""
    if await used(tx, clock, account_id, now) >= limit:
        raise _used_up(limit)


async def claim(tx: Tx, clock: Clock, article: Article, limit: int, now: datetime) -> None:
    """Take one of the month's broadcasts for it. Raises `NotNow` when none is left, or when it has been sent."""
    if not await articles.claim(tx, article.id, now):
        raise NotNow(f"Article {article.id} has been broadcast already" if article.message_id else unsure(article))
    if not await budgets.reserve(tx, article.account_id, ARTICLES, _month(clock, now), 1, limit):
        raise _used_up(limit)


async def give_back(tx: Tx, clock: Clock, article: Article, now: datetime) -> None:
    """It surely was not sent."""
    await articles.release(tx, article.id)
    await budgets.give_back(tx, article.account_id, ARTICLES, _month(clock, now), 1)


def unsure(article: Article) -> str:
    """What to say of one that may be on its way, or not."""
    return (
        f"Article {article.id} may have been broadcast, and may not: look into the Official Account's history "
        "(oa.zalo.me). It is not sent again; if nothing is there, make it once more"
    )


def _used_up(limit: int) -> NotNow:
    return NotNow(f"All {limit} broadcasts of this month are used (LOASO_ZALO_OA_ARTICLES_MONTHLY): wait for the next")


def _month(clock: Clock, now: datetime) -> str:
    return clock.local(now).strftime("%Y-%m")
