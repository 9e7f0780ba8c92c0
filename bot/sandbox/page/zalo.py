"""What both products of Zalo have in common on the page: messages, pictures, and telling what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.sandbox.page.lines import Line, Site, Tell
from bot.sandbox.sample import Character
from bot.sandbox.telegram.entities import find
from bot.sandbox.telegram.errors import Json

MAX_TEXT = 2000
PICTURES = (".jpg", ".png")
_LINKS = ("url", "email", "phone_number")
_WORDS = {"photo": "Ảnh", "voice": "Tin thoại", "sticker": "Nhãn dán", "document": "Tệp", "animation": "Ảnh động"}


class ZaloLine(Line, Protocol):
    """A chat that can say what has come since it was last asked."""

    def messages(self) -> Sequence[Json]:
        """All of them, oldest first; `id` counts from 1 and does not change."""
        ...

    def standing(self) -> Json:
        """How things stand between the person and the account."""
        ...


class News:
    """Who has news, for a platform whose sandbox only says in whose chat something happened."""

    def __init__(self, lines: Mapping[str, ZaloLine]) -> None:
        self.lines = lines
        self._changed: asyncio.Queue[str] = asyncio.Queue()
        self._told: dict[str, int] = {}
        self._stood: dict[str, Json] = {}

    def changed(self, id: str) -> None:
        """Something happened in the chat of the person with that id on the platform."""
        self._changed.put_nowait(id)

    async def listen(self, tell: Tell) -> None:
        """Later than the change itself: whoever acts for a person may note down what belongs to it."""
        for id, line in self.lines.items():
            self._told[id], self._stood[id] = _newest(line), line.standing()
        while True:
            id = await self._changed.get()
            if id in self.lines:
                self._tell(id, self.lines[id], tell)

    def _tell(self, id: str, line: ZaloLine, tell: Tell) -> None:
        fresh = [m for m in line.messages() if m["id"] > self._told[id]]
        for message in fresh:
            self._told[id] = message["id"]
            tell("message", {"chat": line.chat, "message": message})
        standing = line.standing()
        if standing != self._stood[id]:
            self._stood[id] = standing
            tell("standing", {"chat": line.chat, **standing})


def _newest(line: ZaloLine) -> int:
    return max((m["id"] for m in line.messages()), default=0)


def message(number: int, sender: Character | None, title: str, at: float, text: str, **more: object) -> Json:
    """One message as the page draws it; without a `sender` it is the account's, called `title`."""
    return {
        "id": number,
        "kind": "text",
        "bot": sender is None,
        "from": {"id": sender.id, "name": sender.name} if sender else {"id": 0, "name": title},
        "date": at,
        "text": text,
        "entities": [entity for entity in find(text) if entity["type"] in _LINKS],
        **more,
    }


def shown(line: ZaloLine) -> Json:
    """A chat for the page. One may write to an account that one has not met: it is always started."""
    return {"id": line.chat, "messages": list(line.messages()), "started": True, **line.standing()}


def newest(line: ZaloLine) -> Json | None:
    """The newest message on one line."""
    found = line.messages()
    return {"text": snippet(found[-1]), "date": found[-1]["date"]} if found else None


def snippet(shown: Json) -> str:
    kind, text = _WORDS.get(shown["kind"], ""), " ".join(str(shown["text"]).split())[:160]
    return f"{kind}: {text}" if kind and text else kind or text


def picture(site: Site, url: str, *, kind: str = "photo", name: str = "Ảnh") -> Json:
    """A picture, sound or sticker under an address: ours is shown, others are named."""
    local = site.local(url)
    mime = "audio/ogg" if kind == "voice" else "image/jpeg"
    if local.startswith(("http://", "https://")):
        return {"kind": "document", "file": {"url": local, "name": name, "mime": mime, "size": 0}}
    return {"kind": kind, "file": {"url": local, "name": name, "mime": mime, "size": 0, "width": None, "height": None}}
