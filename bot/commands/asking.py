"""`loaso faq ask` and `loaso content check`: the content, without a database."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from bot.commands import console
from bot.commands.edge import DONE, WRONG
from bot.core.clock import Clock
from bot.outreach.faq.engine import Answerer, Verdict, answerer_of
from bot.settings import load
from messages import Phrasebook
from messages.content import packs
from messages.content.packs import Pack


def ask(text: str | None, jsonl: bool) -> int:
    if (text is None) != jsonl:
        raise console.WrongUsage("Write either a TEXT or --jsonl")
    pack = packs.load()
    clock = Clock(load().zone)
    answerer = answerer_of(pack, clock.today(clock.now()))
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
    Phrasebook(clock.zone).check()
    first = packs.load(root)
    for pack in (first, *packs.translations(first, root).values()):
        console.line(f"✓ {pack.language}: {len(pack.tips)} tips, {len(pack.faq)} questions, {len(pack.facts)} facts")
    for name, counts in counted(first).items():
        console.line(f"  {name}: {', '.join(f'{word} {n}' for word, n in counts.items())}")
    return DONE


def counted(pack: Pack) -> dict[str, Counter[str]]:
    """How many tips there are for each group and area, and how many questions of each theme."""
    return {
        "tips for a group": Counter(str(group) for tip in pack.tips.values() for group in tip.groups),
        "tips of an area": Counter(str(tip.area) for tip in pack.tips.values()),
        "days of a curriculum": Counter({group: len(days) for group, days in pack.curricula.items()}),
        "questions of a theme": Counter(entry.theme for entry in pack.faq.values()),
    }


def _near(path: Path) -> Path:
    """The path from here, where it lies below."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path
