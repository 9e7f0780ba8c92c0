"""The areas that questions are listed under."""

from __future__ import annotations

THEMES = (
    *("dinh_danh", "dich_vu_cong", "lua_dao", "an_toan", "thanh_toan", "thiet_bi"),
    *("y_te_bhxh", "kinh_te_so", "hoc_tap_va_may", "loa_so"),
)
"""In the order in which they are offered: what is asked most stands first. Each has a name `faq.theme_…`."""
OTHER = "khac"
"""Where everything else goes."""


def known(theme: str) -> str:
    """The theme, or `OTHER` if it has no name."""
    return theme if theme in THEMES else OTHER
