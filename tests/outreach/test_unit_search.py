"""Finding communes and villages by what people type."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.text import fold
from bot.core.words import UnitKind
from bot.db import migrations
from bot.db.tables import Unit
from bot.outreach.unit_search import LONGEST, distance, districts, find

COMMUNES = json.loads((Path(migrations.__file__).parent / "communes.json").read_text("utf-8"))
VILLAGES = {
    "v1": ("Thôn 1", "18859", []),
    "v2": ("Thôn 1", "19138", []),
    "v3": ("Bản Rục Làn", "18943", ["Rục"]),
    "v4": ("Tổ dân phố Bắc Lý 3", "18859", []),
    "v5": ("Thôn _*[<& Bầu", "19138", []),
}


def _unit(id: int, code: str, name: str, kind: UnitKind, path: str, aliases: list[str]) -> Unit:
    return Unit(id=id, code=code, name=name, kind=kind, path=path, aliases=aliases)


def _everything() -> list[Unit]:
    found = [_unit(1, "44", "Tỉnh Quảng Trị", UnitKind.PROVINCE, "/44/", ["Quảng Trị", "Quảng Bình"])]
    for c in COMMUNES:
        aliases = [*c["from"], c["old_district"]]
        found.append(_unit(len(found) + 1, str(c["code"]), c["name"], UnitKind.COMMUNE, f"/44/{c['code']}/", aliases))
    for code, (name, commune, aliases) in VILLAGES.items():
        found.append(_unit(len(found) + 1, code, name, UnitKind.VILLAGE, f"/44/{commune}/{code}/", aliases))
    return found


UNITS = _everything()


def codes(text: str) -> list[str]:
    return [m.unit.code for m in find(UNITS, text)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("Bắc Lý", "18859"), ("xa Duc Ninh", "18880"), ("p. dong thuan", "18859"), ("phong nha", "19138")),
        *(("fong nha", "19138"), ("phongnha", "19138"), ("Phong  Nhaa", "19138"), ("Quảng Tiên", "19075")),
        *(("Quảng Tiến", "19030"), ("thôn 1, xã Phong Nha", "v2"), ("thon 1 xa phong nha huyen bo trach", "v2")),
        *(("thôn 9, phường Đồng Thuận", "18859"), ("ruc lan", "v3"), ("Bản Rục", "v3"), ("tdp bac ly 3", "v4")),
        *(("x.Cam Hong", "19255"), ("viet trung", "19198"), ("thị trấn nông trường Việt Trung", "19198")),
        *(("nt le ninh", "19246"), ("kien giang, le thuy", "19249"), ("em ở xã Quảng Phương", "19057")),
        *(("xa quang phuong, quang trach, quang binh", "19057"), ("Đồng Lể", "18949"), ("Đồng Trạch", "19159")),
        *(("hải ninh quảng ninh", "19225"), ("Nam Lý ạ", "18880"), ("PHƯỜNG BA ĐỒN", "19009"), ("hoàn lảo", "19111")),
        *(("Xã Thượng Trạch, Bố Trạch", "19147"), ("nhà em ở cự nẫm", "19141"), ("xã lệ thuỷ", "19249")),
        (unicodedata.normalize("NFD", "Phường Đồng Sơn"), "18871"),
        *(("thon _*[<& bau", "v5"), ("phong nah", "19138"), ("quy dat", "18901"), ("Cảnh Dương 🌊", "19033")),
    ],
)
def test_one_place_is_meant(text: str, code: str) -> None:
    assert codes(text) == [code]


@pytest.mark.parametrize("commune", COMMUNES, ids=lambda c: c["name"])
def test_every_commune_is_found_by_each_of_its_names(commune: dict[str, object]) -> None:
    names = [str(commune["name"]), *map(str, commune["from"])]  # type: ignore[call-overload]
    for name in names:
        bare = name.removeprefix("Thị trấn ").removeprefix("Phường ").removeprefix("Xã ")
        for text in (name, name.upper(), fold(name), bare, unicodedata.normalize("NFD", name)):
            assert str(commune["code"]) in codes(text), text


@pytest.mark.parametrize("commune", COMMUNES, ids=lambda c: c["name"])
def test_a_commune_s_full_new_name_comes_first(commune: dict[str, str]) -> None:
    assert codes(commune["name"])[0] == str(commune["code"])


def test_an_old_district_offers_its_communes() -> None:
    found = find(UNITS, "huyện Minh Hóa")
    assert {m.unit.code for m in found} == {"18901", "18904", "18919", "18922", "18943"}
    assert {m.district for m in found} == {"Huyện Minh Hóa"}
    assert len(codes("TP Đồng Hới")) == 3
    assert len(codes("thi xa ba don")) == 4


def test_a_name_with_several_meanings_is_asked_about() -> None:
    found = find(UNITS, "Minh Hóa")
    assert [m.unit.code for m in found][:2] == ["18901", "18943"]
    assert found[1].said == "Xã Minh Hóa"
    assert all(m.district for m in found[2:])
    assert codes("quang tien") == ["19075", "19030"]
    assert codes("thon 1") == ["v1", "v2"]


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "hn", "Lý", "Quảng Bình", "tỉnh Quảng Trị", "quên mật khẩu vneid", "xin chào", "thôn", "xã", "!!!"),
        *("Hà Nội", "không biết", "làm sao đăng ký", "🙂", "x" * 10_000, "quên mật khẩu", "_*[<&"),
    ],
)
def test_what_is_no_place_finds_nothing(text: str) -> None:
    assert codes(text) == []


@given(st.text(max_size=LONGEST + 10))
def test_any_text_can_be_searched(text: str) -> None:
    find(UNITS, text)


@given(st.sampled_from([c for c in COMMUNES if len(c["name"]) >= 12]), st.data())
def test_a_wrong_letter_in_a_long_name_still_finds_something(commune: dict[str, str], data: st.DataObject) -> None:
    name = fold(commune["name"].split(maxsplit=1)[1])
    place = data.draw(st.sampled_from([i for i, c in enumerate(name) if c != " "]))
    typed = name[:place] + data.draw(st.sampled_from("abcdeghiklmnopqrstuvxy")) + name[place + 1 :]
    assert codes(typed), typed


@pytest.mark.parametrize(
    ("a", "b", "errors"), [("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("abcd", "xbyd", 2), ("a", "xyz", 3)]
)
def test_distance_counts_errors(a: str, b: str, errors: int) -> None:
    assert distance(a, b, 2) == errors


def test_old_districts_hold_all_communes_once() -> None:
    found = districts(UNITS)
    assert len(found) == 8
    assert found["bo trach"][0] == "Bố Trạch"
    assert sorted(u.code for _, us in found.values() for u in us) == sorted(str(c["code"]) for c in COMMUNES)
