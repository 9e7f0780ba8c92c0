"""YAML read as plain strings, with the line of every value, so that each problem can name its place."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Key = tuple[str | int, ...]
_DEEPEST = 20


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, where (line counted from 1), in plain English."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(slots=True)
class Document:
    """One YAML file: values (mappings, lists, strings, None), the line of each, what is wrong with the file."""

    path: Path
    value: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, key: Key) -> int:
        """The line of the value at `key`, or of the nearest value around it."""
        while key not in self.lines and key:
            key = key[:-1]
        return self.lines.get(key, 1)

    def wrong(self, key: Key, text: str) -> None:
        self.problems.append(Problem(self.path, self.line(key), text))


class _Loader(yaml.BaseLoader):
    """Constructs nothing but strings (so `0368` keeps its zero) and follows no aliases (so no file explodes)."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not used in packs", self.get_mark())
        return super().compose_node(parent, index)


def read(path: Path) -> Document:
    """Read one file. Never raises for what the file holds: all that is wrong is in `problems`."""
    document = Document(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        document.wrong((), f"cannot be read as UTF-8 text: {error}")
        return document
    return parse(text, document)


def parse(text: str, document: Document) -> Document:
    """Fill the document from YAML text."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        document.problems.append(Problem(document.path, line, f"not valid YAML: {_reason(error)}"))
    except RecursionError:
        document.wrong((), "not valid YAML for a pack: nested too deep")
    else:
        document.value = _value(node, (), document) if node else None
    return document


def _reason(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable")


def _value(node: yaml.Node, key: Key, document: Document) -> Any:
    document.lines[key] = node.start_mark.line + 1
    if len(key) > _DEEPEST:
        document.wrong(key, "nested too deep")
        return None
    if isinstance(node, yaml.MappingNode):
        return {k: _value(v, (*key, k), document) for k, v in _pairs(node, key, document)}
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*key, i), document) for i, child in enumerate(node.value)]
    return _scalar(node, key, document)


def _pairs(node: yaml.MappingNode, key: Key, document: Document) -> Iterator[tuple[str, yaml.Node]]:
    seen: set[str] = set()
    for name, child in node.value:
        if not isinstance(name, yaml.ScalarNode):
            document.wrong(key, "a key must be a plain word")
            continue
        word = str(name.value)
        if word in seen:
            problem = f"`{word}` is written twice"
            document.problems.append(Problem(document.path, name.start_mark.line + 1, problem))
            continue
        seen.add(word)
        yield word, child


def _scalar(node: yaml.Node, key: Key, document: Document) -> str | None:
    text = str(node.value)
    if not text and getattr(node, "style", None) is None:
        return None
    if text != unicodedata.normalize("NFC", text):
        document.wrong(key, "marks are typed as separate characters: save the text as Unicode NFC")
    if any(unicodedata.category(c) in {"Cc", "Cf"} for c in text if c != "\n"):
        document.wrong(key, "holds an invisible control character")
    return text.strip()
