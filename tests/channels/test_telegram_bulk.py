"""One message to many chats: the same bytes, the same answers and the same errors as one by one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus

import pytest

from bot.channels.memory import MemoryChannel
from bot.channels.telegram import TelegramChannel
from bot.core.channel import Channel, Prepared
from bot.core.errors import BadContent, ContactMoved, NotSent, OutcomeUnknown, Reason, SendError, SlowDown
from bot.core.events import Button, ContactCard, Entity, EntityKind, Location, Media, MediaKind, Outbound
from bot.sandbox.telegram import BotAccount, TelegramSandbox, User
from tests.channels.conftest import MENU, TOKEN, connect
from tests.channels.listening import OK, answer, listening, say_nothing, whole
from tests.channels.test_telegram_wire import PICTURE, TABLE, Arrange

BOLD = (Entity(EntityKind.BOLD, 0, 3), Entity(EntityKind.LINK, 0, 2, "https://a.vn/"))
BUTTONS = ((Button("Có", data="rsvp:yes"), Button("Xem", url="https://a.vn/")),)
PHOTO = Media(MediaKind.PHOTO, file_id="AgAC-1")

MESSAGES = [
    ("text", Outbound(chat_id="0", text="Chào bà con 🎉\n\"'\\\u2028")),
    ("formatted", Outbound(chat_id="0", text="Họp thôn", entities=BOLD, buttons=BUTTONS, silent=True)),
    ("a card for a link", Outbound(chat_id="0", text="https://a.vn", preview=True)),
    *((f"{kind}", Outbound(chat_id="0", media=(Media(kind, file_id="F-1"),))) for kind in MediaKind),
    ("caption", Outbound(chat_id="0", text="Họp thôn", entities=BOLD, media=(PHOTO,), buttons=BUTTONS)),
    ("album", Outbound(chat_id="0", text="Họp", entities=BOLD, media=(PHOTO, Media(MediaKind.VIDEO, "V-1")))),
    ("album, no words", Outbound(chat_id="0", media=(PHOTO, PHOTO), silent=True)),
    ("place", Outbound(chat_id="0", location=Location(17.5, 106.25))),
    ("venue", Outbound(chat_id="0", location=Location(17.5, 106.25, "Nhà văn hóa"))),
    ("card", Outbound(chat_id="0", card=ContactCard("+84900000000", "Minh"))),
]
ONE_BY_ONE = [
    ("edit", Outbound(chat_id="0", text="a", edit="5")),
    ("deletion", Outbound(chat_id="0", delete="5")),
    ("answer", Outbound(chat_id="0", text="a", answer="5")),
    ("upload", Outbound(chat_id="0", media=(Media(MediaKind.PHOTO, content=b"x"),))),
    ("a file that is gone", Outbound(chat_id="0", media=(Media(MediaKind.PHOTO, path="/nowhere/a.jpg"),))),
    ("half an album", Outbound(chat_id="0", media=(PHOTO, Media(MediaKind.PHOTO, content=b"x")))),
    ("buttons under an album", Outbound(chat_id="0", media=(PHOTO, PHOTO), buttons=BUTTONS)),
    ("half a character", Outbound(chat_id="0", text="a\ud83d")),
]
CHATS = ["501", "-1001234567890123", "@thon_dong", "0501"]


@pytest.fixture
def copies() -> Copies:
    return Copies()


class Copies:
    """Sends copies and awaits how they ended."""

    async def send(self, prepared: Prepared | None, chat_id: str = "501") -> str | None:
        """The message id. Raises the error."""
        (end,) = await self.send_all(prepared, [chat_id])
        if isinstance(end, SendError):
            raise end
        return end

    async def send_all(self, prepared: Prepared | None, chats: Sequence[str]) -> list[str | SendError | None]:
        """In the order in which they ended."""
        assert prepared is not None
        ends: list[str | SendError | None] = []
        all_there = asyncio.Event()
        inside = True

        def done(message_id: str | None, error: SendError | None) -> None:
            assert not inside
            ends.append(error or message_id)
            if len(ends) == len(chats):
                all_there.set()

        for chat in chats:
            prepared.send(chat, done)
        inside = False
        async with asyncio.timeout(5):
            await all_there.wait()
        return ends


@asynccontextmanager
async def telegram(root: str) -> AsyncIterator[TelegramChannel]:
    channel = TelegramChannel(TOKEN, api_url=root, secret_key=b"secret", rate=30, commands=MENU, read_seconds=30)
    try:
        yield channel
    finally:
        await channel.close()


async def both_ways(
    message: Outbound, chat: str, body: bytes, status: str = "200 OK", more: str = ""
) -> tuple[list[bytes], list[str | SendError | None]]:
    """What a server saw and what we made of its answer, one by one and prepared."""
    seen: list[bytes] = []
    ends: list[str | SendError | None] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append(await whole(reader))
            await answer(writer, body, status, more)

    async with listening(handler) as server, telegram(server.root) as channel:
        ends.append(await one_by_one(channel, replace(message, chat_id=chat)))
        ends += await Copies().send_all(channel.prepare(message), [chat])
    return seen, ends


async def one_by_one(channel: TelegramChannel, message: Outbound) -> str | SendError | None:
    try:
        return ",".join((await channel.send(message)).message_ids) or None
    except SendError as error:
        return error


def parts(request: bytes) -> tuple[str, dict[str, str], dict[str, object]]:
    """The request line, the headers that count, the body."""
    head, _, body = request.decode().partition("\r\n\r\n")
    line, *rest = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (header.partition(": ") for header in rest)}
    counts = {name: headers.get(name, "") for name in ("host", "content-type", "user-agent")}
    return line, counts, json.loads(body)


@pytest.mark.parametrize("chat", CHATS)
@pytest.mark.parametrize("message", [row[1] for row in MESSAGES], ids=[row[0] for row in MESSAGES])
async def test_a_copy_is_the_same_request(message: Outbound, chat: str) -> None:
    (one, copy), ends = await both_ways(message, chat, OK)
    assert parts(copy) == parts(one)
    assert ends == ["7", "7"]


@pytest.mark.parametrize("message", [row[1] for row in ONE_BY_ONE], ids=[row[0] for row in ONE_BY_ONE])
async def test_what_can_only_be_sent_one_by_one(message: Outbound, channel: TelegramChannel) -> None:
    assert channel.prepare(message) is None


async def test_an_address_that_we_cannot_reach_is_left_to_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:9")
    async with telegram("https://telegram.invalid") as channel:
        assert channel.prepare(Outbound(chat_id="0", text="a")) is None


def refusal(code: int, description: str, **parameters: object) -> bytes:
    extra = {"parameters": parameters} if parameters else {}
    return json.dumps({"ok": False, "error_code": code, "description": description, **extra}).encode()


CODES = (201, 299, 300, 302, 304, 400, 401, 403, 404, 409, 413, 418, 429, 499, 500, 502, 503, 504, 599, 999)
WORDS = (
    "Bad Request: chat not found",
    "Forbidden: bot was blocked by the user",
    "Bad Request: can't parse entities: \u201cx\u201d",
    "Bad Request: NEW_IN_2031",
    "Not Found: method not found",
    "Too Many Requests: retry after 17",
    "Gateway Timeout",
    "",
    f"no route to /bot{TOKEN}/sendMessage",
)
BODIES: list[tuple[str, bytes]] = [
    ("no body", b""),
    ("a page", b"<html>bot was blocked by the user</html>"),
    ("a list", b"[]"),
    ("nothing", b"null"),
    ("not UTF-8", b'{"ok":false,"description":"\xff"}'),
    ("no envelope", b'{"error":"x"}'),
    ("ok", OK),
    ("no result", b'{"ok":true}'),
    ("result nothing", b'{"ok":true,"result":null}'),
    ("result true", b'{"ok":true,"result":true}'),
    ("an id that is none", b'{"ok":true,"result":{"message_id":"7"}}'),
    ("an id beyond all", b'{"ok":true,"result":{"message_id":99999999999999999999}}'),
    ("an album", b'{"ok":true,"result":[{"message_id":7},{"message_id":8},5,{}]}'),
    ("an empty album", b'{"ok":true,"result":[]}'),
    ("half a character", b'{"ok":true,"result":{"message_id":7,"text":"\\ud83d"}}'),
    ("refused and done", b'{"ok":false,"result":{"message_id":7}}'),
    ("refused, no words", b'{"ok":false,"error_code":400}'),
    ("ok is one", b'{"ok":1,"result":{"message_id":7}}'),
    ("wait", refusal(429, "Too Many Requests: retry after 17", retry_after=23)),
    ("wait, no words", refusal(429, "", retry_after=23)),
    ("wait no time", refusal(429, "x", retry_after=0)),
    ("wait soon", refusal(429, "x", retry_after="soon")),
    ("moved", refusal(400, "group chat was upgraded", migrate_to_chat_id=-1001)),
    ("moved nowhere", refusal(400, "group chat was upgraded", migrate_to_chat_id="x")),
    ("unknown parameters", refusal(400, "x", mood="bad")),
    ("parameters a list", b'{"ok":false,"description":"x","parameters":[1]}'),
    ("description a number", b'{"ok":false,"description":5}'),
    *((f"{words[:30]}…", refusal(400, words)) for words in WORDS),
]
HEADERS = ("", "Retry-After: 31\r\n", "Retry-After: Tue, 29 Oct 2030 16:56:32 GMT\r\n", "Retry-After: -5\r\n")


@pytest.mark.parametrize("body", [row[1] for row in BODIES], ids=[row[0] for row in BODIES])
async def test_an_answer_means_the_same_both_ways(body: bytes) -> None:
    """Every body with every status, and with a waiting time in the header where one may stand."""
    queue: list[tuple[int, str]] = []
    cases = [(code, header) for code in (200, *CODES) for header in (HEADERS if code == 429 else HEADERS[:1])]

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await whole(reader)
            code, header = queue.pop(0)
            phrase = HTTPStatus(code).phrase if code in {status.value for status in HTTPStatus} else ""
            await answer(writer, b"" if code in (204, 304) else body, f"{code} {phrase}", header)

    message = Outbound(chat_id="0", text="a")
    async with listening(handler) as server, telegram(server.root) as channel:
        prepared = channel.prepare(message)
        for case in cases:
            queue += [case, case]
            one = await one_by_one(channel, replace(message, chat_id="501"))
            (copy,) = await Copies().send_all(prepared, ["501"])
            assert (case, facts(copy)) == (case, facts(one))
            assert TOKEN not in f"{copy!r}"
    assert queue == []


def facts(end: object) -> object:
    """Everything that an error says."""
    if not isinstance(end, SendError):
        return end
    more = getattr(end, "retry_after", None), getattr(end, "new_id", None)
    return type(end), end.reason, end.detail, more


async def test_how_long_to_wait_may_be_in_the_header_alone() -> None:
    _, ends = await both_ways(Outbound(chat_id="0", text="a"), "501", b"<html>", "429 Flood", "Retry-After: 31\r\n")
    assert [end.retry_after for end in ends if isinstance(end, SlowDown)] == [31, 31]


async def test_a_chat_that_is_no_number_of_theirs_is_the_same_both_ways() -> None:
    for chat in ("9" * 30, "a\ud83d"):
        seen, ends = await both_ways(Outbound(chat_id="0", text="a"), chat, OK)
        assert (seen, facts(ends[0])) == ([], facts(ends[1]))
        assert isinstance(ends[1], BadContent)


@pytest.mark.parametrize(("arrange", "kind", "reason"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
async def test_error(
    arrange: Arrange,
    kind: type[SendError],
    reason: Reason,
    server: TelegramSandbox,
    account: BotAccount,
    lan: User,
    channel: TelegramChannel,
    copies: Copies,
) -> None:
    """The same table as for messages one by one, over the same wire."""
    prepared = channel.prepare(Outbound(chat_id="0", text="Chào bác"))
    await copies.send(prepared)  # so that the connection is an idle one
    arrange(server, account)
    with pytest.raises(SendError) as caught:
        await copies.send(prepared)
    assert (type(caught.value), caught.value.reason) == (kind, reason)
    assert TOKEN not in f"{caught.value!r}"
    if isinstance(caught.value, SlowDown):
        assert caught.value.retry_after == 17
    if isinstance(caught.value, ContactMoved):
        assert caught.value.new_id == "-1001"


async def test_many_copies_of_everything(server: TelegramSandbox, account: BotAccount, copies: Copies) -> None:
    """Each once to each of fifty people, and the ids are those of the messages that they got."""
    people = [server.add_user(1000 + number, f"U{number}") for number in range(50)]
    for person in people:
        person.start(account)
    chats = [str(1000 + number) for number in range(50)]
    async with telegram(server.url) as channel:
        first = await channel.send(Outbound(chat_id="1000", media=(Media(MediaKind.PHOTO, content=PICTURE),)))
        photo = Media(MediaKind.PHOTO, file_id=first.file_ids[0])
        texts = await copies.send_all(channel.prepare(Outbound(chat_id="0", text="Họp", buttons=BUTTONS)), chats)
        photos = await copies.send_all(channel.prepare(Outbound(chat_id="0", text="Ảnh", media=(photo,))), chats)
        albums = await copies.send_all(channel.prepare(Outbound(chat_id="0", media=(photo, photo))), chats)
        places = await copies.send_all(channel.prepare(Outbound(chat_id="0", location=Location(17.5, 106.5))), chats)
    got = [[m for m in person.chat(account).bot_messages if m.id != int(first.message_id or 0)] for person in people]
    assert [[m.kind for m in messages] for messages in got] == [["text", "photo", "photo", "photo", "location"]] * 50
    assert {str(messages[0].id) for messages in got} == set(texts)
    assert {str(messages[1].id) for messages in got} == set(photos)
    assert {f"{messages[2].id},{messages[3].id}" for messages in got} == set(albums)
    assert {str(messages[4].id) for messages in got} == set(places)


async def test_nobody_there_means_not_sent(
    server: TelegramSandbox, lan: User, channel: TelegramChannel, copies: Copies
) -> None:
    prepared = channel.prepare(Outbound(chat_id="0", text="a"))
    await copies.send(prepared)
    await server.stop()
    with pytest.raises(NotSent):
        await copies.send(prepared)
    await server.start()
    assert await copies.send(prepared)


async def story_of(prepared: Prepared, chat_id: str) -> list[str]:
    """What is told of a copy, in order, to its end."""
    story: list[str] = []
    ended = asyncio.Event()

    def done(message_id: str | None, error: SendError | None) -> None:
        story.append(f"done {message_id}" if error is None else type(error).__name__)
        ended.set()

    prepared.send(chat_id, done, lambda: story.append("on wire"))
    assert story == []
    await ended.wait()
    return story


async def test_the_first_byte_is_told_once_and_before_the_answer() -> None:
    arrived: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await whole(reader))
        await answer(writer)

    async with listening(handler) as server, telegram(server.root) as channel:
        prepared = channel.prepare(Outbound(chat_id="0", text="a"))
        assert prepared is not None
        assert await story_of(prepared, "501") == ["on wire", "done 7"]
    assert len(arrived) == 1


async def test_a_copy_that_never_left_is_told_of_before_it_ends(
    server: TelegramSandbox, channel: TelegramChannel
) -> None:
    """Nobody must go on waiting for its first byte, or its place in the second stays taken."""
    prepared = channel.prepare(Outbound(chat_id="0", text="a"))
    assert prepared is not None
    await server.stop()
    for chat, end in (("501", NotSent), ("a\ud83d", BadContent)):
        assert await story_of(prepared, chat) == ["on wire", end.__name__]


async def test_closing_the_channel_ends_every_copy_once() -> None:
    ends: list[SendError | None] = []
    async with listening(say_nothing) as server, telegram(server.root) as channel:
        prepared = channel.prepare(Outbound(chat_id="0", text="a"))
        assert prepared is not None
        begun = asyncio.Event()
        for _ in range(150):
            prepared.send("501", lambda _, error: ends.append(error), begun.set)
        await begun.wait()
        await channel.close()
        assert len(ends) == 150
        assert {type(end) for end in ends} == {NotSent, OutcomeUnknown}
        prepared.send("501", lambda _, error: ends.append(error))
        assert len(ends) == 150
        await asyncio.sleep(0)
        assert type(ends[150]) is NotSent


async def test_a_channel_that_never_sent_can_be_closed(server: TelegramSandbox) -> None:
    channel = connect(server)
    channel.prepare(Outbound(chat_id="0", text="a"))
    await channel.close()
    await channel.close()


async def test_the_channel_without_a_platform_does_the_same(copies: Copies) -> None:
    channel: Channel = (memory := MemoryChannel("memory:1"))
    story: list[str] = []
    prepared = channel.prepare(Outbound(chat_id="0", text="a"))
    assert prepared is not None
    prepared.send("1", lambda number, _: story.append(f"done {number}"), lambda: story.append("on wire"))
    assert story == ["on wire"]
    assert await copies.send_all(prepared, ["2", "3"]) == ["2", "3"]
    assert story == ["on wire", "done 1"]
    assert [(m.chat_id, m.text) for m in memory.sent] == [("1", "a"), ("2", "a"), ("3", "a")]

    def fail(message: Outbound) -> None:
        raise NotSent(f"to {message.chat_id}")

    memory.fail = fail
    with pytest.raises(NotSent, match="to 4"):
        await copies.send(prepared, "4")
    assert len(memory.sent) == 3
    assert [channel.prepare(message) for _, message in ONE_BY_ONE[:6]] == [None] * 6
