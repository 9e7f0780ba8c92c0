"""Uploads: three kinds of files with their limits, kept for seven days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.sandbox.zalo_oa.calls import Call, Upload
from bot.sandbox.zalo_oa.errors import Json, OaError, invalid

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.world import World

_DOCUMENTS = ("pdf", "doc", "docx", "csv")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the OA. `at` is unix seconds."""

    kind: str
    name: str
    content: bytes
    at: float


class Uploads:
    """Everything uploaded, by `attachment_id` or `token`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.assets: dict[str, Asset] = {}

    def image(self, call: Call) -> Json:
        """jpg or png, 1 MB."""
        return {"attachment_id": self._keep("image", call.upload, self._world.limits.image_bytes, _is_picture)}

    def gif(self, call: Call) -> Json:
        """gif, 5 MB."""
        return {"attachment_id": self._keep("gif", call.upload, self._world.limits.gif_bytes, _is_gif)}

    def file(self, call: Call) -> Json:
        """PDF, DOC, DOCX or CSV, 5 MB."""
        return {"token": self._keep("file", call.upload, self._world.limits.file_bytes, _is_document)}

    def check(self, kind: str, id: str) -> None:
        """Raises -201 for an asset that is not there or of another kind, -100 for one that is too old."""
        asset = self.assets.get(id)
        if asset is None or asset.kind != kind:
            raise invalid("token" if kind == "file" else "attachment_id")
        if self._world.clock() - asset.at > self._world.limits.upload_life:
            raise OaError(-100)

    def _keep(self, kind: str, upload: Upload | None, most: int, fits: Callable[[Upload], bool]) -> str:
        if upload is None or not upload.content:
            raise invalid("file")
        if len(upload.content) > most:
            raise OaError(-210)
        if not fits(upload):
            raise invalid("file")
        self._world.use("uploads", self._world.limits.uploads)
        id = self._world.names.token(36)
        self.assets[id] = Asset(kind, upload.name, upload.content, self._world.clock())
        return id


def _is_picture(upload: Upload) -> bool:
    return upload.content.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff"))


def _is_gif(upload: Upload) -> bool:
    return upload.content.startswith((b"GIF87a", b"GIF89a"))


def _is_document(upload: Upload) -> bool:
    return upload.name.rpartition(".")[2].lower() in _DOCUMENTS
