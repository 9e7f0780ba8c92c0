"""What happens, as it happens: world events turned into server-sent events, and a pulse every second."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import orjson

from bot.sandbox.page import view
from bot.sandbox.page.timemachine import TimeMachine
from bot.sandbox.sample import Town
from bot.sandbox.telegram import Chat, Message, WorldEvent
from bot.sandbox.telegram.errors import Json

MINUTE = 60
_BEHIND = 2000
_RECENT = 400


class Feed:
    """Counts what was sent each second of the last minute, and tells every open page what happens."""

    def __init__(self, town: Town, machine: TimeMachine) -> None:
        self.town = town
        self.machine = machine
        self.rates: deque[int] = deque([0] * MINUTE, MINUTE)
        self.recent: deque[Json] = deque(maxlen=_RECENT)
        self.readers: set[asyncio.Queue[bytes | None]] = set()
        self._counted = 0
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._beat())]

    async def stop(self) -> None:
        """Open pages are told that there will be no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for reader in self.readers:
            reader.put_nowait(None)

    async def read(self) -> AsyncIterator[bytes]:
        """Frames for one page, until it goes or the demo ends."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.readers.add(queue)
        try:
            yield frame("pulse", self.pulse())
            while (found := await queue.get()) is not None:
                yield found
        finally:
            self.readers.discard(queue)

    def tell(self, kind: str, data: Json) -> None:
        """One event for every page; a page that has fallen far behind starts anew."""
        made = frame(kind, data)
        for reader in self.readers:
            if reader.qsize() > _BEHIND:
                while not reader.empty():
                    reader.get_nowait()
                made = frame("again", {})
            reader.put_nowait(made)

    def pulse(self) -> Json:
        """The time and the counters."""
        world, bot = self.town.world, self.town.bot
        return {
            "clock": self.machine.shown(),
            "sent": world.sent(bot),
            "refused": world.count_429(bot),
            "rate": self.rates[-1],
            "most": world.max_in_window(bot) if len(world.log) < 20_000 else None,
        }

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(1)
            sent = self.town.world.sent(self.town.bot)
            self.rates.append(sent - self._counted)
            self._counted = sent
            self.tell("pulse", self.pulse())

    async def _listen(self) -> None:
        with self.town.world.subscribe(_BEHIND) as events:
            async for event in events:
                told = self._translated(event)
                if told is None:
                    continue
                if told[0] == "message" and told[1]["message"]["bot"]:
                    self.recent.append({"chat": told[1]["chat"], "message": view.brief(told[1]["message"])})
                self.tell(*told)

    def _translated(self, event: WorldEvent) -> tuple[str, Json] | None:
        where = self._chat(event.chat_id)
        if where is None:
            return None
        if event.kind in ("message", "edited", "deleted"):
            found = _find(where, event.data["message_id"])
            return (event.kind, {"chat": where.id, "message": view.message(found)}) if found else None
        if event.kind == "chat_action":
            return "action", {"chat": where.id, "action": event.data["action"]}
        if event.kind == "membership" and where.is_private:
            blocked = getattr(where, "blocked", False)
            return "blocked", {"chat": where.id, "blocked": blocked}
        return None

    def _chat(self, id: int) -> Chat | None:
        group = next((g.current for g in self.town.groups if g.current.id == id), None)
        return group or (self.town.people[id].user.chat(self.town.bot) if id in self.town.people else None)


def _find(chat: Chat, id: int) -> Message | None:
    return next((m for m in reversed(chat.messages) if m.id == id), None)


def frame(kind: str, data: Json) -> bytes:
    """One server-sent event."""
    return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
