"""What of a question may be sent on to people, and what their answers must not say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.core.text import clean, fold, has_marks, length, redact
from bot.outreach.faq.guard import Guard, look

LONGEST_QUESTION = 500
LONGEST_ANSWER = 1000
"""Characters, counted as UTF-16 units."""
HIDDEN = "…"
_MOST_READ = 4 * LONGEST_QUESTION
_SHORTEST = 6
_MARK = " \ue000 "
"""Stands for what is left alone meanwhile: nobody can type it past `clean`."""


class Refusal(StrEnum):
    """Why a question is not sent on; the last word of a key in `messages`."""

    SHORT = "short"
    LONG = "long"
    SECRET = "secret"  # noqa: S105
    DANGER = "danger"
    HARM = "harm"


class Objection(StrEnum):
    """Why an answer is not passed on; the last word of a key in `messages`."""

    EMPTY = "empty"
    LONG = "long"
    SECRET = "secret"  # noqa: S105
    LINK = "link"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Screened:
    """A question as it may be stored and shown, or why it may not."""

    text: str = ""
    refusal: Refusal | None = None


_AMOUNT = r"[1-9]\d{0,2}(?:[.,]\d{3})+ ?(?:đồng|đ|vnđ|vnd|dong|triệu|trieu|tr|k)\b"
_DAY = r"\d{1,2}([/\-.])\d{1,2}\1\d{4}(?!\d)"
_YEAR = r"\b(?:năm|nam) (?:19|20)\d{2}(?!\d)"
_HARMLESS = re.compile(rf"(?<![\d.,])(?:{_AMOUNT})|(?<!\d)(?:{_DAY})|{_YEAR}", re.IGNORECASE)
_BIRTHDAY = re.compile(r"\b(sinh(?: ngày| ngay| năm| nam)?:? ?)\d{1,2}[/\-.]\d{1,2}[/\-.]\d{4}", re.IGNORECASE)
_MAIL = re.compile(r"(?<![\w.+\-])[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,8}")
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s]+|(?<![\w.\-])(?:[a-z0-9][a-z0-9\-]{0,62}\.){1,10}(?:com|net|org|vn|info|xyz|top|cc|me|ly|io|co|app|site|online|"
    r"shop|vip|club|link|live|asia|pro|icu|tk|apk)\b(?:/[^\s]*)?",
    re.IGNORECASE,
)
_OFFICIAL = re.compile(r"(?:https?://)?(?:[a-z0-9\-]+\.)*gov\.vn(?:[/?#]\S*)?[.,;)]*", re.IGNORECASE)
_HOST = re.compile(r"(?:https?://)?(?:www\.)?([^\s/?#:]+)", re.IGNORECASE)
_NUMBER = re.compile(r"\+?\d(?:[\s.\-_/(),·]{0,3}\d){8,}")
_PLATE = re.compile(r"\b\d{2}[A-Z]{1,2}\d?[ \-]?\d{3}\.?\d{2}\b", re.IGNORECASE)
_PASSPORT = re.compile(r"\b[A-Z]\d{7,8}\b", re.IGNORECASE)
_DIGIT = r"(?:không|khong|một|mot|mốt|hai|ba|bốn|bon|tư|tu|năm|nam|lăm|lam|sáu|sau|bảy|bay|bẩy|tám|tam|chín|chin)"
_SPOKEN = re.compile(rf"\b{_DIGIT}(?:[ ,.\-]+{_DIGIT}){{5,}}\b", re.IGNORECASE)
_CODE = re.compile(r"\b(?:otp|ma|code|mat khau|pass\w*|pin)\b")
_SPACED_CODE = re.compile(r"(?<![\w.,/:\-])\d(?:[ .\-]?\d){3,7}(?![\w/:]|[.,]\d)")
_PASSWORD = re.compile(
    r"\b(?:mat khau|mk|pass(?:word)?|ma pin|pin|otp|ma xac (?:nhan|thuc)|ma bi mat)\b(?: \w+){0,4}? ?(?:\bla\b|[:=]) ?"
    r"(\S+)(.*)"
)


def screen(text: str) -> Screened:
    """The question without numbers, codes, addresses and links; what is in danger, harmful or still looks like a
    secret is not sent on at all. Never raises."""
    finding = look(text)
    if finding is not None and finding.guard is not Guard.SECRET:
        return Screened(refusal=Refusal.HARM if finding.guard is Guard.REFUSE else Refusal.DANGER)
    if len(text) > _MOST_READ:
        return Screened(refusal=Refusal.LONG)
    hidden = hide(text)
    if _is_secret(hidden):
        return Screened(refusal=Refusal.SECRET)
    if len(fold(hidden)) < _SHORTEST:
        return Screened(refusal=Refusal.SHORT)
    if length(hidden) > LONGEST_QUESTION:
        return Screened(refusal=Refusal.LONG)
    return Screened(hidden)


def hide(text: str) -> str:
    """One line in which nothing is left by which somebody could be found or robbed, as far as a machine sees it;
    prices, days and years stay. A link keeps its host, so that people can tell whose it is, but cannot be pressed."""
    line = " ".join(clean(text).split())
    line = _BIRTHDAY.sub(rf"\1{HIDDEN}", _MAIL.sub(HIDDEN, line))
    return _around(_HARMLESS, _LINK.sub(_disarmed, line), _without_numbers)


def _around(kept: re.Pattern[str], text: str, change: Callable[[str], str]) -> str:
    """Change everything but what matches; a number does not go on past something harmless."""
    changed = change(kept.sub(_MARK, text))
    for match in kept.finditer(text):
        changed = changed.replace(_MARK, match[0], 1)
    return changed


def _without_numbers(text: str) -> str:
    text = _NUMBER.sub(HIDDEN, text)
    text = _SPOKEN.sub(HIDDEN, _PASSPORT.sub(HIDDEN, _PLATE.sub(HIDDEN, text)))
    text = _SPACED_CODE.sub(HIDDEN, text) if _CODE.search(fold(text)) else text
    return redact(text)


def _disarmed(link: re.Match[str]) -> str:
    if _OFFICIAL.fullmatch(link[0]):
        return link[0]
    host = _HOST.match(link[0])
    return (host[1] if host else "").replace(".", "[.]") + "/" + HIDDEN


def _is_secret(hidden: str) -> bool:
    """Whether somebody seems to tell a password: a word after "is" that nobody would say otherwise."""
    found = _PASSWORD.search(_bare(hidden))
    if found is None or found[1].startswith(HIDDEN):
        return False
    word = found[1].strip(".,;!?\"'“”()")
    odd = any(c.isdigit() or c in "@#$%&*_^" for c in word)
    return odd or (len(word) >= _SHORTEST and not found[2].strip(" .!?"))


def _bare(text: str) -> str:
    """Lower case without marks; what stands between words is kept."""
    stripped = (c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))
    return "".join(stripped).replace("đ", "d")


_SENTENCE = re.compile(r"(?<=[.!?…;])\s+|\n+")
_GIVE = r"(?:đọc|gửi|nhắn|cung cấp|báo|đưa|chụp|nói|cho (?:tôi|em|anh|chị|xin|mình|biết))"
_PRECIOUS = r"(?:otp|mã xác (?:nhận|thực|minh)|mật khẩu|mã pin|ảnh (?:thẻ|căn cước)|số (?:thẻ|cvv))"
_NEVER = r"không|đừng|chớ|chưa|chẳng|tránh|tuyệt đối|(?:về|tới|đến|vào) (?:máy|điện thoại|số|sim|tin nhắn)"
_ASKS = re.compile(rf"\b{_GIVE}\b(?: \w+){{0,5}}? {_PRECIOUS}\b")
_UNLESS = re.compile(rf"\b(?:{_NEVER})\b")
_ASKS_BARE = re.compile(_bare(_ASKS.pattern))
_UNLESS_BARE = re.compile(_bare(_UNLESS.pattern).replace("|cho|", "|"))  # without marks it means "for" far more often
_ACCOUNT = re.compile(
    r"\b(?:stk|so tai khoan|tai khoan so|ck vao|chuyen (?:khoan|tien) (?:vao|den|toi))\b\D{0,30}\d{5,}"
)


def objection(answer: str) -> Objection | None:
    """Why an answer is not passed on: it asks for what nobody may ask for, leads away from the state's addresses, or
    holds the number of a phone, a card or an account. Never raises."""
    if not answer.strip():
        return Objection.EMPTY
    if length(answer) > LONGEST_ANSWER:
        return Objection.LONG
    if any(_asks_for_secrets(sentence) for sentence in _SENTENCE.split(answer.casefold())):
        return Objection.SECRET
    if _MAIL.search(answer) or any(not _OFFICIAL.fullmatch(link[0]) for link in _LINK.finditer(answer)):
        return Objection.LINK
    hidden = _HARMLESS.sub(" ", answer)
    return Objection.NUMBER if _NUMBER.search(hidden) or _ACCOUNT.search(_bare(hidden)) else None


def _asks_for_secrets(sentence: str) -> bool:
    asks, unless = (_ASKS, _UNLESS) if has_marks(sentence) else (_ASKS_BARE, _UNLESS_BARE)
    said = sentence if has_marks(sentence) else _bare(sentence)
    return bool(asks.search(said)) and not unless.search(said)
