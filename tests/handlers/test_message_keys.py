"""Every message that a handler names exists, and every message is named somewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import handlers
from bot.core.errors import UserError
from messages import Phrasebook, languages

ROOT = Path(handlers.__file__).parents[1]
BOOK = Phrasebook(ZoneInfo("Asia/Ho_Chi_Minh"))
KEYS = BOOK.keys("vi")
KEY = re.compile(r"[a-z_]+\.[a-z_0-9]+")
SAYING = {"reply", "answer", "label", "say"}
RESIDENTS = ("subscribe", "optout", "settings", "tip", "menu", "faq", "link", "catchup", "practice", "voice")


def _trees(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(p for folder in folders for p in (ROOT / folder).rglob("*.py")):
        if "sandbox" not in path.parts:
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def _named(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Keys that stand where only a key can stand: the words of a reply, the label of a button."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SAYING:
            for argument in node.args[:2]:
                yield from _constants(argument)
        elif isinstance(node, ast.Tuple) and len(node.elts) in (2, 3) and _is_text(node.elts[1]):
            yield from _constants(node.elts[0])


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _constants(node: ast.expr) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and KEY.fullmatch(node.value):
        yield node.value, node.lineno


def _mentioned(tree: ast.Module) -> Iterator[re.Pattern[str]]:
    """Every text that may be a key; what is filled in may be anything."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEY.fullmatch(node.value):
            yield re.compile(re.escape(node.value))
        elif isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
            parts = [re.escape(str(v.value)) if isinstance(v, ast.Constant) else ".+" for v in node.values]
            if "." in str(node.values[0].value):
                yield re.compile("".join(parts))


def test_every_message_that_is_named_exists() -> None:
    missing = [
        f"{path}:{line} {key}" for path, tree in _trees("handlers") for key, line in _named(tree) if key not in KEYS
    ]
    assert missing == []


def test_every_message_is_named_somewhere() -> None:
    patterns = {p for _, tree in _trees("handlers", "bot", "jobs") for p in _mentioned(tree)}
    mine = (*RESIDENTS, "group")
    unused = [k for k in KEYS if k.split(".")[0] in mine and not any(p.fullmatch(k) for p in patterns)]
    assert sorted(unused) == []


def test_every_message_can_be_read() -> None:
    BOOK.check()


def test_a_message_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "vi").mkdir()
    (tmp_path / "vi" / "menu.yaml").write_text('show: "{% if %}"\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"vi: menu\.show: "):
        Phrasebook(BOOK.zone, tmp_path).check()


def test_every_message_is_there_in_every_language() -> None:
    assert languages() == ("vi", "en")
    for language in languages():
        assert sorted(KEYS ^ BOOK.keys(language)) == [], language


def test_a_language_writes_days_and_thousands_in_its_way() -> None:
    moment = datetime(2026, 11, 23, 7, 5, tzinfo=BOOK.zone)
    english = BOOK.label("en", "broadcast.button_go_later", leaves=moment)
    assert english == "📢 Send at 07:05 Monday, 23/11/2026"
    assert "thứ Hai, 23/11/2026" in BOOK.label("vi", "broadcast.button_go_later", leaves=moment)
    assert BOOK.label("en", "broadcast.route", count=1234, name="Zalo").startswith("1,234 ")
    assert BOOK.label("vi", "broadcast.route", count=1234, name="Zalo").startswith("1.234 ")


def test_no_language_has_a_message_that_vietnamese_lacks() -> None:
    assert {k for language in BOOK.languages for k in BOOK.keys(language)} - KEYS == set()


def test_every_template_can_be_read() -> None:
    assert set(BOOK.languages) >= {"vi", "en"}
