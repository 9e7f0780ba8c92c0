"""Requests and answers as they travel: query, form, multipart and JSON in, one JSON shape out."""

from __future__ import annotations

from urllib.parse import parse_qsl

import aiohttp
import orjson
from aiohttp import web

from bot.sandbox.telegram.errors import ApiError, Json, bad_request
from bot.sandbox.telegram.files import Upload

Params = dict[str, object]
Uploads = dict[str, Upload]

_OVERHEAD = 1024 * 1024


async def read(request: web.Request, limit: int) -> tuple[Params, Uploads]:
    """Parameters and uploaded files. Raises 413 when the files are larger than `limit` bytes in all."""
    params: Params = dict(request.query)
    if request.method != "POST" or not request.can_read_body:
        return params, {}
    kind = request.content_type
    if kind == "multipart/form-data":
        more, uploads = await _multipart(request, limit)
        return params | more, uploads
    body = await _body(request)
    if kind == "application/json":
        return params | _json(body), {}
    if kind == "application/x-www-form-urlencoded":
        return params | dict(parse_qsl(_utf8(body), keep_blank_values=True)), {}
    return params, {}


async def _body(request: web.Request) -> bytes:
    if (request.content_length or 0) > _OVERHEAD:
        raise ApiError(413, "Request Entity Too Large")
    return await request.read()


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise bad_request("Strings must be encoded in UTF-8") from None


def _json(body: bytes) -> Params:
    if not body.strip():
        return {}
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise bad_request("Can't parse the JSON object of the request") from None
    if not isinstance(found, dict):
        raise bad_request("The JSON body of the request must be an Object")
    return found


async def _multipart(request: web.Request, limit: int) -> tuple[Params, Uploads]:
    params: Params = {}
    uploads: Uploads = {}
    total = 0
    too_large = (request.content_length or 0) > limit + _OVERHEAD
    async for part in await request.multipart():
        if not isinstance(part, aiohttp.BodyPartReader) or not part.name:
            continue
        content = bytearray()
        while chunk := await part.read_chunk(1 << 16):
            total += len(chunk)
            too_large = too_large or total > limit + _OVERHEAD
            if not too_large:
                content += chunk
        if part.filename is None:
            params[part.name] = _utf8(bytes(content))
        else:
            kind = part.headers.get("Content-Type", "")
            uploads[part.name] = Upload(part.filename, bytes(content), kind)
    if too_large or any(len(upload.content) > limit for upload in uploads.values()):
        raise ApiError(413, "Request Entity Too Large")
    return params, uploads


def answer(result: object, description: str = "") -> web.Response:
    """200 with a result."""
    shown: Json = {"ok": True, "result": result}
    if description:
        shown["description"] = description
    return web.Response(body=orjson.dumps(shown), content_type="application/json")


def refusal(error: ApiError) -> web.Response:
    """The HTTP status is the error code; 429 has `Retry-After`."""
    headers = {}
    if error.code == 429 and error.parameters:
        headers["Retry-After"] = str(error.parameters.get("retry_after", 1))
    body = orjson.dumps(error.body())
    return web.Response(body=body, status=error.code, headers=headers, content_type="application/json")
