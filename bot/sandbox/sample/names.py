"""Invented Vietnamese names, drawn by chance from a fixed seed. Any likeness to a real person is chance."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

_FAMILIES = "Nguyễn Trần Lê Hoàng Phạm Võ Đặng Bùi Phan Trương Đinh Hồ Cao Mai Dương Lưu Đoàn Ngô Thái Tạ Hà Lương Cái"
_WOMEN = (
    "Lan Hoa Huệ Liên Nhung Thủy Hằng Nga Loan Vân Hiền Thảo Yến Phương Dung Thắm Sen Đào Mận Tuyết Hường Lý Xuân "
    "Oanh Trang Ngọc Bích Diệu Mỹ Hạnh Tâm Nhàn"
)
_MEN = (
    "Hùng Dũng Cường Tuấn Minh Hải Long Sơn Thành Quân Bình Hiếu Nam Đức Tài Thịnh Phúc Lộc Vinh Quang Tiến Khoa "
    "Toàn Huy Trung Nghĩa Lâm Khánh Định Sáu Bảy Chiến"
)
_WOMEN_MIDDLES = ("Thị", "Thị", "Thị Thu", "Thị Kim", "Thị Hồng", "Thị Mỹ", "Ngọc", "Thị Thanh")
_MEN_MIDDLES = ("Văn", "Văn", "Đình", "Quang", "Hữu", "Minh", "Xuân", "Công", "Ngọc")


def names(chance: Random) -> Iterator[str]:
    """Full names, each one once."""
    families, women, men = (words.split() for words in (_FAMILIES, _WOMEN, _MEN))
    given: set[str] = set()
    while True:
        woman = chance.random() < 0.5
        middles, givens = (_WOMEN_MIDDLES, women) if woman else (_MEN_MIDDLES, men)
        name = f"{chance.choice(families)} {chance.choice(middles)} {chance.choice(givens)}"
        if name not in given:
            given.add(name)
            yield name
