"""What a person sends besides text: pictures, sound, files, places, contacts, albums."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.sandbox.telegram import entities as marks
from bot.sandbox.telegram.chats import Message, Settled
from bot.sandbox.telegram.errors import Json
from bot.sandbox.telegram.files import StoredFile, Upload

if TYPE_CHECKING:
    from bot.sandbox.telegram.bots import BotAccount
    from bot.sandbox.telegram.places import Group
    from bot.sandbox.telegram.world import World


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file of an album. `kind` is photo, video, audio or document."""

    kind: str
    content: bytes
    caption: str = ""
    name: str = ""
    mime: str = ""
    extras: Json = field(default_factory=dict)


class Album(Settled, list[Message]):
    """The messages of an album; awaiting it is optional."""


class SendsMedia:
    """Somebody who can send files. `where` is a bot or a group."""

    server: World
    json: Json
    phone_number: str

    @abstractmethod
    def _post(
        self,
        where: BotAccount | Group,
        content: Json,
        file: StoredFile | None = None,
        reply_to: Message | None = None,
    ) -> Message: ...

    def send(
        self,
        where: BotAccount | Group,
        attachment: Attachment,
        *,
        entities: Sequence[Json] | None = None,
        reply_to: Message | None = None,
        album: str = "",
    ) -> Message:
        """Send one file of any kind."""
        upload = Upload(attachment.name, attachment.content, attachment.mime)
        stored = self.server.files.add(attachment.kind, upload, attachment.extras)
        content: Json = {}
        if attachment.caption:
            found = marks.finish(attachment.caption, list(entities or ()))
            content["caption"] = found.text
            if found.entities:
                content["caption_entities"] = found.entities
        if album:
            content["media_group_id"] = album
        return self._post(where, content, stored, reply_to)

    def send_photo(
        self,
        where: BotAccount | Group,
        content: bytes,
        *,
        caption: str = "",
        entities: Sequence[Json] | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        """Send a picture, any bytes."""
        return self.send(where, Attachment("photo", content, caption), entities=entities, reply_to=reply_to)

    def send_voice(self, where: BotAccount | Group, content: bytes, *, duration: int = 3, caption: str = "") -> Message:
        """Send a voice message."""
        return self.send(where, Attachment("voice", content, caption, extras={"duration": duration}))

    def send_video(
        self,
        where: BotAccount | Group,
        content: bytes,
        *,
        duration: int = 5,
        caption: str = "",
        name: str = "video.mp4",
        entities: Sequence[Json] | None = None,
    ) -> Message:
        """Send a video."""
        attachment = Attachment("video", content, caption, name, "video/mp4", {"duration": duration})
        return self.send(where, attachment, entities=entities)

    def send_animation(self, where: BotAccount | Group, content: bytes, *, caption: str = "") -> Message:
        """Send a GIF."""
        return self.send(where, Attachment("animation", content, caption, "animation.mp4", "video/mp4"))

    def send_video_note(self, where: BotAccount | Group, content: bytes, *, duration: int = 5) -> Message:
        """Send a round video."""
        return self.send(where, Attachment("video_note", content, extras={"duration": duration}))

    def send_sticker(self, where: BotAccount | Group, content: bytes = b"sticker", *, emoji: str = "👍") -> Message:
        """Send a sticker."""
        return self.send(where, Attachment("sticker", content, extras={"emoji": emoji}))

    def send_document(
        self,
        where: BotAccount | Group,
        content: bytes,
        *,
        name: str = "file.bin",
        mime: str = "",
        caption: str = "",
        entities: Sequence[Json] | None = None,
    ) -> Message:
        """Send a file."""
        return self.send(where, Attachment("document", content, caption, name, mime), entities=entities)

    def send_audio(
        self,
        where: BotAccount | Group,
        content: bytes,
        *,
        duration: int = 60,
        title: str = "",
        performer: str = "",
        name: str = "audio.mp3",
        caption: str = "",
    ) -> Message:
        """Send music."""
        extras: Json = {"duration": duration, "title": title, "performer": performer}
        return self.send(where, Attachment("audio", content, caption, name, "audio/mpeg", extras))

    def send_location(
        self, where: BotAccount | Group, latitude: float = 17.4689, longitude: float = 106.6223
    ) -> Message:
        """Share a place; Đồng Hới by default."""
        return self._post(where, {"location": {"latitude": latitude, "longitude": longitude}})

    def send_venue(
        self,
        where: BotAccount | Group,
        title: str,
        address: str,
        latitude: float = 17.4689,
        longitude: float = 106.6223,
    ) -> Message:
        """Share a place with a name."""
        location = {"latitude": latitude, "longitude": longitude}
        content = {"location": location, "venue": {"location": location, "title": title, "address": address}}
        return self._post(where, content)

    def send_contact(self, where: BotAccount | Group, phone_number: str = "", first_name: str = "") -> Message:
        """Share a contact, by default one's own."""
        contact: Json = {"phone_number": phone_number or self.phone_number}
        contact["first_name"] = first_name or self.json["first_name"]
        if not phone_number:
            contact["user_id"] = self.json["id"]
        return self._post(where, {"contact": contact})

    def send_album(self, where: BotAccount | Group, items: Iterable[Attachment | bytes]) -> Album:
        """Send several files as one album; plain bytes are photos."""
        album = self.server.fresh_id()
        attachments = [Attachment("photo", i) if isinstance(i, bytes) else i for i in items]
        return Album(self.send(where, attachment, album=album) for attachment in attachments)
