"""All accounts of this process as ways to people, and which of them a sender must leave somebody to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.core.channel import Channel
from bot.core.words import Lane
from bot.db.traffic_rows import Way
from bot.engine.purse import Purse
from bot.outreach import routes
from bot.outreach.desk import Desk


@dataclass(frozen=True, slots=True)
class Road:
    """One account: `works` says whether its platform answers."""

    channel: Channel
    purse: Purse
    works: Callable[[], bool]

    def way(self, desk: Desk, urgent: bool) -> Way:
        account, can = self.channel.account, self.channel.capabilities
        return routes.way(self.purse.account_id, account, can, self.purse.state, desk.clock.now(), urgent=urgent)


class Roads:
    """Shared by the senders of a process."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.roads: dict[int, Road] = {}

    def add(self, road: Road) -> None:
        self.roads[road.purse.account_id] = road

    async def look(self) -> None:
        """See how the accounts stand."""
        for road in self.roads.values():
            await road.purse.look()

    def all(self, urgent: bool) -> Sequence[Way]:
        """Every way, also those that do not work at the moment: they will."""
        return [road.way(self.desk, urgent) for road in self.roads.values()]

    def signature(self) -> tuple[object, ...]:
        """Changes when a way opens or closes."""
        return tuple((id, road.works(), road.purse.state) for id, road in self.roads.items())

    def of(self, account_id: int, lane: Lane) -> tuple[Way | None, tuple[Way, ...]]:
        """What a claim of that account must respect: nothing, where there is nothing to choose."""
        urgent = lane is Lane.ALERT
        mine = self.roads[account_id].way(self.desk, urgent)
        working = {id: road.works() for id, road in self.roads.items()}
        rivals = routes.rivals(mine, self.all(urgent), working) if len(self.roads) > 1 else ()
        return (None, ()) if routes.is_plain(mine, rivals) else (mine, rivals)
