"""Broadcasts: one article to followers by day, a few times a month; the same path carries reactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.sandbox.zalo_oa.articles import Article
from bot.sandbox.zalo_oa.calls import Call, string
from bot.sandbox.zalo_oa.contents import Content, Received
from bot.sandbox.zalo_oa.errors import Json, OaError, invalid
from bot.sandbox.zalo_oa.people import OaUser

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.world import World

_HIGHEST = {"ages": 7, "gender": 2, "locations": 2, "cities": 63, "platform": 3}
_NIGHT_ENDS, _NIGHT_BEGINS = 6, 22

Target = dict[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One that went out. `at` is unix seconds."""

    id: str
    article: Article
    at: float
    user_ids: tuple[str, ...]


class Broadcasts:
    """`POST /v2.0/oa/message`, whose other uses were shut down."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.all: list[Broadcast] = []

    def message(self, call: Call) -> Json:
        """A reaction, or a broadcast; anything else belongs to version 3 (-240)."""
        body = call.json()
        if "sender_action" in body:
            return self._world.sending.react(call, body)
        recipient = body.get("recipient")
        if not isinstance(recipient, dict):
            raise invalid("recipient")
        if "target" not in recipient:
            raise OaError(-240)
        self._world.require_package()
        target = _target(recipient["target"])
        article = self._world.articles.broadcastable(_article_id(body.get("message")))
        if not _NIGHT_ENDS <= self._world.local().hour < _NIGHT_BEGINS:
            raise OaError(-234)
        self._world.use("broadcasts", self._world.limits.broadcasts)
        call.entry.message_id = self._send(article, body["message"]["attachment"], target)
        return {"message_id": call.entry.message_id}

    def _send(self, article: Article, attachment: Json, target: Target) -> str:
        world = self._world
        id = world.names.hexadecimal()
        reached = [u for u in world.users.values() if u.reachable and _matches(u, target)]
        content = Content("article", article.title, (), attachment, article.id)
        for user in reached:
            user.take(Received(id, content, world.clock(), "broadcast"))
            world.changed("broadcast", user)
        self.all.append(Broadcast(id, article, world.clock(), tuple(u.id for u in reached)))
        return id


def _article_id(message: object) -> str:
    """The one article of a media template. Raises -201, -233."""
    try:
        attachment = message["attachment"]  # type: ignore[index]  # any JSON may stand here
        payload = attachment["payload"]
        (element,) = payload["elements"]
        kinds = (attachment["type"], payload["template_type"], element["media_type"])
    except (KeyError, TypeError, ValueError):
        raise invalid("attachment") from None
    if kinds != ("template", "media", "article"):
        raise OaError(-233)
    return string(element, "attachment_id")


def _target(raw: object) -> Target:
    """Numbers as a text with commas or as a list: sources show both. Raises -201."""
    if not isinstance(raw, dict):
        raise invalid("target")
    found: Target = {}
    for name, value in raw.items():
        parts = value.split(",") if isinstance(value, str) else value
        if name not in _HIGHEST or not isinstance(parts, list):
            raise invalid(name)
        found[name] = frozenset(_number(name, part) for part in parts)
    return found


def _number(name: str, raw: object) -> int:
    text = str(raw).strip()
    if not text.isdecimal() or int(text) > _HIGHEST[name]:
        raise invalid(name)
    return int(text)


def _matches(user: OaUser, target: Target) -> bool:
    return all(getattr(user.profile, name) in (None, *numbers) for name, numbers in target.items())
