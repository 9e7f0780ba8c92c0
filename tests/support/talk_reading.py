"""What somebody reads on a platform where choices are numbers: the words, and the buttons that the lines stand for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.core.events import Button

HINTS = ("Trả lời bằng số:", "Answer with a number:")
Offer = tuple[str, str]
"""Label and data of what a number means now, the first one being 1."""

_NUMBERED = re.compile(r"(\d{1,3})\. (.+)")
_LINK = re.compile(r"(.{1,80}): (https?://\S+)")


def read(text: str, offers: Sequence[Offer]) -> tuple[str, list[Button]]:
    """The words without the written choices, and the choices as buttons. A line of the words themselves is a choice
    only where `offers` say so."""
    words, block = _parted(text)
    own = [b for line in words.splitlines() if (b := _button(line, offers, strict=True)) is not None]
    below = [b for line in block if (b := _button(line, offers, strict=False)) is not None]
    return words, [*own, *below] if block or own else []


def number_of(label: str, offers: Sequence[Offer]) -> int | None:
    """What to type for that label (or data) now."""
    for number, (said, data) in enumerate(offers, 1):
        if label in (said, data):
            return number
    return None


def _parted(text: str) -> tuple[str, list[str]]:
    """The words, and the lines of the choices below them."""
    words, _, last = text.rpartition("\n\n")
    lines = last.split("\n")
    if lines[0] in HINTS:
        return words, lines[1:]
    return (words, lines) if all(_LINK.fullmatch(line) for line in lines) else (text, [])


def _button(line: str, offers: Sequence[Offer], *, strict: bool) -> Button | None:
    if (link := _LINK.fullmatch(line)) is not None and not strict:
        return Button(link[1], url=link[2])
    match = _NUMBERED.fullmatch(line.strip())
    if match is None:
        return None
    number = int(match[1])
    label, data = offers[number - 1] if 0 < number <= len(offers) else ("", "")
    if line.strip() in (label, f"{number}. {label}"):
        return Button(label, data=data)
    return None if strict else Button(match[2], data="")
