"""Files that a channel cannot carry, as an address under which they can be seen."""

from __future__ import annotations

import mimetypes
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from bot.core.channel import Channel
from bot.core.events import Media, MediaKind, Outbound
from bot.core.text import length, shorten
from bot.outreach.desk import Desk, Publish

_MIME = {
    MediaKind.PHOTO: "image/jpeg",
    MediaKind.VIDEO: "video/mp4",
    MediaKind.ANIMATION: "video/mp4",
    MediaKind.VOICE: "audio/ogg",
    MediaKind.AUDIO: "audio/mpeg",
    MediaKind.VIDEO_NOTE: "video/mp4",
}
_NOTHING_LOST = (MediaKind.STICKER,)
"""What is left out in silence where a channel has nothing like it."""

_AGAIN = timedelta(days=1)
_MOST = 100

Content = Callable[[Media, str | None], Awaitable[Media]]


class Parcels:
    """Of one account. `content` fetches a file from the account that has it."""

    def __init__(self, channel: Channel, desk: Desk, content: Content) -> None:
        self.can = channel.capabilities
        self.desk = desk
        self._content = content
        self._published: OrderedDict[tuple[Media, str | None], tuple[str, datetime]] = OrderedDict()

    def carries(self, message: Outbound) -> bool:
        """Whether the channel takes these files as they are."""
        return all(self._takes(media, group=message.group) for media in message.media)

    def _takes(self, media: Media, *, group: bool) -> bool:
        if media.kind not in self.can.media or (media.size or 0) > self.can.max_upload:
            return False
        if media.kind is not MediaKind.VOICE or self.can.voice is None:
            return True
        return mime_of(media) in self.can.voice and not group

    async def as_links(self, message: Outbound, origin: str | None, *, every: bool = False) -> Outbound:
        """The message with the files that the channel does not take (or `every` one) as addresses below the text;
        without a place to put them, it says that there are some. Raises `SendError`, `OSError`."""
        kept = () if every else tuple(m for m in message.media if self._takes(m, group=message.group))
        lines = [message.text] if message.text else []
        lost = [media for media in message.media if media not in kept and media.kind not in _NOTHING_LOST]
        lines += [await self._link(media, origin) for media in lost]
        text = "\n\n".join(lines) or ("" if kept else "…")
        limit = self.can.max_caption if kept else self.can.max_text
        if length(text) > limit and len(lines) > 1:
            text = "\n\n".join([shorten(lines[0], limit - length("".join(lines[1:])) - 2 * len(lines)), *lines[1:]])
        return replace(message, media=kept, text=text)

    async def _link(self, media: Media, origin: str | None) -> str:
        say = self.desk.book.label
        if self.desk.publish is None:
            return say("vi", "common.attachment_missing")
        url = await self._address(media, origin, self.desk.publish)
        return say("vi", "common.attachment", url=url)

    async def _address(self, media: Media, origin: str | None, publish: Publish) -> str:
        """Put there once a day, however many people are sent it."""
        now = self.desk.clock.now()
        known = self._published.get((media, origin))
        if known is None or known[1] < now - _AGAIN:
            file = await self._content(media, origin)
            content = file.content if file.content is not None else Path(file.path or "").read_bytes()
            known = self._published[media, origin] = (await publish(content, mime_of(media)), now)
            while len(self._published) > _MOST:
                self._published.popitem(last=False)
        return known[0]


def mime_of(media: Media) -> str:
    """The MIME type, as far as it is known."""
    guessed = mimetypes.guess_type(media.name or media.path or "")[0]
    return media.mime or guessed or _MIME.get(media.kind, "application/octet-stream")
