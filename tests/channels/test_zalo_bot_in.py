"""What comes in: every kind of message, whatever JSON it may be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.zalo_bot_in import to_inbound
from bot.core.events import ChatKind, Inbound, InboundKind, Media, MediaKind

ACCOUNT = "zalo_bot:12345689"
NOW = datetime(2026, 11, 22, 1, 2, tzinfo=UTC)
LINH = "6ede9afa66b88fe6d6a9"


def update(event: str = "message.text.received", chat_type: str = "PRIVATE", /, **message: Any) -> dict[str, Any]:
    chat_id = LINH if chat_type == "PRIVATE" else "zgr-891bfa57540ebd50e41f"
    told = {
        "date": 1789033572455,
        "chat": {"chat_type": chat_type, "id": chat_id},
        "message_id": "2d758cb5e222177a4e35",
        "from": {"id": LINH, "is_bot": False, "display_name": "Nguyễn Văn A"},
        **message,
    }
    return {"event_name": event, "message": told}


def read(told: dict[str, Any], *names: str) -> Inbound:
    found = to_inbound(told, ACCOUNT, NOW, names)
    assert found is not None
    return found


def test_a_text() -> None:
    assert read(update(text="đăng ký\0")) == Inbound(
        account=ACCOUNT,
        external_id="2d758cb5e222177a4e35",
        kind=InboundKind.MESSAGE,
        chat_id=LINH,
        chat_kind=ChatKind.PRIVATE,
        at=datetime(2026, 9, 10, 9, 46, 12, 455000, tzinfo=UTC),
        sender_id=LINH,
        sender_name="Nguyễn Văn A",
        text="đăng ký ",
        message_id="2d758cb5e222177a4e35",
        addressed=True,
    )


def test_bare_and_wrapped_are_the_same() -> None:
    assert read({"ok": True, "result": update(text="a")}) == read(update(text="a"))


PHOTO, VOICE, STICKER = MediaKind.PHOTO, MediaKind.VOICE, MediaKind.STICKER
URL = "https://f.zdn.vn/a"
MEDIA: list[tuple[str, dict[str, Any], tuple[Media, ...], str]] = [
    ("picture", update("message.image.received", photo_url=URL, caption="họp"), (Media(PHOTO, URL),), "họp"),
    ("picture by its documented name", update("message.image.received", photo=URL), (Media(PHOTO, URL),), ""),
    ("picture without an address", update("message.image.received", photo={"a": 1}), (), ""),
    ("voice", update("message.voice.received", voice_url=URL), (Media(VOICE, URL, mime="audio/aac"),), ""),
    ("sticker", update("message.sticker.received", sticker="c2b5", url=URL), (Media(STICKER, "c2b5"),), ""),
    ("unsupported", update("message.unsupported.received"), (), ""),
    ("a kind that is new", update("message.dance.received", text="a"), (), "a"),
]


@pytest.mark.parametrize(("told", "media", "text"), [row[1:] for row in MEDIA], ids=[row[0] for row in MEDIA])
def test_content(told: dict[str, Any], media: tuple[Media, ...], text: str) -> None:
    found = read(told)
    assert (found.kind, found.media, found.text) == (InboundKind.MESSAGE, media, text)


COMMANDS: list[tuple[str, str | None, str]] = [
    ("/start ref_7", "start", "ref_7"),
    ("/Tip", "tip", ""),
    ("/xoa  hết \n", "xoa", "hết"),
    ("/start@bot x", "start", "x"),
    ("/", None, ""),
    ("tin /start", None, ""),
]


@pytest.mark.parametrize(("text", "command", "payload"), COMMANDS)
def test_command(text: str, command: str | None, payload: str) -> None:
    found = read(update(text=text))
    assert (found.command, found.payload, found.text) == (command, payload, text)


MENTIONS: list[tuple[str, tuple[str, ...], str]] = [
    ("@Bot Loa Số tin", ("Bot Loa Số", "bot.VDKy"), "tin"),
    ("@bot loa số, tin", ("Bot Loa Số",), "tin"),
    ("@Bot Loa So\u0302\u0301: /start x", ("Bot Loa Số",), "/start x"),
    ("@bot.VDKy tin", ("Bot Loa Số", "bot.VDKy"), "tin"),
    ("@Bot Loa Sốt tin", ("Bot Loa Số",), "@Bot Loa Sốt tin"),
    ("@Minh tin", ("Bot Loa Số",), "@Minh tin"),
    ("@LoaSo tin", (), "tin"),
    ("tin", (), "tin"),
    ("@Bot Loa Số", ("Bot Loa Số",), ""),
]


@pytest.mark.parametrize(("said", "names", "meant"), MENTIONS)
def test_a_group_speaks_to_the_bot(said: str, names: tuple[str, ...], meant: str) -> None:
    found = read(update("message.text.received", "GROUP", text=said), *names)
    assert (found.chat_kind, found.chat_id, found.addressed) == (ChatKind.GROUP, "zgr-891bfa57540ebd50e41f", True)
    assert found.text == meant
    assert found.command == ("start" if meant.startswith("/") else None)


def test_a_mention_in_private_stays() -> None:
    assert read(update(text="@Bot Loa Số tin"), "Bot Loa Số").text == "@Bot Loa Số tin"


@pytest.mark.parametrize("date", [None, 0, -5, "1789033572455", 10**19, 10**17, True])
def test_a_date_that_is_none_means_now(date: object) -> None:
    assert read(update(date=date)).at == NOW


NOTHING: list[tuple[str, dict[str, Any]]] = [
    ("a bot", update("message.text.received", "PRIVATE", **{"from": {"id": "1", "is_bot": True}})),
    ("no id to know a copy by", update(text="a", message_id=None)),
    ("an endless id", update(text="a", message_id="a" * 65)),
    ("no chat", update(text="a", chat={})),
    ("another kind of chat", update("message.text.received", "CHANNEL")),
    ("another event", update("user.followed")),
    ("nothing", {}),
]


@pytest.mark.parametrize("told", [row[1] for row in NOTHING], ids=[row[0] for row in NOTHING])
def test_what_is_nothing_to_us(told: dict[str, Any]) -> None:
    assert to_inbound(told, ACCOUNT, NOW) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def _with(more: dict[str, Any]) -> dict[str, Any]:
    return update("message.text.received", "PRIVATE", **more)


FIELDS = ("date", "chat", "message_id", "from", "text", "caption", "photo", "photo_url", "voice_url", "sticker")
MESSAGES = st.dictionaries(st.sampled_from(FIELDS), JSON).map(_with)
WHOLE = st.dictionaries(st.sampled_from(("event_name", "message", "result", "ok")), JSON)
LIKELY = st.builds(
    update,
    st.text().map("message.{}".format),
    st.sampled_from(("PRIVATE", "GROUP")),
    text=st.text(st.characters(codec=None)),
    date=st.integers(),
    message_id=st.text() | st.integers(),
)


@given(MESSAGES | WHOLE | LIKELY, st.lists(st.text(), max_size=2))
def test_nothing_is_a_surprise(told: dict[str, Any], names: list[str]) -> None:
    found = to_inbound(told, ACCOUNT, NOW, names)
    assert found is None or (found.at.tzinfo is UTC and found.external_id and "\0" not in found.text)
    if found is not None:
        found.text.encode()
