"""What one may ask of the page: whose phone, which chat on it, what to do there; and moving the clock."""

from __future__ import annotations

from datetime import time, timedelta

from bot.sandbox.page.lines import Line, Lines, Wrong
from bot.sandbox.page.timemachine import TimeMachine
from bot.sandbox.sample import Character, Town
from bot.sandbox.telegram.errors import Json


class Errands:
    """Everything that a page may ask for."""

    def __init__(self, town: Town, lines: Lines, machine: TimeMachine) -> None:
        self.town = town
        self.lines = lines
        self.machine = machine

    def person(self, id: str) -> Character:
        found = self.town.people.get(int(id)) if id.isdecimal() else None
        if found is None:
            raise Wrong("Không có người này trong bản chạy thử.")
        return found

    def line(self, who: Character, place: str) -> Line:
        """`bot`, a channel of which the person has more than one, or the id of a group that they are in."""
        found = self.lines.of[who.id].get(place)
        if found is None:
            raise Wrong("Người này không ở trong nhóm đó.")
        return found

    async def run(self, line: Line, name: str, asked: Json) -> Json:
        """Act on behalf of a person. Raises `Wrong`."""
        errand = line.errands.get(name)
        if errand is None:
            raise Wrong("Trên ứng dụng này không làm được việc đó.")
        try:
            return await errand(asked)
        except RuntimeError:  # the world says that this person has blocked the bot
            raise Wrong("Người này đang chặn Loa Số: hãy bỏ chặn trước.") from None

    def jump(self, asked: Json) -> Json:
        """Forward `minutes`, or to the next time that a local clock shows `hour` (`HH:MM`)."""
        try:
            if "hour" in asked:
                by = self.machine.until(time.fromisoformat(str(asked["hour"])))
            else:
                by = timedelta(minutes=float(asked["minutes"]))
            self.machine.forward(by)
        except (ValueError, KeyError, TypeError, OverflowError):
            raise Wrong("Đồng hồ chỉ tua tới, mỗi lần nhiều nhất 40 ngày.") from None
        return self.machine.shown()
