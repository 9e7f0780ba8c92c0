"""Greetings and thanks, which are no questions and need no search."""

from __future__ import annotations

from enum import StrEnum

from bot.outreach.faq.expand import expand


class SmallTalk(StrEnum):
    """What somebody said instead of asking."""

    GREETING = "greeting"
    THANKS = "thanks"
    BYE = "bye"
    AGREE = "agree"
    WHO = "who"


_FILLER = frozenset(
    """a oi nhe nha nhi da vay ban em anh chi co chu bac ong ba ad admin bot may loa so minh toi con chau moi nguoi rat
    nhieu lam qua buoi sang trua chieu ngay tot lanh ca bo me hi he the thoi nua vang duoc va cho hoi ti chut
    xin nghe ne do day vay""".split()  # noqa: SIM905
)
_WORDS: tuple[tuple[SmallTalk, frozenset[str]], ...] = (
    (SmallTalk.THANKS, frozenset({"cam on", "cam mon", "thank", "thanks", "tks", "thks", "ths", "cam ta", "on nhieu"})),
    (SmallTalk.BYE, frozenset({"tam biet", "bye", "bai", "pai", "chao tam biet", "di ngu", "gap lai sau"})),
    (
        SmallTalk.GREETING,
        frozenset({"chao", "xin chao", "alo", "hello", "hi", "helo", "hey", "kinh chao", "lo", "yo", "co ai khong"}),
    ),
    (
        SmallTalk.AGREE,
        frozenset({"ok", "oke", "okie", "uh", "um", "u", "uhm", "vang", "da vang", "duoc roi", "hieu roi"}),
    ),
)
_WHO = frozenset(
    {"ban la ai", "may la ai", "ai day", "bot la ai", "day la ai", "ban ten gi", "loa so la gi", "ban la robot"}
)
_WHO_MORE = frozenset(
    {
        "ban la may hay nguoi",
        "may hay nguoi",
        "nguoi hay may",
        "ban la may",
        "dang noi chuyen voi ai",
        "ban la nguoi that",
    }
)


def small_talk(text: str) -> SmallTalk | None:
    """What kind of small talk the text is, or None if anything in it may be a question."""
    plain = expand(text)
    if any(_about(phrase, plain) for phrase in _WHO | _WHO_MORE):
        return SmallTalk.WHO
    for kind, phrases in _WORDS:
        for phrase in sorted(phrases, key=len, reverse=True):
            if _about(phrase, plain):
                return kind
    return None


def _about(phrase: str, plain: str) -> bool:
    """Whether the words hold the phrase and beside it nothing but filler."""
    whole = f" {plain} "
    rest = whole.replace(f" {phrase} ", " ")
    return rest != whole and all(word in _FILLER for word in rest.split())
