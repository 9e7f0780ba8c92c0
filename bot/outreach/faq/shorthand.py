"""How people of Quảng Bình and people in a hurry write: dialect, abbreviations and teencode as tables."""

from __future__ import annotations

import re
from collections.abc import Callable

DIALECT = {
    "mô": "đâu",
    "răng": "sao",
    "rứa": "vậy",
    "ri": "thế này",
    "nớ": "đó",
    "ni": "này",
    "tê": "kia",
    "mần": "làm",
    "mằn": "làm",
    "nỏ": "không",
    "khôông": "không",
    "khôn": "không",
    "khun": "không",
    "hổng": "không",
    "hông": "không",
    "hem": "không",
    "chộ": "thấy",
    "chừ": "giờ",
    "dừ": "giờ",
    "giừ": "giờ",
    "tui": "tôi",
    "tau": "tôi",
    "choa": "chúng tôi",
    "bựa": "hôm",
    "mệ": "bà",
    "mạ": "mẹ",
    "má": "mẹ",
    "bọ": "bố",
    "tía": "bố",
    "eng": "anh",
    "ôông": "ông",
    "hắn": "nó",
    "hấn": "nó",
    "coi": "xem",
    "dòm": "xem",
    "ngó": "xem",
    "vô": "vào",
    "côi": "trên",
    "đàng": "đường",
    "cấy": "cái",
    "thiệt": "thật",
    "lộn": "nhầm",
    "kiếm": "tìm",
    "biểu": "bảo",
    "xài": "dùng",
    "hư": "hỏng",
    "rớt": "rơi",
    "lượm": "nhặt",
    "lẹ": "nhanh",
    "nác": "nước",
    "nậy": "lớn",
    "nhởi": "chơi",
    "gấy": "vợ",
    "nhôông": "chồng",
    "ngài": "người",
    "trốc": "đầu",
    "đc": "được",
    "ko": "không",
}
"""Central dialect, which its marks tell apart (mô is where, mở is open); used where somebody typed marks at all."""

SHORT = {
    "k": "khong", "ko": "khong", "kg": "khong", "kh": "khong", "hok": "khong", "khum": "khong", "hem": "khong",
    "hk": "khong", "khg": "khong", "khog": "khong", "hong": "hong", "kp": "khong phai", "kb": "khong biet",
    "dc": "duoc", "dk": "dang ky", "dki": "dang ky", "dky": "dang ky", "đk": "dang ky", "dkj": "dang ky", "ki": "ky",
    "kí": "ky", "dvc": "dich vu cong", "dvcqg": "dich vu cong quoc gia", "dvctt": "dich vu cong truc tuyen",
    "cccd": "can cuoc", "cmnd": "can cuoc", "cmt": "can cuoc", "cc": "can cuoc", "cmtnd": "can cuoc",
    "bhyt": "bao hiem y te", "bhxh": "bao hiem xa hoi", "bhtn": "bao hiem that nghiep", "vnid": "vneid",
    "vnei": "vneid", "vnedi": "vneid", "veneid": "vneid", "vneid": "vneid", "vneidd": "vneid", "vnied": "vneid",
    "vneld": "vneid", "vned": "vneid", "vneit": "vneid", "vssi": "vssid", "vsid": "vssid", "vssd": "vssid",
    "mk": "mat khau", "mkhau": "mat khau", "pass": "mat khau", "pas": "mat khau", "password": "mat khau",
    "pw": "mat khau", "passwork": "mat khau", "matkhau": "mat khau", "tk": "tai khoan", "tkhoan": "tai khoan",
    "stk": "so tai khoan", "nick": "tai khoan", "nik": "tai khoan", "acc": "tai khoan", "acount": "tai khoan",
    "account": "tai khoan", "nh": "ngan hang", "nhang": "ngan hang", "bank": "ngan hang", "banking": "ngan hang",
    "ck": "chuyen khoan", "ckhoan": "chuyen khoan", "ct": "chuyen tien", "ctien": "chuyen tien",
    "ntn": "nhu the nao", "nhtn": "nhu the nao", "tn": "the nao", "tnao": "the nao", "lsao": "lam sao",
    "ls": "lam sao", "lm": "lam", "lmj": "lam gi", "lj": "lam gi", "j": "gi", "ji": "gi", "gj": "gi", "z": "vay",
    "v": "vay", "zay": "vay", "dzay": "vay", "zậy": "vay", "zi": "vay", "sdt": "so dien thoai", "đt": "dien thoai",
    "dt": "dien thoai", "dthoai": "dien thoai", "dthoaj": "dien thoai", "dienthoai": "dien thoai",
    "smartphone": "dien thoai", "phone": "dien thoai", "fone": "dien thoai", "ip": "iphone", "fb": "facebook",
    "face": "facebook", "facbook": "facebook", "fbook": "facebook", "phaybuc": "facebook", "zl": "zalo",
    "zlo": "zalo", "zal": "zalo", "zalu": "zalo", "dalo": "zalo", "mxh": "mang xa hoi", "mn": "moi nguoi",
    "mng": "moi nguoi", "ng": "nguoi", "ngta": "nguoi ta", "nta": "nguoi ta", "nguoita": "nguoi ta", "bik": "biet",
    "bit": "biet", "bt": "biet", "biek": "biet", "cx": "cung", "vs": "voi", "zo": "vao", "dzo": "vao", "zô": "vao",
    "r": "roi", "oi": "oi", "rui": "roi", "e": "em", "a": "anh", "c": "chi", "mik": "minh", "m": "minh", "t": "toi",
    "hs": "ho so", "hsso": "ho so", "gplx": "bang lai xe", "blx": "bang lai xe", "gpld": "bang lai xe",
    "lltp": "ly lich tu phap", "hkd": "ho kinh doanh", "hđđt": "hoa don dien tu", "hddt": "hoa don dien tu",
    "hđ": "hoa don", "mst": "ma so thue", "tncn": "thu nhap ca nhan", "ttnt": "tri tue nhan tao",
    "bdhvs": "binh dan hoc vu so", "bdhv": "binh dan hoc vu", "tcnscd": "to cong nghe so cong dong",
    "tcns": "to cong nghe so", "csgt": "canh sat giao thong", "ubnd": "uy ban", "hcc": "hanh chinh cong",
    "qr": "ma qr", "stt": "so thu tu", "nt": "nhan tin", "tnhan": "tin nhan", "sms": "tin nhan", "msg": "tin nhan",
    "app": "ung dung", "apps": "ung dung", "ud": "ung dung", "udung": "ung dung", "link": "duong dan lien ket link",
    "onl": "truc tuyen mang", "online": "truc tuyen mang", "ol": "truc tuyen mang", "wf": "wifi", "wiffi": "wifi",
    "wi": "wi", "wf4g": "wifi", "ttcn": "thong tin ca nhan", "sth": "sinh trac hoc", "hack": "hack chiem",
    "hak": "hack chiem", "hacker": "hack chiem", "hach": "hack chiem", "xl": "xin loi", "trc": "truoc", "ns": "noi",
    "nc": "noi chuyen", "bh": "bao hiem", "bv": "benh vien", "gks": "giay khai sinh", "sk": "suc khoe",
    "skhoe": "suc khoe", "ssk": "so suc khoe", "yt": "y te", "dktt": "dang ky thuong tru", "tt": "thong tin",
    "ttin": "thong tin", "ktra": "kiem tra", "ktr": "kiem tra", "cnhan": "ca nhan", "ad": "ad",
    "bhnt": "bao hiem nhan tho", "lq": "lien quan", "gd": "gia dinh", "gđ": "gia dinh", "ld": "lua dao",
    "lđ": "lua dao", "ldao": "lua dao", "kt": "kiem tra", "xm": "xe may", "oto": "o to", "ôt": "o to",
    "cty": "cong ty", "cv": "cong viec", "vc": "viec", "nv": "nhan vien", "cb": "can bo", "tgian": "thoi gian",
    "tg": "thoi gian", "hsinh": "hoc sinh", "cs": "co", "cog": "cong", "vx": "van", "wa": "qua", "wá": "qua",
    "qa": "qua", "wen": "quen", "wên": "quen", "wet": "quet", "wét": "quet", "iu": "yeu", "thjk": "thich",
    "thik": "thich", "lun": "luon", "nhju": "nhieu", "nhiu": "nhieu", "bnhieu": "bao nhieu", "bn": "bao nhieu",
    "bnh": "bao nhieu", "bgio": "bao gio", "bjo": "bay gio", "h": "gio", "ctv": "cong tac vien", "dn": "dang nhap",
    "đn": "dang nhap", "dnhap": "dang nhap", "log": "dang nhap", "login": "dang nhap", "xthuc": "xac thuc",
    "xt": "xac thuc", "cnang": "chuc nang", "down": "tai", "dow": "tai", "download": "tai", "setup": "cai dat",
    "fix": "sua", "ship": "giao hang", "shipper": "nguoi giao hang", "sip": "giao hang", "order": "dat hang",
    "tv": "ti vi", "tivi": "ti vi", "cp": "chi phi", "dv": "dich vu", "gt": "giao thong", "pn": "phat nguoi",
    "vd": "van de", "ttuc": "thu tuc", "fat": "phat", "fai": "phai", "fi": "phi", "fong": "phong", "fan": "phan",
    "fim": "phim", "fuong": "phuong",
}  # fmt: skip
"""Abbreviations and teencode, as folded words: used for words that were typed without marks or are no words at all."""

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def _rules(*rules: tuple[str, str | Callable[[re.Match[str]], str]]) -> tuple[Rule, ...]:
    return tuple((re.compile(pattern), change) for pattern, change in rules)


UNMARKED = _rules(
    (r"\b(o|noi|cho|di|den|ra|tu|khi|lam|vao|chi|hoi|mua|cai|tai|gui|nop) mo\b(?! tai| khoa| the| ra| may)", r"\1 dau"),
    (r"\bmo rua\b", "dau vay"),
    (r"\b(lam|man|thi|bi|kieu|can|cach|nhu|chu|gio) rang\b", r"\1 sao"),
    (r"^rang\b", "sao"),
    (r"\brang (rua|ri|day|he|hi|ma|lai|chu|gio)\b", r"sao \1"),
    (r"\bchi rua\b", "gi vay"),
    (r"\b(lam|man|cai|viec|can|kieu|la|co|duoc|bi|thay|noi) chi\b(?! phi| tiet| nhanh| em)", r"\1 gi"),
    (r"\bman (rang|sao|ri|gi|dau|the|giay|ho|duoc|lai|can|khai|kieu|thu)\b", r"lam \1"),
    (r"\b(bua|hom|cai|cay|may|so|tin|app|nam|thang|link|ung dung) ni\b", r"\1 nay"),
    (r"\btui\b", "toi"),
    (r"\brua\b(?! tien| xe| tay| chen)", "vay"),
    (r"\b(bua|bay|gio|den|toi|^) ?chu\b(?! nhat| ho| ky| tich| so| to| quan)", "bay gio"),
    (r"\bhong (biet|duoc|thay|co|vao|nhan|phai|lam|nho|mo|cho|ve)\b", r"khong \1"),
    (r"\b(duoc|biet|phai|thay|co) hong\b", r"\1 khong"),
    (r"\bxai\b", "dung"),
    (r"\bnac\b", "nuoc"),
    (r"\bcoi\b", "xem"),
    (r"\bthiet\b(?! bi| ke| hai| lap| thoi)", "that"),
    (r"\bchuyen lon\b", "chuyen nham"),
    (r"\bvo (duoc|mang|app|nhom|vneid|zalo|facebook|may|tai khoan|ung dung|cong|trang|mo|wifi)\b", r"vao \1"),
)
"""Dialect that was typed without marks, where its neighbours tell what it is."""

ALWAYS = _rules(
    (r"\bcan cuoc cong dan\b", "can cuoc"),
    (r"\bchung minh (?:nhan dan|thu)\b", "can cuoc"),
    (r"\bwi (?:fi|phi)\b", "wifi"),
    (r"\bvn ?e ?i ?d\b", "vneid"),
    (r"\bpasscode\b", "mat khau passcode"),
    (r"\bgiay phep lai xe\b", "bang lai xe"),
    (r"\bphay ?(?:buc|but)\b", "facebook"),
    (r"\b(?:da|ra|gia) ?lo\b(?! lang| viec| cho)", "zalo"),
    (r"\bo ?t ?p\b", "otp"),
    (r"\bmat ma\b", "mat khau mat ma"),
    (r"\bfacebook book\b", "facebook"),
    (r"\bvay (?:neid|eid|ne id)\b", "vneid"),
)
UNMARKED_WORDS = frozenset("mo rang chi man ni tui rua chu hong xai nac coi thiet lon vo".split())  # noqa: SIM905
"""One of these stands wherever a rule of `UNMARKED` applies."""
ALWAYS_BEGIN = re.compile(
    r"\b(?:can cuoc cong|chung minh [nt]|wi (?:fi|phi)|vn ?e? ?i ?d|passcode|giay phep lai|phay|(?:da|ra|gia) ?lo\b"
    r"|o ?t ?p\b|mat ma\b|facebook book|vay n?e ?id)"
)
"""Found wherever a rule of `ALWAYS` applies: most texts need none of them."""
