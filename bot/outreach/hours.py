"""Hours as people write them: 19h, 7 giờ tối, 6h30 sáng, chiều, 5pm."""

from __future__ import annotations

import re

from bot.core.text import fold, words

EARLIEST, LATEST = 7, 20
"""The first and the last full hour at which a tip may come."""

_LONGEST = 60
_NUMBER = re.compile(
    r"(?<!\d)(?P<hour>\d{1,2})(?!\d)(?P<mark> ?(?:gio|tieng|h|g)(?![a-z])| ?(?=am\b|pm\b)|(?= ruoi\b)|(?= \d{2}\b))?"
)
_PART = re.compile(r"(?<![a-z])(sang|trua|chieu|toi|dem|am|pm)\b")
_MYSELF = re.compile(r"\btôi\b|^(?:xin |cho )?toi (?!\d)")
_ALONE = {"sang": 7, "trua": 11, "chieu": 17, "toi": 19}
_WORDS = ("mot", "hai", "ba", "bon", "nam", "sau", "bay", "tam", "chin", "muoi", "muoi mot", "muoi hai")
_NUMERALS = {word: number for number, word in enumerate(_WORDS, 1)}
_SPELLED = re.compile(r"\b(" + "|".join(reversed(_WORDS)) + r")(?= gio\b)")


def parse_hour(text: str) -> int | None:
    """The full hour (0 to 23) that somebody means, or `None`. Minutes are dropped. Never raises."""
    if len(text) > _LONGEST:
        return None
    plain = _MYSELF.sub(" ", fold(_MYSELF.sub(" ", words(text)))).strip()
    said = _SPELLED.sub(lambda m: str(_NUMERALS[m[1]]), plain)
    parts = _PART.findall(said)
    part = parts[-1] if parts else ""
    numbers = list(_NUMBER.finditer(said))
    marked = [m for m in numbers if m["mark"] is not None] or numbers
    if not marked:
        return _ALONE.get(part) if len(said.split()) <= 3 else None
    if len(marked) > 1 or (marked[0]["mark"] is None and not part and said != marked[0]["hour"]):
        return None
    hour = int(marked[0]["hour"])
    return _of_day(hour, part) if hour <= 24 else None


def _of_day(hour: int, part: str) -> int | None:
    if part in ("chieu", "toi", "dem", "pm") and 1 <= hour < 12:
        return hour + 12
    if part == "trua" and 1 <= hour <= 3:
        return hour + 12
    if part == "am" and hour == 12:
        return 0
    return hour % 24
