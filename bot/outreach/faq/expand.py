"""What people type turned into plain folded words: abbreviations, teencode, dialect, broken Telex."""

from __future__ import annotations

import re
from functools import lru_cache

from bot.core.text import fold, has_marks, words

LONGEST = 600
"""Characters of a question that are looked at."""

_MARKED = {
    "mô": "đâu",
    "răng": "sao",
    "rứa": "vậy",
    "nớ": "đó",
    "ni": "này",
    "tê": "kia",
    "mần": "làm",
    "nỏ": "không",
    "nỏ biết": "không biết",
    "chộ": "thấy",
    "chừ": "bây giờ",
    "tui": "tôi",
    "bựa": "hôm",
    "mệ": "bà",
    "bọ": "bố",
    "hắn": "nó",
    "coi": "xem",
    "vô": "vào",
    "côi": "trên",
    "đàng": "đường",
    "cấy": "cái",
    "thiệt": "thật",
    "lộn": "nhầm",
    "kiếm": "tìm",
    "đc": "được",
    "ko": "không",
}
"""Central dialect that only its marks tell apart (mô is where, mở is open)."""

_SHORT = {
    "k": "khong", "ko": "khong", "kg": "khong", "kh": "khong", "hok": "khong", "hong": "khong", "khum": "khong",
    "kp": "khong phai", "kb": "khong biet", "dc": "duoc", "dk": "dang ky", "dki": "dang ky", "dky": "dang ky",
    "dkí": "dang ky", "ki": "ky", "dvc": "dich vu cong", "dvcqg": "dich vu cong quoc gia", "cccd": "can cuoc",
    "cmnd": "can cuoc", "cmt": "can cuoc", "cc": "can cuoc", "bhyt": "bao hiem y te", "bhxh": "bao hiem xa hoi",
    "vnid": "vneid", "vnei": "vneid", "vnedi": "vneid", "veneid": "vneid", "vn-eid": "vneid", "vssi": "vssid",
    "mk": "mat khau", "pass": "mat khau", "password": "mat khau", "pw": "mat khau", "tk": "tai khoan",
    "stk": "so tai khoan", "nick": "tai khoan", "acc": "tai khoan", "nh": "ngan hang", "bank": "ngan hang",
    "ck": "chuyen khoan", "ct": "chuyen tien", "ntn": "nhu the nao", "tn": "the nao", "lsao": "lam sao", "sao": "sao",
    "j": "gi", "ji": "gi", "z": "vay", "v": "vay", "zay": "vay", "dzay": "vay", "sdt": "so dien thoai",
    "dt": "dien thoai", "đt": "dien thoai", "smartphone": "dien thoai", "phone": "dien thoai", "fb": "facebook",
    "face": "facebook", "facbook": "facebook", "mxh": "mang xa hoi", "mn": "moi nguoi", "ng": "nguoi",
    "ngta": "nguoi ta",
    "nta": "nguoi ta", "bik": "biet", "bit": "biet", "bt": "biet", "lm": "lam", "lam": "lam", "cx": "cung", "vs": "voi",
    "r": "roi", "rui": "roi", "e": "em", "a": "anh", "mik": "minh", "mk vneid": "mat khau vneid", "hs": "ho so",
    "gplx": "bang lai xe", "blx": "bang lai xe", "gpld": "bang lai xe", "lltp": "ly lich tu phap",
    "hkd": "ho kinh doanh",
    "hddt": "hoa don dien tu", "mst": "ma so thue", "ttnt": "tri tue nhan tao",
    "bdhvs": "binh dan hoc vu so", "bdhv": "binh dan hoc vu", "tcnscd": "to cong nghe so cong dong",
    "csgt": "canh sat giao thong", "ubnd": "uy ban", "hcc": "hanh chinh cong", "qr": "ma qr", "stt": "so thu tu",
    "nt": "nhan tin", "tnhan": "tin nhan", "sms": "tin nhan", "msg": "tin nhan", "dthoai": "dien thoai",
    "dthoaj": "dien thoai", "app": "ung dung", "apps": "ung dung", "ud": "ung dung", "link": "duong dan lien ket link",
    "online": "truc tuyen mang", "onl": "truc tuyen mang", "wf": "wifi", "wiffi": "wifi", "wf4g": "wifi",
    "thong tin cn": "thong tin ca nhan", "ttcn": "thong tin ca nhan", "sth": "sinh trac hoc", "ca": "cong an",
    "hack": "hack chiem", "hacker": "hack chiem", "xl": "xin loi", "trc": "truoc", "ns": "noi", "nc": "noi chuyen",
    "bh": "bao hiem", "bv": "benh vien", "gks": "giay khai sinh", "sk": "suc khoe", "ssk": "so suc khoe", "yt": "y te",
    "dktt": "dang ky thuong tru", "tt": "thong tin", "ktra": "kiem tra", "cnhan": "ca nhan", "ai tri tue": "tri tue",
}  # fmt: skip
"""Abbreviations and teencode, as folded words."""

_PHRASES = (
    (r"\b(?:o|noi|cho|di|den|ra|tu|khi) mo\b", lambda m: m[0][:-2] + "dau"),
    (r"\bmo rua\b", lambda _: "dau vay"),
    (r"\b(?:lam|man|thi|bi|kieu) rang\b", lambda m: m[0][:-4] + "sao"),
    (r"^rang\b", lambda _: "sao"),
    (r"\brang (?:rua|ri|day|he|hi|ma|lai|chu)\b", lambda m: "sao" + m[0][4:]),
    (r"\bchi rua\b", lambda _: "gi vay"),
    (r"\b(?:lam|cai|viec|can|kieu|la|co|duoc) chi\b(?! phi| tiet| nhanh)", lambda m: m[0][:-3] + "gi"),
    (r"\b(?:man|lam) (?:rang|sao|ri)\b", lambda _: "lam sao"),
    (r"\bnhu rang\b", lambda _: "nhu the nao"),
    (r"\btui\b", lambda _: "toi"),
    (r"\brua\b", lambda _: "vay"),
    (r"\b(?:bua|bay) chu\b", lambda _: "bay gio"),
    (r"\bcan cuoc cong dan\b", lambda _: "can cuoc"),
    (r"\bchung minh nhan dan\b", lambda _: "can cuoc"),
    (r"\bwi fi\b", lambda _: "wifi"),
    (r"\bvn ?e ?id\b", lambda _: "vneid"),
    (r"\bpasscode\b", lambda _: "mat khau passcode"),
    (r"\bgiay phep lai xe\b", lambda _: "bang lai xe"),
    (r"\bphay ?buc\b", lambda _: "facebook"),
    (r"\bda lo\b", lambda _: "zalo"),
    (r"\bda ?lo\b", lambda _: "zalo"),
)
_RULES = tuple((re.compile(pattern), change) for pattern, change in _PHRASES)
_CHI = re.compile(r"\bchi\b(?! (?:phí|tiết|nhánh|tiêu|trả|cục|hội|bộ|đoàn|em|chị))")

_ONSET = r"(?:ngh|ng|nh|th|tr|ch|kh|ph|gh|gi|qu|[bcdghklmnpqrstvx])?"
_SYLLABLE = re.compile(_ONSET + r"(?:[aeiouy]{1,3})(?:ng|nh|ch|[cmnptuiy])?")
_HELD = re.compile(r"([a-z])\1{2,}")
_LONE_W = re.compile(r"(?<![aou])w")
_DOUBLES = re.compile(r"([aeod])\1")
_LETTERS_AND_TONES = re.compile(r"[a-z]+[1-9][a-z1-9]*")


def expand(text: str, known: frozenset[str] = frozenset()) -> str:
    """Folded words of a question, spelled out. `known` are words that are right as they stand (`book`, `app`).

    Never raises; the same words always give the same result.
    """
    marked = words(text[:LONGEST])
    if has_marks(text[:LONGEST]):
        marked = _CHI.sub("gì", " ".join(_MARKED.get(word, word) for word in marked.split()))
    plain = " ".join(_word(word, known) for word in fold(marked).split())
    for pattern, change in _RULES:
        plain = pattern.sub(change, plain)
    return " ".join(plain.split())


def _word(word: str, known: frozenset[str]) -> str:
    if word in _SHORT:
        return _SHORT[word]
    if word in known or _is_syllable(word):
        return word
    repaired = untelex(word)
    if repaired == word and (squeezed := _squeezed(word)) in known:
        return squeezed
    return _SHORT.get(repaired, repaired)


@lru_cache(maxsize=4096)
def untelex(word: str) -> str:
    """A folded word without the keys that Telex or VNI left in it: `nhaanj` and `nha65n` become `nhan`. Words that
    would be no Vietnamese syllable then stay as they are."""
    if _LETTERS_AND_TONES.fullmatch(word):
        candidate = re.sub(r"[1-9]", "", word)
        return candidate if _is_syllable(candidate) else word
    squeezed = _squeezed(word)
    if _is_syllable(squeezed):
        return squeezed
    for i in range(len(squeezed) - 1, 0, -1):
        candidate = squeezed[:i] + squeezed[i + 1 :]
        if squeezed[i] in "sfrxj" and _is_syllable(candidate):
            return candidate
    return word


def _squeezed(word: str) -> str:
    """Held and doubled letters once, `w` as the hook that it types."""
    return _LONE_W.sub("u", _DOUBLES.sub(r"\1", _HELD.sub(r"\1", word))).replace("w", "")


def _is_syllable(word: str) -> bool:
    return _SYLLABLE.fullmatch(word) is not None and not _DOUBLES.search(word)
