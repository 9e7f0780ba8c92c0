"""Methods that ask about chats and members, and answer what people pressed or typed."""

from __future__ import annotations

from bot.sandbox.telegram.calls import Call
from bot.sandbox.telegram.entities import units
from bot.sandbox.telegram.errors import Json, bad_request, forbidden
from bot.sandbox.telegram.members import PRESENT, member, permissions
from bot.sandbox.telegram.places import Group
from bot.sandbox.telegram.pressing import CallbackAnswer, CallbackResult, InlineQuestion

_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


def get_chat(call: Call) -> Json:
    chat = call.chat(reach=False)
    full: Json = {
        **chat.json,
        "accent_color_id": abs(chat.id) % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": {
            "unlimited_gifts": False,
            "limited_gifts": False,
            "unique_gifts": False,
            "premium_subscription": False,
            "gifts_from_channels": False,
        },
    }
    if isinstance(chat, Group):
        chat.check_reach(call.bot)
        full["permissions"] = permissions()
    if chat.pinned is not None:
        full["pinned_message"] = chat.pinned.json(call.bot.id, nested=True)
    return full


def _group(call: Call) -> Group:
    chat = call.chat()
    if not isinstance(chat, Group):
        raise bad_request("there are no administrators in the private chat")
    return chat


def get_chat_member(call: Call) -> Json:
    chat = call.chat(reach=False)
    user_id = call.integer("user_id")
    users, bots = call.server.users, call.server.bots
    known = users[user_id].json if user_id in users else bots[user_id].json if user_id in bots else None
    if known is None:
        raise bad_request("invalid user_id specified" if user_id <= 0 else "user not found")
    if not isinstance(chat, Group):
        return member(known, "member")
    chat.check_reach(call.bot)
    return member(known, chat.members.get(user_id) or chat.bots.get(user_id) or "left")


def get_chat_administrators(call: Call) -> list[Json]:
    group = _group(call)
    rights = ("creator", "administrator")
    people = [member(call.server.users[i].json, s) for i, s in group.members.items() if s in rights]
    return people + [member(call.server.bots[i].json, s) for i, s in group.bots.items() if s in rights]


def get_chat_member_count(call: Call) -> int:
    chat = call.chat()
    if not isinstance(chat, Group):
        return 2
    return sum(s in PRESENT for s in [*chat.members.values(), *chat.bots.values()])


def leave_chat(call: Call) -> bool:
    chat = call.chat()
    if not isinstance(chat, Group):
        raise bad_request("chat member status can't be changed in private chats")
    chat.bot_leaves(call.bot)
    return True


def answer_callback_query(call: Call) -> bool:
    text = call.text("text")
    if units(text) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    question = call.bot.callbacks.get(call.text("callback_query_id"))
    age = call.server.clock() - question.asked_at if isinstance(question, CallbackResult) else 0.0
    if not isinstance(question, CallbackResult) or question.answered or age > call.server.timing.callback_lifetime:
        raise bad_request(_TOO_OLD)
    answer = CallbackAnswer(text, call.flag("show_alert"), call.text("url"), call.integer("cache_time"))
    question.settle(answer)
    shown: Json = {"id": question.id, "text": text, "show_alert": answer.show_alert, "url": answer.url}
    call.server.stream.publish("callback_answer", call.bot.id, question.chat_id, shown)
    return True


def answer_inline_query(call: Call) -> bool:
    results = call.listed("results")
    if len(results) > 50:
        raise bad_request("RESULTS_TOO_MUCH")
    ids = [r.get("id") if isinstance(r, dict) else None for r in results]
    if any(not isinstance(i, str) or not 1 <= len(i.encode()) <= 64 for i in ids):
        raise bad_request("RESULT_ID_INVALID")
    if len(set(ids)) != len(ids):
        raise bad_request("RESULT_ID_DUPLICATE")
    question = call.bot.callbacks.get(call.text("inline_query_id"))
    age = call.server.clock() - question.asked_at if isinstance(question, InlineQuestion) else 0.0
    if not isinstance(question, InlineQuestion) or question.answered or age > call.server.timing.inline_lifetime:
        raise bad_request(_TOO_OLD)
    question.settle({**call.params, "results": results})
    return True


def get_user_profile_photos(call: Call) -> Json:
    if call.integer("user_id") not in call.server.users:
        raise bad_request("user not found")
    return {"total_count": 0, "photos": []}


def set_chat_menu_button(call: Call) -> bool:
    button = call.data("menu_button") or {"type": "default"}
    if not isinstance(button, dict) or button.get("type") not in ("commands", "web_app", "default"):
        raise bad_request("Can't parse menu button: Unsupported type specified")
    call.bot.profile.menu_buttons[_menu_chat(call)] = button
    return True


def get_chat_menu_button(call: Call) -> Json:
    buttons = call.bot.profile.menu_buttons
    button: Json = buttons.get(_menu_chat(call)) or buttons.get(0) or {"type": "default"}
    return {"type": "commands"} if button["type"] == "default" and call.bot.profile.commands else button


def _menu_chat(call: Call) -> int:
    if not call.text("chat_id"):
        return 0
    chat = call.chat()
    if not chat.is_private:
        raise forbidden("the chat is not private")
    return chat.id


METHODS = {
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "getChatAdministrators": get_chat_administrators,
    "getChatMemberCount": get_chat_member_count,
    "leaveChat": leave_chat,
    "answerCallbackQuery": answer_callback_query,
    "answerInlineQuery": answer_inline_query,
    "getUserProfilePhotos": get_user_profile_photos,
    "setChatMenuButton": set_chat_menu_button,
    "getChatMenuButton": get_chat_menu_button,
}
