"""`parse_mode=HTML`: tags to entities, with the official server's complaints."""

from __future__ import annotations

import re
from html import unescape

from bot.sandbox.telegram.entities import Formatted, units
from bot.sandbox.telegram.errors import ApiError, Json, bad_request

_KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_OTHER_TAGS = {"a", "span", "tg-emoji"}
_TAG = re.compile(r"<(/?)([^\s>/]*)([^>]*)(>?)")
_ATTRIBUTE = re.compile(r"""\s*([a-zA-Z0-9.\-]+)(?:\s*=\s*("[^"]*"|'[^']*'|[a-zA-Z0-9.\-]+))?""")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")


def wrong(words: str) -> ApiError:
    return bad_request(f"Can't parse entities: {words}")


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.parts: list[str] = []
        self.length = 0
        self.open: list[tuple[str, dict[str, str], int, int]] = []
        self.entities: list[Json] = []

    def run(self) -> Formatted:
        position = 0
        for match in _TAG.finditer(self.source):
            self._text(self.source[position : match.start()])
            if match.group(1):
                self._close(match)
            else:
                self._start(match)
            position = match.end()
        self._text(self.source[position:])
        if self.open:
            tag, _, _, at = self.open[-1]
            raise wrong(f'Can\'t find end tag corresponding to start tag "{tag}" at byte offset {at}')
        return Formatted("".join(self.parts), self.entities)

    def _text(self, raw: str) -> None:
        if raw:
            text = _ENTITY.sub(lambda m: unescape(m.group()), raw)
            self.parts.append(text)
            self.length += units(text)

    def _at(self, match: re.Match[str]) -> int:
        return len(self.source[: match.start()].encode())

    def _start(self, match: re.Match[str]) -> None:
        tag = match.group(2).lower()
        if tag not in _KINDS and tag not in _OTHER_TAGS:
            raise wrong(f'Unsupported start tag "{tag}" at byte offset {self._at(match)}')
        if not match.group(4):
            raise wrong(f'Unclosed start tag "{tag}" at byte offset {self._at(match)}')
        attributes = {
            m.group(1).lower(): unescape((m.group(2) or "").strip("\"'")) for m in _ATTRIBUTE.finditer(match.group(3))
        }
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise wrong(f'Tag "span" must have class "tg-spoiler" at byte offset {self._at(match)}')
        self.open.append((tag, attributes, self.length, self._at(match)))

    def _close(self, match: re.Match[str]) -> None:
        tag = match.group(2).lower()
        if not self.open:
            raise wrong(f"Unexpected end tag at byte offset {self._at(match)}")
        opened, attributes, offset, _ = self.open.pop()
        if not match.group(4):
            raise wrong(f"Unclosed end tag at byte offset {self._at(match)}")
        if tag not in ("", opened):
            at = self._at(match)
            raise wrong(f'Unmatched end tag at byte offset {at}, expected "</{opened}>", found "</{tag}>"')
        if self.length > offset:
            self._add(opened, attributes, offset)

    def _add(self, tag: str, attributes: dict[str, str], offset: int) -> None:
        entity: Json = {"type": _KINDS.get(tag, ""), "offset": offset, "length": self.length - offset}
        if tag == "a":
            url = attributes.get("href") or "".join(self.parts)[-entity["length"] :]
            if "." not in url and "://" not in url and not url.startswith(("tg:", "mailto:", "tel:")):
                return
            entity |= {"type": "text_link", "url": url if ":" in url else f"http://{url}/"}
        elif tag == "span":
            entity["type"] = "spoiler"
        elif tag == "tg-emoji":
            entity |= {"type": "custom_emoji", "custom_emoji_id": attributes.get("emoji-id", "")}
        elif tag == "blockquote" and "expandable" in attributes:
            entity["type"] = "expandable_blockquote"
        elif tag == "code" and attributes.get("class", "").startswith("language-") and self._inside("pre"):
            self.open[-1][1]["language"] = attributes["class"].removeprefix("language-")
            return
        elif tag == "pre" and attributes.get("language"):
            entity["language"] = attributes["language"]
        self.entities.append(entity)

    def _inside(self, tag: str) -> bool:
        return bool(self.open) and self.open[-1][0] == tag


def parse(source: str) -> Formatted:
    """Raises 400 `can't parse entities`."""
    if "<" not in source and "&" not in source:
        return Formatted(source)
    return _Parser(source).run()
