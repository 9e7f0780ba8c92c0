"""Invented Vietnamese names, drawn by chance from a fixed seed. Any likeness to a real person is chance."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

_FAMILIES = (
    "Nguyễn Trần Lê Hoàng Phạm Võ Đặng Bùi Phan Trương Đinh Hồ Cao Mai Dương Lưu Đoàn Ngô Thái Tạ Hà Lương Cái".split()
)
_WOMEN = (
    "Lan Hoa Huệ Liên Nhung Thủy Hằng Nga Loan Vân Hiền Thảo Yến Phương Dung Thắm Sen Đào Mận Tuyết Hường Lý Xuân "
    "Oanh Trang Ngọc Bích Diệu Mỹ Hạnh Tâm Nhàn"
).split()
_MEN = (
    "Hùng Dũng Cường Tuấn Minh Hải Long Sơn Thành Quân Bình Hiếu Nam Đức Tài Thịnh Phúc Lộc Vinh Quang Tiến Khoa "
    "Toàn Huy Trung Nghĩa Lâm Khánh Định Sáu Bảy Chiến"
).split()
_WOMEN_MIDDLES = ("Thị", "Thị", "Thị Thu", "Thị Kim", "Thị Hồng", "Thị Mỹ", "Ngọc", "Thị Thanh")
_MEN_MIDDLES = ("Văn", "Văn", "Đình", "Quang", "Hữu", "Minh", "Xuân", "Công", "Ngọc")


def names(chance: Random) -> Iterator[str]:
    """Full names, each one once."""
    given: set[str] = set()
    while True:
        woman = chance.random() < 0.5
        middles, givens = (_WOMEN_MIDDLES, _WOMEN) if woman else (_MEN_MIDDLES, _MEN)
        name = f"{chance.choice(_FAMILIES)} {chance.choice(middles)} {chance.choice(givens)}"
        if name not in given:
            given.add(name)
            yield name
