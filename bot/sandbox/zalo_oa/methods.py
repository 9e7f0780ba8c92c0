"""Every method of the OpenAPI by verb and path."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.sandbox.zalo_oa.calls import Call
from bot.sandbox.zalo_oa.errors import OaError
from bot.sandbox.zalo_oa.group_calls import GroupCalls

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.world import World

CS_PATH = "/v3.0/oa/message/cs"
GROUPS_PATH = "/v3.0/oa/group"

Method = Callable[[Call], object]


def methods(world: World) -> dict[tuple[str, str], Method]:
    """What carries out each call: it returns `data` (`None`: the answer has none) or raises `OaError`."""
    directory, articles, uploads = world.directory, world.articles, world.uploads
    return {
        ("POST", CS_PATH): world.sending.consult,
        ("POST", "/v3.0/oa/message/transaction"): _shut_down,
        ("POST", "/v3.0/oa/message/promotion"): _shut_down,
        ("POST", "/v3.0/oa/message/template"): world.templates.by_user,
        ("POST", "/message/template"): world.templates.by_phone,
        ("POST", "/v2.0/oa/message"): world.broadcasts.message,
        ("POST", "/v2.0/oa/upload/image"): uploads.image,
        ("POST", "/v2.0/oa/upload/gif"): uploads.gif,
        ("POST", "/v2.0/oa/upload/file"): uploads.file,
        ("POST", "/v2.0/article/create"): articles.create,
        ("POST", "/v2.0/article/verify"): articles.verify,
        ("GET", "/v2.0/article/getslice"): articles.slice,
        ("GET", "/v3.0/oa/user/getlist"): directory.list,
        ("GET", "/v3.0/oa/user/detail"): directory.detail,
        ("POST", "/v2.0/oa/deletefollowerinfo"): directory.forget,
        ("POST", "/v2.0/oa/tag/tagfollower"): directory.tag,
        ("POST", "/v2.0/oa/tag/rmfollowerfromtag"): directory.untag,
        ("POST", "/v2.0/oa/tag/rmtag"): directory.drop_tag,
        ("GET", "/v2.0/oa/tag/gettagsofoa"): directory.all_tags,
        ("GET", "/v2.0/oa/conversation"): directory.conversation,
        ("GET", "/v2.0/oa/listrecentchat"): directory.recent,
        ("GET", "/v2.0/oa/getoa"): world.account.about,
        ("POST", "/v3.0/oa/quota/message"): world.account.message_quota,
        ("POST", "/v3.0/oa/quota/group"): world.account.group_quota,
        **_group_methods(world),
    }


def _group_methods(world: World) -> dict[tuple[str, str], Method]:
    calls = GroupCalls(world)
    return {
        ("POST", f"{GROUPS_PATH}/creategroupwithoa"): calls.create,
        ("POST", f"{GROUPS_PATH}/message"): calls.message,
        ("GET", f"{GROUPS_PATH}/getgroup"): calls.about,
        ("GET", f"{GROUPS_PATH}/getgroupsofoa"): calls.list,
        ("GET", f"{GROUPS_PATH}/listmember"): calls.members,
        ("GET", f"{GROUPS_PATH}/listpendinginvite"): calls.pending,
        ("GET", f"{GROUPS_PATH}/conversation"): calls.conversation,
        ("POST", f"{GROUPS_PATH}/invite"): calls.invite,
        ("POST", f"{GROUPS_PATH}/acceptpendinginvite"): calls.accept,
        ("POST", f"{GROUPS_PATH}/rejectpendinginvite"): calls.reject,
        ("POST", f"{GROUPS_PATH}/addadmins"): calls.add_admins,
        ("POST", f"{GROUPS_PATH}/removeadmins"): calls.remove_admins,
        ("POST", f"{GROUPS_PATH}/removemembers"): calls.remove_members,
        ("POST", f"{GROUPS_PATH}/updateinfo"): calls.update,
        ("POST", f"{GROUPS_PATH}/updateasset"): calls.update_asset,
        ("POST", f"{GROUPS_PATH}/delete"): calls.delete,
    }


def _shut_down(call: Call) -> object:
    """Discontinued on 2026-03-01; the code that they answer since is not published."""
    raise OaError(-240)
