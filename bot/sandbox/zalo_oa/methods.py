"""Every method of the OpenAPI by verb and path."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.sandbox.zalo_oa.calls import Call
from bot.sandbox.zalo_oa.errors import OaError

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.world import World

CS_PATH = "/v3.0/oa/message/cs"

Method = Callable[[Call], object]


def methods(world: World) -> dict[tuple[str, str], Method]:
    """What carries out each call: it returns `data` (`None`: the answer has none) or raises `OaError`."""
    return {
        ("POST", CS_PATH): world.sending.consult,
        ("POST", "/v3.0/oa/message/transaction"): _shut_down,
        ("POST", "/v3.0/oa/message/promotion"): _shut_down,
        ("POST", "/v2.0/oa/upload/image"): world.uploads.image,
        ("POST", "/v2.0/oa/upload/gif"): world.uploads.gif,
        ("POST", "/v2.0/oa/upload/file"): world.uploads.file,
    }


def _shut_down(call: Call) -> object:
    """Discontinued on 2026-03-01; the code that they answer since is not published."""
    raise OaError(-240)
