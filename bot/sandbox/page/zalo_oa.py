"""Zalo Official Account on the page: chats with real buttons, following, and messages that cost something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from bot.sandbox.page import zalo
from bot.sandbox.page.lines import ChatId, Do, File, Line, Site, Tell, Wrong, said, sample, words
from bot.sandbox.sample import Character, Town
from bot.sandbox.telegram.errors import Json
from bot.sandbox.telegram.files import picture_size
from bot.sandbox.zalo_oa import CS_PATH, Button, OaUser, Received, ZaloOaSandbox

_HIDDEN = "oa.query.hide"
_RATE_LIMIT = -32
_KINDS = {"image": "photo", "gif": "animation", "sticker": "sticker", "file": "document"}
_MIMES = {"image": "image/jpeg", "gif": "image/gif", "file": "application/octet-stream"}


class OaLine:
    """One person's chat with the Official Account."""

    def __init__(self, world: ZaloOaSandbox, site: Site, who: Character, user: OaUser, chat: ChatId) -> None:
        self.world = world
        self.site = site
        self.who = who
        self.user = user
        self._chat = chat
        self._sent: dict[str, Json] = {}

    @property
    def chat(self) -> ChatId:
        return self._chat

    @property
    def blocked(self) -> bool:
        return self.user.blocked

    @property
    def errands(self) -> Mapping[str, Do]:
        return {
            "write": self.write,
            "sample": self.sample,
            "location": self.location,
            "press": self.press,
            "follow": self.follow,
            "block": self.block,
        }

    def shown(self) -> Json:
        return zalo.shown(self)

    def last(self) -> Json | None:
        return zalo.newest(self)

    def standing(self) -> Json:
        return {"following": self.user.following, "blocked": self.user.blocked}

    def messages(self) -> Sequence[Json]:
        """What a button sends in secret does not stand in the chat."""
        received = {m.id: m for m in self.user.received}
        secret = {b.payload for m in received.values() for b in m.buttons if b.kind == _HIDDEN}
        lines = enumerate(self.user.history, 1)
        visible = ((n, line) for n, line in lines if line["message"] not in secret or line["message_id"] in received)
        return [self._message(n, line, received.get(line["message_id"])) for n, line in visible]

    def _message(self, number: int, line: Json, received: Received | None) -> Json:
        at, text = line["time"] / 1000, line["message"]
        if received is None:
            more = self._sent.get(line["message_id"], {})
            return zalo.message(number, self.who, "", at, text, **more)
        more = self._attached(received)
        if received.buttons:
            more["markup"] = {"inline_keyboard": [[_button(b)] for b in received.buttons]}
        if received.billed:
            more["billed"] = True
        if received.origin == "agent":
            more["agent"] = True
        return zalo.message(number, None, self.world.oa_name, at, text, **more)

    def _attached(self, received: Received) -> Json:
        """A picture is what was uploaded, or stands at an address."""
        kind = _KINDS.get(received.kind)
        if kind is None or received.attachment is None:
            return {}
        asset = self.world.uploads.assets.get(received.content.asset)
        if asset is None:
            elements = received.attachment["payload"].get("elements", [{}])
            return zalo.picture(self.site, str(elements[0].get("url", "")), kind=kind)
        width, height = picture_size(asset.content) or (None, None)
        about = {"name": asset.name, "mime": _MIMES[asset.kind], "size": len(asset.content)}
        at = f"api/file/zalo/{quote(received.content.asset)}"
        # a moving picture is no film here, so it is drawn like any picture
        shown_as = "photo" if kind == "animation" else kind
        return {"kind": shown_as, "file": {"url": at, "width": width, "height": height, **about}}

    # Saying

    async def write(self, asked: Json) -> Json:
        number = asked.get("reply_to")
        line = self.user.history[number - 1] if isinstance(number, int) and self._is_there(number) else None
        made = self.user.write(said(asked, zalo.MAX_TEXT), line["message_id"] if line else None)
        quoted = {"reply_to": {"id": number, "text": line["message"][:160]}} if line else {}
        return self._done(made, **quoted)

    async def sample(self, asked: Json) -> Json:
        path = sample(asked, *zalo.PICTURES, ".ogg")
        url = self.site.address(f"samples/{quote(path.name)}")
        if path.suffix == ".ogg":
            return self._done(self.user.send_audio(url), **zalo.picture(self.site, url, kind="voice", name=path.name))
        caption = words(asked, "caption", zalo.MAX_TEXT)
        return self._done(self.user.send_image(url, caption), **zalo.picture(self.site, url, name=path.name))

    async def location(self, _asked: Json) -> Json:
        point = {"latitude": 17.6103, "longitude": 106.3075}
        return self._done(self.user.send_location(**point), kind="location", location=point)

    # Doing

    async def press(self, asked: Json) -> Json:
        """Tap a button: it sends its words in secret, or leads somewhere."""
        number, payload = asked.get("message"), words(asked, "button", 1000)
        if not isinstance(number, int) or not self._is_there(number):
            raise Wrong("Tin này không còn nữa.")
        id = self.user.history[number - 1]["message_id"]
        buttons = (b for m in self.user.received if m.id == id for b in m.buttons)
        button = next((b for b in buttons if b.payload == payload), None)
        if button is None:
            raise Wrong("Nút này không còn nữa.")
        if not button.kind.startswith("oa.query."):
            return {"url": _address(button)}
        self.user.write(button.payload)
        return {}

    async def follow(self, asked: Json) -> Json:
        wanted = asked.get("following") is True
        if wanted != self.user.following:
            (self.user.follow if wanted else self.user.unfollow)()
        return {"following": wanted}

    async def block(self, asked: Json) -> Json:
        wanted = asked.get("blocked") is True
        (self.user.block if wanted else self.user.unblock)()
        self.world.changed("block", self.user)
        return {"blocked": wanted}

    def _is_there(self, number: int) -> bool:
        return 0 < number <= len(self.user.history)

    def _done(self, id: str, **more: object) -> Json:
        self._sent[id] = more
        number = next(n for n, line in enumerate(self.user.history, 1) if line["message_id"] == id)
        return {"messages": [self._message(number, self.user.history[number - 1], None)]}


class OaPlatform:
    """The Official Account."""

    channel = "zalo_oa"

    def __init__(self, town: Town, site: Site) -> None:
        self.world = town.worlds.zalo_oa
        self.site = site
        self.lines: dict[str, zalo.ZaloLine] = {}
        self.news = zalo.News(self.lines)

    def about(self) -> Json:
        return {
            "name": "Zalo OA",
            "title": self.world.oa_name,
            "note": "Tài khoản OA",
            "about": "Bấm Quan tâm để Loa Số gửi lời chào và hỏi bà con có muốn nhận tin không.",
            "commands": [],
            "link": f"zalo.me/{self.world.oa_id}",
            "max_text": zalo.MAX_TEXT,
            "replies": True,
        }

    def line(self, who: Character, chat: ChatId) -> Line:
        if who.zalo_oa is None:
            raise LookupError(f"{who.name} does not have Zalo")
        made = OaLine(self.world, self.site, who, who.zalo_oa, chat)
        self.lines[who.zalo_oa.id] = made
        return made

    def groups(self, who: Character) -> Mapping[str, Line]:
        return {}

    async def listen(self, tell: Tell) -> None:
        self.world.on_change.append(self._changed)
        try:
            await self.news.listen(tell)
        finally:
            self.world.on_change.remove(self._changed)

    def file(self, path: str) -> File | None:
        kind, _, id = path.partition("/")
        asset = self.world.uploads.assets.get(id) if kind == "zalo" else None
        return File(asset.content, _MIMES[asset.kind]) if asset is not None else None

    def sent(self) -> int:
        return self.world.journal.count(CS_PATH)

    def refused(self) -> int:
        return self.world.journal.count(error=_RATE_LIMIT)

    def _changed(self, _what: str, user: OaUser | None) -> None:
        if user is not None:
            self.news.changed(user.id)


def _button(button: Button) -> Json:
    leads = not button.kind.startswith("oa.query.")
    return {"text": button.title, **({"url": _address(button)} if leads else {"callback_data": button.payload})}


def _address(button: Button) -> str:
    return button.payload if button.kind == "oa.open.url" else f"tel:{button.payload}"
