"""Reading aloud: what somebody waits to hear is made after the commit and sent when it is there.

Only the voice is at stake: the text has been sent. So what is too much is dropped, and a crash loses nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable

import structlog

from bot.core.words import ContactState
from bot.db import Database, replies
from bot.db.tables import Account, Contact, Reply
from bot.outreach import letterbox, voice
from bot.outreach.desk import Desk
from bot.outreach.voice import Aloud
from bot.speech.forms import Form, SpeechFailed
from bot.speech.speech import Speech

log = structlog.get_logger(__name__)

MOST = 20
"""So many wait at once: the last of them for a few seconds, with a slow voice for minutes."""


class Reader:
    """Takes what is to be heard. `leave` is told of queued replies after each commit; `owner` is this process's name
    where there are several."""

    def __init__(
        self, database: Database, desk: Desk, leave: Callable[[list[Reply]], None], *, owner: str | None = None
    ) -> None:
        self.database = database
        self.desk = desk
        self.leave = leave
        self.owner = owner
        self._waiting: deque[Aloud] = deque()
        self._task: asyncio.Task[None] | None = None

    def take(self, wanted: Iterable[Aloud]) -> None:
        """Read these to whoever waits for them; the same thing once, and nothing when too many wait."""
        for one in wanted:
            if self.desk.speech is None or one in self._waiting:
                continue
            if len(self._waiting) >= MOST:
                log.warning("Too many wait for a voice: one goes without", contact=one.contact_id)
                continue
            self._waiting.append(one)
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._read(), name="reader")

    async def idle(self) -> None:
        """Wait until everybody has heard what they wanted."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def stop(self) -> None:
        """Whoever still waits goes without."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _read(self) -> None:
        while self._waiting:
            one = self._waiting.popleft()
            try:
                await self._say(one)
            except SpeechFailed as error:
                log.warning("No voice was made", contact=one.contact_id, problem=str(error))
            except Exception:
                log.exception("A voice was lost", contact=one.contact_id)

    async def _say(self, one: Aloud) -> None:
        speech = self.desk.speech
        form = voice.form_for(self.desk, self.desk.capabilities.get(one.account), group=one.group)
        if speech is not None and form is not None:
            await self._send(one, speech, form)

    async def _send(self, one: Aloud, speech: Speech, form: Form) -> None:
        """No network and no program runs inside the transaction."""
        path = await speech.make(one.script.text, one.script.language, form)
        message = voice.made(self.desk, str(path), form, one.reads)
        now = self.desk.clock.now()
        async with self.database.write() as tx:
            replies.take_on(tx, self.owner)
            contact = await tx.get(Contact, one.contact_id)
            if contact is None or contact.state is not ContactState.OPEN:
                return
            account = await tx.get_one(Account, contact.account_id)
            await letterbox.put_beside(tx, self.desk, account, contact, message, now)
            rows = list(replies.queued(tx))
        self.leave(rows)
