"""Whatever is to be said, it fits what a channel carries, and nothing of it is lost on the way."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.channel import MANY_BUTTONS, Capabilities, Limits
from bot.core.events import Button, ContactCard, Entity, EntityKind, Location, Media, MediaKind, Outbound
from bot.core.text import length, nfc
from bot.outreach.fitting import fit
from bot.outreach.items import compose
from messages import Rich

HINT = "Trả lời bằng số:"
WORDS = st.text(alphabet="aăâđeêoôơuưyấờữ ạ̣́.!?\n12👍🏽", max_size=700).map(nfc)
LABELS = st.sampled_from(("Mẹo hôm nay", "1. Một", "Đồng ý ạ", "Để sau", "x" * 90))
_STAYS = re.compile(r"\s+")


@st.composite
def capabilities(draw: st.DrawFn) -> Capabilities:
    """Of anything between Telegram and a Zalo bot."""
    media = draw(st.sets(st.sampled_from(list(MediaKind)), min_size=1))
    return Capabilities(
        max_text=draw(st.sampled_from((700, 2000, 4096))),
        max_caption=draw(st.sampled_from((400, 1024, 2000))),
        buttons=draw(st.sampled_from((0, 2, 5))),
        label=draw(st.sampled_from((20, 64, 100))),
        edit=False,
        delete=False,
        formatting=draw(st.booleans()),
        groups=True,
        album=draw(st.sampled_from((1, 10))),
        media=frozenset(media),
        max_upload=10**6,
        deep_links=False,
        places=draw(st.booleans()),
        limits=Limits(per_second=5),
    )


@st.composite
def messages(draw: st.DrawFn) -> Outbound:
    """Anything that the bot, a head or an editor may want to say."""
    words = draw(WORDS)
    kinds = st.sampled_from((MediaKind.PHOTO, MediaKind.VIDEO, MediaKind.FILE, MediaKind.STICKER, MediaKind.VOICE))
    media = tuple(Media(draw(kinds), file_id=f"f{n}") for n in range(draw(st.sampled_from((0, 0, 1, 3)))))
    buttons = [Button(draw(LABELS), data=f"do:{n}") for n in range(draw(st.integers(0, 7)))]
    if draw(st.booleans()):
        buttons.append(Button("Xem thêm", url="https://loaso.vn/x"))
    entities: tuple[Entity, ...] = ()
    if length(words) > 4 and draw(st.booleans()):
        entities = (Entity(EntityKind.LINK, 0, length(words[:3]), "https://loaso.vn/nguon"),)
    bare = not media and not words
    place = Location(17.4, 106.6, "Nhà văn hoá") if bare and draw(st.booleans()) else None
    card = ContactCard("0912345678", "Lan") if bare and place is None else None
    rows = tuple((one,) for one in buttons)
    return Outbound(chat_id="1", text=words, entities=entities, media=media, buttons=rows, location=place, card=card)


def squeezed(text: str) -> str:
    return _STAYS.sub("", text)


def limit(part: Outbound, can: Capabilities) -> int:
    """Of a file that becomes an address the words are a message's."""
    return can.max_caption if part.media and part.media[0].kind in can.media else can.max_text


@settings(max_examples=100)
@given(messages(), capabilities(), st.integers(1, 4))
def test_what_is_fitted_can_be_carried_and_says_everything(message: Outbound, can: Capabilities, first: int) -> None:
    fitted = fit(message, can, HINT, first=first)
    parts = fitted.messages
    assert parts
    for part in parts:
        assert length(part.text) <= (
            can.max_caption if part.media and part.media[0].kind in can.media else can.max_text
        )
        assert len(part.media) <= can.album
        buttons = [button for row in part.buttons for button in row]
        assert len(buttons) <= can.buttons
        assert all(length(button.label) <= can.label for button in buttons)
        assert part.text or not buttons or part.location or part.card
        assert can.formatting or not part.entities
        assert can.places or not (part.location or part.card)
        assert part.text or part.media or part.location or part.card
        assert part.chat_id == "1"
    assert tuple(one for part in parts for one in part.media) == message.media
    said = squeezed("".join(part.text for part in parts))
    if can.formatting:
        assert squeezed(message.text) in said
    else:
        left = iter(said)
        assert all(c in left for c in squeezed(message.text))  # addresses may stand in between
        assert not message.entities or squeezed("https://loaso.vn/nguon") in said
    assert not any(part.buttons for part in parts[:-1])
    _offers_everything(message, fitted.options, parts, can, first)


def _offers_everything(
    message: Outbound, options: tuple[tuple[str, str], ...], parts: tuple[Outbound, ...], can: Capabilities, first: int
) -> None:
    """Each button is there still, or written out under its number; addresses are written out."""
    asked = [button for row in message.buttons for button in row]
    assert [data for _, data in options] == [button.data for button in asked if button.data is not None]
    left = [button for row in parts[-1].buttons for button in row]
    if left:
        assert [(b.data, b.url) for b in left] == [(b.data, b.url) for b in asked]
        return
    said = squeezed("".join(part.text for part in parts))
    number = first
    for button in asked:
        if button.url is not None:
            assert squeezed(f"{button.label}: {button.url}") in said
            continue
        own = f"{number}. "
        assert squeezed(button.label if button.label.startswith(own) else own + button.label) in said
        number += 1


@given(messages())
def test_where_everything_is_possible_nothing_changes(message: Outbound) -> None:
    telegram = Capabilities(
        max_text=4096,
        max_caption=1024,
        buttons=MANY_BUTTONS,
        edit=True,
        delete=True,
        formatting=True,
        groups=True,
        album=10,
        media=frozenset(MediaKind),
        max_upload=10**6,
        deep_links=True,
        limits=Limits(per_second=30),
    )
    assert fit(message, telegram, HINT).messages == (message,)


@given(st.lists(messages(), min_size=1, max_size=3), capabilities(), WORDS)
def test_a_framed_item_fits_too(parts: list[Outbound], can: Capabilities, footer: str) -> None:
    """As runs are composed: a header before the first words, a footer and buttons after the last."""
    bare = [replace(part, buttons=()) for part in parts]
    buttons = ((Button("Nghe lại", data="tip:again"),),)
    closing = Rich(footer[:120].strip() or "Hết")
    whole = compose(bare, can, header=Rich("📢 Thôn Đông"), footer=closing, buttons=buttons)
    fitted = [one for part in whole for one in fit(part, can, HINT).messages]
    for one in fitted:
        assert length(one.text) <= limit(one, can)
        assert can.formatting or unicodedata.is_normalized("NFC", one.text)
        assert one.text or one.media or one.location or one.card
    said = squeezed("".join(one.text for one in fitted))
    assert squeezed("📢 Thôn Đông") in said
    assert squeezed(closing.text) in said
