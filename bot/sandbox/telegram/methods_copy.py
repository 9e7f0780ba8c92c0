"""Methods that pass on messages: copy and forward, one or many to one chat."""

from __future__ import annotations

from bot.sandbox.telegram.calls import Call
from bot.sandbox.telegram.chats import Chat, Message
from bot.sandbox.telegram.errors import Json, bad_request

_NOT_PASSED_ON = ("reply_markup", "has_protected_content", "media_group_id")


def _source(call: Call, verb: str) -> Message:
    chat = call.chat("from_chat_id", reach=False)
    message = chat.message(call.integer("message_id"))
    if message is None:
        raise bad_request(f"message to {verb} not found")
    if message.is_service or message.content.get("has_protected_content"):
        raise bad_request(f"message can't be {'copied' if verb == 'copy' else 'forwarded'}")
    return message


def _sources(call: Call, verb: str) -> list[Message]:
    ids = call.listed("message_ids")
    if not ids:
        raise bad_request("Message identifiers are not specified")
    if len(ids) > 100:
        raise bad_request(f"Too many messages to {verb}")
    if any(not isinstance(i, int) for i in ids) or sorted(set(ids)) != ids:
        raise bad_request("Message identifiers must be in a strictly increasing order")
    chat = call.chat("from_chat_id", reach=False)
    found = [m for m in map(chat.message, ids) if m is not None]
    passed = [m for m in found if not m.is_service and not m.content.get("has_protected_content")]
    if not passed:
        raise bad_request(f"there are no messages to {verb}")
    return passed


def _content(message: Message) -> Json:
    kept = {k: v for k, v in message.content.items() if k not in (*_NOT_PASSED_ON, "forward_origin")}
    if "poll" in kept:
        kept["poll"] = {**kept["poll"]}
    return kept


def _forwarded(call: Call, message: Message) -> Json:
    return _content(message) | {"forward_origin": call.server.origin(message)}


def copy_message(call: Call) -> Json:
    source = _source(call, "copy")
    content = _content(source)
    if "caption" in call.params and source.file is not None:
        content = {k: v for k, v in content.items() if not k.startswith("caption")} | call.caption()
    sent = call.send(call.chat(), content, source.file)
    return {"message_id": sent["message_id"]}


def forward_message(call: Call) -> Json:
    source = _source(call, "forward")
    return call.send(call.chat(), _forwarded(call, source), source.file)


def _many(call: Call, chat: Chat, contents: list[tuple[Message, Json]]) -> list[Json]:
    call.take(chat, len(contents))
    return [{"message_id": call.deliver(chat, content, source.file).id} for source, content in contents]


def copy_messages(call: Call) -> list[Json]:
    sources = _sources(call, "copy")
    bare = call.flag("remove_caption")
    contents = [_content(m) for m in sources]
    if bare:
        contents = [{k: v for k, v in c.items() if not k.startswith("caption")} for c in contents]
    return _many(call, call.chat(), list(zip(sources, contents, strict=True)))


def forward_messages(call: Call) -> list[Json]:
    sources = _sources(call, "forward")
    return _many(call, call.chat(), [(m, _forwarded(call, m)) for m in sources])


METHODS = {
    "copyMessage": copy_message,
    "copyMessages": copy_messages,
    "forwardMessage": forward_message,
    "forwardMessages": forward_messages,
}
