"""Methods that change what was sent: edit, delete, pin, react."""

from __future__ import annotations

from bot.sandbox.telegram.calls import Call
from bot.sandbox.telegram.chats import Message
from bot.sandbox.telegram.errors import Json, bad_request
from bot.sandbox.telegram.files import StoredFile
from bot.sandbox.telegram.methods_send import album_item

_SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)
_CAPTION = ("caption", "caption_entities", "show_caption_above_media")
_TEXT = ("text", "entities", "link_preview_options")


def _own(call: Call) -> Message:
    if call.text("inline_message_id"):
        raise bad_request("MESSAGE_ID_INVALID")
    chat = call.chat()
    if not call.text("message_id"):
        raise bad_request("message identifier is not specified")
    message = chat.message(call.integer("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if message.sender["id"] != call.bot.id or "forward_origin" in message.content or message.is_service:
        raise bad_request("message can't be edited")
    return message


def _change(call: Call, message: Message, content: Json, file: StoredFile | None) -> Json:
    if content == message.content and file is message.file:
        raise bad_request(_SAME)
    only_markup = _without(content, ("reply_markup",)) == _without(message.content, ("reply_markup",))
    if not only_markup or file is not message.file:
        message.edit_date = call.server.now()
    message.content, message.file = content, file
    call.server.announce("edited", message)
    return message.json(call.bot.id)


def _without(content: Json, names: tuple[str, ...]) -> Json:
    return {k: v for k, v in content.items() if k not in names}


def edit_text(call: Call) -> Json:
    new = call.message_text() | call.markup(inline_only=True)
    message = _own(call)
    if "text" not in message.content:
        raise bad_request("there is no text in the message to edit")
    preview = call.data("link_preview_options")
    if isinstance(preview, dict) and preview:
        new["link_preview_options"] = preview
    return _change(call, message, _without(message.content, (*_TEXT, "reply_markup")) | new, None)


def edit_caption(call: Call) -> Json:
    new = call.caption() | call.markup(inline_only=True)
    message = _own(call)
    if message.file is None or message.kind in ("sticker", "video_note"):
        raise bad_request("there is no caption in the message to edit")
    return _change(call, message, _without(message.content, (*_CAPTION, "reply_markup")) | new, message.file)


def edit_media(call: Call) -> Json:
    media = call.data("media")
    if media is None:
        raise bad_request("there is no media in the request")
    message = _own(call)
    _, file, new = album_item(call, media)
    kept = _without(message.content, (*_CAPTION, *_TEXT, "reply_markup", "has_media_spoiler"))
    return _change(call, message, kept | new | call.markup(inline_only=True), file)


def edit_markup(call: Call) -> Json:
    message = _own(call)
    content = _without(message.content, ("reply_markup",)) | call.markup(inline_only=True)
    return _change(call, message, content, message.file)


def _may_delete(call: Call, message: Message) -> bool:
    if call.server.now() - message.date > call.server.timing.delete_lifetime:
        return False
    own = message.sender["id"] == call.bot.id
    return own or message.chat.is_private or call.server.is_admin(message.chat, call.bot)


def delete_message(call: Call) -> bool:
    chat = call.chat()
    if not call.text("message_id"):
        raise bad_request("message identifier is not specified")
    message = chat.message(call.integer("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    if not _may_delete(call, message):
        raise bad_request("message can't be deleted")
    call.server.delete(message)
    return True


def delete_messages(call: Call) -> bool:
    ids = call.listed("message_ids")
    if not ids:
        raise bad_request("Message identifiers are not specified")
    if len(ids) > 100:
        raise bad_request("Too many message identifiers specified")
    chat = call.chat()
    for message in [m for m in map(chat.message, ids) if m is not None and _may_delete(call, m)]:
        call.server.delete(message)
    return True


def pin(call: Call) -> bool:
    chat = call.chat()
    message = chat.message(call.integer("message_id"))
    if message is None:
        raise bad_request("message to pin not found")
    if not chat.is_private and not call.server.is_admin(chat, call.bot):
        raise bad_request("not enough rights to manage pinned messages in the chat")
    chat.pinned = message
    call.server.announce("pinned", message)
    call.server.post(chat, call.bot.json, {"pinned_message": message.json(call.bot.id, nested=True)})
    return True


def unpin(call: Call) -> bool:
    chat = call.chat()
    wanted = call.integer("message_id")
    if chat.pinned is None or (wanted and chat.pinned.id != wanted):
        raise bad_request("message to unpin not found")
    chat.pinned = None
    return True


def unpin_all(call: Call) -> bool:
    call.chat().pinned = None
    return True


def react(call: Call) -> bool:
    chat = call.chat()
    message = chat.message(call.integer("message_id"))
    if message is None:
        raise bad_request("message to react not found")
    reactions = call.listed("reaction")
    if len(reactions) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    if any(not isinstance(r, dict) or r.get("type") not in ("emoji", "custom_emoji", "paid") for r in reactions):
        raise bad_request("REACTION_INVALID")
    message.reactions = {**(message.reactions or {}), call.bot.id: reactions}
    call.server.announce("reaction", message)
    return True


METHODS = {
    "editMessageText": edit_text,
    "editMessageCaption": edit_caption,
    "editMessageMedia": edit_media,
    "editMessageReplyMarkup": edit_markup,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
    "pinChatMessage": pin,
    "unpinChatMessage": unpin,
    "unpinAllChatMessages": unpin_all,
    "setMessageReaction": react,
}
