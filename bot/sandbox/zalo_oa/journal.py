"""What happened on the wire, in order: every call with its outcome, every event with its deliveries."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class CallEntry:
    """One call. `at` is unix seconds of the sandbox's clock; `error` is the code that was answered, `None` where
    the call was never carried out; `lost` says that it was carried out (or refused) and the answer never arrived."""

    at: float
    verb: str
    path: str
    error: int | None = None
    user_id: str = ""
    message_id: str = ""
    billed: bool = False
    lost: bool = False


@dataclass(slots=True)
class EventEntry:
    """One event. `statuses` are the receiver's answers, 0 for none within the budget; `message_id` is empty for
    events without one."""

    at: float
    name: str
    user_id: str = ""
    message_id: str = ""
    statuses: list[int] = field(default_factory=list)
    gave_up: bool = False

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return 200 in self.statuses


class Journal:
    """The newest `keep` of each; the counts cover everything since the start."""

    def __init__(self, keep: int = 100_000) -> None:
        self.calls: deque[CallEntry] = deque(maxlen=keep)
        self.events: deque[EventEntry] = deque(maxlen=keep)
        self._outcomes: Counter[tuple[str, int | None]] = Counter()

    def add(self, entry: CallEntry) -> None:
        """Record a call whose outcome is known."""
        self.calls.append(entry)
        self._outcomes[entry.path, entry.error] += 1

    def add_event(self, entry: EventEntry) -> None:
        """Record an event before its first delivery."""
        self.events.append(entry)

    def clear(self) -> None:
        """Forget entries and counts."""
        self.calls.clear()
        self.events.clear()
        self._outcomes.clear()

    def count(self, path: str = "", error: int | None = 0) -> int:
        """Calls of that path (or of all) that were answered with that code (0: carried out)."""
        return sum(n for (where, code), n in self._outcomes.items() if code == error and path in ("", where))

    def refused(self) -> dict[int, int]:
        """How often each code was answered."""
        found: Counter[int] = Counter()
        for (_, code), n in self._outcomes.items():
            if code:
                found[code] += n
        return dict(found)

    def sent(self, user_id: str = "") -> list[CallEntry]:
        """Calls that put a message before somebody, oldest first; `lost` ones too."""
        return [c for c in self.calls if c.error == 0 and c.message_id and user_id in ("", c.user_id)]

    def named(self, name: str) -> list[EventEntry]:
        """Events of that name, oldest first."""
        return [e for e in self.events if e.name == name]
