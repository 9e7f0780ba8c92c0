"""Whatever a file holds, reading it ends in values or in problems with a line, never in an exception."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from messages.content.lines import Document, parse, read

YAML_LIKE = st.text(alphabet="ab: -[]{}#&*!|>'\"\n\t%@`,?01đà\u0301\x00", max_size=200)


def parsed(text: str) -> Document:
    return parse(text, Document(Path("x.yaml")))


@given(st.one_of(YAML_LIKE, st.text(max_size=200)))
def test_no_text_breaks_the_reader(text: str) -> None:
    document = parsed(text)
    assert all(problem.line >= 1 for problem in document.problems)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.yaml"
        path.write_bytes(content)
        assert all(problem.line >= 1 for problem in read(path).problems)


def test_a_file_that_is_nested_too_deep_is_refused() -> None:
    assert "deep" in parsed("[" * 5000).problems[0].text
    assert "deep" in parsed("a: " + "[" * 50 + "]" * 50).problems[0].text


def test_numbers_and_dates_stay_words() -> None:
    assert parsed("a: 0368\nb: 2026-11-01\nc: yes\nd:\n").value == {
        "a": "0368",
        "b": "2026-11-01",
        "c": "yes",
        "d": None,
    }


def test_each_value_knows_its_line() -> None:
    document = parsed("a:\n  - one\n  - b: two\n")
    assert [document.line(key) for key in [("a", 0), ("a", 1, "b"), ("a", 7), ("z",)]] == [2, 3, 2, 1]
