"""From the values of a YAML file to models: defaults of the file, facts put into texts, errors put into words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from messages.content.lines import Document, Key, Problem
from messages.content.models import Fact, Group, Sourced

Item = TypeVar("Item", bound=Sourced)

SPOKEN = ("title", "text", "steps", "simpler", "why", "script", "answer", "quiz")
"""Fields that people read or hear: facts are filled in here, and the editorial rules look here."""
REFERENCE = re.compile(r"\{fact:([a-z0-9_]+)\}")


@dataclass(slots=True)
class Shelf:
    """Where each record came from, and everything found wrong so far."""

    problems: list[Problem] = field(default_factory=list)
    places: dict[tuple[str, str], tuple[Document, Key]] = field(default_factory=dict)
    documents: dict[Path, Document] = field(default_factory=dict)

    def at(self, kind: str, id: str, key: Key, text: str) -> Problem:
        """A problem at a field of a record (kind is `tips`, `faq` or `facts`)."""
        document, place = self.places[kind, id]
        return Problem(document.path, _line(document, place, key), text)

    def wrong(self, kind: str, id: str, key: Key, text: str) -> None:
        self.problems.append(self.at(kind, id, key, text))

    def raw(self, kind: str, id: str) -> Mapping[str, Any]:
        """The record as it stands in the file, facts not yet filled in."""
        document, place = self.places[kind, id]
        value: Mapping[str, Any] = document.value[place[0]][place[1]]
        return value


Known = Mapping[str, Mapping[str, Any]]
"""By id: what a translation takes over from the record that it translates."""


def records(
    kind: type[Item],
    name: str,
    document: Document,
    shelf: Shelf,
    facts: Mapping[str, Fact],
    translated: Known | None = None,
) -> Iterator[tuple[Key, Item]]:
    """Every good record under `name:` of the file; what is wrong with the others goes to the document. A translation
    holds only words: everything else comes from `translated`."""
    shelf.documents[document.path] = document
    if document.problems and document.value is None:
        return
    defaults, rows = _outline(name, document)
    for i, row in enumerate(rows):
        key: Key = (name, i)
        if not isinstance(row, dict):
            document.wrong(key, "must be a record with fields such as `id:`")
            continue
        known = _known(row, document, key, translated)
        filled, uses = _fill({**known, **defaults, **_groups(row)}, document, key, facts)
        try:
            yield key, kind.model_validate({**filled, "uses": uses})
        except ValidationError as error:
            _explain(error, document, key)


def _known(row: dict[str, Any], document: Document, key: Key, translated: Known | None) -> Mapping[str, Any]:
    if translated is None:
        return {}
    if row.get("id") not in translated:
        document.wrong((*key, "id"), f"translates nothing: no `{row.get('id')}` in the first language")
        return {}
    return translated[row["id"]]


def strings(document: Document, key: Key, value: Any) -> tuple[str, ...]:
    """A list of plain words, or a problem and what can be used of it."""
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        document.wrong(key, "must be a list of ids")
        return ()
    return tuple(value)


def _outline(name: str, document: Document) -> tuple[dict[str, Any], list[Any]]:
    outline = document.value
    if not isinstance(outline, dict) or not isinstance(outline.get(name), list):
        document.wrong((), f"must hold a list under `{name}:`")
        return {}, []
    for extra in outline.keys() - {name, "defaults"}:
        document.wrong((extra,), f"`{extra}` is not known here: only `defaults` and `{name}`")
    defaults = outline.get("defaults") or {}
    if not isinstance(defaults, dict):
        document.wrong(("defaults",), "must be a mapping of fields")
        defaults = {}
    return _groups(defaults), outline[name]


def _groups(row: dict[str, Any]) -> dict[str, Any]:
    """`groups: [all]` means every group."""
    return {**row, "groups": [str(g) for g in Group]} if row.get("groups") == ["all"] else row


def _fill(
    row: dict[str, Any], document: Document, key: Key, facts: Mapping[str, Fact]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    used: dict[str, None] = {}

    def put(match: re.Match[str]) -> str:
        if match[1] not in facts:
            document.wrong(key, f"there is no fact `{match[1]}`")
            return match[0]
        used[match[1]] = None
        return facts[match[1]].value

    def fill(value: Any) -> Any:
        if isinstance(value, list):
            return [fill(v) for v in value]
        if isinstance(value, dict):
            return {k: fill(v) for k, v in value.items()}
        return REFERENCE.sub(put, value) if isinstance(value, str) else value

    filled = {k: fill(v) if k in SPOKEN else v for k, v in row.items() if v is not None}
    return filled, tuple(used)


def _explain(error: ValidationError, document: Document, key: Key) -> None:
    for detail in error.errors(include_url=False):
        where: Key = detail["loc"]
        place = ".".join(str(part) for part in where)
        text = detail["msg"].removeprefix("Value error, ")
        problem = Problem(document.path, _line(document, key, where), f"{place}: {text}" if place else text)
        document.problems.append(problem)


def _line(document: Document, record: Key, field: Key) -> int:
    """The line of a record's field, or of the default that it took."""
    if field and (*record, field[0]) not in document.lines and ("defaults", field[0]) in document.lines:
        return document.line(("defaults", *field))
    return document.line((*record, *field))
