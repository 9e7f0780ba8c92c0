"""What people call themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.words import TargetGroup
from bot.outreach.target_groups import group_of


@pytest.mark.parametrize(
    ("text", "group"),
    [
        *(
            ("học sinh", TargetGroup.STUDENT),
            ("em là sinh viên", TargetGroup.STUDENT),
            ("hoc sinh lop 9", TargetGroup.STUDENT),
        ),
        *(
            ("nông dân", TargetGroup.RESIDENT),
            ("người dân thôi", TargetGroup.RESIDENT),
            ("tui đi biển", TargetGroup.RESIDENT),
        ),
        *(
            ("giáo viên", TargetGroup.PUBLIC_STAFF),
            ("cán bộ xã", TargetGroup.PUBLIC_STAFF),
            ("công nhân", TargetGroup.WORKER),
        ),
        *(("buôn bán nhỏ", TargetGroup.BUSINESS_HOUSEHOLD), ("hộ kinh doanh", TargetGroup.BUSINESS_HOUSEHOLD)),
        *(("cán bộ hưu trí", TargetGroup.ELDERLY), ("ông bà già", TargetGroup.ELDERLY), ("6", TargetGroup.ELDERLY)),
        *(("1", TargetGroup.STUDENT), ("Student", TargetGroup.STUDENT)),
    ],
)
def test_a_group_is_understood(text: str, group: TargetGroup) -> None:
    assert group_of(text) is group


@pytest.mark.parametrize("text", ["", "0", "7", "12", "xin chào", "danh sách", "🙂", "x" * 10_000])
def test_what_is_no_group_is_none(text: str) -> None:
    assert group_of(text) is None


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    group_of(text)
