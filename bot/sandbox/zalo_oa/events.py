"""Events as the webhook carries them: their shapes, and the many ways in which the same JSON may be written."""

from __future__ import annotations

import json
import random
from hashlib import sha256
from typing import TYPE_CHECKING

from bot.sandbox.zalo_oa.errors import Json

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.people import OaUser
    from bot.sandbox.zalo_oa.world import World


def mac(app_id: str, body: bytes, timestamp: str, oa_secret: str) -> str:
    """`X-ZEvent-Signature`: plain SHA-256 over app id, exact body, timestamp and the OA's own secret key."""
    return "mac=" + sha256(app_id.encode() + body + timestamp.encode() + oa_secret.encode()).hexdigest()


class Shapes:
    """Builds events of one OA."""

    def __init__(self, world: World) -> None:
        self._world = world

    def event(self, name: str, **fields: object) -> Json:
        """What every event has, and these fields."""
        found: Json = {"app_id": self._world.app_id, "event_name": name, "timestamp": self._world.milliseconds()}
        return found | fields

    def from_user(self, user: OaUser, name: str, **fields: object) -> Json:
        """Written by a person: no `oa_id`, the OA is the recipient."""
        return self.event(
            name,
            sender={"id": user.id},
            user_id_by_app=user.id_by_app,
            recipient={"id": self._world.oa_id},
            **fields,
        )

    def to_user(self, user: OaUser, name: str, *, admin_id: str = "", **fields: object) -> Json:
        """Sent by the OA, or a receipt of that: the OA is the sender, with `admin_id` where a human wrote."""
        sender = {"id": self._world.oa_id} | ({"admin_id": admin_id} if admin_id else {})
        return self.event(name, sender=sender, user_id_by_app=user.id_by_app, recipient={"id": user.id}, **fields)

    def follower(self, user: OaUser, name: str, **fields: object) -> Json:
        """Follow and unfollow: neither sender nor recipient."""
        return self.event(
            name, oa_id=self._world.oa_id, follower={"id": user.id}, user_id_by_app=user.id_by_app, **fields
        )

    def about_user(self, user: OaUser, name: str, **fields: object) -> Json:
        """Chat-now and withdrawal: a bare `user_id`."""
        return self.event(name, oa_id=self._world.oa_id, user_id=user.id, user_id_by_app=user.id_by_app, **fields)


def attachment(kind: str, **payload: object) -> list[Json]:
    """The `attachments` of a message with one attachment."""
    return [{"type": kind, "payload": payload}]


def written(event: Json, draw: random.Random) -> bytes:
    """The same event with keys in any order, ASCII or not, tight, loose or over several lines, so that whoever
    checks a signature over anything but the exact bytes fails."""
    keys = list(event)
    draw.shuffle(keys)
    shuffled = {key: event[key] for key in keys}
    separators, indent = draw.choice(
        [((",", ":"), None), ((", ", ": "), None), ((" ,", " : "), None), ((",", ": "), 2)]
    )
    text = json.dumps(shuffled, ensure_ascii=draw.random() < 0.3, separators=separators, indent=indent)
    return text.encode()
