"""Files as the server keeps them: contents once, an id for each bot, sizes of pictures."""

from __future__ import annotations

import hashlib
import mimetypes
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from dataclasses import dataclass, field

from bot.sandbox.telegram.errors import Json, bad_request

_FOLDERS = {
    "photo": "photos",
    "video": "videos",
    "animation": "animations",
    "voice": "voice",
    "audio": "music",
    "document": "documents",
    "video_note": "video_notes",
    "sticker": "stickers",
}
_NAMES = {
    "photo": "Photo",
    "video": "Video",
    "animation": "Animation",
    "voice": "VoiceNote",
    "audio": "Audio",
    "document": "Document",
    "video_note": "VideoNote",
    "sticker": "Sticker",
    "thumbnail": "Thumbnail",
}
_MIME = {"voice": "audio/ogg", "video": "video/mp4", "animation": "video/mp4", "audio": "audio/mpeg"}
_SUFFIX = {"photo": ".jpg", "voice": ".oga", "video": ".mp4", "animation": ".mp4", "video_note": ".mp4"}


@dataclass(slots=True)
class Upload:
    """Bytes that came with a request."""

    name: str
    content: bytes
    mime: str = ""


@dataclass(slots=True)
class StoredFile:
    """One file of one kind."""

    unique_id: str
    kind: str
    content: bytes
    name: str
    mime: str
    path: str
    width: int = 0
    height: int = 0
    extras: Json = field(default_factory=dict)


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG, GIF, BMP, WebP or JPEG; `None` for anything else."""
    if content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) >= 24:
        return struct.unpack(">II", content[16:24])
    if content[:6] in (b"GIF87a", b"GIF89a") and len(content) >= 10:
        return struct.unpack("<HH", content[6:10])
    if content[:2] == b"BM" and len(content) >= 26:
        width, height = struct.unpack("<ii", content[18:26])
        return width, abs(height)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP" and len(content) >= 30:
        return _webp_size(content)
    if content[:2] == b"\xff\xd8":
        return _jpeg_size(content)
    return None


def _webp_size(content: bytes) -> tuple[int, int]:
    if content[12:16] == b"VP8X":
        return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
    if content[12:16] == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", content[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(content):
        if content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return None


class FileStore:
    """All files of a sandbox. Equal contents of one kind are kept once."""

    def __init__(self) -> None:
        self._by_unique: dict[str, StoredFile] = {}
        self._by_path: dict[str, StoredFile] = {}
        self._counts: dict[str, int] = {}
        self.urls: dict[str, bytes] = {}

    def add(self, kind: str, upload: Upload, extras: Json | None = None) -> StoredFile:
        """Keep a file. `extras` are fields such as duration, width or performer."""
        extras = dict(extras or {})
        digest = hashlib.sha256(upload.content).digest()[:9]
        seed = digest + hashlib.sha256(repr((kind, upload.name, sorted(extras.items()))).encode()).digest()[:3]
        unique_id = urlsafe_b64encode(b"Ag" + seed[:10]).decode()
        if unique_id in self._by_unique:
            return self._by_unique[unique_id]
        number = self._counts[kind] = self._counts.get(kind, -1) + 1
        name = upload.name or f"file_{number}{_SUFFIX.get(kind, '')}"
        mime = _MIME.get(kind, "") if kind == "voice" else upload.mime
        if not mime or mime == "application/octet-stream":
            mime = mimetypes.guess_type(name)[0] or _MIME.get(kind, "application/octet-stream")
        suffix = _SUFFIX.get(kind) or "." + name.rpartition(".")[2]
        path = f"{_FOLDERS[kind]}/file_{number}{suffix}"
        size = picture_size(upload.content) or (320, 240)
        width, height = extras.pop("width", None) or size[0], extras.pop("height", None) or size[1]
        stored = StoredFile(unique_id, kind, upload.content, name, mime, path, width, height, extras)
        self._by_unique[unique_id] = self._by_path[path] = stored
        return stored

    def at(self, path: str) -> StoredFile | None:
        """The file with that download path."""
        return self._by_path.get(path)

    def unique(self, unique_id: str) -> StoredFile | None:
        """The file with that unique id."""
        return self._by_unique.get(unique_id)

    def find(self, bot_id: int, file_id: str) -> StoredFile | None:
        """The file that this bot knows by that id; ids of another bot mean nothing."""
        try:
            owner, _, rest = urlsafe_b64decode(file_id + "=" * (-len(file_id) % 4)).decode().partition(":")
        except (BadBase64, UnicodeDecodeError, ValueError):
            return None
        if owner != f"AgAC{bot_id}":
            return None
        return self._by_unique.get(rest.partition(":")[0])


def file_id(bot_id: int, stored: StoredFile, part: str = "m") -> str:
    """The id by which one bot knows a file; `part` tells sizes of a photo apart."""
    return urlsafe_b64encode(f"AgAC{bot_id}:{stored.unique_id}:{part}".encode()).decode().rstrip("=")


def same_kind(stored: StoredFile, kind: str) -> StoredFile:
    """The file, if it may be sent as `kind`. Raises 400."""
    if stored.kind != kind:
        raise bad_request(f"can't use file of type {_NAMES[stored.kind]} as {_NAMES[kind]}")
    return stored


def content_json(bot_id: int, stored: StoredFile) -> Json:
    """The message field(s) that show this file, as `bot_id` sees them."""
    plain = _plain(bot_id, stored)
    kind = stored.kind
    if kind == "photo":
        return {"photo": _sizes(bot_id, stored)}
    sized = {"width": stored.width, "height": stored.height}
    named = {"file_name": stored.name, "mime_type": stored.mime}
    duration = {"duration": int(stored.extras.get("duration", 0))}
    if kind == "video":
        return {"video": plain | sized | duration | named}
    if kind == "animation":
        animation = plain | sized | duration | named
        return {"animation": animation, "document": plain | named}
    if kind == "voice":
        return {"voice": plain | duration | {"mime_type": stored.mime}}
    if kind == "audio":
        about = {k: stored.extras[k] for k in ("performer", "title") if stored.extras.get(k)}
        return {"audio": plain | duration | named | about}
    if kind == "video_note":
        return {"video_note": plain | duration | {"length": stored.extras.get("length") or 240}}
    if kind == "sticker":
        about = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
        if stored.extras.get("emoji"):
            about["emoji"] = stored.extras["emoji"]
        return {"sticker": plain | about}
    return {"document": plain | named}


def _plain(bot_id: int, stored: StoredFile, part: str = "m") -> Json:
    return {
        "file_id": file_id(bot_id, stored, part),
        "file_unique_id": stored.unique_id,
        "file_size": len(stored.content),
    }


def _sizes(bot_id: int, stored: StoredFile) -> list[Json]:
    """A small and the full size; the small one shares the contents, as nobody looks at it."""
    full = _plain(bot_id, stored, "y") | {"width": stored.width, "height": stored.height}
    longest = max(stored.width, stored.height, 1)
    if longest <= 90:
        return [full]
    small = _plain(bot_id, stored, "s") | {
        "file_unique_id": stored.unique_id[:-2] + "Ah",
        "file_size": min(1500, len(stored.content)),
        "width": max(1, stored.width * 90 // longest),
        "height": max(1, stored.height * 90 // longest),
    }
    return [small, full]
