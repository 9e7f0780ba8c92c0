"""People: what somebody does in Zalo with the Official Account, as methods for tests and for a chat page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.sandbox.zalo_oa.contents import Button, Received
from bot.sandbox.zalo_oa.errors import Json
from bot.sandbox.zalo_oa.events import attachment

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.world import World

_CDN = "https://f6-photo-talk.zdn.vn"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a broadcast may be aimed by, each as the number that the platform uses; `None`: the person is in every
    group of that kind."""

    ages: int | None = None
    gender: int | None = None
    locations: int | None = None
    cities: int | None = None
    platform: int | None = None


@dataclass(slots=True)
class Shared:
    """What the OA keeps about a person: notes, tags, what they sent through the form."""

    tags: list[str] = field(default_factory=list)
    info: dict[str, str] = field(default_factory=dict)
    alias: str = ""


class OaUser:
    """One person. `received` is their chat with the OA as they see it, oldest first, group messages apart;
    `written` what they wrote, by the id of the message; `last_interaction` is unix seconds, `None` before the first.
    `oa_admin` makes them one of the OA's administrators. Methods that write return the id of the message."""

    def __init__(self, world: World, name: str, profile: Profile) -> None:
        self._world = world
        self.id = world.names.number()
        self.id_by_app = world.names.number()
        self.name = name
        self.profile = profile
        self.shared = Shared()
        self.following = False
        self.blocked = False
        self.restricted = False
        self.inactive = False
        self.oa_admin = False
        self.received: list[Received] = []
        self.written: dict[str, str] = {}
        self.history: list[Json] = []
        self.last_interaction: float | None = None
        self._chatted = False

    def __repr__(self) -> str:
        return f"<OaUser {self.id}>"

    @property
    def texts(self) -> list[str]:
        """The texts of what they received, oldest first."""
        return [message.text for message in self.received]

    @property
    def reachable(self) -> bool:
        """Whether a broadcast reaches them."""
        return self.following and not (self.blocked or self.restricted or self.inactive)

    @property
    def window_open(self) -> bool:
        """Whether they interacted in the last seven days."""
        since = self.last_interaction
        return since is not None and self._world.clock() - since <= self._world.limits.window

    def take(self, message: Received) -> None:
        """A message arrives in their chat with the OA."""
        self.received.append(message)
        self._remember(message.id, message.kind, message.text, by_oa=True)

    def follow(self, source: str = "oa_profile") -> None:
        """Press "Quan tâm". `source` is oa_profile, message_invite or social_plugin."""
        self.following = True
        self._interact()
        self._emit(self._world.shapes.follower(self, "follow", source=source))

    def unfollow(self) -> None:
        """Press "Bỏ quan tâm". The window stays as it was."""
        self.following = False
        self._emit(self._world.shapes.follower(self, "unfollow", source="oa_profile"))

    def write(self, text: str, quote: Received | str | None = None) -> str:
        """Write a text, perhaps as an answer to a message."""
        more = {} if quote is None else {"quote_msg_id": quote if isinstance(quote, str) else quote.id}
        return self._say("user_send_text", text=text, **more)

    def send_image(self, url: str = "", caption: str = "") -> str:
        """A picture, its address being public."""
        url = url or f"{_CDN}/{self._world.names.token(24)}.jpg"
        more = {"text": caption} if caption else {}
        return self._say("user_send_image", attachments=attachment("image", thumbnail=url, url=url), **more)

    def send_gif(self, url: str = "") -> str:
        """A moving picture."""
        url = url or f"{_CDN}/{self._world.names.token(24)}.gif"
        return self._say("user_send_gif", attachments=attachment("gif", thumbnail=url, url=url))

    def send_link(self, url: str, description: str = "") -> str:
        """A link with its preview."""
        found = attachment("link", thumbnail=f"{_CDN}/preview.jpg", description=description, url=url)
        return self._say("user_send_link", text=url, attachments=found)

    def send_audio(self, url: str = "") -> str:
        """A voice message."""
        url = url or f"{_CDN}/{self._world.names.token(24)}.amr"
        return self._say("user_send_audio", attachments=attachment("audio", url=url))

    def send_video(self, url: str = "") -> str:
        """A film."""
        url = url or f"{_CDN}/{self._world.names.token(24)}.mp4"
        found = attachment("video", thumbnail=f"{_CDN}/still.jpg", description="", url=url)
        return self._say("user_send_video", attachments=found)

    def send_sticker(self, id: str = "46001") -> str:
        """A sticker."""
        url = f"https://stickers.zaloapp.com/{id}.png"
        return self._say("user_send_sticker", attachments=attachment("sticker", id=id, url=url))

    def send_location(self, latitude: float, longitude: float) -> str:
        """Where they are; the platform writes coordinates as strings."""
        where = {"latitude": str(latitude), "longitude": str(longitude)}
        return self._say("user_send_location", attachments=attachment("location", coordinates=where))

    def send_file(self, name: str, size: int = 1024, url: str = "") -> str:
        """A file of any type."""
        url = url or f"{_CDN}/{self._world.names.token(24)}"
        found = attachment(
            "file",
            size=str(size),
            name=name,
            checksum=self._world.names.hexadecimal(),
            type=name.rpartition(".")[2],
            url=url,
        )
        return self._say("user_send_file", attachments=found)

    def send_business_card(self, phone: str = "84912345678") -> str:
        """Somebody's card: a link whose description is JSON in a string."""
        found = attachment("link", thumbnail="", description=f'{{"phone":"{phone}"}}', url="")
        return self._say("user_send_business_card", attachments=found)

    def tap(self, label: str) -> str:
        """Tap a button of the newest message that has one so labelled. A query makes them write its payload (and the
        id of that message is returned); an address, a number is returned as it is. Raises `LookupError`."""
        button = self._button(label)
        if button.kind.startswith("oa.query."):
            return self.write(button.payload)
        return button.payload

    def click_chatnow(self) -> bool:
        """Tap "Nhắn tin" on the OA's profile. Reported once, and only before any chat: `False` if not."""
        if self._chatted:
            return False
        self._interact()
        self._emit(self._world.shapes.about_user(self, "user_click_chatnow"))
        return True

    def submit_info(self, *, older_form: bool = False, **info: str) -> None:
        """Fill in the form that the OA asked for: name, phone, city, ward, address, dob, gender."""
        told = {"name": self.name, "phone": "84912345678"} | info
        self.shared.info.update(told)
        self._interact()
        self._emit(self._world.shapes.from_user(self, "user_submit_info", info=_form(told, older_form=older_form)))

    def react(self, message: Received, icon: str = "/-heart") -> None:
        """React to a message of the OA."""
        shown = {"msg_id": message.id, "react_icon": icon}
        self._emit(self._world.shapes.from_user(self, "user_reacted_message", message=shown))

    def withdraw(self) -> None:
        """Ask that everything about them be erased."""
        self._emit(self._world.shapes.about_user(self, "user_withdraw"))

    def reads(self) -> list[str]:
        """Open the chat on a phone: reported for messages of the app that were not seen. Returns their ids."""
        unseen = [m for m in self.received if not m.seen and m.origin == "cs"]
        for message in unseen:
            message.seen = True
        ids = [m.id for m in unseen]
        if ids:
            self._emit(self._world.shapes.to_user(self, "user_seen_message", message={"msg_ids": ids}))
        return ids

    def block(self) -> None:
        """Block the OA: followed no more, nothing gets through (-244). Writing unblocks it."""
        if self.following:
            self.unfollow()
        self.blocked = True

    def unblock(self) -> None:
        """Let messages through again; following is another matter."""
        self.blocked = False

    def restrict(self, restricted: bool = True) -> None:
        """Refuse messages of the OA (-244) without leaving it."""
        self.restricted = restricted

    def deactivate(self, inactive: bool = True) -> None:
        """Not seen on Zalo for 45 days, or banned (-227)."""
        self.inactive = inactive

    def _button(self, label: str) -> Button:
        for message in reversed(self.received):
            for button in message.buttons:
                if button.title == label:
                    return button
        raise LookupError(f"no button {label!r}")

    def _say(self, name: str, **message: object) -> str:
        id = self._world.names.hexadecimal()
        self.blocked = False
        self._chatted = True
        self._interact()
        self.written[id] = str(message.get("text", ""))
        self._remember(id, name.removeprefix("user_send_"), self.written[id], by_oa=False)
        self._emit(self._world.shapes.from_user(self, name, message={"msg_id": id, **message}))
        return id

    def _remember(self, id: str, kind: str, text: str, *, by_oa: bool) -> None:
        """A line of the conversation as the platform lists it; unlike elsewhere its time is a number."""
        ends = (self._world.oa_id, self.id)
        line = {"src": 0, "from_id": ends[0], "to_id": ends[1]}
        if not by_oa:
            line = {"src": 1, "from_id": ends[1], "to_id": ends[0]}
        what = {"time": int(self._world.milliseconds()), "type": kind, "message": text, "message_id": id}
        self.history.append(line | what)

    def _interact(self) -> None:
        self.inactive = False
        self.last_interaction = self._world.clock()

    def _emit(self, event: Json) -> None:
        self._world.webhook.emit(event, self.id)
        self._world.changed(str(event["event_name"]), self)


def _form(told: dict[str, str], *, older_form: bool) -> Json:
    if older_form:
        return {key: told.get(key, "") for key in ("address", "phone", "city", "district", "name", "ward")}
    place = {
        "user_city": told.get("city", ""),
        "user_ward": told.get("ward", ""),
        "user_address": told.get("address", ""),
    }
    return {
        "name": told["name"],
        "phone": told["phone"],
        "user_dob": told.get("dob", ""),
        "gender": told.get("gender", ""),
        "full_address": place,
    }
