"""Articles, and their broadcast to followers: the one thing that may be pushed to people who have been silent for long.

By transcriptions of Zalo's documentation; the path of `verify` and the keys of the cover are confirmed by nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.channels.telegram_json import text
from bot.channels.zalo_oa_api import OaApi
from bot.core.errors import NotSent, OutcomeUnknown
from bot.core.text import nfc, shorten

MAX_TITLE, MAX_AUTHOR, MAX_DESCRIPTION = 150, 50, 300


class Articles:
    """For one account."""

    def __init__(self, api: OaApi) -> None:
        self._api = api

    async def create(self, title: str, author: str, description: str, cover_url: str, body: str) -> str:
        """A token that `article_id` asks with. What is longer than Zalo takes (150, 50 and 300 characters) is cut.
        Raises `BudgetUsed` when the month's articles are used up, otherwise a `SendError`."""
        fields = {
            "type": "normal",
            "title": shorten(nfc(title), MAX_TITLE),
            "author": shorten(nfc(author), MAX_AUTHOR),
            "description": shorten(nfc(description), MAX_DESCRIPTION),
            "cover": {"cover_type": "photo", "photo_url": cover_url, "status": "show"},
            "body": [{"type": "text", "content": nfc(body)}],
            "status": "show",
            "comment": "show",
        }
        return _told(await self._api.post("/v2.0/article/create", fields), "token")

    async def article_id(self, token: str) -> str | None:
        """`None` while Zalo is still making it. Raises `SendError`."""
        try:
            answer = await self._api.post("/v2.0/article/verify", {"token": token})
        except NotSent as error:
            if error.detail.endswith("(-214)"):
                return None
            raise
        return text(answer if isinstance(answer, dict) else {}, "id") or None

    async def broadcast(self, article_id: str, cities: Sequence[int] = ()) -> str:
        """To all followers, or to those whom Zalo places in one of these cities (0 to 63); returns the message's id.
        Between 22:00 and 06:00 raises `SlowDown`, when the month's broadcasts are used up `BudgetUsed`; a `SendError`
        otherwise. After `OutcomeUnknown` it may be on its way: never repeat it."""
        target = {"cities": ",".join(map(str, cities))} if cities else {}
        element = {"media_type": "article", "attachment_id": article_id}
        payload = {"template_type": "media", "elements": [element]}
        fields = {
            "recipient": {"target": target},
            "message": {"attachment": {"type": "template", "payload": payload}},
        }
        return _told(await self._api.post("/v2.0/oa/message", fields), "message_id")


def _told(answer: Any, key: str) -> str:
    found = text(answer if isinstance(answer, dict) else {}, key)
    if not found:
        raise OutcomeUnknown(f"Zalo's answer holds no {key}")
    return found
