"""Speech: what those who listen will be told next is read before it is due, so that their tips find a voice ready."""

from __future__ import annotations

import structlog

from bot.core.channel import Capabilities
from bot.db import lessons, listening
from bot.outreach import curriculum, voice
from bot.outreach.desk import Desk
from bot.outreach.voice import Script
from bot.speech.forms import Form, SpeechFailed
from jobs.context import JobContext

log = structlog.get_logger(__name__)

AHEAD = 2
"""Tips of each curriculum: today's, should it still be due, and tomorrow's."""
AT_ONCE = 20
"""So many are read at one tick: with a slow voice about five minutes."""


async def prepare_speech(context: JobContext) -> None:
    """Read what is not on the shelf yet. A voice that fails is tried again at the next tick."""
    speech = context.desk.speech
    if speech is None or not any(_waits_for(context.desk, can) for can in context.desk.capabilities.values()):
        return
    wanted = [script for script in await _scripts(context) if speech.speaks(script.language, Form.OGG)]
    missing = [script for script in wanted if speech.ready(script.text, script.language, Form.OGG) is None]
    for script in missing[:AT_ONCE]:
        try:
            await speech.make(script.text, script.language, Form.OGG)
        except SpeechFailed as error:
            log.warning("No voice was made", problem=str(error))
            return


def _waits_for(desk: Desk, can: Capabilities) -> bool:
    return voice.form_for(desk, can) is Form.OGG


async def _scripts(context: JobContext) -> list[Script]:
    """The words of the next tips, each once, the nearest first."""
    desk, today = context.desk, context.desk.clock.today(context.now)
    async with context.database.read() as tx:
        standing = await listening.standings(tx)
        taught = await lessons.everything(tx) if standing else {}
    found: dict[Script, None] = {}
    for group, day, language in standing:
        tips, at = taught[group], day
        for _ in range(AHEAD):
            at = curriculum.next_day(desk, tips, at, today)
            if at < len(tips):
                found[voice.of_next(desk, desk.pack.tips[tips[at]], language)] = None
            at += 1
    return list(found)
