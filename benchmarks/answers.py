"""What the benchmark's Bot API says: whole HTTP answers of realistic size, with blanks for what differs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

CHAT = re.compile(rb'chat_id"?[^0-9-]{1,8}(-?\d+)')
"""Finds the chat in JSON, in a form, in a multipart body and in a query alike."""

_HEAD = (
    b"HTTP/1.1 %s\r\n"
    b"Server: nginx/1.18.0\r\n"
    b"Date: Mon, 23 Nov 2026 06:30:00 GMT\r\n"
    b"Content-Type: application/json\r\n"
    b"Content-Length: %d\r\n"
    b"Connection: keep-alive\r\n"
    b"Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\n"
    b"Access-Control-Allow-Origin: *\r\n"
    b"Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"
    b"Access-Control-Expose-Headers: Content-Length,Content-Type,Date,Server,Connection\r\n"
    b"\r\n%s"
)
TEXT = (
    "Bình dân học vụ số: không đọc mã OTP cho bất kỳ ai, kể cả người tự xưng là công an hay ngân hàng. "
    "Nghi ngờ thì gọi trưởng thôn, hoặc nhắn cho máy này để hỏi."
)
_MESSAGE = (
    b'{"ok":true,"result":{"message_id":%d,"from":{"id":%d,"is_bot":true,"first_name":"Loa S\\u1ed1",'
    b'"username":"loa_so_bot"},"chat":{"id":%d,"first_name":"B\\u00e0 con","type":"private"},"date":1795415400,"text":'
    + json.dumps(TEXT).encode()
    + b"}}"
)
_ME = (
    b'{"ok":true,"result":{"id":%d,"is_bot":true,"first_name":"Loa S\\u1ed1","username":"loa_so_bot",'
    b'"can_join_groups":true,"can_read_all_group_messages":false,"supports_inline_queries":false,'
    b'"can_connect_to_business":false,"has_main_web_app":false}}'
)


def whole(body: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer with its head."""
    return _HEAD % (status, len(body), body)


TRUE = whole(b'{"ok":true,"result":true}')
NO_WEBHOOK = whole(b'{"ok":true,"result":{"url":"","has_custom_certificate":false,"pending_update_count":0}}')
NOT_FOUND = whole(b'{"ok":false,"error_code":404,"description":"Not Found"}', b"404 Not Found")
NO_CHAT = whole(
    b'{"ok":false,"error_code":400,"description":"Bad Request: chat_id is empty"}',
    b"400 Bad Request",
)


def me(bot: int) -> bytes:
    """The bot itself."""
    return whole(_ME % bot)


def message(bot: int, number: int, chat: int) -> bytes:
    """A message that was sent, about 600 bytes of JSON."""
    return whole(_MESSAGE % (number, bot, chat))


def updates(waiting: Sequence[bytes]) -> bytes:
    """What `getUpdates` found."""
    return whole(b'{"ok":true,"result":[%s]}' % b",".join(waiting))
