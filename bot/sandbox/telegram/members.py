"""How membership looks in the Bot API."""

from __future__ import annotations

from bot.sandbox.telegram.errors import Json

_ADMIN_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
    "can_send_welcome_messages",
)
_MAY_SEND = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)


def member(user: Json, status: str) -> Json:
    """A ChatMember: creator, administrator, member, restricted, left or kicked."""
    shown: Json = {"user": user, "status": status}
    if status == "creator":
        shown["is_anonymous"] = False
    elif status == "administrator":
        shown |= {"can_be_edited": False, "is_anonymous": False, "can_promote_members": False}
        shown |= dict.fromkeys(_ADMIN_RIGHTS, True)
    elif status == "restricted":
        shown |= {"is_member": True, "until_date": 0, **dict.fromkeys(_MAY_SEND, False)}
    elif status == "kicked":
        shown["until_date"] = 0
    return shown


def permissions() -> Json:
    """What ordinary members of a group may do."""
    return {name: True for name in _MAY_SEND if name != "can_edit_tag"}


def change(chat: Json, by: Json, date: int, who: Json, old: str, new: str) -> Json:
    """A ChatMemberUpdated."""
    return {
        "chat": chat,
        "from": by,
        "date": date,
        "old_chat_member": member(who, old),
        "new_chat_member": member(who, new),
    }


PRESENT = frozenset({"creator", "administrator", "member", "restricted"})
