"""Who runs the sending: `local` in this process, `cluster` in any number of them."""

from __future__ import annotations

from typing import Protocol

from bot.db.tables import Reply


class Engine(Protocol):
    """What the rest of the program knows of it."""

    name: str | None
    """Whose the replies are that this process queues, where there are several processes."""

    async def start(self) -> None:
        """Begin to send."""
        ...

    def quiesce(self) -> None:
        """Claim nothing more; what is on its way leaves."""
        ...

    async def stop(self) -> None:
        """Finish what is in flight, start nothing new, write everything down."""
        ...

    def leave(self, rows: list[Reply]) -> None:
        """Replies that were just committed leave now."""
        ...

    def halt(self, account: str) -> None:
        """That account may not send any more."""
        ...

    def revive(self, account: str) -> None:
        """That account may send again."""
        ...

    def wake(self) -> None:
        """Something was planned or changed: look now."""
        ...

    def health(self) -> dict[str, str]:
        """Accounts that do not send, with the reason in plain words."""
        ...
