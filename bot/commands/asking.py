"""`loaso faq ask` and `loaso content check`: the content, without a database."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bot.commands import console
from bot.commands.edge import DONE, WRONG
from bot.core.clock import Clock
from bot.outreach.faq.engine import Answerer, Verdict
from bot.settings import load
from messages.content import packs
from messages.content.packs import Pack


def ask(text: str | None, jsonl: bool) -> int:
    if (text is None) != jsonl:
        raise console.WrongUsage("Write either a TEXT or --jsonl")
    pack = packs.load()
    clock = Clock(load().zone)
    answerer = Answerer(pack.faq, pack.facts, clock.today(clock.now()))
    if text is None:
        return _each_line(answerer)
    verdict = answerer.ask(text)
    if console.for_people(as_json=False):
        _show(verdict, pack)
    else:
        console.result(_as_dict(verdict))
    return DONE


def _each_line(answerer: Answerer) -> int:
    code = DONE
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            id, text = _question(line)
        except ValueError:
            console.say(f'line {number}: not a JSON object with "id" and "text"')
            code = WRONG
        else:
            console.result({"id": id, **_as_dict(answerer.ask(text))})
    return code


def _question(line: bytes) -> tuple[Any, str]:
    """Raises `ValueError`."""
    found = json.loads(line)
    if not isinstance(found, dict) or "id" not in found or not isinstance(found.get("text"), str):
        raise ValueError(found)
    return found["id"], found["text"]


def _as_dict(verdict: Verdict) -> dict[str, Any]:
    found: dict[str, Any] = {"action": verdict.action, "entries": list(verdict.entries), "score": verdict.score}
    return found if verdict.guard is None else found | {"guard": verdict.guard}


def _show(verdict: Verdict, pack: Pack) -> None:
    console.line(f"{verdict.action}  {verdict.score:.2f}{f'  guard: {verdict.guard}' if verdict.guard else ''}")
    for place, id in enumerate(verdict.entries):
        entry = pack.faq[id]
        console.line(f"{id}: {entry.title}")
        if place == 0 and verdict.action == "answer":
            console.line(entry.body() + "\n")


def check_content(folder: Path | None) -> int:
    root = packs.PACK_ROOT if folder is None else folder
    clock = Clock(load().zone)
    problems = packs.check(root, today=clock.today(clock.now()))
    for problem in problems:
        console.say(f"{_near(problem.path)}:{problem.line}: {problem.text}")
    if problems:
        console.say(f"{len(problems)} places in the content must be corrected.")
        return WRONG
    for language in packs.languages(root):
        pack = packs.load(root, language)
        console.line(f"✓ {language}: {len(pack.tips)} tips, {len(pack.faq)} questions, {len(pack.facts)} facts")
    return DONE


def _near(path: Path) -> Path:
    """The path from here, where it lies below."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path
