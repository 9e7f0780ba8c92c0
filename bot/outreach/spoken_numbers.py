"""Numbers as a Vietnamese reads them aloud."""

from __future__ import annotations

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_SCALES = ("", "nghìn", "triệu", "tỷ")
_MOST = 10**12


def one_by_one(digits: str) -> str:
    """A telephone number: `113` is "một một ba"."""
    return " ".join(DIGITS[int(digit)] for digit in digits if digit in "0123456789")


def cardinal(number: int) -> str:
    """A count, 0 to 999,999,999,999: `2026` is "hai nghìn không trăm hai mươi sáu". Longer ones digit by digit."""
    if number >= _MOST:
        return one_by_one(str(number))
    groups: list[int] = []
    while number:
        number, rest = divmod(number, 1000)
        groups.append(rest)
    said = [
        f"{_below_thousand(group, full=place < len(groups) - 1)} {_SCALES[place]}".rstrip()
        for place, group in reversed(list(enumerate(groups)))
        if group
    ]
    return " ".join(said) or DIGITS[0]


def _below_thousand(number: int, *, full: bool) -> str:
    """`full`: something stands before it, so that an empty place of hundreds is named."""
    hundreds, rest = divmod(number, 100)
    if not hundreds and not full:
        return _below_hundred(rest)
    said = f"{DIGITS[hundreds]} trăm"
    if not rest:
        return said
    return f"{said} linh {DIGITS[rest]}" if rest < 10 else f"{said} {_below_hundred(rest)}"


def _below_hundred(number: int) -> str:
    tens, ones = divmod(number, 10)
    if not tens:
        return DIGITS[ones]
    begin = "mười" if tens == 1 else f"{DIGITS[tens]} mươi"
    if not ones:
        return begin
    if ones == 5:
        return f"{begin} lăm"
    return f"{begin} mốt" if ones == 1 and tens > 1 else f"{begin} {DIGITS[ones]}"
