"""The webhook's sender: signed over exact bytes, two seconds to answer, five retries, then switched off."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from bot.sandbox.zalo_oa.errors import Json
from bot.sandbox.zalo_oa.events import mac, written
from bot.sandbox.zalo_oa.journal import EventEntry

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.world import World

SIGNATURE = "X-ZEvent-Signature"

_AT_ONCE = 32


@dataclass(slots=True)
class _Parcel:
    body: bytes
    headers: dict[str, str]
    entry: EventEntry


class WebhookSender:
    """The one webhook of the app. `copies` is how often each event is sent (5: duplicates), `sign` whether the
    signature is good; `enabled` falls after the last retry failed and must be raised by hand."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._draw = random.Random(seed)
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._session: aiohttp.ClientSession | None = None
        self._lanes: dict[str, list[_Parcel]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[_Parcel] | None = None
        self._closed = False
        self.url = ""
        self.enabled = False
        self.copies = 1
        self.sign = True
        self.muted: set[str] = set()
        self.probes: list[int] = []

    async def set(self, url: str) -> bool:
        """Save an address: an unsigned `{}` must be answered with 200, else nothing is saved."""
        status = await self._post(url, b"{}", {"Content-Type": "application/json"})
        self.probes.append(status)
        if status != 200:
            return False
        self.url, self.enabled = url, True
        return True

    def emit(self, event: Json, user_id: str = "") -> EventEntry:
        """Send an event in the background; those of one person leave in order. Events whose name is `muted` (its
        switch in the console is off) are not sent."""
        message = event.get("message", {})
        message_id = str(message.get("msg_id", "")) if isinstance(message, dict) else ""
        entry = EventEntry(self._world.clock(), str(event["event_name"]), user_id, message_id)
        if not self.enabled or entry.name in self.muted:
            return entry
        self._world.journal.add_event(entry)
        parcel = self._parcel(event, entry)
        for _ in range(self.copies):
            if self._held is not None:
                self._held.append(parcel)
            else:
                self._send(parcel)
        return entry

    def hold(self) -> None:
        """Keep events back until `release`."""
        self._held = self._held or []

    def release(self, *, backwards: bool = False, shuffled: bool = False) -> int:
        """Let held events go, the newest first or in any order on demand. Returns how many."""
        held, self._held = self._held or [], None
        if shuffled:
            self._draw.shuffle(held)
        for parcel in reversed(held) if backwards else held:
            self._send(parcel, lane="" if backwards or shuffled else None)
        return len(held)

    @contextmanager
    def out_of_order(self) -> Iterator[None]:
        """Events of this block arrive with the newest first."""
        self.hold()
        try:
            yield
        finally:
            self.release(backwards=True)

    async def forge(self, event: Json | bytes, signature: str | None = "mac=" + "0" * 64) -> int:
        """Post something with this signature (`None`: without any), once. Returns the receiver's status, 0 for none.
        It is not the platform that does this, so it is in no journal."""
        body = event if isinstance(event, bytes) else written(event, self._draw)
        headers = {"Content-Type": "application/json"} | ({SIGNATURE: signature} if signature is not None else {})
        return await self._post(self.url, body, headers)

    async def settled(self) -> None:
        """Until nothing is under way or waits for a retry. Held events do not count."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def open(self) -> None:
        """Send what gathered since `close`."""
        if self._closed:
            self._closed = False
            self.release()

    async def close(self) -> None:
        """Drop what is under way and gather what comes."""
        self._closed = True
        self.hold()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._lanes.clear()
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _parcel(self, event: Json, entry: EventEntry) -> _Parcel:
        body = written(event, self._draw)
        world = self._world
        secret = world.oa_secret if self.sign else "another secret"
        signature = mac(world.app_id, body, str(event["timestamp"]), secret)
        return _Parcel(body, {"Content-Type": "application/json", SIGNATURE: signature}, entry)

    def _send(self, parcel: _Parcel, lane: str | None = None) -> None:
        key = parcel.entry.user_id if lane is None else lane
        waiting = self._lanes.get(key)
        if waiting is not None:
            waiting.append(parcel)
            return
        self._lanes[key] = [parcel]
        self._spawn(self._drain(key))

    async def _drain(self, key: str) -> None:
        """First attempts in order; a retry does not keep the next ones waiting."""
        waiting = self._lanes[key]
        try:
            while waiting:
                parcel = waiting.pop(0)
                if self.enabled and not await self._attempt(parcel, 0):
                    self._spawn(self._retry(parcel))
        finally:
            del self._lanes[key]

    async def _retry(self, parcel: _Parcel) -> None:
        for number, pause in enumerate(self._world.timing.webhook_retries, 1):
            await asyncio.sleep(pause)
            if not self.enabled or await self._attempt(parcel, number):
                return
        parcel.entry.gave_up = True
        self.enabled = False

    async def _attempt(self, parcel: _Parcel, number: int) -> bool:
        headers = parcel.headers | ({"num_retry": str(number)} if number else {})
        status = await self._post(self.url, parcel.body, headers)
        parcel.entry.statuses.append(status)
        return status == 200

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """The status, 0 where none came within the budget, which begins once there is a connection to use."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_AT_ONCE))
        budget = aiohttp.ClientTimeout(total=self._world.timing.webhook_timeout)
        try:
            async with self._slots, self._session.post(url, data=body, headers=headers, timeout=budget) as answer:
                await answer.read()
                return answer.status
        except (TimeoutError, aiohttp.ClientError):
            return 0

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
