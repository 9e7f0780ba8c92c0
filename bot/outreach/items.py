"""Items: what is sent, as the messages that it consists of, kept as rows and made ready for a channel."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from bot.core import wire
from bot.core.channel import Capabilities
from bot.core.events import Buttons, MediaKind, Outbound
from bot.core.text import fold, length, split
from messages import Rich

_NO_CAPTION = frozenset({MediaKind.STICKER, MediaKind.VIDEO_NOTE})


def dump(parts: Sequence[Outbound]) -> list[dict[str, Any]]:
    """Parts as an item keeps them: messages without a chat."""
    return [wire.dump(replace(part, chat_id="")) | {"chat_id": ""} for part in parts]


def load(rows: Sequence[dict[str, Any]]) -> tuple[Outbound, ...]:
    return tuple(wire.load(row) for row in rows)


def fingerprint(parts: Sequence[Outbound], audience: str) -> str:
    """The same for the same words and files to the same audience, however the words are spaced or capitalised."""
    said = [[fold(p.text), [m.file_id or m.path or "" for m in p.media], repr(p.location)] for p in parts]
    return hashlib.sha256(orjson.dumps([said, audience])).hexdigest()[:32]


def compose(
    parts: Sequence[Outbound],
    can: Capabilities,
    *,
    header: Rich | None = None,
    footer: Rich | None = None,
    buttons: Buttons = (),
) -> tuple[Outbound, ...]:
    """The parts with a header before the first words and a footer and buttons after the last, split or set apart
    where the channel's limits or the kind of message ask for it."""
    messages = [part for p in parts for part in _framed(p, can, header if p is parts[0] else None)]
    if footer is not None or buttons:
        messages = _closed(messages, can, footer, buttons)
    return tuple(messages)


def _framed(part: Outbound, can: Capabilities, header: Rich | None) -> list[Outbound]:
    if part.media or part.location or part.card:
        return _media(part, can, header)
    text = Rich(part.text, part.entities)
    if header is not None:
        text = header + Rich("\n\n") + text
    if length(text.text) <= can.max_text:
        return [replace(part, text=text.text, entities=text.entities)]
    return [replace(part, text=piece, entities=()) for piece in split(text.text, can.max_text)]


def _media(part: Outbound, can: Capabilities, header: Rich | None) -> list[Outbound]:
    caption = Rich(part.text, part.entities)
    carries = bool(part.media) and part.media[0].kind not in _NO_CAPTION
    if header is not None:
        joined = header + Rich("\n\n") + caption if caption.text else header
        if carries and length(joined.text) <= can.max_caption:
            return [replace(part, text=joined.text, entities=joined.entities)]
        return [Outbound(chat_id="", text=header.text, entities=header.entities), *_media(part, can, None)]
    if caption.text and (not carries or length(caption.text) > can.max_caption):
        bare = replace(part, text="", entities=())
        return [bare, *_framed(Outbound(chat_id="", text=caption.text, entities=caption.entities), can, None)]
    return [part]


def _closed(messages: list[Outbound], can: Capabilities, footer: Rich | None, buttons: Buttons) -> list[Outbound]:
    """Put the footer and the buttons on the last message if it can take them, else on one of their own."""
    last = messages[-1]
    album = len(last.media) > 1
    limit = can.max_caption if last.media else can.max_text
    text = Rich(last.text, last.entities)
    joined = text + Rich("\n\n" if text.text else "") + footer if footer is not None else text
    words_fit = length(joined.text) <= limit and not last.location and not last.card
    carries = not last.media or last.media[0].kind not in _NO_CAPTION
    if (footer is None or (words_fit and carries)) and not (album and buttons):
        return [*messages[:-1], replace(last, text=joined.text, entities=joined.entities, buttons=buttons)]
    if footer is None:
        footer = Rich("⬆️")
    return [*messages, Outbound(chat_id="", text=footer.text, entities=footer.entities, buttons=buttons)]


def weight(message: Outbound) -> int:
    """As how many messages a platform counts it: an album counts each of its pictures."""
    return max(1, len(message.media))


def addressed(messages: Sequence[Outbound], chat_id: str, *, group: bool) -> tuple[Outbound, ...]:
    """The composed messages for one chat."""
    return tuple(replace(m, chat_id=chat_id, group=group) for m in messages)
