"""A text as it is handed to a voice: what a machine would stumble over is written as it is spoken. A pure function.

The text that people read stays as it is; this is only what they hear.
"""

from __future__ import annotations

import re

from bot.core.text import nfc
from bot.outreach.spoken_numbers import cardinal, one_by_one
from messages.content.spoken import Spoken

_ANY_HOST = "địa chỉ ghi trong tin"
_LETTERS = {
    **{"A": "a", "B": "bê", "C": "xê", "D": "dê", "Đ": "đê", "E": "e", "F": "ép", "G": "gờ", "H": "hát", "I": "i"},
    **{"J": "gi", "K": "ca", "L": "lờ", "M": "mờ", "N": "nờ", "O": "ô", "P": "pê", "Q": "quy", "R": "rờ", "S": "ét"},
    **{"T": "tê", "U": "u", "V": "vê", "W": "vê kép", "X": "ích", "Y": "i", "Z": "dét"},
}
_SIGNS = {"%": " phần trăm", "&": " và ", "+": " cộng ", "=": " bằng ", "@": " a còng ", "→": ", ", "₫": " đồng"}

_ADDRESS = re.compile(r"https?://\S+")
_HOST = re.compile(r"(?<![\w@.])(?:[a-z0-9-]+\.)+(?:vn|com|net|org)(?:/\S*)?(?!\w)", re.IGNORECASE)
_STEP = re.compile(r"^(\d{1,2})\. ", re.MULTILINE)
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_ALWAYS = re.compile(r"(?<![\d/])24/7(?![\d/])")
_DATE = re.compile(r"(?:ngày )?(?<![\d/])(\d{1,2})/(\d{1,2})(?:/(\d{4}))?(?![\d/])")
_TIME = re.compile(r"(?<![\d:])(\d{1,2})(?::|h)(\d{2})?(?![\d:\w])")
_PHONE = re.compile(r"(?<![\d.,])(?:1[89]00[ .]?\d{4,6}|0\d[\d .]{6,12}\d|11[1-5]|156|5656)(?![\d])")
_GROUPED = re.compile(r"(?<!\d)\d{1,3}(?:\.\d{3})+(?!\d)")
_DECIMAL = re.compile(r"(?<!\d)(\d+),(\d+)(?!\d)")
_RANGE = re.compile(r"(?<=\d)\s?[-–]\s?(?=\d)")
_NETWORK = re.compile(r"(?<!\w)([2-6])G(?!\w)")
_NUMBER = re.compile(r"\d+")
_SHOUTED = re.compile(r"(?<!\w)[^\W\d_]{2,}(?!\w)")
_ABBREVIATION = re.compile(r"(?<!\w)[A-ZĐ]{2,5}(?!\w)")
_VOWELS = frozenset("AEIOUY")
_QUOTES = re.compile(r"[\"'“”‘’«»()\[\]{}<>*_#|\\^~`]")
_UNSAID = re.compile(r"[^\w\s.,:;?!\-…/]")


def for_speech(text: str, language: str, spoken: Spoken) -> str:
    """What a voice of that language is to say: without addresses, pictures and marks; in Vietnamese also without digits
    and abbreviations, with names as `spoken` says them. One sentence a line."""
    said = _ADDRESS.sub("", nfc(text))
    if language == "vi":
        said = _in_vietnamese(said, spoken)
    return _tidy(_UNSAID.sub(" ", _QUOTES.sub(" ", said)))


def _in_vietnamese(text: str, spoken: Spoken) -> str:
    said = _STEP.sub(lambda found: f"Bước {cardinal(int(found[1]))}: ", text)
    said = _HOST.sub(lambda found: spoken.words.get(found[0].lower(), _ANY_HOST), said)
    said = spoken.names.sub(lambda found: spoken.say(found[0]), said)
    said = _numbers(said)
    said = _SHOUTED.sub(_quietly, _ABBREVIATION.sub(_spelled, said))
    for sign, word in _SIGNS.items():
        said = said.replace(sign, word)
    return said.replace("/", " hoặc ")


def _numbers(text: str) -> str:
    """Every digit as words: telephone numbers one by one, dates, hours, counts."""
    said = _ALWAYS.sub("24 trên 7", text)
    said = _ISO.sub(lambda found: _day(found[3], found[2], found[1]), said)
    said = _DATE.sub(lambda found: _day(found[1], found[2], found[3]), said)
    said = _PHONE.sub(lambda found: one_by_one(found[0]), said)
    said = _TIME.sub(lambda found: f"{found[1]} giờ" + (f" {found[2]}" if found[2] not in (None, "00") else ""), said)
    said = _GROUPED.sub(lambda found: found[0].replace(".", ""), said)
    said = _NETWORK.sub(lambda found: f"{found[1]} gờ", said)
    said = _DECIMAL.sub(r"\1 phẩy \2", said)
    said = _RANGE.sub(" đến ", said)
    return _NUMBER.sub(_count, said)


def _day(day: str, month: str, year: str | None) -> str:
    said = f"ngày {cardinal(int(day))} tháng {cardinal(int(month)) if int(month) != 4 else 'tư'}"
    return f"{said} năm {cardinal(int(year))}" if year else said


def _count(found: re.Match[str]) -> str:
    digits = found[0]
    long = len(digits) > 9 or (len(digits) > 1 and digits.startswith("0"))
    return one_by_one(digits) if long else cardinal(int(digits))


def _spelled(found: re.Match[str]) -> str:
    """An abbreviation letter by letter; a word that is only written in capitals stays a word."""
    letters = found[0]
    if _VOWELS & set(letters) and len(letters) > 2:
        return letters
    return " ".join(_LETTERS[letter] for letter in letters)


def _quietly(found: re.Match[str]) -> str:
    return found[0].lower() if found[0].isupper() else found[0]


def _tidy(text: str) -> str:
    """One line for each line that says something, with a full stop at its end."""
    lines: list[str] = []
    for line in text.splitlines():
        plain = re.sub(r"\s+([.,:;?!…])", r"\1", re.sub(r"\s+", " ", line)).strip(" -,:;/")
        plain = re.sub(r"([,:;])(?:[,:;])+", r"\1", plain)
        if not any(letter.isalnum() for letter in plain):
            continue
        lines.append(plain if plain[-1] in ".?!…" else f"{plain}.")
    return "\n".join(lines)
