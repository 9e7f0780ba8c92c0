"""Claims that a pack must not make, each with the reason, as far as a machine can check."""

from __future__ import annotations

import re
from dataclasses import dataclass

SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_DENIED = r"(?:không|đừng|chớ|chưa|chẳng|tránh|thay vì)"


@dataclass(frozen=True, slots=True)
class Claim:
    """A pattern over one lower-case sentence, marks kept; `unless` is what makes the sentence harmless."""

    pattern: re.Pattern[str]
    reason: str
    unless: re.Pattern[str] | None = None

    def objection(self, sentence: str) -> str | None:
        """Why the sentence may not stand, or None."""
        if not (match := self.pattern.search(sentence)) or (self.unless and self.unless.search(sentence)):
            return None
        return f"“{match[0]}”: {self.reason}"


def _claim(pattern: str, reason: str, unless: str | None = None) -> Claim:
    return Claim(re.compile(rf"\b(?:{pattern})\b"), reason, re.compile(rf"\b{unless}\b") if unless else None)


CLAIMS: tuple[Claim, ...] = (
    _claim(r"vpn|proxy|đổi dns|vượt tường lửa|vượt chặn", "never teach how to get round a block"),
    _claim(
        r"(?:sẽ|bị) (?:bị )?khóa (?:sim|thuê bao)|khóa (?:một|hai) chiều",
        "the favourite line of swindlers; lock dates change",
    ),
    _claim(r"miễn phí (?:mãi|trọn đời|vĩnh viễn|hoàn toàn)|hoàn toàn miễn phí", "nobody can promise that for ever"),
    _claim(r"ai miễn phí|chữ ký số miễn phí|không mất phí", "prices change: say nothing about them"),
    _claim(r"không cần (?:đến|gặp|ra) công an", "level 2 is made in person with the police"),
    _claim(r"vssid sẽ (?:dừng|ngừng|đóng)", "not decided by any source"),
    _claim(r"(?:sẽ|chắc chắn) (?:lấy|đòi) lại được", "nobody can promise that money comes back"),
    _claim(r"luôn (?:nhận ra|phát hiện)|nhận ra được ngay", "a good fake may not be noticed"),
    _claim(
        r"(?:được|sẽ|nhận|cấp|trao) (?:cấp )?(?:giấy )?(?:chứng nhận|chứng chỉ)",
        "practice here is never a certificate",
        _DENIED,
    ),
    _claim(r"truy cứu|sẽ bị (?:xử )?phạt|xử lý hình sự", "no legal threats"),
    _claim(r"hạn chót|hạn cuối", "deadlines change"),
    _claim(r"(?:công an|ubnd|ủy ban nhân dân|phòng \w+) (?:huyện|thị xã)|cấp huyện", "districts no longer exist"),
    _claim(r"bộ thông tin và truyền thông|nghị định 13", "replaced since 2025"),
    _claim(r"bit\.ly|tinyurl|goo\.gl|t\.ly", "no short links"),
    _claim(
        r"(?:đọc|gửi|nhập|cho biết|cung cấp) (?:mã )?otp (?:cho|vào đây)|gửi ảnh (?:thẻ )?căn cước",
        "never ask for codes or pictures of a card",
        _DENIED,
    ),
    _claim(r"dự báo (?:hôm nay|ngày mai)|ngày mai (?:có )?(?:bão|lũ|mưa)", "forecasts are left to the authorities"),
    _claim(r"mọi (?:cơ sở|phòng khám|bệnh viện) đều", "not every clinic complies yet"),
)
