"""Sample villages and invented people: who lives in the demo."""

from bot.sandbox.sample.town import PEOPLE, Character, Home, Part, Place, Town, settle
from bot.sandbox.sample.worlds import BOT_TOKEN, OA_APP_ID, ZALO_BOT_TOKEN, Worlds

__all__ = [
    "BOT_TOKEN",
    "OA_APP_ID",
    "PEOPLE",
    "ZALO_BOT_TOKEN",
    "Character",
    "Home",
    "Part",
    "Place",
    "Town",
    "Worlds",
    "settle",
]
