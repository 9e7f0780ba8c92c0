"""One message to many chats: a call of the Bot API made ready once, of which only the chat differs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
from telegram.error import BadRequest, TelegramError
from telegram.request import BaseRequest
from yarl import URL

from bot.channels.http1 import Answer
from bot.channels.http1_pool import Pool
from bot.channels.http1_route import Route, find_route
from bot.channels.telegram_errors import translate
from bot.channels.telegram_http import AiohttpRequest, GarbledAnswer, flood
from bot.channels.telegram_out import chat_number, message_ids, to_call
from bot.core.channel import Done
from bot.core.errors import SendError
from bot.core.events import Outbound

_HEADERS = {
    "User-Agent": BaseRequest.USER_AGENT,
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
}


class TelegramBulk:
    """What one bot sends to many. Connections are opened by the first message and closed for good by `close`."""

    def __init__(self, token: str, api_url: str, read_seconds: float) -> None:
        self._root = f"{api_url.rstrip('/')}/bot{token}"
        self._read_seconds = read_seconds
        self._route: Route | None = None
        self._pool: Pool | None = None

    def prepare(self, message: Outbound) -> TelegramPrepared | None:
        """See `Channel.prepare`. Also `None` where the environment names a proxy of a kind that we do not speak."""
        if message.answer is not None or message.delete is not None or message.edit is not None:
            return None
        if any(media.file_id is None for media in message.media):
            return None
        try:
            call = to_call(message)
            rest = _json({name: value for name, value in call.fields.items() if name != "chat_id"})
            url = URL(f"{self._root}/{call.method}")
            route, pool = self._opened(url)
        except (ValueError, TypeError):  # TypeError: text that is not Unicode
            return None
        return TelegramPrepared(pool, route.head(url.raw_path, _HEADERS), rest)

    async def close(self) -> None:
        """Every copy that was handed over hears of its end."""
        if self._pool is not None:
            await self._pool.close()

    def _opened(self, url: URL) -> tuple[Route, Pool]:
        if self._route is None or self._pool is None:
            self._route = find_route(url)
            self._pool = Pool(self._route, read_seconds=self._read_seconds)
        return self._route, self._pool


class TelegramPrepared:
    """`head` ends where the length of the body belongs; `rest` is the body's JSON object without the chat."""

    __slots__ = ("_after", "_before", "_pool")

    def __init__(self, pool: Pool, head: bytes, rest: bytes) -> None:
        self._pool = pool
        self._before = head
        self._after = b"," + rest[1:] if rest != b"{}" else b"}"

    def send(self, chat_id: str, done: Done, on_wire: Callable[[], None] | None = None) -> None:
        """See `Prepared.send`."""
        try:
            chat = orjson.dumps(chat_number(chat_id))
        except TypeError:
            error = translate(BadRequest("strings must be encoded in UTF-8"))
            asyncio.get_running_loop().call_soon(_Copy(b"", done, on_wire).failed, error)
            return
        body = b'{"chat_id":' + chat + self._after
        self._pool.send(_Copy(b"%b%d\r\n\r\n%b" % (self._before, len(body), body), done, on_wire))


class _Copy:
    """One message to one chat on its way."""

    __slots__ = ("_done", "_on_wire", "request")

    def __init__(self, request: bytes, done: Done, on_wire: Callable[[], None] | None) -> None:
        self.request = request
        self._done = done
        self._on_wire = on_wire

    def begun(self) -> None:
        tell, self._on_wire = self._on_wire, None
        if tell is not None:
            tell()

    def answered(self, answer: Answer) -> None:
        try:
            number = ",".join(message_ids(result_of(answer))) or None
        except TelegramError as error:
            self._done(None, translate(error))
            return
        self._done(number, None)

    def failed(self, error: SendError) -> None:
        self.begun()  # nothing of it will be on the wire later
        self._done(None, error)


class _Replay(AiohttpRequest):
    """python-telegram-bot's own judgement of an answer that is already there, so that no second table of what a
    refusal means can differ from it."""

    __slots__ = ("_answer",)

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        return self._answer.status, self._answer.body

    def judge(self) -> Any:
        """The result. Raises python-telegram-bot's errors. Nothing in it waits."""
        judgement = self.post("")
        try:
            judgement.send(None)
        except StopIteration as end:
            return end.value
        finally:
            judgement.close()
        raise AssertionError


def result_of(answer: Answer) -> Any:
    """What the Bot API answered. Raises python-telegram-bot's errors, the same as for `TelegramApi.call`."""
    if not 200 <= answer.status <= 299:
        return _refused(answer)
    try:
        return AiohttpRequest.parse_json_payload(answer.body)["result"]
    except KeyError as error:
        raise GarbledAnswer("the answer's shape is not the Bot API's") from error


def _refused(answer: Answer) -> Any:
    wait = flood(answer.status, answer.retry_after, answer.body)
    if wait is not None:
        raise wait
    return _Replay(answer).judge()


def _json(fields: dict[str, Any]) -> bytes:
    """As python-telegram-bot writes it: fields that are `None` are not sent. Raises `TypeError`."""
    present = {name: value for name, value in fields.items() if value is not None}
    return orjson.dumps(present, default=lambda value: value.to_dict())
