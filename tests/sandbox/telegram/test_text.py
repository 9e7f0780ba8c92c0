"""Texts: parse modes, entities, lengths, keyboards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram.helpers import escape_markdown

from bot.sandbox.telegram import User, entities, markup_html, markup_markdown
from bot.sandbox.telegram.errors import ApiError
from tests.sandbox.telegram.conftest import Raw

B = {"type": "bold"}


def _spans(found: entities.Formatted) -> list[tuple[str, int, int]]:
    return sorted((e["type"], e["offset"], e["length"]) for e in found.entities)


HTML_ROWS: list[tuple[str, str, list[tuple[str, int, int]]]] = [
    ("chào", "chào", []),
    ("<b>đậm</b> và <i>nghiêng</i>", "đậm và nghiêng", [("bold", 0, 3), ("italic", 7, 7)]),
    ("😀<b>x</b>", "😀x", [("bold", 2, 1)]),
    ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
    ("1 &lt; 2 &amp; 3 &#x41; &nbsp;", "1 < 2 & 3 A &nbsp;", []),
    ("<u>a</u><ins>b</ins>", "ab", [("underline", 0, 1), ("underline", 1, 1)]),
    ("<s>c</s><del>d</del>", "cd", [("strikethrough", 0, 1), ("strikethrough", 1, 1)]),
    ("<tg-spoiler>a</tg-spoiler><span class='tg-spoiler'>b</span>", "ab", [("spoiler", 0, 1), ("spoiler", 1, 1)]),
    ("<code>a&lt;b</code>", "a<b", [("code", 0, 3)]),
    ('<pre><code class="language-python">x = 1</code></pre>', "x = 1", [("pre", 0, 5)]),
    ("<blockquote>a</blockquote>", "a", [("blockquote", 0, 1)]),
    ("<blockquote expandable>a</blockquote>", "a", [("expandable_blockquote", 0, 1)]),
    ('<a href="https://a.vn/?x=1&amp;y=2">đây</a>', "đây", [("text_link", 0, 3)]),
    ("<b></b>trống", "trống", []),
]  # fmt: skip


@pytest.mark.parametrize(("source", "text", "spans"), HTML_ROWS)
def test_html(source: str, text: str, spans: list[tuple[str, int, int]]) -> None:
    found = markup_html.parse(source)
    assert found.text == text
    assert _spans(found) == spans


def test_html_keeps_addresses_and_languages() -> None:
    assert markup_html.parse('<a href="https://a.vn/?x=1&amp;y=2">x</a>').entities[0]["url"] == "https://a.vn/?x=1&y=2"
    assert markup_html.parse('<pre><code class="language-py">x</code></pre>').entities[0]["language"] == "py"
    assert markup_html.parse('<tg-emoji emoji-id="5">👍</tg-emoji>').entities[0]["custom_emoji_id"] == "5"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b" at byte offset 0'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("đ<b>x</i>", 'Unmatched end tag at byte offset 6, expected "</b>", found "</i>"'),
        ("3 < 4", 'Unsupported start tag "" at byte offset 2'),
        ("<div>x</div>", 'Unsupported start tag "div" at byte offset 0'),
        ("<br/>", 'Unsupported start tag "br" at byte offset 0'),
        ("<b", 'Unclosed start tag "b" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_html_that_cannot_be_parsed(source: str, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        markup_html.parse(source)
    assert caught.value.description == f"Bad Request: can't parse entities: {words}"


MARKDOWN_ROWS: list[tuple[str, str, list[tuple[str, int, int]]]] = [
    ("*đậm* _nghiêng_", "đậm nghiêng", [("bold", 0, 3), ("italic", 4, 7)]),
    ("__gạch__ ~bỏ~ ||kín||", "gạch bỏ kín", [("spoiler", 8, 3), ("strikethrough", 5, 2), ("underline", 0, 4)]),
    (r"1\. giá \= 5\!", "1. giá = 5!", []),
    ("`a*b`", "a*b", [("code", 0, 3)]),
    ("```py\nx = 1\n```", "x = 1\n", [("pre", 0, 6)]),
    ("[đây](https://a.vn/x_y)", "đây", [("text_link", 0, 3)]),
    ("*a _b_*", "a b", [("bold", 0, 3), ("italic", 2, 1)]),
    (">một\n>hai\nba", "một\nhai\nba", [("blockquote", 0, 7)]),
    (">một\n>hai||", "một\nhai", [("expandable_blockquote", 0, 7)]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "text", "spans"), MARKDOWN_ROWS)
def test_markdown(source: str, text: str, spans: list[tuple[str, int, int]]) -> None:
    found = markup_markdown.parse(source)
    assert found.text == text
    assert _spans(found) == spans


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("xong.", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("a-b", "Character '-' is reserved and must be escaped with the preceding '\\'"),
        ("ồ!", "Character '!' is reserved and must be escaped with the preceding '\\'"),
        ("a]", "Character ']' is reserved and must be escaped with the preceding '\\'"),
        ("đ *x", "Can't find end of Bold entity at byte offset 3"),
        ("`x", "Can't find end of Code entity at byte offset 0"),
        ("*a _b*", "Can't find end of Italic entity at byte offset 3"),
        ("[x](http://a", "Can't find end of a URL at byte offset 3"),
    ],
)
def test_markdown_that_cannot_be_parsed(source: str, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        markup_markdown.parse(source)
    assert caught.value.description == f"Bad Request: can't parse entities: {words}"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\")))
def test_escaped_text_comes_back_as_it_was(text: str) -> None:
    found = markup_markdown.parse(escape_markdown(text, version=2))
    assert (found.text, found.entities) == (text, [])


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_html_is_parsed_or_refused(text: str) -> None:
    with suppress(ApiError):
        found = markup_html.parse(text)
        assert all(e["offset"] + e["length"] <= entities.units(found.text) for e in found.entities)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50), st.integers(-2, 60), st.integers(-2, 60))
def test_given_entities_stay_within_the_text_or_are_refused(text: str, offset: int, length: int) -> None:
    with suppress(ApiError):
        kept = entities.given([{"type": "bold", "offset": offset, "length": length}], text)
        assert offset + length <= entities.units(text)
        found = entities.finish(text, kept)
        bold = [e for e in found.entities if e["type"] == "bold"]
        assert all(0 <= e["offset"] < e["offset"] + e["length"] <= entities.units(found.text) for e in bold)


@pytest.mark.parametrize(
    ("entity", "words"),
    [
        ({**B, "offset": 0, "length": 9}, "ends after the end of the text"),
        ({**B, "offset": 7, "length": 1}, "begins after the end of the text"),
        ({**B, "offset": -1, "length": 1}, "incorrect offset"),
        ({**B, "offset": 1, "length": 1}, "in a middle of a UTF-16 symbol"),
        ({"type": "shout", "offset": 0, "length": 2}, "Unsupported type"),
        ({"type": "text_link", "offset": 0, "length": 2}, 'Can\'t find field "url"'),
        ({"type": "text_mention", "offset": 0, "length": 2}, 'Can\'t find field "user"'),
        ("bold", "Expected an Object"),
    ],
)
def test_wrong_entities_are_refused(entity: Any, words: str) -> None:
    with pytest.raises(ApiError, match="Bad Request") as caught:
        entities.given([entity], "😀chào")
    assert words in caught.value.description


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("/start abc", [("bot_command", 0, 6)]),
        ("hỏi /help@loaso_bot nhé", [("bot_command", 4, 15)]),
        ("1/2 và a/b", []),
        ("😀 https://dichvucong.gov.vn/x.", [("url", 3, 27)]),
        ("xem quangtri.gov.vn nhé", [("url", 4, 15)]),
        ("@loaso_bot ơi #hoc_so a@b.vn", [("email", 22, 6), ("hashtag", 14, 7), ("mention", 0, 10)]),
    ],
)
def test_what_the_server_finds_by_itself(text: str, spans: list[tuple[str, int, int]]) -> None:
    assert sorted((e["type"], e["offset"], e["length"]) for e in entities.find(text)) == spans


def test_ends_are_trimmed_and_entities_follow() -> None:
    found = entities.finish("  chào \n", [{"type": "bold", "offset": 0, "length": 8}])
    assert found == entities.Formatted("chào", [{"type": "bold", "offset": 0, "length": 4}])


@pytest.mark.parametrize(
    ("text", "mode", "ok"),
    [
        ("x" * 4096, "", True),
        ("😀" * 2048, "", True),
        ("<b>" + "x" * 4096 + "</b>", "HTML", True),
        ("<b>" + "x" * 4097 + "</b>", "HTML", False),
        (r"\." * 4096, "MarkdownV2", True),
    ],
)
async def test_a_text_is_measured_after_parsing(call: Raw, started: User, text: str, mode: str, ok: bool) -> None:
    answer = await call("sendMessage", chat_id=1001, text=text, parse_mode=mode)
    assert (answer.status == 200) is ok


async def test_only_a_hundred_entities_are_kept(call: Raw, started: User) -> None:
    many = [{"type": "bold", "offset": n, "length": 1} for n in range(150)]
    result = (await call("sendMessage", chat_id=1001, text="x" * 150, entities=many)).result
    assert len(result["entities"]) == 100


def _inline(*rows: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {"inline_keyboard": list(rows)}


@pytest.mark.parametrize(
    ("markup", "description"),
    [
        (_inline([{"text": "x", "callback_data": "đ" * 32}]), None),
        (_inline([{"text": "x", "callback_data": "x" * 65}]), "Bad Request: BUTTON_DATA_INVALID"),
        (_inline([{"text": "x", "callback_data": "đ" * 33}]), "Bad Request: BUTTON_DATA_INVALID"),
        (_inline([{"text": "x", "callback_data": ""}]), "Bad Request: BUTTON_DATA_INVALID"),
        (_inline([{"text": "x"}]), "Bad Request: can't parse inline keyboard button: Text buttons are unallowed"),
        (_inline([{"text": "x", "callback_data": "a"}] * 8), None),
        (_inline([{"text": "x", "callback_data": "a"}] * 9), "Bad Request: reply markup is too long"),
        (_inline(*[[{"text": "x", "callback_data": "a"}]] * 100), None),
        (_inline(*[[{"text": "x", "callback_data": "a"}]] * 101), "Bad Request: reply markup is too long"),
        (_inline([{"text": "x", "url": "https://a.vn"}]), None),
        (_inline([{"text": "x", "url": "không phải"}]), "Bad Request: inline keyboard button URL 'không phải'"),
        ({"keyboard": [[{"text": "Có"}, {"text": "Không"}]], "resize_keyboard": True}, None),
        ({"remove_keyboard": True}, None),
        ({"force_reply": True}, None),
    ],
)  # fmt: skip
async def test_keyboards(call: Raw, started: User, markup: dict[str, object], description: str | None) -> None:
    answer = await call("sendMessage", chat_id=1001, text="x", reply_markup=markup)
    if description is None:
        assert answer.status == 200, answer.json
        assert ("reply_markup" in answer.result) is ("inline_keyboard" in markup)
    else:
        assert answer.json["description"].startswith(description)
