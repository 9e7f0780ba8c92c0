"""`parse_mode=MarkdownV2`: marks to entities, with the official server's complaints."""

from __future__ import annotations

from bot.sandbox.telegram.entities import Formatted, units
from bot.sandbox.telegram.errors import Json
from bot.sandbox.telegram.markup_html import wrong

_RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
_MARKS = {"||": "spoiler", "__": "underline", "*": "bold", "_": "italic", "~": "strikethrough"}
_NAMES = {
    "spoiler": "Spoiler",
    "underline": "Underline",
    "bold": "Bold",
    "italic": "Italic",
    "strikethrough": "Strikethrough",
    "code": "Code",
    "pre": "Pre",
    "text_link": "TextUrl",
    "custom_emoji": "CustomEmoji",
}


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.parts: list[str] = []
        self.length = 0
        self.open: list[tuple[str, int, int]] = []
        self.entities: list[Json] = []
        self.quote: int | None = None
        self.line_start = True

    def run(self) -> Formatted:
        while self.at < len(self.source):
            self._step()
        self._end_quote()
        if self.open:
            kind, _, began = self.open[-1]
            raise wrong(f"Can't find end of {_NAMES[kind]} entity at byte offset {began}")
        return Formatted("".join(self.parts), self.entities)

    def _step(self) -> None:
        c = self.source[self.at]
        if c == "\\" and self.at + 1 < len(self.source) and 0 < ord(self.source[self.at + 1]) <= 126:
            self._emit(self.source[self.at + 1], 2)
        elif c == "\n":
            self._line_break()
        elif c == ">" and self.line_start:
            self.quote = self.length if self.quote is None else self.quote
            self.at += 1
            self.line_start = False
        elif c == "`":
            self._code()
        elif c in "[]!":
            self._link(c)
        elif not self._mark():
            if c in _RESERVED:
                raise wrong(f"Character '{c}' is reserved and must be escaped with the preceding '\\'")
            self._emit(c, 1)

    def _emit(self, text: str, consumed: int) -> None:
        self.parts.append(text)
        self.length += units(text)
        self.at += consumed
        self.line_start = False

    def _byte(self, at: int | None = None) -> int:
        return len(self.source[: self.at if at is None else at].encode())

    def _line_break(self) -> None:
        if self.quote is not None and not self.source.startswith(">", self.at + 1):
            self._end_quote()
        self._emit("\n", 1)
        self.line_start = True

    def _end_quote(self) -> None:
        if self.quote is not None and self.length > self.quote:
            self.entities.append({"type": "blockquote", "offset": self.quote, "length": self.length - self.quote})
        self.quote = None

    def _mark(self) -> bool:
        for mark, kind in _MARKS.items():
            if not self.source.startswith(mark, self.at):
                continue
            if self.quote is not None and mark == "||" and not any(o[0] == kind for o in self.open):
                rest = self.source[self.at + 2 : self.at + 3]
                if rest in ("", "\n"):
                    return self._expandable()
            if self.open and self.open[-1][0] == kind:
                self._close(kind)
            elif any(o[0] == kind for o in self.open):
                raise wrong(f"Can't find end of {_NAMES[self.open[-1][0]]} entity at byte offset {self.open[-1][2]}")
            else:
                self.open.append((kind, self.length, self._byte()))
            self.at += len(mark)
            self.line_start = False
            return True
        return False

    def _expandable(self) -> bool:
        self.at += 2
        quote = self.quote
        self._end_quote()
        if quote is not None and self.entities and self.entities[-1]["offset"] == quote:
            self.entities[-1]["type"] = "expandable_blockquote"
        return True

    def _close(self, kind: str, **extras: str) -> None:
        _, offset, _ = self.open.pop()
        if self.length > offset:
            self.entities.append({"type": kind, "offset": offset, "length": self.length - offset, **extras})

    def _code(self) -> None:
        fence = "```" if self.source.startswith("```", self.at) else "`"
        kind = "pre" if fence == "```" else "code"
        began, offset = self._byte(), self.length
        self.at += len(fence)
        language = self._language() if kind == "pre" else ""
        while not self.source.startswith(fence, self.at):
            if self.at >= len(self.source):
                raise wrong(f"Can't find end of {_NAMES[kind]} entity at byte offset {began}")
            escaped = self.source[self.at] == "\\" and self.source[self.at + 1 : self.at + 2] in ("`", "\\")
            self._emit(self.source[self.at + escaped], 1 + escaped)
        self.at += len(fence)
        if self.length > offset:
            entity: Json = {"type": kind, "offset": offset, "length": self.length - offset}
            self.entities.append(entity | ({"language": language} if language else {}))

    def _language(self) -> str:
        end = self.at
        while end < len(self.source) and not self.source[end].isspace() and self.source[end] != "`":
            end += 1
        if self.source[end : end + 1] != "\n":
            return ""
        language = self.source[self.at : end]
        self.at = end + 1
        return language

    def _link(self, c: str) -> None:
        if c == "!" and not self.source.startswith("![", self.at):
            raise wrong("Character '!' is reserved and must be escaped with the preceding '\\'")
        if c in "[!":
            self.open.append(("custom_emoji" if c == "!" else "text_link", self.length, self._byte()))
            self.at += 2 if c == "!" else 1
            return
        if not self.open or self.open[-1][0] not in ("text_link", "custom_emoji"):
            raise wrong("Character ']' is reserved and must be escaped with the preceding '\\'")
        kind = self.open[-1][0]
        url = self._url()
        if kind == "custom_emoji":
            self._close(kind, custom_emoji_id=url.rpartition("id=")[2])
        elif "." in url or ":" in url:
            self._close(kind, url=url)
        else:
            self.open.pop()

    def _url(self) -> str:
        if not self.source.startswith("](", self.at):
            self.at += 1
            return ""
        began = self._byte(self.at + 1)
        self.at += 2
        url: list[str] = []
        while not self.source.startswith(")", self.at):
            if self.at >= len(self.source):
                raise wrong(f"Can't find end of a URL at byte offset {began}")
            escaped = self.source[self.at] == "\\" and self.at + 1 < len(self.source)
            url.append(self.source[self.at + escaped])
            self.at += 1 + escaped
        self.at += 1
        return "".join(url)


def parse(source: str) -> Formatted:
    """Raises 400 `can't parse entities`."""
    return _Parser(source).run()
