"""A process that sends nothing, as fast as an account's shared pace lets it, and prints when it would have.

It says `ready` and waits for a line that holds the moment at which to end, on the machine's monotonic clock."""

from __future__ import annotations

import asyncio
import sys
from time import monotonic

from bot.core.channel import Limits
from bot.core.words import Lane
from bot.db import Database
from bot.db.pace import SharedPace
from bot.engine.shared_line import SharedLine

SLICE = 15


async def main(url: str, account: int, rate: float, first_chat: int) -> None:
    database = Database(url)
    pace = SharedPace(database)
    line = SharedLine(account, Limits(per_second=rate, per_chat_second=1, per_group_minute=20), pace)
    times: list[float] = []
    chat = first_chat
    await line.expect([])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    until = float(await asyncio.to_thread(sys.stdin.readline))
    while monotonic() < until:
        chats = [str(n) for n in range(chat, chat + SLICE)]
        chat += SLICE
        await line.expect([(c, False) for c in chats])
        for one in chats:
            tell = await line.wait(Lane.BULK, one)
            times.append(monotonic())
            tell()
    line.close()
    await pace.close()
    await database.close()
    sys.stdout.write("".join(f"{moment}\n" for moment in times))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
