"""Which target group somebody belongs to, in the words that they use for themselves."""

from __future__ import annotations

from bot.core.text import fold
from bot.core.words import TargetGroup

GROUP_WORDS: dict[TargetGroup, tuple[str, ...]] = {
    TargetGroup.STUDENT: ("học sinh", "sinh viên", "hoc sinh", "đi học", "học trò", "student", "pupil"),
    TargetGroup.PUBLIC_STAFF: (
        *("cán bộ", "công chức", "viên chức", "giáo viên", "cô giáo", "thầy giáo", "bác sĩ", "y tá", "nhà nước"),
        *("công an", "bộ đội", "ủy ban", "public staff", "civil servant", "teacher"),
    ),
    TargetGroup.WORKER: ("người lao động", "công nhân", "doanh nghiệp", "công ty", "xí nghiệp", "hợp tác xã", "worker"),
    TargetGroup.BUSINESS_HOUSEHOLD: (
        *("hộ kinh doanh", "kinh doanh", "buôn bán", "bán hàng", "tiểu thương", "chủ quán", "đi chợ", "tạp hóa"),
        *("homestay", "business", "shop"),
    ),
    TargetGroup.ELDERLY: ("cao tuổi", "người già", "hưu trí", "về hưu", "nghỉ hưu", "ông bà", "già", "elderly", "old"),
    TargetGroup.RESIDENT: (
        *("bà con", "người dân", "dân", "nông dân", "làm ruộng", "ngư dân", "đi biển", "làm nông", "nội trợ"),
        *("lao động tự do", "resident", "farmer"),
    ),
}


def group_of(text: str) -> TargetGroup | None:
    """The group that somebody names: by number, or by a word of it (the longest one decides)."""
    said = fold(text[:100])
    if said.isdecimal() and len(said) == 1 and 1 <= int(said) <= len(TargetGroup):
        return tuple(TargetGroup)[int(said) - 1]
    found = [
        (len(word), group)
        for group, phrases in GROUP_WORDS.items()
        for word in map(fold, phrases)
        if f" {word} " in f" {said} "
    ]
    return max(found, key=lambda pair: pair[0])[1] if found else None
