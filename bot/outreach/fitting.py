"""One message in the form that a channel can carry: plain text, numbered choices, one picture at a time, short enough.

Where the channel can do what Telegram can, a message stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.core.channel import Capabilities
from bot.core.events import Button, ContactCard, EntityKind, Location, Media, MediaKind, Outbound
from bot.core.text import length, nfc, shorten, split, words

MAP = "https://maps.google.com/?q={latitude:.6f},{longitude:.6f}"
_ADDRESS = 300
"""Characters that an address and what stands before it may take."""
_UNDER = "⬆️"
"""Where buttons need words and there are none."""
Option = tuple[str, str]
"""Label and data of a button."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The messages to send in this order, and what can be answered with a number, the first one under `first`."""

    messages: tuple[Outbound, ...]
    options: tuple[Option, ...] = ()


def fit(message: Outbound, can: Capabilities, hint: str, *, first: int = 1) -> Fitted:
    """`hint` stands above numbered choices, which begin with `first`. Files whose kind the channel lacks stay: making a
    link of them needs the file."""
    if not can.types_choices and can.formatting and can.edit:
        return Fitted((message,))
    if message.answer is not None or (message.delete is not None and not can.delete):
        return Fitted(())
    options = tuple((b.label, b.data) for b in _flat(message) if b.data is not None)
    edit = message.edit if can.edit else None
    plain = message if can.formatting else replace(message, text=_plain(message), entities=())
    plain = _in_words(replace(plain, edit=edit), can)
    return Fitted(tuple(_split(_with_choices(plain, can, hint, first), can)), options)


def _flat(message: Outbound) -> list[Button]:
    return [button for row in message.buttons for button in row]


def _plain(message: Outbound) -> str:
    """The text without formatting, with addresses written behind the words that they were under."""
    units = message.text.encode("utf-16-le")
    for entity in sorted(message.entities, key=lambda e: -(e.offset + e.length)):
        if entity.kind is not EntityKind.LINK or not entity.url:
            continue
        start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
        said = units[start:end].decode("utf-16-le", "ignore")
        if said.strip() != entity.url:
            units = units[:end] + f" ({entity.url})".encode("utf-16-le") + units[end:]
    return nfc(units.decode("utf-16-le", "ignore"))


def _in_words(message: Outbound, can: Capabilities) -> Outbound:
    """A place or a business card as text, where the channel has none."""
    if can.places or (message.location is None and message.card is None):
        return message
    said = [message.text] if message.text else []
    if message.location is not None:
        said.append(_place(message.location))
    if message.card is not None:
        said.append(_card(message.card))
    return replace(message, text="\n".join(said), location=None, card=None)


def _place(place: Location) -> str:
    names = [name for name in (place.title, place.address) if name]
    return "📍 " + "\n".join([*names, MAP.format(latitude=place.latitude, longitude=place.longitude)])


def _card(card: ContactCard) -> str:
    return f"📇 {card.first_name} {card.last_name}".rstrip() + f": {card.phone}"


def _with_choices(message: Outbound, can: Capabilities, hint: str, first: int) -> Outbound:
    """The buttons as they are where the channel has so many and such long ones; else written below the text."""
    buttons = _flat(message)
    if not buttons or not can.types_choices:
        return message
    if len(buttons) <= can.buttons and len(message.media) <= 1:
        short = tuple((replace(button, label=shorten(button.label, can.label)),) for button in buttons)
        wordless = not (message.text or message.location or message.card)
        return replace(message, text=_UNDER if wordless else message.text, buttons=short)
    lines = _lines(buttons, first)
    missing = [line for line in lines if line not in message.text]
    choices = "\n".join([hint, *missing] if missing and any(b.data for b in buttons) else missing)
    return replace(message, text="\n\n".join(part for part in (message.text, choices) if part), buttons=())


def _lines(buttons: Sequence[Button], first: int) -> list[str]:
    """One a button: `1. Mẹo hôm nay`, or the label with its address. A label that has its number keeps it."""
    lines, number = [], first
    for button in buttons:
        if button.data is None:
            lines.append(f"{button.label}: {button.url}")
            continue
        own = f"{number}. "
        lines.append(button.label if button.label.startswith(own) else own + button.label)
        number += 1
    return lines


def _split(message: Outbound, can: Capabilities) -> list[Outbound]:
    """One picture a message, then what is too long for a caption or a message; buttons come last."""
    messages = [replace(message, media=part, text="", buttons=()) for part in _albums(message.media, can)]
    texts = split(message.text, can.max_text) if length(message.text) > can.max_text else [message.text]
    if messages and message.text and _takes_words(messages[0], message.text, can):
        messages[0] = replace(messages[0], text=message.text, entities=message.entities)
    elif message.text or message.buttons or not messages:
        entities = message.entities if len(texts) == 1 else ()
        messages += [replace(message, media=(), text=text, entities=entities, buttons=()) for text in texts]
    messages[-1] = replace(messages[-1], buttons=message.buttons)
    return [messages[0], *(replace(m, quote=None) for m in messages[1:])]


def _albums(media: tuple[Media, ...], can: Capabilities) -> list[tuple[Media, ...]]:
    return [media[i : i + can.album] for i in range(0, len(media), max(can.album, 1))]


def _takes_words(message: Outbound, text: str, can: Capabilities) -> bool:
    if message.media[0].kind not in can.media:
        return length(text) <= can.max_text - _ADDRESS  # it becomes an address below them
    bare = message.media[0].kind in (MediaKind.STICKER, MediaKind.VIDEO_NOTE, MediaKind.VOICE, MediaKind.FILE)
    return not bare and length(text) <= can.max_caption


def same_words(text: str, label: str) -> bool:
    """Whether somebody typed what stands on a button."""
    said = words(text)
    return bool(said) and said == words(label)
