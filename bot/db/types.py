"""Column types that are small on disk and strict in Python."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
E = TypeVar("E", bound=StrEnum)


class Instant(TypeDecorator[datetime]):
    """A moment, aware, UTC: `timestamptz` on PostgreSQL, microseconds since 1970 as an integer on SQLite."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.TIMESTAMP(timezone=True) if dialect.name == "postgresql" else sa.BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value if dialect.name == "postgresql" else to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if isinstance(value, datetime) else from_micros(value)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970, exact."""
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def from_micros(micros: int) -> datetime:
    """The inverse of `to_micros`."""
    return datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)


class Coded(TypeDecorator[E], Generic[E]):
    """A closed list of words kept as a small integer: its place in the enum, counted from 0. Append only."""

    impl = sa.SmallInteger
    cache_ok = True

    def __init__(self, words: type[E]) -> None:
        super().__init__()
        self.words = words
        self._members = tuple(words)
        self._codes = {word: code for code, word in enumerate(self._members)}

    def process_bind_param(self, value: E | None, dialect: Dialect) -> int | None:
        return None if value is None else self._codes[value]

    def process_result_value(self, value: int | None, dialect: Dialect) -> E | None:
        return None if value is None else self._members[value]

    def __repr__(self) -> str:
        return "sa.SmallInteger()"


def code(word: StrEnum) -> int:
    """The integer under which `Coded` keeps a word, for raw statements."""
    return tuple(type(word)).index(word)
