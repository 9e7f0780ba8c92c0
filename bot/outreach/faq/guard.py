"""What comes before any answer: secrets are hidden, danger gets the right numbers, harm to others is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.core.text import has_marks, redact, words
from bot.outreach.faq.expand import LONGEST, expand


class Guard(StrEnum):
    """Why a text needs care. Only SECRET, CHILD and VIOLENCE are still answered; see `Finding.stops`."""

    SECRET = "secret"  # noqa: S105
    SELF_HARM = "self_harm"
    VIOLENCE = "violence"
    CHILD = "child"
    RESCUE = "rescue"
    FIRE = "fire"
    AMBULANCE = "ambulance"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Finding:
    """A guard, the facts (hotlines) to show with it, and whether the question must not be searched at all."""

    guard: Guard
    facts: tuple[str, ...] = ()
    stops: bool = True


@dataclass(frozen=True, slots=True)
class _Sign:
    """How a danger is written. Without marks `tu tu` may be suicide or slowly, `gia` a price or a forgery: so what is
    ambiguous has a pattern for text with marks and a narrower one for text without."""

    plain: re.Pattern[str]
    bare: re.Pattern[str] | None = None
    marked: re.Pattern[str] | None = None

    def seen(self, plain: str, marked: str | None) -> bool:
        """Look at expanded folded text and, if the person typed marks, at the words with their marks."""
        ambiguous = self.bare if marked is None else self.marked
        return bool(self.plain.search(plain) or (ambiguous and ambiguous.search(plain if marked is None else marked)))


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"\b(?:{p})\b" for p in patterns))


_SELF_HARM = _Sign(
    _any(
        r"khong (?:muon|thiet|con muon) song(?: nua)?|chan song|song khong noi nua",
        r"(?:muon|dinh|toan|chi muon|nghi den) (?:chet|ket lieu)|uong thuoc (?:sau|tru sau|chuot)|cat co tay",
    ),
    bare=_any(r"(?:muon|dinh|se|toan|y dinh|nghi den|bi|em|toi) (?:tu tu|tu sat|tu van chet)", r"^tu (?:tu|sat)$"),
    marked=_any(r"tự tử|tự sát|tự vẫn|quyên sinh"),
)
_VIOLENCE = _Sign(
    _any(
        r"(?:bi|dang) (?:chong|vo|cha|bo|me|hang xom|nguoi yeu|chu no|no|ho) (?:danh|dap|doa giet|hanh hung|bao hanh)",
        r"(?:chong|bo|cha) (?:toi |em |con |hay |say )*(?:danh|dap|bao hanh)(?! gia| mat| dau| bai| co| ca| rang)",
        r"bao luc gia dinh|bao hanh|doa giet|hiep dam|cuong hiep|bi hiep|bi danh dap",
    )
)
_CHILD = _Sign(
    _any(
        r"(?:tre|be|chau|con|hoc sinh|em)(?: \w+){0,4} (?:xam hai|lam dung|quay roi tinh duc|so soang)",
        r"(?:tre|be|chau|con|hoc sinh)(?: \w+){0,4} bi (?:bat coc|danh dap|bo roi)|xam hai (?:tinh duc )?(?:tre|be)",
        r"(?:ga|ep|du|doi|bat|ru)(?: \w+){0,4} (?:gui|chup) (?:anh|hinh|clip|video) (?:nong|nhay cam|khoa than|rieng)",
    )
)
_RESCUE = _Sign(
    _any(
        r"(?:mac ket|bi ket|co lap)(?: \w+){0,5} (?:nuoc|lu|noc nha|mai nha)",
        r"nuoc (?:len|dang|ngap|vao)(?: \w+){0,4} (?:cuu|noc nha|mai nha|den co|den nguc)",
        r"cuu (?:toi|voi|nha toi|me toi|chung toi)|duoi nuoc|lu cuon|nuoc cuon",
    )
)
_FIRE = _Sign(
    _any(r"dang chay (?:lon|to|rung|nha)|bi chay nha|no binh ga"),
    bare=_any(r"chay nha (?:roi|toi)|^chay nha$|nha (?:toi |dang |bi )+chay"),
    marked=_any(r"cháy nhà|nhà (?:tôi |tui |đang |bị )*cháy|cháy rừng"),
)
_AMBULANCE = _Sign(
    _any(r"dot quy|ngung tho|bat tinh|chay mau nhieu|ngo doc", r"(?:kho tho|dau nguc) (?:qua|du doi|nang)"),
    bare=_any(r"bi (?:ran can|ran doc can|co giat|hon me)"),
    marked=_any(r"rắn (?:độc )?cắn|co giật|hôn mê"),
)
_WHOSE = r"(?:nguoi (?:khac|ta|yeu)|ban (?:gai|trai)|vo|chong|hang xom|dua|co ay|anh ay|con be)"
_HARM = _Sign(
    _any(
        rf"(?:hack|be khoa|dot nhap|hack chiem|chiem)(?: \w+){{0,3}} (?:cua )?{_WHOSE}",
        rf"(?:theo doi|dinh vi|nghe len|doc len|doc trom|xem trom)(?: \w+){{0,4}} {_WHOSE}",
        r"(?:doc trom|nghe trom|xem trom) tin nhan|(?:mua|ban|thue|cho thue) (?:\w+ )?tai khoan ngan hang",
        r"mua (?:\w+ )?(?:thong tin ca nhan|data khach)|(?:danh|choi) (?:lo )?de|ca do bong|danh bac|ma tuy|mua sung",
        r"vpn|vuot tuong lua|vuot chan|fake ip|ghep mat(?: \w+)* (?:nguoi|ban)",
        r"(?:cach|day|muon|lam sao de) (?:lua|lua dao|tong tien|gia giong|gia mao)(?: \w+)* (?:nguoi|tien)",
    ),
    bare=_any(r"(?:lam|mua|ban|dat|thue) (?:bang|bang lai xe|can cuoc|giay to|con dau|so do) gia(?! dinh| re| cao)"),
    marked=_any(r"(?:làm|mua|bán|đặt|thuê|in)(?: \w+){1,4} giả|làm giả \w+|lô đề|nhà cái|cá độ"),
)
_VICTIM = _any(
    r"bi|lo (?:gui|mat|mua)|bao ve|phong (?:chong|tranh|ngua)|lay lai|canh bao|co phai|nhan biet|lam sao biet|cua toi"
)
_DANGERS = (
    (_SELF_HARM, Finding(Guard.SELF_HARM, ("hotline_ambulance", "hotline_police", "hotline_child"))),
    (_CHILD, Finding(Guard.CHILD, ("hotline_child", "hotline_police"), stops=False)),
    (_VIOLENCE, Finding(Guard.VIOLENCE, ("hotline_police", "hotline_child"), stops=False)),
    (_RESCUE, Finding(Guard.RESCUE, ("hotline_rescue", "hotline_fire"))),
    (_FIRE, Finding(Guard.FIRE, ("hotline_fire",))),
    (_AMBULANCE, Finding(Guard.AMBULANCE, ("hotline_ambulance",))),
)
_ASKING = _any(r"la gi|so may|so nao|so dien thoai|goi so|thu tuc|dang ky|bao hiem|tro cap|nhan biet|phong ngua")


def look(text: str) -> Finding | None:
    """The most urgent reason for care in what somebody wrote, or None. Never raises."""
    plain, marked = expand(text), words(text[:LONGEST]) if has_marks(text[:LONGEST]) else None
    asking = bool(_ASKING.search(plain))
    for sign, finding in _DANGERS:
        if (finding.guard is Guard.SELF_HARM or not asking) and sign.seen(plain, marked):
            return finding
    if _HARM.seen(plain, marked) and not _VICTIM.search(plain):
        return Finding(Guard.REFUSE)
    return Finding(Guard.SECRET, stops=False) if redact(text) != text else None
