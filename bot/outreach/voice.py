"""A voice beside a text: recorded where the pack has one, else made by a machine, which says that it is one.

What is said is always written, too. Nothing here starts a program: a voice is ready, or somebody makes it later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.channel import Capabilities
from bot.core.events import Media, MediaKind, Outbound
from bot.core.words import ItemKind
from bot.db.tables import Item
from bot.outreach import curriculum
from bot.outreach.desk import Desk
from bot.outreach.speech_text import for_speech
from bot.speech.forms import Form

if TYPE_CHECKING:  # rules are read without the content
    from messages.content.models import FaqEntry, Tip


@dataclass(frozen=True, slots=True)
class Script:
    """What a voice is to say, in a form ready to be spoken, and in which language that is."""

    text: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Aloud:
    """Something that one contact waits to hear. `reads` is the language in which they read what stands beside it."""

    account: str
    contact_id: int
    group: bool
    reads: str
    script: Script


def is_there(desk: Desk) -> bool:
    """Whether anything can be heard at all."""
    return desk.speech is not None or any(tip.voice for tip in desk.pack.tips.values())


def form_for(desk: Desk, can: Capabilities | None, *, group: bool = False) -> Form | None:
    """In which form a channel takes a voice, if it takes one. Who names what it takes loads it from a public address,
    and never shows it in a group."""
    if can is None or MediaKind.VOICE not in can.media:
        return None
    if can.voice is None:
        return Form.OGG
    takes = Form.AAC.mime in can.voice and desk.publish is not None
    return Form.AAC if takes and not group else None


def can_say(desk: Desk, language: str, can: Capabilities | None, *, group: bool = False) -> bool:
    """Whether a machine can say something in that language here."""
    form = form_for(desk, can, group=group)
    return desk.speech is not None and form is not None and desk.speech.speaks(language, form)


def can_hear_tip(desk: Desk, item: Item, language: str, can: Capabilities | None, *, group: bool = False) -> bool:
    """Whether a tip can be heard in some voice."""
    if item.kind is not ItemKind.TIP:
        return False
    said = can_say(desk, _language(desk, item, language), can, group=group)
    return said or _recorded(desk, item, language, can, group=group) is not None


def of_text(desk: Desk, text: str, language: str) -> Script:
    """Anything that is written in that language."""
    pack = desk.translations.get(language, desk.pack)
    return Script(for_speech(text, language, pack.spoken), language)


def of_tip(desk: Desk, item: Item, language: str) -> Script:
    """The words of a tip as they are sent to whoever reads that language."""
    return of_text(desk, curriculum.said_in(desk, item, language)[0].text, _language(desk, item, language))


def of_simpler(desk: Desk, item: Item, tip: Tip, language: str) -> Script:
    """The same in simpler words; `tip` is the one that is read in that language."""
    return of_text(desk, f"{tip.title}\n{tip.simpler}\n{tip.why}", _language(desk, item, language))


def of_next(desk: Desk, tip: Tip, language: str) -> Script:
    """The same of a tip that has not been sent yet."""
    translated = curriculum.translated(desk, tip.id, language)
    spoken = desk.pack.language if translated is None else language
    return of_text(desk, curriculum.parts(desk, translated or tip, spoken)[0].text, spoken)


def of_answer(desk: Desk, entry: FaqEntry) -> Script:
    return of_text(desk, f"{entry.title}\n{entry.body()}", desk.pack.language)


def ready_tip(desk: Desk, item: Item, language: str, can: Capabilities, *, group: bool = False) -> Outbound | None:
    """The voice of a tip that can be sent at this moment: recorded, or made before."""
    if item.kind is not ItemKind.TIP:
        return None
    recorded = _recorded(desk, item, language, can, group=group)
    if recorded is not None:
        return Outbound(chat_id="", media=(recorded,))
    return ready(desk, of_tip(desk, item, language), language, can, group=group)


def ready(desk: Desk, script: Script, reads: str, can: Capabilities, *, group: bool = False) -> Outbound | None:
    """What a machine has said before."""
    form = form_for(desk, can, group=group)
    if desk.speech is None or form is None:
        return None
    path = desk.speech.ready(script.text, script.language, form)
    return made(desk, str(path), form, reads) if path is not None else None


def made(desk: Desk, path: str, form: Form, reads: str) -> Outbound:
    """A message with a machine's voice, labelled as one."""
    label = desk.book.label(reads, "voice.machine")
    return Outbound(chat_id="", text=label, media=(Media(MediaKind.VOICE, path=path, mime=form.mime),))


def _tip(desk: Desk, item: Item, language: str) -> Tip | None:
    return curriculum.translated(desk, item.key, language) or desk.pack.tips.get(item.key or "")


def _language(desk: Desk, item: Item, language: str) -> str:
    return language if curriculum.translated(desk, item.key, language) is not None else item.language


def _recorded(desk: Desk, item: Item, language: str, can: Capabilities | None, *, group: bool) -> Media | None:
    """The recording of a tip, if the pack has one and the channel takes it."""
    from messages.content.packs import PACK_ROOT

    tip = _tip(desk, item, language)
    form = form_for(desk, can, group=group)
    if tip is None or tip.voice is None or form is None or not tip.voice.endswith(f".{form}"):
        return None
    path = PACK_ROOT / _language(desk, item, language) / tip.voice
    return Media(MediaKind.VOICE, path=str(path), mime=form.mime)
