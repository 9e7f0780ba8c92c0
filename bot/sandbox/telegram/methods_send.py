"""Methods that send: text, media, albums, places, contacts, polls, actions."""

from __future__ import annotations

from bot.sandbox.telegram.calls import Call
from bot.sandbox.telegram.chats import Chat
from bot.sandbox.telegram.errors import Json, bad_request, named
from bot.sandbox.telegram.files import StoredFile

ACTIONS = named(
    "typing upload_photo record_video upload_video record_voice upload_voice upload_document choose_sticker "
    "find_location record_video_note upload_video_note"
)
_ALBUM = frozenset({"photo", "video", "audio", "document"})
_EXTRAS = ("duration", "width", "height", "length")


def send_message(call: Call) -> Json:
    content = call.message_text()
    preview = call.data("link_preview_options")
    if isinstance(preview, dict) and preview:
        content["link_preview_options"] = preview
    elif call.flag("disable_web_page_preview"):
        content["link_preview_options"] = {"is_disabled": True}
    return call.send(call.chat(), content)


def _extras(call: Call) -> Json:
    extras: Json = {name: call.integer(name) for name in _EXTRAS if call.text(name)}
    return extras | {name: call.text(name) for name in ("performer", "title", "emoji") if call.text(name)}


def _send_file(call: Call, kind: str, *, captioned: bool = True) -> Json:
    content = call.caption() if captioned else {}
    if call.flag("has_spoiler"):
        content["has_media_spoiler"] = True
    chat = call.chat()
    return call.send(chat, content, call.file(kind, extras=_extras(call)))


def send_photo(call: Call) -> Json:
    return _send_file(call, "photo")


def send_video(call: Call) -> Json:
    return _send_file(call, "video")


def send_animation(call: Call) -> Json:
    return _send_file(call, "animation")


def send_voice(call: Call) -> Json:
    return _send_file(call, "voice")


def send_audio(call: Call) -> Json:
    return _send_file(call, "audio")


def send_document(call: Call) -> Json:
    return _send_file(call, "document")


def send_video_note(call: Call) -> Json:
    return _send_file(call, "video_note", captioned=False)


def send_sticker(call: Call) -> Json:
    return _send_file(call, "sticker", captioned=False)


def album_item(call: Call, item: object) -> tuple[str, StoredFile, Json]:
    """Kind, file and caption of one InputMedia."""
    if not isinstance(item, dict):
        raise bad_request("Can't parse InputMedia: Expected an Object")
    kind = item.get("type")
    if kind not in ("photo", "video", "audio", "document", "animation"):
        raise bad_request("Can't parse InputMedia: type must be one of photo, video, animation, audio, document")
    media = item.get("media")
    if not isinstance(media, str) or not media:
        raise bad_request("Can't parse InputMedia: media not found")
    extras: Json = {name: item[name] for name in (*_EXTRAS, "performer", "title") if item.get(name)}
    content = call.caption(item)
    if item.get("has_spoiler"):
        content["has_media_spoiler"] = True
    return kind, call.file(kind, media, extras=extras), content


def send_media_group(call: Call) -> list[Json]:
    media = call.listed("media")
    if not media:
        raise bad_request("There are no messages to send")
    if len(media) < 2:
        raise bad_request("There are too few messages to send as an album")
    if len(media) > 10:
        raise bad_request("Too many messages to send as an album")
    chat = call.chat()
    items = [album_item(call, item) for item in media]
    kinds = {kind for kind, _, _ in items}
    if kinds - _ALBUM:
        raise bad_request("Can't use the media of the specified type in the album")
    for alone in ("document", "audio"):
        if alone in kinds and len(kinds) > 1:
            raise bad_request(f"{alone.capitalize()} can't be mixed with other media types")
    reply_to = call.reply_to(chat)
    call.take(chat, len(items))
    album = call.server.fresh_id()
    return [
        call.deliver(chat, content | {"media_group_id": album}, file, reply_to).json(call.bot.id)
        for _, file, content in items
    ]


def _location(call: Call) -> Json:
    for name in ("latitude", "longitude"):
        if not call.text(name):
            raise bad_request(f"{name} is empty")
    latitude, longitude = call.number("latitude"), call.number("longitude")
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise bad_request("Wrong latitude or longitude specified")
    return {"latitude": latitude, "longitude": longitude}


def send_location(call: Call) -> Json:
    location = _location(call)
    if call.text("live_period"):
        location["live_period"] = call.integer("live_period")
    return call.send(call.chat(), {"location": location})


def send_venue(call: Call) -> Json:
    location = _location(call)
    if not call.text("title") or not call.text("address"):
        raise bad_request("VENUE_TITLE_EMPTY" if not call.text("title") else "VENUE_ADDRESS_EMPTY")
    venue = {"location": location, "title": call.text("title"), "address": call.text("address")}
    return call.send(call.chat(), {"location": location, "venue": venue})


def send_contact(call: Call) -> Json:
    if not call.text("phone_number"):
        raise bad_request("phone_number is empty")
    if not call.text("first_name"):
        raise bad_request("first_name is empty")
    names = ("phone_number", "first_name", "last_name", "vcard")
    return call.send(call.chat(), {"contact": {name: call.text(name) for name in names if call.text(name)}})


def _options(call: Call) -> list[Json]:
    options = [o if isinstance(o, dict) else {"text": str(o)} for o in call.listed("options")]
    if len(options) < 2:
        raise bad_request("Poll must have at least 2 option" if options else "options must be non-empty")
    if len(options) > 12:
        raise bad_request("Poll can't have more than 12 options")
    texts = [str(o.get("text", "")).strip() for o in options]
    if any(not text for text in texts):
        raise bad_request("Poll options must be non-empty")
    if any(len(text) > 100 for text in texts):
        raise bad_request("Poll options length must not exceed 100")
    return [{"persistent_id": str(i), "text": text, "voter_count": 0} for i, text in enumerate(texts)]


def send_poll(call: Call) -> Json:
    question = call.text("question").strip()
    if not question:
        raise bad_request("Poll question must be non-empty")
    if len(question) > 300:
        raise bad_request("Poll question length must not exceed 300")
    options = _options(call)
    kind = call.text("type") or "regular"
    poll: Json = {
        "id": call.server.fresh_id(),
        "question": question,
        "options": options,
        "total_voter_count": 0,
        "is_closed": call.flag("is_closed"),
        "is_anonymous": call.flag("is_anonymous") if call.text("is_anonymous") else True,
        "type": kind,
        "allows_multiple_answers": call.flag("allows_multiple_answers"),
        "allows_revoting": kind == "regular",
        "members_only": False,
    }
    if kind == "quiz":
        right = call.integer("correct_option_id", -1)
        ids = call.listed("correct_option_ids") or [right]
        if any(not isinstance(i, int) or not 0 <= i < len(options) for i in ids):
            raise bad_request("Wrong correct option ID specified")
        poll |= {"correct_option_id": ids[0], "correct_option_ids": ids}
        if call.text("explanation"):
            poll["explanation"] = call.text("explanation")
    return call.send(call.chat(), {"poll": poll})


def stop_poll(call: Call) -> Json:
    chat: Chat = call.chat()
    message = chat.message(call.integer("message_id"))
    if message is None or "poll" not in message.content:
        raise bad_request("message with poll to stop not found")
    message.content["poll"]["is_closed"] = True
    call.server.announce("edited", message)
    return dict(message.content["poll"])


def send_chat_action(call: Call) -> bool:
    action = call.text("action")
    chat = call.chat()
    if action not in ACTIONS:
        raise bad_request("Wrong parameter action in request")
    if len(chat.actions) < 1000:
        chat.actions.append(action)
    call.server.stream.publish("chat_action", call.bot.id, chat.id, {"action": action})
    return True


METHODS = {
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendVideo": send_video,
    "sendAnimation": send_animation,
    "sendVoice": send_voice,
    "sendAudio": send_audio,
    "sendDocument": send_document,
    "sendVideoNote": send_video_note,
    "sendSticker": send_sticker,
    "sendMediaGroup": send_media_group,
    "sendLocation": send_location,
    "sendVenue": send_venue,
    "sendContact": send_contact,
    "sendPoll": send_poll,
    "stopPoll": stop_poll,
    "sendChatAction": send_chat_action,
}
