"""Sample villages and invented people: who lives in the demo."""

from bot.sandbox.sample.town import BOT_TOKEN, Character, Part, Place, Town, settle

__all__ = ["BOT_TOKEN", "Character", "Part", "Place", "Town", "settle"]
