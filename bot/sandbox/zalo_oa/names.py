"""Identifiers as Zalo makes them, drawn from a seed so that a run can be repeated."""

from __future__ import annotations

import random
from collections.abc import Callable


class Names:
    """Every name is new within one sandbox."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._given: set[str] = set()

    def number(self) -> str:
        """19 digits, larger than a double can hold exactly."""
        return self._new(lambda: str(self._random.randrange(10**18, 9 * 10**18)))

    def hexadecimal(self) -> str:
        """20 hexadecimal digits: messages, groups, articles, assets."""
        return self._new(lambda: f"{self._random.getrandbits(80):020x}")

    def token(self, length: int = 120) -> str:
        """Letters, digits, `-` and `_`: tokens, codes and uploads."""
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        return self._new(lambda: "".join(self._random.choices(letters, k=length)))

    def _new(self, draw: Callable[[], str]) -> str:
        while (found := draw()) in self._given:
            pass
        self._given.add(found)
        return found
