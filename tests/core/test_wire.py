"""Messages as rows: they come back as they went in."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from bot.core import wire
from bot.core.events import Button, ContactCard, Entity, EntityKind, Location, Media, MediaKind, Outbound

_text = st.text(st.characters(codec="utf-8"), max_size=40)
_media = st.builds(
    Media,
    kind=st.sampled_from(MediaKind),
    file_id=st.none() | _text,
    content=st.none() | st.binary(min_size=1, max_size=30),
    name=st.none() | _text,
    size=st.none() | st.integers(0, 10**9),
)
_messages = st.builds(
    Outbound,
    chat_id=_text,
    text=_text,
    entities=st.lists(
        st.builds(Entity, st.sampled_from(EntityKind), st.integers(0, 99), st.integers(1, 99), st.none() | _text),
        max_size=3,
    ).map(tuple),
    buttons=st.lists(
        st.lists(st.builds(Button, _text, st.none() | _text, st.none() | _text), min_size=1, max_size=2).map(tuple),
        max_size=2,
    ).map(tuple),
    media=st.lists(_media, max_size=3).map(tuple),
    location=st.none() | st.builds(Location, st.floats(-90, 90), st.floats(-180, 180), st.none() | _text),
    card=st.none() | st.builds(ContactCard, _text, _text, _text),
    edit=st.none() | st.text("0123456789", min_size=1),
    alert=st.booleans(),
    group=st.booleans(),
)


@given(_messages)
def test_a_message_survives_its_row(message: Outbound) -> None:
    assert wire.load(orjson.loads(orjson.dumps(wire.dump(message)))) == message
