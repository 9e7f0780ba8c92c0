"""Handing files to Zalo before a message can hold them: what it takes, and what it is called afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.channels.telegram_json import text
from bot.channels.zalo_http import FilePart
from bot.channels.zalo_oa_api import OaApi
from bot.channels.zalo_oa_out import sized
from bot.core.channel import ON_WIRE
from bot.core.errors import BadContent, BudgetUsed, ContactRefused, NotSent, OutcomeUnknown, Reason
from bot.core.events import Media, MediaKind

MEGABYTE = 1024 * 1024
MAX_PICTURE = MEGABYTE
MAX_UPLOAD = 5 * MEGABYTE

_JPEG, _PNG, _GIF, _PDF = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", (b"GIF87a", b"GIF89a"), b"%PDF"
_GIF_HEAD = 10
_DOCUMENTS = {
    ".pdf": "application/pdf",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".csv": "text/csv",
}


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as Zalo takes it; `size` are the measures of a moving picture."""

    path: str
    file: FilePart
    answer: str
    size: tuple[int, int] | None = None


class Uploads:
    """For one account. Zalo takes 5,000 a month and keeps each for seven days."""

    def __init__(self, api: OaApi) -> None:
        self._api = api

    async def known(self, media: Media) -> Media:
        """The same attachment with an id or an address by which Zalo knows it. Raises `ContactRefused` for what Zalo
        does not take though others may, `BadContent` for a file that cannot be read, `NotSent` and the like."""
        if media.file_id is not None:
            return media
        upload = to_upload(media, _content(media))
        with _no_message():
            answer = await self._api.upload(upload.path, upload.file)
        found = text(answer if isinstance(answer, dict) else {}, upload.answer)
        if not found:
            raise NotSent("Zalo gave the upload no id")
        return Media(media.kind, file_id=sized(found, *upload.size) if upload.size else found)


def to_upload(media: Media, content: bytes) -> Upload:
    """Raises `ContactRefused` for what Zalo does not take, in plain words."""
    if media.kind is MediaKind.PHOTO:
        return _picture(media, content)
    if media.kind is MediaKind.ANIMATION:
        return _moving(media, content)
    if media.kind is MediaKind.FILE:
        return _document(media, content)
    raise _refused(f"Zalo takes no {media.kind} of ours")


def _picture(media: Media, content: bytes) -> Upload:
    if not content.startswith((_JPEG, _PNG)):
        raise _refused("Zalo takes pictures as JPEG or PNG only")
    _within(content, MAX_PICTURE, "a picture")
    kind = "png" if content.startswith(_PNG) else "jpeg"
    file = FilePart(_name(media) or f"picture.{kind}", content, f"image/{kind}")
    return Upload("/v2.0/oa/upload/image", file, "attachment_id")


def _moving(media: Media, content: bytes) -> Upload:
    if not content.startswith(_GIF) or len(content) < _GIF_HEAD:
        raise _refused("Zalo takes moving pictures as GIF only")
    _within(content, MAX_UPLOAD, "a moving picture")
    size = (int.from_bytes(content[6:8], "little"), int.from_bytes(content[8:10], "little"))
    file = FilePart(_name(media) or "picture.gif", content, "image/gif")
    return Upload("/v2.0/oa/upload/gif", file, "attachment_id", size)


def _document(media: Media, content: bytes) -> Upload:
    name = _name(media) or ("document.pdf" if content.startswith(_PDF) else "")
    mime = _DOCUMENTS.get(Path(name).suffix.lower())
    if mime is None:
        raise _refused("Zalo takes documents as PDF, DOC, DOCX or CSV only")
    _within(content, MAX_UPLOAD, "a document")
    return Upload("/v2.0/oa/upload/file", FilePart(name, content, mime), "token")


def _name(media: Media) -> str:
    return media.name or (Path(media.path).name if media.path else "")


def _within(content: bytes, most: int, what: str) -> None:
    if len(content) > most:
        raise _refused(f"{what} may have at most {most // MEGABYTE} MB on Zalo")


def _refused(why: str) -> ContactRefused:
    """Other channels may carry the same message, so the run goes on."""
    return ContactRefused(Reason.BAD_CONTENT, why)


def _content(media: Media) -> bytes:
    """A file far too large is not even read."""
    if media.content is not None:
        return media.content
    try:
        path = Path(media.path or "")
        if path.stat().st_size > MAX_UPLOAD:
            raise _refused(f"a file may have at most {MAX_UPLOAD // MEGABYTE} MB on Zalo")
        return path.read_bytes()
    except OSError as error:
        raise BadContent(f"a file cannot be read: {error.strerror}") from error


@contextmanager
def _no_message() -> Iterator[None]:
    """An upload is not the message: it starts nobody's clock, and without an answer nothing was sent."""
    before = ON_WIRE.set(None)
    try:
        yield
    except OutcomeUnknown as error:
        raise NotSent(f"the upload was not answered ({error.detail})") from error
    except BudgetUsed as error:
        raise BadContent(f"the month's uploads are used up: {error.detail}") from error
    finally:
        ON_WIRE.reset(before)
