"""The people whom the OA knows: lists, details, tags, conversations."""

from __future__ import annotations

import builtins
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from bot.sandbox.zalo_oa.calls import Call, number, string
from bot.sandbox.zalo_oa.errors import Json, OaError, invalid
from bot.sandbox.zalo_oa.people import OaUser, Shared

if TYPE_CHECKING:
    from bot.sandbox.zalo_oa.world import World

_MOST_LISTED = 50
_LAST_OFFSET = 9951
_MOST_LINES = 10

Days = tuple[date, date]


class Directory:
    """People appear here once they have followed or interacted."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.tags: builtins.list[str] = []

    def list(self, call: Call) -> Json:
        """`GET /v3.0/oa/user/getlist`."""
        data = call.data()
        offset = number(data, "offset", 0, _LAST_OFFSET)
        count = number(data, "count", 15, _MOST_LISTED)
        period = data.get("last_interaction_period")
        days = self._days(str(period)) if period is not None else None
        found = [u for u in self._world.users.values() if self._wanted(u, data, days)]
        page = found[offset : offset + count]
        users = [{"user_id": u.id} for u in page]
        return {"total": len(found), "count": len(page), "offset": offset, "users": users}

    def detail(self, call: Call) -> Json:
        """`GET /v3.0/oa/user/detail`; -213 for somebody who never met the OA."""
        user = self._user(string(call.data(), "user_id"))
        if not self._known(user):
            raise OaError(-213)
        return self._shown(user)

    def forget(self, call: Call) -> None:
        """`POST /v2.0/oa/deletefollowerinfo`: everything that they told the OA."""
        self._user(string(call.json(), "user_id")).shared = Shared()

    def tag(self, call: Call) -> None:
        """`POST /v2.0/oa/tag/tagfollower`: a tag is made where there is none; -213 for who does not follow."""
        user, name = self._tagged(call)
        if not user.following:
            raise OaError(-213)
        if name not in self.tags:
            self.tags.append(name)
        if name not in user.shared.tags:
            user.shared.tags.append(name)

    def untag(self, call: Call) -> None:
        """`POST /v2.0/oa/tag/rmfollowerfromtag`."""
        user, name = self._tagged(call)
        if name not in user.shared.tags:
            raise invalid("tag_name")
        user.shared.tags.remove(name)

    def drop_tag(self, call: Call) -> None:
        """`POST /v2.0/oa/tag/rmtag`: from everybody."""
        name = string(call.json(), "tag_name")
        if name not in self.tags:
            raise invalid("tag_name")
        self.tags.remove(name)
        for user in self._world.users.values():
            if name in user.shared.tags:
                user.shared.tags.remove(name)

    def all_tags(self, call: Call) -> builtins.list[str]:
        """`GET /v2.0/oa/tag/gettagsofoa`."""
        return self.tags

    def conversation(self, call: Call) -> builtins.list[Json]:
        """`GET /v2.0/oa/conversation`: with one person, the newest first, a bare list."""
        data = call.data()
        user = self._user(_id(data))
        return _page(data, user.history[::-1])

    def recent(self, call: Call) -> builtins.list[Json]:
        """`GET /v2.0/oa/listrecentchat`: the newest line of each person."""
        last = [u.history[-1] for u in self._world.users.values() if u.history]
        return _page(call.data(), sorted(last, key=lambda line: -line["time"]))

    def _user(self, id: str) -> OaUser:
        user = self._world.users.get(id)
        if user is None:
            raise invalid("user_id")
        return user

    def _tagged(self, call: Call) -> tuple[OaUser, str]:
        body = call.json()
        return self._user(_id(body)), string(body, "tag_name")

    def _known(self, user: OaUser) -> bool:
        return user.following or user.last_interaction is not None

    def _wanted(self, user: OaUser, data: Json, days: Days | None) -> bool:
        if not self._known(user):
            return False
        follows = data.get("is_follower")
        if follows is not None and (str(follows).lower() == "true") is not user.following:
            return False
        tag = data.get("tag_name")
        if tag and tag not in user.shared.tags:
            return False
        return days is None or self._within(user, days)

    def _within(self, user: OaUser, days: Days) -> bool:
        return user.last_interaction is not None and days[0] <= self._day(user.last_interaction) <= days[1]

    def _days(self, period: str) -> Days:
        """First and last day, both included. Raises -201."""
        today = self._world.local().date()
        back = {"TODAY": (0, 0), "YESTERDAY": (1, 1), "L7D": (7, 0), "L30D": (30, 0)}.get(period)
        if back is not None:
            return today - timedelta(days=back[0]), today - timedelta(days=back[1])
        try:
            first, last = (date.fromisoformat(part.replace("_", "-")) for part in period.split(":"))
        except ValueError:
            raise invalid("last_interaction_period") from None
        return first, last

    def _day(self, at: float) -> date:
        return datetime.fromtimestamp(at, UTC).astimezone(self._world.local().tzinfo).date()

    def _shown(self, user: OaUser) -> Json:
        since, info = user.last_interaction, user.shared.info
        avatar = f"https://s120-ava-talk.zadn.vn/{user.id}.jpg"
        return {
            "user_id": user.id,
            "user_id_by_app": user.id_by_app,
            "user_external_id": "",
            "display_name": user.name,
            "user_alias": user.shared.alias or user.name,
            "is_sensitive": False,
            "user_last_interaction_date": self._day(since).strftime("%d/%m/%Y") if since is not None else "",
            "user_is_follower": user.following,
            "avatar": avatar,
            "avatars": {"120": avatar, "240": avatar},
            "dynamic_param": "",
            "tags_and_notes_info": {"notes": [], "tag_names": user.shared.tags},
            "shared_info": {key: info.get(key, "") for key in ("address", "city", "district", "phone", "name")},
        }


def _id(raw: Json) -> str:
    """Where documents show a number without quotes, either is taken."""
    found = raw.get("user_id")
    return str(found) if isinstance(found, int) else string(raw, "user_id")


def _page(data: Json, lines: builtins.list[Json]) -> builtins.list[Json]:
    offset = number(data, "offset", 0, 2**31)
    return lines[offset : offset + number(data, "count", _MOST_LINES, _MOST_LINES)]
