"""Faults on demand: connections reset before or after the work, pages of HTML, stalls, refusals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self


class Kind(StrEnum):
    """What a fault does to the calls that it meets."""

    ERROR = "error"
    RESET = "reset"
    HTML = "html"
    STALL = "stall"


@dataclass(eq=False, slots=True, kw_only=True)
class Fault:
    """One fault in force. `left` calls will still meet it (`None`: until lifted), after `skip` matching ones passed;
    `hits` already did. With `after` the work is done all the same."""

    kind: Kind
    path: str = ""
    user_id: str = ""
    left: int | None = None
    skip: int = 0
    after: bool = False
    code: int = 0
    words: str = ""
    seconds: float | None = None
    hits: int = 0

    def lift(self) -> None:
        """End this fault now."""
        self.left = 0

    def meets(self, path: str, body: bytes) -> bool:
        """Whether this call matches, counting it if so."""
        if self.left == 0 or (self.path and not path.endswith(self.path)) or self.user_id.encode() not in body:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.hits += 1
        if self.left is not None:
            self.left -= 1
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.lift()


class Faults:
    """Every fault takes `path` (the end of the path of the calls that meet it; all by default), `user_id` (in the
    body), `count` (how many calls meet it; `None`: until lifted) and `skip` (how many matching calls pass first),
    and is a context manager that lifts itself."""

    def __init__(self) -> None:
        self._active: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._active)

    def error(
        self, code: int, words: str = "", *, path: str = "", user_id: str = "", count: int | None = 1, skip: int = 0
    ) -> Fault:
        """Refuse with this code and do nothing."""
        fault = Fault(kind=Kind.ERROR, path=path, user_id=user_id, left=count, skip=skip, code=code, words=words)
        return self._add(fault)

    def reset_before(self, *, path: str = "", user_id: str = "", count: int | None = 1, skip: int = 0) -> Fault:
        """Reset the connection before doing anything: the request was read, nothing happened."""
        return self._add(Fault(kind=Kind.RESET, path=path, user_id=user_id, left=count, skip=skip))

    def reset_after(self, *, path: str = "", user_id: str = "", count: int | None = 1, skip: int = 0) -> Fault:
        """Do it, then reset the connection: it happened and nobody knows."""
        return self._add(Fault(kind=Kind.RESET, path=path, user_id=user_id, left=count, skip=skip, after=True))

    def html(
        self,
        status: int = 502,
        *,
        after: bool = False,
        path: str = "",
        user_id: str = "",
        count: int | None = 1,
        skip: int = 0,
    ) -> Fault:
        """A page of a proxy with an HTTP error."""
        fault = Fault(kind=Kind.HTML, path=path, user_id=user_id, left=count, skip=skip, code=status, after=after)
        return self._add(fault)

    def stall(
        self,
        seconds: float | None = None,
        *,
        after: bool = False,
        path: str = "",
        user_id: str = "",
        count: int | None = 1,
        skip: int = 0,
    ) -> Fault:
        """Wait that long (by default `Timing.stall`) before doing it, or with `after` between doing and answering.
        A client that gives up before then has a message that was never sent, or one that was."""
        fault = Fault(kind=Kind.STALL, path=path, user_id=user_id, left=count, skip=skip, seconds=seconds, after=after)
        return self._add(fault)

    def clear(self) -> None:
        """Lift everything."""
        for fault in self._active:
            fault.lift()
        self._active.clear()

    def meeting(self, path: str, body: bytes) -> Fault | None:
        """The first fault that this call meets."""
        found = next((f for f in self._active if f.meets(path, body)), None)
        self._active = [f for f in self._active if f.left != 0]
        return found

    def _add(self, fault: Fault) -> Fault:
        self._active.append(fault)
        return fault
