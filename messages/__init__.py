"""Every word the bot says: a folder a language, a file a subject, a key a message. Also `content`: what it teaches."""

from messages.phrasebook import Phrasebook, languages
from messages.rich import Rich

__all__ = ["Phrasebook", "Rich", "languages"]
