"""Events as a calendar file that every phone opens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import icalendar

from bot.core.clock import Clock
from bot.core.events import Media, MediaKind
from bot.db.tables import Event

_ALARMS = (timedelta(days=-1), timedelta(hours=-2))
MIME = "text/calendar"


def make(events: Iterable[Event], clock: Clock) -> bytes:
    """An iCalendar file (RFC 5545). An event has the same UID in every file, so that a phone updates it."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Loa So//Binh dan hoc vu so//VI")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    for event in events:
        calendar.add_component(_entry(event, clock))
    calendar.add_missing_timezones()
    content: bytes = calendar.to_ical()
    return content


def _entry(event: Event, clock: Clock) -> icalendar.Event:
    entry = icalendar.Event()
    entry.add("uid", f"event-{event.id}@loaso")
    entry.add("dtstamp", event.cancelled_at or event.created_at)
    entry.add("sequence", 1 if event.cancelled_at else 0)
    entry.add("status", "CANCELLED" if event.cancelled_at else "CONFIRMED")
    entry.add("summary", event.title)
    entry.add("location", event.place)
    if event.description:
        entry.add("description", event.description)
    entry.add("dtstart", clock.local(event.starts_at))
    for before in _ALARMS:
        entry.add_component(_alarm(event, before))
    return entry


def _alarm(event: Event, before: timedelta) -> icalendar.Alarm:
    alarm = icalendar.Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", event.title)
    alarm.add("trigger", before)
    return alarm


def as_file(event: Event, clock: Clock, name: str) -> Media:
    """The event as a file to send."""
    return Media(MediaKind.FILE, content=make([event], clock), name=name, mime=MIME)
