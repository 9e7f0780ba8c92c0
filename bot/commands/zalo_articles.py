"""`loaso zalo article …`: an article for all followers: made, waited for, broadcast once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.commands import console
from bot.commands.edge import DONE
from bot.commands.opened import opened
from bot.commands.zalo import Official, with_official
from bot.core.errors import Decision, SendError, UserError
from bot.db import articles
from bot.db.tables import Article
from bot.outreach import articles as rules
from bot.outreach.articles import Draft

_WAIT = 120.0
"""Seconds that Zalo may take to make an article."""
_LOOK = 2.0
LAST_CITY = 63


def read_draft(title: str, text: Path, cover: str, description: str) -> Draft:
    """Raises `UserError` for a file that cannot be read."""
    try:
        body = text.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{text} cannot be read as UTF-8 text ({type(error).__name__})") from error
    return Draft(" ".join(title.split()), body, cover, description=" ".join(description.split()))


def read_cities(text: str) -> tuple[int, ...]:
    """`4,5`. Raises `UserError`."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not all(word.isdecimal() and int(word) <= LAST_CITY for word in words):
        raise UserError(f"--cities takes numbers from 0 to {LAST_CITY}, for example --cities 4,5")
    return tuple(int(word) for word in words)


def send(draft: Draft, cities: tuple[int, ...], as_json: bool) -> int:
    """Make an article, wait until Zalo has made it, broadcast it."""
    draft.check()

    async def work(oa: Official) -> Article:
        await _check(oa)
        token = await oa.channel.articles.create(draft.title, draft.author, draft.summary, draft.cover, draft.body)
        async with oa.opened.database.write() as tx:
            article = await articles.add(tx, oa.account.id, draft.title, token, oa.opened.now)
        return await _broadcast(oa, article, cities)

    return _told(with_official(work), as_json)


def resume(number: int, cities: tuple[int, ...], as_json: bool) -> int:
    """Broadcast an article that was made and not sent."""

    async def work(oa: Official) -> Article:
        rules.check_hour(oa.opened.clock, oa.opened.now)
        async with oa.opened.database.read() as tx:
            article = await articles.get(tx, number)
        if article is None:
            raise UserError(f"There is no article {number}: see 'loaso zalo article list'")
        return await _broadcast(oa, article, cities)

    return _told(with_official(work), as_json)


async def _check(oa: Official) -> None:
    """Before Zalo is asked for anything. Raises `NotNow`."""
    database, clock, limit = oa.opened.database, oa.opened.clock, oa.opened.settings.zalo_oa_articles_monthly
    rules.check_hour(clock, oa.opened.now)
    async with database.read() as tx:
        await rules.check_left(tx, clock, oa.account.id, limit, oa.opened.now)


async def _broadcast(oa: Official, article: Article, cities: tuple[int, ...]) -> Article:
    external = article.external_id or await _made(oa, article)
    database, clock, limit = oa.opened.database, oa.opened.clock, oa.opened.settings.zalo_oa_articles_monthly
    async with database.write() as tx:
        await rules.claim(tx, clock, article, limit, oa.opened.now)
    try:
        message_id = await oa.channel.articles.broadcast(external, cities)
    except SendError as error:
        if error.decision is Decision.UNKNOWN:
            raise UserError(rules.unsure(article)) from error
        async with database.write() as tx:
            await rules.give_back(tx, clock, article, oa.opened.now)
        raise
    async with database.write() as tx:
        await articles.sent(tx, article.id, message_id)
    article.external_id, article.message_id = external, message_id
    return article


async def _made(oa: Official, article: Article) -> str:
    """Zalo makes articles in the background."""
    waited = 0.0
    with console.bar("Zalo is making the article", _WAIT) as move:
        while (external := await oa.channel.articles.article_id(article.token)) is None:
            if waited >= _WAIT:
                raise UserError(f"Zalo is still making it: 'loaso zalo article resume {article.id}' later")
            await asyncio.sleep(_LOOK)
            waited += _LOOK
            move(_LOOK)
    async with oa.opened.database.write() as tx:
        await articles.made(tx, article.id, external)
    return external


def _told(article: Article, as_json: bool) -> int:
    console.result({"id": article.id, "article": article.external_id, "message": article.message_id})
    if not as_json:
        console.say(f"Article {article.id} is on its way to the followers.")
    return DONE


def show(as_json: bool) -> int:
    async def work() -> list[Article]:
        async with opened() as found, found.database.read() as tx:
            return await articles.latest(tx, 50)

    found = asyncio.run(work())
    rows = [(a.id, a.title, "sent" if a.message_id else "unsure" if a.sent_at else "not sent") for a in found]
    if as_json:
        console.result([{"id": id, "title": title, "state": state} for id, title, state in rows])
    else:
        console.table(("id", "title", "state"), rows)
    return DONE
