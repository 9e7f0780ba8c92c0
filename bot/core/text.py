"""Text as people type it and as platforms count it: NFC, folding, UTF-16 lengths, splitting, redaction."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from bot.core.events import Entity

_BARE_D = str.maketrans({"đ": "d", "Đ": "D", "ð": "d", "Ð": "D"})
_NOT_WORD = re.compile(r"[^\w]+", re.UNICODE)
_SENTENCE_END = re.compile(r"(?<=[.!?…:;])\s+|\n+")
_LONG_NUMBER = re.compile(r"(?<!\w)\+?\d(?:[ .\-]?\d){8,}(?!\w)")
_CODE_NUMBER = re.compile(r"(?<!năm )(?<!nam )(?<![\w.,/:\-])\d{4,8}(?![\w/:\-]|[.,]\d)")
_CODE_WORD = re.compile(r"\b(otp|ma|mã|code|mat khau|mật khẩu|pass\w*|pin)\b", re.IGNORECASE)

_OLD_TONES = {
    "oà": "òa",
    "oá": "óa",
    "oả": "ỏa",
    "oã": "õa",
    "oạ": "ọa",
    "oè": "òe",
    "oé": "óe",
    "oẻ": "ỏe",
    "oẽ": "õe",
    "oẹ": "ọe",
    "uỳ": "ùy",
    "uý": "úy",
    "uỷ": "ủy",
    "uỹ": "ũy",
    "uỵ": "ụy",
}
_NEW_TONE = re.compile("(?<![qQ])(" + "|".join(_OLD_TONES) + r")(?!\w)", re.IGNORECASE)


def nfc(text: str) -> str:
    """The one form in which every text is kept and compared."""
    return unicodedata.normalize("NFC", text)


def clean(text: str) -> str:
    """NFC without control and zero-width characters (line breaks and the joiner of emoji stay), ends trimmed."""
    if text.isprintable():
        return nfc(text).strip()
    kept = (c for c in nfc(text).replace("\r\n", "\n") if c in "\n\t\u200d" or unicodedata.category(c) not in _CONTROL)
    return "".join(kept).strip()


_CONTROL = {"Cc", "Cf", "Cs", "Co", "Cn"}


def words(text: str) -> str:
    """Lower case, marks kept, the tone where the older spelling puts it (huỷ becomes hủy), words joined by one
    space: for phrases that must be told apart by their marks."""
    lowered = clean(text).casefold()
    if not lowered.isascii():
        lowered = _NEW_TONE.sub(lambda m: _OLD_TONES[m.group(1)], lowered)
    return _NOT_WORD.sub(" ", lowered.replace("_", " ")).strip()


def fold(text: str) -> str:
    """Lower case without any marks, words joined by one space: for search. `Đồng Hới` becomes `dong hoi`."""
    stripped = "".join(c for c in unicodedata.normalize("NFD", clean(text)) if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", stripped.translate(_BARE_D).casefold().replace("_", " ")).strip()


def has_marks(text: str) -> bool:
    """Whether somebody typed Vietnamese marks at all (if not, `dung` may well mean `dừng`)."""
    return fold(text) != words(text)


def length(text: str) -> int:
    """Length in UTF-16 code units, as Telegram counts."""
    return len(text) + sum(1 for c in text if ord(c) > 0xFFFF)


def shift(entities: Iterable[Entity], by: int) -> tuple[Entity, ...]:
    """The same formatting after `by` UTF-16 units were put before the text."""
    return tuple(Entity(e.kind, e.offset + by, e.length, e.url) for e in entities)


def shorten(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units, cut between words, with an ellipsis where something was cut."""
    if length(text) <= limit:
        return text
    head = take(text, max(limit - 1, 0))
    space = head.rfind(" ")
    if space > len(head) // 2:
        head = head[:space]
    return head.rstrip() + "…"


def take(text: str, limit: int) -> str:
    """The longest start of `text` within `limit` UTF-16 units that does not tear a joined character apart."""
    used = 0
    for i, c in enumerate(text):
        used += 2 if ord(c) > 0xFFFF else 1
        if used > limit:
            return text[: _whole(text, i)]
    return text


def _whole(text: str, cut: int) -> int:
    """Move a cut back to where no combining mark, joiner, variation or skin tone hangs on the character before."""
    while cut > 0 and (_clings(text[cut]) or text[cut - 1] == "\u200d"):
        cut -= 1
    return cut


def _clings(c: str) -> bool:
    return bool(unicodedata.combining(c)) or c in "\u200d\ufe0f\u20e3" or 0x1F3FB <= ord(c) <= 0x1F3FF


def split(text: str, limit: int) -> list[str]:
    """Parts of at most `limit` UTF-16 units each, cut between sentences, else between words, else anywhere whole."""
    parts: list[str] = []
    rest = text.strip()
    while length(rest) > limit:
        head = take(rest, limit)
        ends = [m.start() for m in _SENTENCE_END.finditer(head)]
        cut = next((e for e in reversed(ends) if e > len(head) // 3), -1)
        if cut < 0:
            cut = head.rfind(" ")
        if cut <= 0:
            cut = max(len(head), 1)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest or not parts else parts


def redact(text: str) -> str:
    """`text` with numbers of nine or more digits (identity cards, phones, cards) and codes of four to eight digits
    near a word like OTP replaced by `…`: applied before anything that a person wrote is stored."""
    hidden = _LONG_NUMBER.sub("…", text)
    if _CODE_WORD.search(fold(hidden)) or _CODE_WORD.search(hidden):
        hidden = _CODE_NUMBER.sub("…", hidden)
    return hidden
