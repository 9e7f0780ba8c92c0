"""The suite itself: what is left out on a platform is left out on purpose, and there is little of it."""

from __future__ import annotations

import ast
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.conversations.conftest import LEFT_OUT, Left

OWN = ("test_two_bots.py", "test_linking.py", "test_platforms.py")
"""Files with platforms of their own."""


def conversations() -> set[str]:
    """`file.py::name` of every test that talks."""
    found: set[str] = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        functions = [f for f in ast.parse(path.read_text("utf-8")).body if isinstance(f, ast.AsyncFunctionDef)]
        found |= {f"{path.name}::{f.name}" for f in functions if f.name.startswith("test_")}
    return found


@pytest.mark.parametrize("left", LEFT_OUT, ids=lambda left: f"{left.tests} {left.platforms}")
def test_what_is_left_out_exists_and_has_a_reason(left: Left) -> None:
    assert any(fnmatchcase(name, left.tests) for name in conversations())
    assert left.reason


@pytest.mark.parametrize("platform", ["zalo_bot", "zalo_oa"])
def test_three_of_four_conversations_run_everywhere(platform: str) -> None:
    told = {name for name in conversations() if name.partition("::")[0] not in OWN}
    left = {name for name in told for one in LEFT_OUT if platform in one.platforms and fnmatchcase(name, one.tests)}
    assert len(left) < len(told) / 4
