"""What Telegram shows about a bot before anybody writes: its commands and descriptions, by language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuTexts:
    """One language. `commands` are pairs of a name (`a-z0-9_`, at most 32) and what it does (at most 256);
    `description` (at most 512) greets in an empty chat, `about` (at most 120) stands in the profile."""

    commands: tuple[tuple[str, str], ...]
    description: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandsMenu:
    """`default` for everybody, `translations` for people whose Telegram speaks that language (`en`)."""

    default: MenuTexts
    translations: Mapping[str, MenuTexts] = field(default_factory=dict)

    def calls(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The calls of the Bot API that publish it."""
        for language, texts in {"": self.default, **self.translations}.items():
            code = {"language_code": language or None}
            commands = [{"command": name, "description": words} for name, words in texts.commands]
            yield "setMyCommands", {"commands": commands, **code}
            yield "setMyDescription", {"description": texts.description, **code}
            yield "setMyShortDescription", {"short_description": texts.about, **code}
