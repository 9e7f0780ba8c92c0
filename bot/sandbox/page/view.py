"""What the page is told: messages, chats and people as plain JSON values."""

from __future__ import annotations

from urllib.parse import quote

from bot.sandbox.page.lines import Lines
from bot.sandbox.sample import Character, Town
from bot.sandbox.telegram import Chat, Group, Message, PrivateChat
from bot.sandbox.telegram.errors import Json
from bot.sandbox.telegram.files import StoredFile

SNIPPET = 160
_KEPT = ("location", "venue", "contact", "poll", "media_group_id")


def message(shown: Message) -> Json:
    """One message. Texts are as people wrote them: the page never reads them as HTML."""
    found: Json = {
        "id": shown.id,
        "kind": shown.kind,
        "bot": shown.from_bot,
        "from": {"id": shown.sender["id"], "name": full_name(shown.sender)},
        "date": shown.date,
        "text": shown.text,
        "entities": shown.entities,
    }
    found |= {name: shown.content[name] for name in _KEPT if name in shown.content}
    if shown.file is not None:
        found["file"] = file(shown.file)
    if markup := shown.reply_markup:
        found["markup"] = markup
    if shown.edit_date is not None:
        found["edited"] = shown.edit_date
    if shown.deleted:
        found["deleted"] = True
    if shown.reply_to is not None:
        found["reply_to"] = {"id": shown.reply_to.id, "text": snippet(shown.reply_to)}
    if origin := shown.content.get("forward_origin"):
        found["origin"] = _origin(origin)
    if shown.is_service:
        found["service"] = _service(shown.content)
    return found


def brief(shown: Json) -> Json:
    """As much of a message as a page needs that was opened later."""
    found: Json = {name: shown[name] for name in ("id", "kind", "bot", "date", "service") if name in shown}
    found["text"] = shown["text"][: 4 * SNIPPET]
    if "file" in shown:
        found["file"] = {"name": shown["file"]["name"]}
    return found


def file(stored: StoredFile) -> Json:
    """A file and where the page fetches it."""
    about: Json = {"url": f"api/file/{quote(stored.path)}", "name": stored.name, "mime": stored.mime}
    about |= {"size": len(stored.content), "width": stored.width, "height": stored.height}
    return about | {k: stored.extras[k] for k in ("duration", "title", "performer") if stored.extras.get(k)}


_WORDS = {
    "photo": "Ảnh",
    "video": "Video",
    "animation": "Ảnh động",
    "voice": "Tin thoại",
    "audio": "Âm thanh",
    "document": "Tệp",
    "video_note": "Video tròn",
    "sticker": "Nhãn dán",
    "location": "Vị trí",
    "venue": "Địa điểm",
    "contact": "Danh thiếp",
    "poll": "Bình chọn",
}


def snippet(shown: Message) -> str:
    """The beginning of a message on one line."""
    kind = _WORDS.get(shown.kind, "")
    if shown.kind == "document" and shown.file is not None:
        kind = f"{kind} {shown.file.name}"
    text = " ".join(shown.text.split())[:SNIPPET]
    return f"{kind}: {text}" if kind and text else kind or text


def full_name(user: Json) -> str:
    return " ".join(str(user[k]) for k in ("first_name", "last_name") if user.get(k))


def _origin(origin: Json) -> str:
    if origin.get("type") == "user":
        return full_name(origin["sender_user"])
    return str(origin.get("sender_user_name") or origin.get("chat", {}).get("title") or "ẩn danh")


def _service(content: Json) -> str:
    if joined := content.get("new_chat_members"):
        return ", ".join(full_name(u) for u in joined) + " đã vào nhóm"
    if gone := content.get("left_chat_member"):
        return full_name(gone) + " đã rời nhóm"
    return "Nhóm đã đổi"


def chat(found: Chat, newest: int = 200) -> Json:
    """A chat as its person sees it."""
    shown: Json = {"id": found.id, "messages": [message(m) for m in found.messages[-newest:]]}
    if found.keyboard:
        shown["keyboard"] = found.keyboard
    if isinstance(found, PrivateChat):
        shown |= {"started": found.started, "blocked": found.blocked}
    if isinstance(found, Group):
        shown |= {"title": found.title, "members": len(found.members)}
    return shown


def person(town: Town, lines: Lines, about: Character) -> Json:
    """One person for the list."""
    place = town.places.get(about.unit)
    own = lines.usual(about)
    return {
        "id": about.id,
        "name": about.name,
        "part": about.part,
        "unit": about.unit,
        "place": place.name if place else "",
        "commune": place.commune if place else "",
        "group": about.group,
        "about": about.about,
        "blocked": own.blocked,
        "places": lines.places(about),
        "groups": [g.id for g in town.groups if about.telegram and about.telegram.id in g.members],
        "last": own.last(),
    }
