"""ZBS templates: paid, so refused until an app is connected to a Zalo Cloud Account, which this one is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.zalo_oa.calls import Call, string
from bot.sandbox.zalo_oa.errors import OaError

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.world import World


class Templates:
    """`refusal` is the answer to everything well-formed: -320 without a Zalo Cloud Account, -321 with an empty one,
    -249 for a template that is not for users of Zalo."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.refusal = -320

    def by_user(self, call: Call) -> object:
        """`POST /v3.0/oa/message/template`."""
        return self._refuse(call, "user_id")

    def by_phone(self, call: Call) -> object:
        """`POST /message/template` of the business host, whose code for a bad token is -124."""
        return self._refuse(call, "phone")

    def _refuse(self, call: Call, to: str) -> object:
        body = call.json()
        string(body, to)
        string(body, "template_id")
        self._world.require_package()
        raise OaError(self.refusal)
