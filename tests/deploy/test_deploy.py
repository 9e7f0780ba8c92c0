"""Units, containers and documents name only what there is: commands, settings, metrics, files."""

from __future__ import annotations

import re
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from bot.cli import app
from bot.settings import PREFIX, Settings
from bot.web.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
TEXTS = sorted(
    path
    for path in (*DEPLOY.rglob("*"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), ROOT / ".env.example")
    if path.is_file()
)
COMMAND = re.compile(r"(?:^|[`/;(] ?|exec |sudo )loaso ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", re.MULTILINE)


def commands() -> dict[str, set[str]]:
    """Every command, and for a group of commands its own."""
    root: Any = typer.main.get_command(app)
    return {name: set(getattr(command, "commands", ())) for name, command in root.commands.items()}


def named(text: str) -> list[tuple[str, str]]:
    """Commands that a text names."""
    return [(found[1], found[2] or "") for found in COMMAND.finditer(text)]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_settings_exist(path: Path) -> None:
    text, known = path.read_text("utf-8"), commands()
    for name, below in named(text):
        assert name in known, f"loaso {name}"
        assert not known[name] or not below or below in known[name], f"loaso {name} {below}"
    settings = {PREFIX + name.upper() for name in Settings.model_fields}
    for variable in set(re.findall(rf"{PREFIX}[A-Z][A-Z_]+[A-Z]", text)):
        assert variable in settings, variable


def test_the_names_are_found_where_they_stand() -> None:
    text = "`loaso run --no-send`, then loaso: nothing\nsudo loaso campaign status 1; loaso check\n/bin/loaso worker"
    assert named(text) == [("run", ""), ("campaign", "status"), ("check", ""), ("worker", "")]


def test_every_setting_is_in_the_example_and_in_the_table() -> None:
    example, table = (ROOT / ".env.example").read_text("utf-8"), (ROOT / "docs" / "operating.md").read_text("utf-8")
    for name in Settings.model_fields:
        assert PREFIX + name.upper() in example
        assert f"`{PREFIX}{name.upper()}`" in table


def test_the_metrics_that_an_operator_watches_exist() -> None:
    page = Metrics().page().decode()
    there = set(re.findall(r"# TYPE (\w+)", page))
    told = set(re.findall(r"`(loaso_\w+)", (ROOT / "docs" / "operating.md").read_text("utf-8")))
    assert told == there


@pytest.mark.parametrize("path", [ROOT / "docs" / "operating.md", ROOT / "docs" / "decisions" / "README.md"])
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text("utf-8")
    headings = {
        re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_hardened_and_stops_in_time(path: Path) -> None:
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names of units are not folded
    unit.read(path, "utf-8")
    service = unit["Service"]
    assert service["User"] == "loaso"
    assert (service["ProtectSystem"], service["NoNewPrivileges"]) == ("strict", "yes")
    assert service["CapabilityBoundingSet"] == ""
    assert service["StateDirectory"].split()[0] == "loaso"
    if service["Type"] == "oneshot":
        return
    assert (service["Restart"], service["KillSignal"]) == ("always", "SIGTERM")
    assert 10 < int(service["TimeoutStopSec"]) <= 15
    assert named(service["ExecStart"])


def test_the_containers_are_what_the_documents_say() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    services = compose["services"]
    known = commands()
    assert [services[name]["command"][0] for name in ("web", "worker")] == ["run", "worker"]
    assert {"run", "worker", "backup"} <= set(known)
    assert services["worker"]["deploy"]["replicas"] == 2
    for name, service in services.items():
        assert "/" not in service["image"], name
        assert service["stop_grace_period"]
        assert (DEPLOY / f"{service['env_file']}.example").exists()
        for volume in service.get("volumes", ()):
            assert volume.partition(":")[0] in compose["volumes"]
    assert services["database"]["healthcheck"]["test"]


def test_the_image_holds_the_program_and_runs_as_nobody_special() -> None:
    lines = (DEPLOY / "Containerfile").read_text("utf-8").splitlines()
    assert {line.split()[1] for line in lines if line.startswith("FROM")} == {"python:3.13-slim"}
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY") and "--from" not in line]
    sources = {name for names in copied for name in names}
    assert {"bot", "handlers", "messages", "jobs", "requirements.lock", "pyproject.toml"} <= sources
    assert all((ROOT / name).exists() for name in sources)
    text = "\n".join(lines)
    assert "--require-hashes" in text
    assert "/healthz" in text
    assert re.search(r"^USER \d{4,}$", text, re.MULTILINE)
    kept = (DEPLOY / "Containerfile.dockerignore").read_text("utf-8").splitlines()
    assert {name.removeprefix("!") for name in kept if name.startswith("!")} == sources
