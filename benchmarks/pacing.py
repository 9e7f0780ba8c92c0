"""`python -m benchmarks.pacing`: the product against a platform that counts strictly, ten people asking meanwhile."""

from __future__ import annotations

import argparse
import asyncio
import gc
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from time import monotonic

from benchmarks import pacing_picture
from benchmarks.serving import ROOT
from bot.sandbox.telegram import BotAccount, Limits, TelegramSandbox, Timing
from tests.support.program import Program

PICTURE = ROOT / "docs" / "pacing-histogram.svg"
LATENCY = 0.06
"""Seconds that the platform takes to answer."""
_TOKEN = "123456:AAaaBBbbCCccDDddEEeeFFff"
_ASKING = 10
_EVERY = 4.0
"""Seconds after an answer until the same person asks again."""
_LEAD = 2.0
"""Seconds of a run before it counts where nothing is to be learnt: by then connections are open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`ours` is our own limit (0: none), `theirs` what the platform allows, both messages a second. When more comes,
    the platform refuses everything for `retry_after` seconds."""

    title: str
    ours: int
    theirs: int
    retry_after: int = 1


SCENES = {
    "documented": Scene(title="30/s allowed, 30/s kept", ours=30, theirs=30),
    "stricter": Scene(title="25/s allowed, 30/s kept, `retry_after` 3 s", ours=30, theirs=25, retry_after=3),
    "unlimited": Scene(title="30/s allowed, no limit of our own, `retry_after` 5 s", ours=0, theirs=30, retry_after=5),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What the platform saw from the run's first message that counts on; times in seconds from there."""

    seconds: float
    times: list[float]
    refused: list[tuple[float, float]]
    """When, and for how long it asked to wait."""
    waits: list[float]
    """Seconds from a question to the first message of its answer."""

    @property
    def halted(self) -> float:
        """Seconds in which it had asked to wait."""
        total = end = 0.0
        for at, pause in self.refused:
            total += max(0.0, min(at + pause, self.seconds) - max(at, end))
            end = max(end, at + pause)
        return total

    @property
    def rate(self) -> float:
        """Messages a second outside of halts."""
        return len(self.times) / (self.seconds - self.halted)

    def most_in(self, seconds: float) -> int:
        """The most messages in any window of that length."""
        most = start = 0
        for end, at in enumerate(self.times):
            while self.times[start] <= at - seconds:
                start += 1
            most = max(most, end - start + 1)
        return most

    @property
    def distances(self) -> list[float]:
        """Seconds from each message to the next."""
        return [b - a for a, b in pairwise(self.times)]

    def wait(self, share: float) -> float:
        """Seconds within which that share of the answers came."""
        return sorted(self.waits)[min(len(self.waits) - 1, int(share * len(self.waits)))]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pacing", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", action="append", choices=SCENES, metavar="SCENE", help=", ".join(SCENES))
    parser.add_argument("--draw", action="store_true", help=f"keep the histogram as {PICTURE.relative_to(ROOT)}")
    asked = parser.parse_args()
    print(_HEAD, flush=True)
    documented = None
    for name in asked.only or SCENES:
        seen = asyncio.run(played(SCENES[name], asked.seconds))
        print(_line(SCENES[name], seen), flush=True)
        documented = seen if name == "documented" else documented
    if documented is not None:
        print("\nMilliseconds from one message to the next, 30/s allowed:\n")
        print(pacing_picture.text(documented.distances))
        if asked.draw:
            PICTURE.write_text(pacing_picture.svg(documented.distances), "utf-8")


_HEAD = """\
| platform | messages/s outside halts | most in any second | 429s | halted | answers | p50 | p90 | p99 | longest |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"""


def _line(scene: Scene, seen: Seen) -> str:
    waits = [f"{seen.wait(share) * 1000:.0f} ms" for share in (0.5, 0.9, 0.99, 1.0)]
    counts = [f"{seen.rate:.2f}", str(seen.most_in(1.0)), str(len(seen.refused)), f"{seen.halted:.0f} s"]
    return f"| {' | '.join([scene.title, *counts, str(len(seen.waits)), *waits])} |"


async def played(scene: Scene, seconds: float) -> Seen:
    """One run of the program, a process of its own, for so long."""
    gc.collect()
    gc.disable()  # a pause of this process would be the platform's
    limits = Limits(per_second=scene.theirs, chat_burst=1, penalty=scene.retry_after - 1)
    platform = TelegramSandbox(limits, timing=Timing.fast(), latency=LATENCY, anyone_reachable=True)
    bot = platform.add_bot(_TOKEN, username="loaso_bot", name="Loa Số")
    await platform.start()
    try:
        with tempfile.TemporaryDirectory(prefix="loaso-pace-") as folder:
            return await _measured(scene, platform, bot, Path(folder), seconds)
    finally:
        await platform.stop()
        gc.enable()


async def _measured(scene: Scene, platform: TelegramSandbox, bot: BotAccount, folder: Path, seconds: float) -> Seen:
    program = Program(
        folder,
        database_url=f"sqlite+aiosqlite:///{folder / 'loaso.db'}",
        telegram_token=_TOKEN,
        telegram_api_url=platform.url,
        telegram_rate=scene.ours,
        timezone=_where_it_is_afternoon(),
        log_format="json",
        http_port=0,
    )
    people = range(10_000, 10_000 + int((seconds + _LEAD) * 32))
    await program.loaso("people", "import", str(program.people(people)))
    await program.start()
    await program.loaso("campaign", "send", "--text", "Mời bà con dự lớp học số", "--to", "all")
    async with asyncio.timeout(30):
        while not platform.sent(bot):  # noqa: ASYNC110  # the sandbox tells chats apart, not totals
            await asyncio.sleep(0.05)
    begun = next(iter(platform.log)).at
    if scene.ours == scene.theirs:
        await asyncio.sleep(_LEAD)
        begun = monotonic()
    waits = await _asked(platform, bot, seconds)
    await program.stop()
    return _seen(platform, bot, begun, seconds, waits)


async def _asked(platform: TelegramSandbox, bot: BotAccount, seconds: float) -> list[float]:
    """Ten people ask again and again. Returns how long each waited."""
    waits: list[float] = []

    async def asks(number: int) -> None:
        user = platform.add_user(number, "Lan")
        chat = user.chat(bot)
        ends = monotonic() + seconds
        await asyncio.sleep(_EVERY * (number % _ASKING) / _ASKING)
        while monotonic() < ends - _EVERY:
            seen, begun = chat.count, monotonic()
            await user.write(bot, "vneid là gì")
            while not any(m.from_bot for m in await chat.wait_new(seen, timeout=90)):
                seen = chat.count
            waits.append(monotonic() - begun)
            await asyncio.sleep(_EVERY)
        await asyncio.sleep(max(0.0, ends - monotonic()))

    await asyncio.gather(*(asks(20_000 + n) for n in range(_ASKING)))
    return waits


def _seen(platform: TelegramSandbox, bot: BotAccount, begun: float, seconds: float, waits: list[float]) -> Seen:
    entries = [e for e in platform.log if e.bot_id == bot.id and begun <= e.at < begun + seconds]
    refused = [(e.at - begun, float(e.description.rsplit(" ", 1)[-1])) for e in entries if e.status == 429]
    return Seen(seconds, [e.at - begun for e in entries if e.status == 200], refused, waits)


def _where_it_is_afternoon() -> str:
    """A time zone in which nobody is asleep and no tip is due."""
    ahead = (13 - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}"


if __name__ == "__main__":
    main()
