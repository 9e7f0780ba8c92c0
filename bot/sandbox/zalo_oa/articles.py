"""Articles: written with a token first, an id only once the platform has processed them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.sandbox.zalo_oa.calls import Call, string
from bot.sandbox.zalo_oa.errors import Json, OaError, invalid

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.world import World

_LENGTHS = {"title": 150, "author": 50, "description": 300}
_TYPES = ("normal", "video")


@dataclass(slots=True)
class Article:
    """One article. `ready` once it is processed; `checks` counts how often somebody asked."""

    token: str
    id: str
    fields: Json
    at: float
    ready: bool = False
    checks: int = 0

    @property
    def title(self) -> str:
        return str(self.fields["title"])


class Articles:
    """What the OA has written, oldest first. An article is ready at the `ready_after`-th question (`None`: only when
    `finish` is called)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.all: list[Article] = []
        self.ready_after: int | None = 1

    def create(self, call: Call) -> Json:
        """`POST /v2.0/article/create`; a cover is asked for (seen on the real platform)."""
        self._world.require_package()
        fields = call.json()
        if fields.get("type") not in _TYPES:
            raise invalid("type")
        for name, most in _LENGTHS.items():
            if len(string(fields, name)) > most:
                raise OaError(-210)
        if fields["type"] == "normal":
            _check_parts(fields)
        limit = self._world.limits.articles
        if limit is not None:
            self._world.use("articles", limit, -223)
        names = self._world.names
        article = Article(names.token(40), names.hexadecimal(), fields, self._world.clock())
        self.all.append(article)
        return {"token": article.token}

    def verify(self, call: Call) -> Json:
        """`POST /v2.0/article/verify`: the id, or -214 while it is being processed."""
        token = string(call.json(), "token")
        article = next((a for a in self.all if a.token == token), None)
        if article is None:
            raise invalid("token")
        article.checks += 1
        if self.ready_after is not None and article.checks >= self.ready_after:
            article.ready = True
        if not article.ready:
            raise OaError(-214)
        return {"id": article.id}

    def slice(self, call: Call) -> Json:
        """`GET /v2.0/article/getslice`: the newest first, ten at most."""
        kind = call.query.get("type")
        if kind not in _TYPES:
            raise OaError(-201, "type accept only 2 value normal and video.")
        offset, limit = call.number("offset", 0, 10_000), call.number("limit", 10, 10_000)
        if limit > 10:
            raise OaError(-201, "maximum limit is 10")
        found = [a for a in reversed(self.all) if a.ready and a.fields["type"] == kind]
        return {"medias": [_listed(a) for a in found[offset : offset + limit]], "total": len(found)}

    def finish(self, token: str = "") -> None:
        """Have one article, or all, processed."""
        for article in self.all:
            if token in ("", article.token):
                article.ready = True

    def broadcastable(self, id: str) -> Article:
        """Raises -214 for one in work (its token is all that a client has then), -201 for none."""
        article = next((a for a in self.all if id in (a.id, a.token)), None)
        if article is None:
            raise invalid("attachment_id")
        if not article.ready:
            raise OaError(-214)
        if id != article.id:
            raise invalid("attachment_id")
        return article


def _check_parts(fields: Json) -> None:
    if not isinstance(fields.get("cover"), dict):
        raise OaError(-201, "cover value is invalid")
    body = fields.get("body")
    if not isinstance(body, list) or not body or not all(isinstance(part, dict) and "type" in part for part in body):
        raise invalid("body")


def _listed(article: Article) -> Json:
    created = round(article.at * 1000)
    return {
        "id": article.id,
        "type": article.fields["type"],
        "title": article.title,
        "status": article.fields.get("status", "hide"),
        "total_view": 0,
        "total_share": 0,
        "create_date": created,
        "update_date": created,
        "thumb": article.fields.get("cover", {}).get("photo_url", ""),
        "link_view": f"https://rd.zapps.vn/detail/{article.id}",
    }
