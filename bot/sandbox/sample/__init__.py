"""Sample villages and invented people: who lives in the demo."""

from bot.sandbox.sample.town import BOT_TOKEN, PEOPLE, Character, Part, Place, Town, settle

__all__ = ["BOT_TOKEN", "PEOPLE", "Character", "Part", "Place", "Town", "settle"]
