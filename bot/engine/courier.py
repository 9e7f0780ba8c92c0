"""One attempt to send: media made ready for the account, uploaded once, and errors turned into what follows."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from bot.core.channel import ON_WIRE, Channel
from bot.core.errors import (
    BadContent,
    ContactRefused,
    NotSent,
    OutcomeUnknown,
    Reason,
    SendError,
    SlowDown,
    UploadExpired,
)
from bot.core.events import Media, MediaKind, Outbound, Sent
from bot.db import Database, items
from bot.engine.ledger import Ledger
from bot.engine.parcels import Parcels
from bot.outreach.desk import Desk

T = TypeVar("T")


class Courier:
    """Sends messages of one account. A file that is not known to the platform yet is uploaded by the first message
    that needs it, while others that need it wait; afterwards it goes by its id."""

    def __init__(
        self,
        channel: Channel,
        account_id: int,
        database: Database,
        ledger: Ledger,
        desk: Desk,
        channels: Mapping[str, Channel],
    ) -> None:
        self.channel = channel
        self.account_id = account_id
        self.database = database
        self.ledger = ledger
        self.clock = desk.clock
        self.parcels = Parcels(channel, desk, self._content)
        self.channels = channels
        self._known: dict[str, str] = {}
        self._uploaded: dict[str, datetime] = {}
        self._digests: dict[tuple[Media, str | None], str] = {}
        self._uploading: dict[str, asyncio.Lock] = {}
        self._unfit: set[str] = set()
        self._gone: set[str] = set()

    async def send(self, message: Outbound, *, origin: str | None = None) -> Sent:
        """Send once. `origin` is the key of the account whose file ids the message holds, if not this one.

        Raises a `SendError`; nothing is retried here.
        """
        if message.media and not self.parcels.carries(message):
            message = await self._ours(self.parcels.as_links(message, origin))
        if not any(self._is_strange(m, origin) for m in message.media):
            return await self._send(message)
        digests = [await self._ours(self._digest(m, origin)) for m in message.media]
        self._digests.update(zip([(m, origin) for m in message.media], digests, strict=True))
        key = "+".join(digests)
        lock = self._uploading.setdefault(key, asyncio.Lock())
        async with lock:
            known = [await self._file_id(d) for d in digests]
            if not all(known) and key not in self._unfit:
                try:
                    return await self._send_new(message, origin, digests)
                except ContactRefused as error:
                    if error.reason is not Reason.BAD_CONTENT:
                        raise
                    self._unfit.add(key)
        if key in self._unfit:
            return await self._send(await self._ours(self.parcels.as_links(message, origin, every=True)))
        again = tuple(Media(m.kind, file_id=self._known[d]) for m, d in zip(message.media, digests, strict=True))
        try:
            return await self._send(replace(message, media=again))
        except UploadExpired:
            self._forget(digests)  # the next attempt uploads it again
            raise

    async def _send_new(self, message: Outbound, origin: str | None, digests: list[str]) -> Sent:
        """The first message with these files. Raises `ContactRefused` for files that this platform does not take."""
        ready = [await self._ours(self._content(m, origin)) for m in message.media]
        sent = await self._send(replace(message, media=tuple(ready)))
        self._remember(digests, sent)
        self._uploading.pop("+".join(digests), None)
        return sent

    def ready(self, message: Outbound, *, origin: str | None = None) -> Outbound | None:
        """The message with the ids under which this account has sent its files before; `None` if it has not."""
        media = []
        for one in message.media:
            known = self._known.get(self._digests.get((one, origin), ""))
            if known is None:
                return None
            media.append(Media(one.kind, file_id=known))
        return replace(message, media=tuple(media))

    async def _send(self, message: Outbound) -> Sent:
        """What the channel itself cannot put into a call is wrong for everybody and was never sent."""
        try:
            return await self.channel.send(message)
        except ValueError as error:
            raise BadContent(f"this channel cannot carry the message: {error}") from error
        finally:
            tell = ON_WIRE.get()
            if tell is not None:
                tell()

    @staticmethod
    async def _ours(step: Awaitable[T]) -> T:
        """Getting a file ready is no attempt to send: what goes wrong there never reached the person, and says
        nothing about this account."""
        try:
            return await step
        except (NotSent, SlowDown, OutcomeUnknown) as error:
            raise NotSent(f"a file could not be fetched: {error.detail}") from error
        except (SendError, OSError, LookupError) as error:
            raise BadContent(f"a file of this message cannot be had: {type(error).__name__}") from error

    def _is_strange(self, media: Media, origin: str | None) -> bool:
        """Whether the account must be given the file first. An address stands for a picture, not for a document."""
        if media.file_id is None or (origin is not None and origin != self.channel.account):
            return True
        return media.kind is MediaKind.FILE and media.file_id.startswith(("https://", "http://"))

    async def _digest(self, media: Media, origin: str | None) -> str:
        if media.file_id is not None:
            return f"{origin}/{media.file_id}"
        content = (
            media.content if media.content is not None else await asyncio.to_thread(Path(media.path or "").read_bytes)
        )
        return hashlib.sha256(content).hexdigest()

    async def _file_id(self, digest: str) -> str | None:
        """Under which the platform still has the file."""
        life = self.channel.capabilities.upload_life
        since = None if life is None else self.clock.now() - life
        if since is not None and self._uploaded.get(digest, since) < since:
            self._forget([digest])
        if digest not in self._known:
            if digest in self._gone:
                return None  # written down a moment later
            async with self.database.read() as tx:
                found = await items.upload(tx, self.account_id, digest, since)
            if found is None:
                return None
            self._known[digest], self._uploaded[digest] = found.file_id, found.at
        return self._known[digest]

    def _forget(self, digests: list[str]) -> None:
        for digest in digests:
            self._known.pop(digest, None)
            self._uploaded.pop(digest, None)
            self._gone.add(digest)
        self.ledger.note(lambda tx: items.forget_uploads(tx, self.account_id, digests))

    async def _content(self, media: Media, origin: str | None) -> Media:
        """The file itself, fetched from the account that knows it where need be."""
        if media.file_id is None:
            return media
        content = await self.channels[origin or self.channel.account].fetch(media)
        return replace(media, file_id=None, content=content)

    def _remember(self, digests: list[str], sent: Sent) -> None:
        for digest, file_id in zip(digests, sent.file_ids, strict=False):
            self._known[digest], self._uploaded[digest] = file_id, self.clock.now()
            self._gone.discard(digest)
            self.ledger.remember_upload(self.account_id, digest, file_id, self.clock.now())
