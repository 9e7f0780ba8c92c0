"""The page of the demo: a phone for everybody in town, and what the others receive."""

from bot.sandbox.page.lines import PREFIX
from bot.sandbox.page.server import Page
from bot.sandbox.page.timemachine import TimeMachine

__all__ = ["PREFIX", "Page", "TimeMachine"]
