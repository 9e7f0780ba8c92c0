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
        r"khong (?:muon|thiet|con muon|thiet tha) song(?: nua)?|chan song|song khong noi nua|song lam gi nua",
        r"song de lam gi",
        r"(?<!nong )(?<!doi )(?<!cham )(?<!lag )(?<!dat )"
        r"(?:muon|dinh|toan|nghi den|nghi toi) (?:cai )?(?:chet|ket lieu|nhay cau|nhay song)(?! may)",
        r"uong thuoc (?:sau|tru sau|chuot|diet co)|(?:cat|rach|cua) (?:co )?tay(?! ao)",
        r"ket lieu (?:doi|cuoc doi|ban than)",
    ),
    bare=_any(
        r"(?:muon|dinh|se|toan|y dinh|nghi den|bi|em|toi|doi) (?:tu tu|tu sat|tu van chet)(?! te)", r"^tu (?:tu|sat)$"
    ),
    marked=_any(r"tự tử(?! tế)|tự sát|tự vẫn|quyên sinh"),
)
_BEATEN = r"(?:danh dap|bop co|hanh hung|bao hanh|tat|dam|chem)"
_NOT_BEATEN = r"(?! gia| mat| dau| bai| co| ca| rang| roi| may| van| chu| thue| vi tinh| bat)"
_VIOLENCE = _Sign(
    _any(
        r"(?:bi|dang) (?:chong|vo|cha|bo|me|hang xom|nguoi yeu|chu no|no|ho) "
        r"(?:danh|dap|doa giet|hanh hung|bao hanh|bop co)",
        rf"(?:chong|bo|cha|duong)(?: (?:toi|em|con|hay|say|ruou|xin|cu|lai|thuong))* "
        rf"(?:danh|dap|bao hanh|bop co){_NOT_BEATEN}",
        rf"bao luc gia dinh|bao hanh|doa giet|hiep dam|cuong hiep|bi hiep|bi {_BEATEN}",
    )
)
_YOUNG = r"(?:tre|tre em|be|chau|chau be|con|con gai|con trai|hoc sinh|em be)"
_TOUCHED = r"(?:xam hai|lam dung|quay roi tinh duc|so soang|sam so|dam o|hiep)"
_CHILD = _Sign(
    _any(
        rf"{_YOUNG}(?: \w+){{0,4}} {_TOUCHED}|{_TOUCHED}(?: tinh duc)?(?: \w+)? {_YOUNG}",
        rf"{_YOUNG}(?: \w+){{0,3}} bi(?: \w+){{0,3}} (?:bat coc|danh dap|bo roi|bao hanh)",
        r"(?:ga|ep|du|doi|bat|ru)(?: \w+){0,4} (?:gui|chup) (?:anh|hinh|clip|video) (?:nong|nhay cam|khoa than|rieng)",
    )
)
_RESCUE = _Sign(
    _any(
        r"(?:mac ket|bi ket|co lap)(?: \w+){0,5} (?:nuoc|lu|noc nha|mai nha)",
        r"(?:nuoc|ngap)(?: (?:len|dang|ngap|vao|den|toi))+(?: \w+){0,3} "
        r"(?:cuu|noc|noc nha|mai nha|den co|nguc|co nguoi)",
        r"(?:lu|nuoc|ngap|lut|sap|lat)(?: \w+){0,6} cuu (?:toi|voi|nha toi|me toi|chung toi)|duoi nuoc|lu cuon",
        r"nuoc cuon|(?:nuoc|lu|lut)(?: \w+){0,4} (?:co lap|bao vay)",
        r"^cuu (?:toi|voi|nha toi|me toi|chung toi)|cuu (?:chung|nha|me|vo|con) toi voi",
        r"(?:thuyen|ghe|tau|do) (?:bi )?(?:lat|chim)|(?:sat lo|dat da|nui lo)(?: \w+){0,4} (?:vui|lap) ",
    )
)
_FIRE = _Sign(
    _any(r"dang chay (?:lon|to|rung|nha)|bi chay nha|no binh ga"),
    bare=_any(r"chay nha (?:roi|toi)|^chay nha$|nha (?:toi |dang |bi )+chay$"),
    marked=_any(
        r"cháy nhà(?! hàng)|nhà (?:tôi |tui |hàng xóm |bên cạnh |đang |bị )*cháy|cháy rừng|nổ bình ga",
        r"cháy (?:lớn|to) quá",
    ),
)
_AMBULANCE = _Sign(
    _any(
        r"dot quy|ngung tho|bat tinh|chay mau nhieu|ngo doc|ngat xiu|tai bien|bi dien giat|nhoi mau",
        r"(?:kho tho|dau nguc|dau bung) (?:qua|du doi|nang)|tai nan(?: \w+){0,3} (?:nang|chay mau|gay)",
        r"(?:sap|dang) de(?: roi)? (?:dau|goi|rot)",
    ),
    bare=_any(r"bi (?:ran can|ran doc can|co giat|hon me)"),
    marked=_any(r"rắn (?:độc )?cắn|co giật|hôn mê"),
)
_WHOSE = (
    r"(?:nguoi (?:khac|ta|yeu)|ban (?:gai|trai)|con ban|dua ban|vo|chong|hang xom|dua|co ay|anh ay|con be|nguoi la)"
)
_THEIRS = r"(?:mat khau|tai khoan|zalo|facebook|dien thoai|wifi|tin nhan)"
_HARM = _Sign(
    _any(
        rf"(?:hack|be khoa|dot nhap|hack chiem|chiem)(?: \w+){{0,3}} (?:cua )?{_WHOSE}",
        r"be khoa (?:dien thoai|may) nhat",
        rf"(?:theo doi|dinh vi|nghe len|doc len|doc trom|xem trom)(?: \w+){{0,4}} {_WHOSE}",
        rf"(?:lay|lay trom|xin|do|pha|vao|mo) (?:duoc )?{_THEIRS}(?: \w+)? (?:cua )?"
        rf"(?:{_WHOSE}|nguoi ta)(?! giup| gui| cho)",
        r"(?:doc trom|nghe trom|xem trom) tin nhan|(?:mua|ban|thue|cho thue) (?:\w+ )?tai khoan ngan hang",
        r"mua (?:\w+ )?(?:thong tin ca nhan|data khach|du lieu khach)|ca do bong|danh bac",
        r"(?:(?<!dinh )danh|choi) (?:lo )?de",
        r"(?:mua|ban|kiem|tim|choi|dung|hut|trong|che)(?: \w+)? (?:ma tuy|can sa|thuoc phien)|mua sung",
        r"(?:lam|che|che tao) (?:bom|min|phao no|thuoc no)",
        r"vpn|vuot tuong lua|vuot chan|fake ip",
        r"ghep (?:mat|anh khoa than|anh nong|hinh khoa than)(?: \w+)* (?:nguoi|ban|co)",
        r"(?:cach|day|muon|lam sao de|chi) (?:lua|lua dao|tong tien|gia giong|gia mao)(?: \w+)* (?:nguoi|tien)",
        r"thue (?:xa hoi den|giang ho|nguoi danh|nguoi doi no)|(?<!o )dau doc|(?:cach |lam sao )?tron thue",
        r"hoa don khong$|(?:mua|ban) hoa don",
        r"(?:mua|ban) (?:\w+ )?sim (?:rac|khong chinh chu|kich hoat san)",
    ),
    bare=_any(
        r"(?:lam|mua|ban|dat|thue) (?:bang|bang lai xe|can cuoc|giay to|con dau|so do|giay kham suc khoe|tien) "
        r"gia(?! dinh| re| cao)",
    ),
    marked=_any(r"(?:làm|mua|bán|đặt|thuê|in)(?: \w+){1,4} giả(?! mạo)|làm giả \w+|lô đề|nhà cái|cá độ"),
)
_VICTIM = _any(
    r"bi|lo (?:gui|mat|mua)|bao ve|phong (?:chong|tranh|ngua)|lay lai|canh bao|co phai|nhan (?:biet|ra)|lam sao biet",
    r"cua toi|co sao|muon tien|^co nguoi(?! yeu)",
    r"chong (?:bi|doc|theo doi|hack)|doa|dinh (?:vao|duong day|bay|an)|lien quan|mua phai|so bi|khoi bi|co bi|tranh",
    r"so (?:khach|ai|ho|ke gian|ke xau)(?: \w+)?|cong nghe ghep|^ai (?:lam gia|ghep) (?:mat|giong|hinh|video|clip)",
    r"(?:tin nhan|cuoc goi|quang cao)(?: \w+){0,2} (?:moi|ru) (?:goi )?(?:danh|choi|ca do)",
)
_DANGERS = (
    (_SELF_HARM, Finding(Guard.SELF_HARM, ("hotline_ambulance", "hotline_police", "hotline_child"))),
    (_CHILD, Finding(Guard.CHILD, ("hotline_child", "hotline_police"), stops=False)),
    (_VIOLENCE, Finding(Guard.VIOLENCE, ("hotline_police", "hotline_child"), stops=False)),
    (_RESCUE, Finding(Guard.RESCUE, ("hotline_rescue", "hotline_fire"))),
    (_FIRE, Finding(Guard.FIRE, ("hotline_fire",))),
    (_AMBULANCE, Finding(Guard.AMBULANCE, ("hotline_ambulance",))),
)
_ASKING = _any(
    r"la gi|so may|so nao|so dien thoai|goi so|thu tuc|dang ky|bao hiem|tro cap|nhan biet|phong ngua|lua dao",
    r"co phai lua|nam mot cho(?: \w+){0,8} (?:can cuoc|vneid|cong an|lam the)",
)

_ALWAYS = (Guard.SELF_HARM, Guard.CHILD)
"""Dangers for which the numbers are right even where somebody only asks."""


def look(text: str) -> Finding | None:
    """The most urgent reason for care in what somebody wrote, or None. Never raises."""
    plain, marked = expand(text), words(text[:LONGEST]) if has_marks(text[:LONGEST]) else None
    asking = bool(_ASKING.search(plain))
    for sign, finding in _DANGERS:
        if (finding.guard in _ALWAYS or not asking) and sign.seen(plain, marked):
            return finding
    if _HARM.seen(plain, marked) and not _VICTIM.search(plain):
        return Finding(Guard.REFUSE)
    return Finding(Guard.SECRET, stops=False) if redact(text) != text else None
