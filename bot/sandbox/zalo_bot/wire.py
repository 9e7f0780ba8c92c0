"""Requests and answers as they travel: query, form, multipart and JSON in, one JSON shape out."""

from __future__ import annotations

import orjson
from aiohttp import web

from bot.sandbox.zalo_bot.errors import ApiError, Json


async def read(request: web.Request) -> dict[str, str]:
    """Parameters of the address and of the body. Raises 400 for a body that cannot be read."""
    params = dict(request.query)
    if request.method != "POST" or not request.can_read_body:
        return params
    try:
        found = orjson.loads(await request.read() or b"{}") if _is_json(request) else dict(await request.post())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ApiError(400, "Bad request: the body cannot be read")
    return params | {name: _plain(value) for name, value in found.items() if value is not None}


def _is_json(request: web.Request) -> bool:
    return request.content_type == "application/json"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()


def answer(result: Json | None, *, zero_code: bool) -> web.Response:
    """200; without a result where the method has none."""
    shown: Json = {"ok": True}
    if zero_code:
        shown["error_code"] = 0
    if result is not None:
        shown["result"] = result
    return web.Response(body=orjson.dumps(shown), content_type="application/json")


def refusal(error: ApiError) -> web.Response:
    """The HTTP status is the error's code."""
    return web.Response(body=orjson.dumps(error.body()), status=error.code, content_type="application/json")
