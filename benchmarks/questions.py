"""`python -m benchmarks.questions`: how long the FAQ engine takes for one question.

The questions are those of the tests, which are not in the pack; goal: at most 5 ms at the 99th percentile.
"""

from __future__ import annotations

import sys
import time
from datetime import date

from bot.outreach.faq.engine import Answerer
from messages.content.packs import load
from tests.faq.questions import LATER, QUESTIONS

GOAL_MS = 5.0
_ROUNDS = 20


def main() -> None:
    pack = load()
    answerer = Answerer(pack.faq, pack.facts, date(2026, 11, 21))
    texts = [text for _, text, _ in QUESTIONS + LATER]
    for text in texts:
        answerer.ask(text)
    took = sorted(_milliseconds(answerer, text) for _ in range(_ROUNDS) for text in texts)
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    print(f"{len(took)} questions: p50 {p50:.2f} ms, p99 {p99:.2f} ms of CPU (goal {GOAL_MS:g} ms)")
    sys.exit(p99 > GOAL_MS)


def _milliseconds(answerer: Answerer, text: str) -> float:
    started = time.process_time()
    answerer.ask(text)
    return (time.process_time() - started) * 1000


if __name__ == "__main__":
    main()
