"""Commands start fast: none of them reads what it does not need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Loaso

HEAVY = ("aiohttp", "alembic", "apscheduler", "jinja2", "procrastinate", "rich", "structlog", "telegram", "yaml")
PROBE = """
import json, sys
from bot.cli import app
from bot.commands import edge
code = edge.run(app)
json.dump([code, sorted(sys.modules)], sys.stderr)
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("campaign", "status", "1"),
        ("campaign", "list"),
        ("campaign", "send", "--to", "all", "--text", "Mai họp thôn", "--again"),
        ("people", "import", "people.csv"),
        ("units", "list"),
    ],
    ids=" ".join,
)
def test_a_command_loads_no_more_than_it_needs(loaso: Loaso, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    Path("people.csv").write_text("channel,external_id,unit,group,consented_at\n", "utf-8")
    assert loaso("campaign", "send", "--to", "all", "--text", "Mai họp thôn", "--json").code == 0
    ended = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        check=True,
        text=True,
    )
    code, loaded = json.loads(ended.stderr.splitlines()[-1])
    assert code == 0
    assert [name for name in loaded if name in HEAVY or name.startswith("messages.content")] == []
