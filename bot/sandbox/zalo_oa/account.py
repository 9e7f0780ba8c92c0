"""The OA itself: what it is called, what it has left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.zalo_oa.calls import Call, string
from bot.sandbox.zalo_oa.errors import Json, invalid

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.world import World

_PRODUCTS = ("cs", "transaction")
_QUOTAS = ("sub_quota", "purchase_quota", "reward_quota")


class Account:
    """Answers about the OA. `oa_type` is 4 for a state body, 2 for a business."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.oa_type = 4
        self.package_name = "Tăng trưởng"
        self._asset_id = world.names.hexadecimal()

    def about(self, call: Call) -> Json:
        """`GET /v2.0/oa/getoa`."""
        world = self._world
        return {
            "oaid": world.oa_id,
            "name": world.oa_name,
            "description": "",
            "oa_alias": "",
            "is_verified": world.verified,
            "oa_type": self.oa_type,
            "num_follower": sum(u.following for u in world.users.values()),
            "cate_name": "Cơ quan nhà nước",
            "avatar": "https://s160-ava-talk.zadn.vn/oa.jpg",
            "cover": "https://cover-talk.zadn.vn/oa.jpg",
            "package_name": self.package_name if world.paid_package else "Cơ bản",
            "package_valid_through_date": "31/12/2027" if world.paid_package else "",
            "package_auto_renew_date": "",
            "linked_ZCA": "",
        }

    def message_quota(self, call: Call) -> object:
        """`POST /v3.0/oa/quota/message`: of one person, or of the OA."""
        body = call.json()
        if "user_id" in body:
            return self._of_user(string(body, "user_id"))
        if body.get("quota_owner") != "OA":
            raise invalid("quota_owner")
        product, quota = body.get("product_type", "cs"), body.get("quota_type", "sub_quota")
        if product not in _PRODUCTS or quota not in _QUOTAS:
            raise invalid("product_type" if product not in _PRODUCTS else "quota_type")
        if (product, quota) != ("cs", "sub_quota"):
            return []
        total = self._world.limits.paid_messages
        return [
            {
                "asset_id": self._asset_id,
                "product_type": product,
                "quota_type": quota,
                "valid_through": self._world.local().strftime("%d/%m/%Y"),
                "total": total,
                "remain": total - self._world.used("paid messages"),
            }
        ]

    def group_quota(self, call: Call) -> list[Json]:
        """`POST /v3.0/oa/quota/group`: the packages for groups, used or not."""
        body = call.json()
        wanted = body.get("product_type")
        return [a.listed() for a in self._world.groups.assets.values() if wanted in (None, a.product)]

    def _of_user(self, id: str) -> Json:
        user = self._world.users.get(id)
        if user is None:
            raise invalid("user_id")
        since = user.last_interaction
        return {
            "last_interaction": str(round(since * 1000)) if since is not None else "0",
            "cs_reply": {"remain": 8, "total": 8} if user.window_open else {"remain": 0, "total": 0},
            "promotion": {"daily_remain": 0, "daily_total": 0, "monthly_remain": 0, "monthly_total": 0},
        }
