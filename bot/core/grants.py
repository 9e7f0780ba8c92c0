"""What a platform has granted one account: a pair of tokens that is renewed for ever, and where it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

UNKNOWN_LIFE = timedelta(hours=1)
"""How long a token counts as good of which nobody said how old it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A pair of tokens. The refresh token can be used once: whoever uses it gets the next pair."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    obtained_at: datetime
    expires_at: datetime

    @property
    def half_life(self) -> datetime:
        """When it is time to renew it."""
        return self.obtained_at + (self.expires_at - self.obtained_at) / 2


def seed_grant(access_token: str, refresh_token: str, now: datetime) -> Grant:
    """The pair that an operator copied from a console; how old it is nobody knows."""
    return Grant(access_token=access_token, refresh_token=refresh_token, obtained_at=now, expires_at=now + UNKNOWN_LIFE)


class GrantStore(Protocol):
    """Where the pair of one account is kept, the same for all processes. Everything raises `ConnectionError` when it
    cannot be asked."""

    async def read(self) -> Grant | None:
        """The pair, also when it is lost."""
        ...

    async def lost(self) -> str | None:
        """Why a human must consent again; `None` while the pair is good."""
        ...

    async def offer(self, seed: Grant) -> bool:
        """Take the configured first pair if there is none yet, or if the one there is was lost and this is another one
        than was configured then. Returns whether it was taken: what is kept here has been renewed since."""
        ...

    async def take_turn(self, owner: str, seconds: float) -> bool:
        """Whether `owner` alone may renew the pair now, for so long at most."""
        ...

    async def replace(self, grant: Grant, *, instead_of: Grant | None = None) -> None:
        """Keep a new pair, which ends the turn and finds what was lost. With `instead_of` only while that is the pair
        that is kept: a human may have consented meanwhile."""
        ...

    async def give_turn_back(self, owner: str) -> None:
        """Let others renew it."""
        ...

    async def mark_lost(self, problem: str, *, of: Grant | None = None) -> None:
        """A human must consent again; this ends the turn. With `of` only while that is the pair that is kept."""
        ...


class MemoryGrants:
    """A store that forgets, for one process."""

    def __init__(self, grant: Grant | None = None) -> None:
        self._grant = grant
        self._problem: str | None = None
        self._seed: Grant | None = None
        self._owner: str | None = None

    async def read(self) -> Grant | None:
        return self._grant

    async def lost(self) -> str | None:
        return self._problem

    async def offer(self, seed: Grant) -> bool:
        again = self._seed is not None and self._seed.refresh_token == seed.refresh_token
        if self._grant is not None and (self._problem is None or again):
            return False
        self._seed = seed
        await self.replace(seed)
        return True

    async def take_turn(self, owner: str, seconds: float) -> bool:
        """A turn ends only when it is given back: who forgets it would forget all this."""
        if self._owner not in (None, owner):
            return False
        self._owner = owner
        return True

    async def replace(self, grant: Grant, *, instead_of: Grant | None = None) -> None:
        if self._keeps(instead_of):
            self._grant, self._problem, self._owner = grant, None, None

    async def give_turn_back(self, owner: str) -> None:
        if self._owner == owner:
            self._owner = None

    async def mark_lost(self, problem: str, *, of: Grant | None = None) -> None:
        if self._keeps(of):
            self._problem, self._owner = problem, None

    def _keeps(self, grant: Grant | None) -> bool:
        return grant is None or self._grant is None or grant.refresh_token == self._grant.refresh_token
