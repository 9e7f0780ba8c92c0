"""Tables that operators bring: CSV read line by line, each bad line refused with its number, the rest kept."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from bot.core.errors import BadFile
from bot.core.text import clean, shorten

MAX_FILE = 200 * 1024 * 1024
MAX_LINE = 64 * 1024
_STEP = 128 * 1024
_DELIMITERS = ",;\t"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Refused(Exception):
    """One line that cannot be taken; the text says why and never repeats a name."""


Refuse = Callable[[int, str], None]
"""Told the number (counted from 1) and the reason of every refused line."""


@dataclass(slots=True)
class Row:
    """One line: what stands in each known column, ends trimmed, first the required ones, in the order in which the
    sheet names them; a column that the file lacks is empty."""

    line: int
    cells: tuple[str, ...]
    _places: Mapping[str, int]

    def __getitem__(self, column: str) -> str:
        return self.cells[self._places[column]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A CSV file in UTF-8 with a header. Columns may stand in any order, between commas, semicolons or tabs;
    columns that are in neither list are ignored. A field may not contain a line break."""

    path: Path
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    def rows(self, refuse: Refuse, progress: Callable[[int], None] = lambda _bytes: None) -> Iterator[Row]:
        """The lines that can be read. `progress` is told now and then how many bytes were read since it was told last.

        Raises `BadFile` when the file as a whole cannot be read, and `OSError` when it cannot be opened.
        """
        with self.path.open("rb") as file:
            self._weigh(file)
            first = file.readline(MAX_LINE)
            header = self._header(first)
            number, unseen = 1, len(first)
            while line := file.readline(MAX_LINE):
                number += 1
                size = len(line) + (0 if line.endswith(b"\n") else _skip_rest(file, line))
                unseen += size
                if unseen >= _STEP:
                    progress(unseen)
                    unseen = 0
                try:
                    row = header.row(number, line, whole=size == len(line))
                except Refused as why:
                    refuse(number, str(why))
                else:
                    if row is not None:
                        yield row
            progress(unseen)

    def _weigh(self, file: BinaryIO) -> None:
        if os.fstat(file.fileno()).st_size > MAX_FILE:
            raise BadFile(f"{self.path.name} is larger than {MAX_FILE >> 20} MB: split it into several files")

    def _header(self, first: bytes) -> _Header:
        text = self._first_line(first)
        known = {*self.required, *self.optional}
        delimiter = max(_DELIMITERS, key=lambda d: len(known.intersection(_names(text, d))))
        found = _names(text, delimiter)
        missing = [name for name in self.required if name not in found]
        wanted = ",".join((*self.required, *self.optional))
        if missing:
            raise BadFile(f"{self.path.name} has no column {', '.join(missing)}: the first line must name {wanted}")
        twice = sorted({name for name in found if name in known and found.count(name) > 1})
        if twice:
            raise BadFile(f"{self.path.name} has the column {', '.join(twice)} twice: keep one of them")
        return _Header(found, delimiter, self.required + self.optional)

    def _first_line(self, first: bytes) -> str:
        if not first.strip():
            raise BadFile(f"{self.path.name} is empty or begins with an empty line: the first line names the columns")
        if first.startswith(_UTF16):
            raise BadFile(f"{self.path.name} is not UTF-8 but UTF-16: save it as 'CSV UTF-8'")
        try:
            text = first.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError:
            raise BadFile(f"{self.path.name} is not UTF-8: save it as 'CSV UTF-8'") from None
        if "\0" in text or "\r" in text or len(first) == MAX_LINE:
            raise BadFile(f"{self.path.name} is not a CSV file with one line for each row")
        return text


class _Header:
    """What the columns of a file are called, and how its lines are taken apart."""

    def __init__(self, names: list[str], delimiter: str, wanted: Sequence[str]) -> None:
        self.delimiter = delimiter
        self.width = len(names)
        self.places = {name: place for place, name in enumerate(wanted)}
        self.pick = itemgetter(*(names.index(name) if name in names else self.width for name in wanted))

    def row(self, number: int, line: bytes, *, whole: bool) -> Row | None:
        """`None` for a blank line."""
        if not whole:
            raise Refused(f"the line is longer than {MAX_LINE >> 10} KB")
        if b"\0" in line:
            raise Refused("the line contains NUL characters")
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise Refused("the line is not UTF-8: save the file as 'CSV UTF-8'") from None
        cells = _cells(text.rstrip("\r\n"), self.delimiter)
        if not any(cells):
            return None
        if len(cells) > self.width:
            self._no_more(cells)
        elif len(cells) < self.width:
            cells += [""] * (self.width - len(cells))
        cells.insert(self.width, "")  # what a column that the file lacks holds
        return Row(number, self.pick(cells), self.places)

    def _no_more(self, cells: list[str]) -> None:
        """Fields behind the last column must be empty."""
        if any(cells[self.width :]):
            raise Refused(
                f"it has {len(cells)} fields where the header has {self.width}: quote a field with "
                f"'{self.delimiter}' in it"
            )


def _names(text: str, delimiter: str) -> list[str]:
    return [clean(cell).lower() for cell in next(csv.reader([text], delimiter=delimiter), [])]


def _cells(text: str, delimiter: str) -> list[str]:
    """The fields of one line. Each line is read for itself, so that one lost quotation mark cannot swallow the file."""
    if '"' not in text:
        return [cell.strip() for cell in text.split(delimiter)]
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter, strict=True), [])]
    except csv.Error:
        raise Refused("a quotation mark is missing or out of place") from None


def _skip_rest(file: BinaryIO, line: bytes) -> int:
    """Read on to the end of an overlong line; how many bytes that was."""
    skipped = 0
    while len(line) == MAX_LINE and not line.endswith(b"\n"):
        line = file.readline(MAX_LINE)
        skipped += len(line)
    return skipped


def quote(value: str) -> str:
    """A wrong value for a reason: short, on one line."""
    return f"'{shorten(clean(value).replace(chr(10), ' '), 40)}'"
