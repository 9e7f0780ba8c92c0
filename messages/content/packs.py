"""Loading a pack and checking it: `load` for the program, `check` for editors, both naming file and line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType

from bot.core.errors import UserError
from messages.content import hints, rules, spoken
from messages.content.lines import Document, Problem, read
from messages.content.models import Area, Fact, FactKind, FaqEntry, Group, Pack, Sourced, Tip
from messages.content.records import Item, Known, Shelf, records, strings

__all__ = ["PACK_ROOT", "Area", "BadPack", "Fact", "FactKind", "FaqEntry", "Group", "Pack", "Problem", "Sourced", "Tip"]
__all__ += ["check", "languages", "load", "translations"]

PACK_ROOT = Path(__file__).parent
"""The folder that holds one folder a language."""
FIRST = "vi"
"""The language in which everything is there. Any other pack translates some of its tips: it holds their words alone."""
_TAKEN_OVER = {"groups", "area", "level", "kind", "value", "confirm", "source", "source_name", "checked_on", "expires"}


_KEPT = 4
_loaded: dict[tuple[Path, str, str], Pack] = {}


class BadPack(UserError):
    """The content pack cannot be used. `problems` names every place: correct those lines."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(p) for p in problems))
        self.problems = problems


def load(root: Path = PACK_ROOT, language: str = FIRST) -> Pack:
    """The pack of one language, read anew only if a file has changed. Dates are not looked at here: ask `Pack.current`
    before saying anything.

    Raises BadPack when a file is broken, a field is wrong or too long, or an id leads nowhere.
    """
    key = (root, language, _version(root / language))
    if key not in _loaded:
        pack = _sound(*_read(root, language))
        while len(_loaded) >= _KEPT:
            del _loaded[next(iter(_loaded))]
        _loaded[key] = pack
    return _loaded[key]


def translations(first: Pack, root: Path = PACK_ROOT) -> dict[str, Pack]:
    """The packs of all other languages. Raises BadPack."""
    others = (language for language in languages(root) if language != first.language)
    return {language: _sound(*_read(root, language, first)) for language in others}


def _sound(pack: Pack, shelf: Shelf) -> Pack:
    if shelf.problems:
        raise BadPack(sorted(shelf.problems))
    return pack


def check(root: Path = PACK_ROOT, *, today: date) -> list[Problem]:
    """Everything that is wrong with every language: what `load` refuses, and what an editor must not say
    (expired or unchecked facts, bare phone numbers and sums, forbidden claims, the same tip twice)."""
    found = languages(root)
    if not found:
        return [Problem(root, 1, "no pack here: there must be a folder for each language, such as vi/")]
    first = _read(root, FIRST)[0] if FIRST in found else None
    return sorted(problem for language in found for problem in _check_one(root, language, first, today))


def languages(root: Path = PACK_ROOT) -> tuple[str, ...]:
    """The languages that have a pack: folders with a two-letter name."""
    if not root.is_dir():
        return ()
    return tuple(sorted(p.name for p in root.iterdir() if p.is_dir() and len(p.name) == 2))


def _check_one(root: Path, language: str, first: Pack | None, today: date) -> Iterator[Problem]:
    pack, shelf = _read(root, language, first if language != FIRST else None)
    yield from shelf.problems
    yield from rules.broken(pack, shelf, root / language, today)


def _read(root: Path, language: str, first: Pack | None = None) -> tuple[Pack, Shelf]:
    folder = root / language
    shelf = Shelf()
    if not folder.is_dir():
        shelf.problems.append(Problem(folder, 1, f"there is no pack for the language `{language}`"))
    facts = _gather(Fact, "facts", [folder / "facts.yaml"], shelf, {}, _taken_over(first.facts if first else None))
    facts = {**first.facts, **facts} if first else facts
    tips_of = sorted((folder / "tips").glob("*.yaml"))
    tips = _gather(Tip, "tips", tips_of, shelf, facts, _taken_over(first.tips if first else None))
    faq = _gather(FaqEntry, "faq", sorted((folder / "faq").glob("*.yaml")), shelf, facts)
    curricula = {} if first else _curricula(folder / "curricula.yaml", shelf, tips)
    _relations(faq, shelf)
    view = MappingProxyType
    pack = Pack(
        language=language,
        version=_version(folder),
        tips=view(tips),
        curricula=view(curricula),
        faq=view(faq),
        facts=view(facts),
        hints=hints.load(folder, shelf.problems),
        spoken=spoken.load(folder, shelf.problems),
    )
    return pack, shelf


def _taken_over(records: Mapping[str, Sourced] | None) -> Known | None:
    """What a translation does not say again."""
    if records is None:
        return None
    return {id: record.model_dump(include=_TAKEN_OVER) for id, record in records.items()}


def _gather(
    kind: type[Item],
    name: str,
    paths: list[Path],
    shelf: Shelf,
    facts: Mapping[str, Fact],
    translated: Known | None = None,
) -> dict[str, Item]:
    found: dict[str, Item] = {}
    for path in paths:
        document = read(path)
        for key, item in records(kind, name, document, shelf, facts, translated):
            if item.id in found:
                document.wrong((*key, "id"), f"the id `{item.id}` is taken already")
            else:
                found[item.id] = item
                shelf.places[name, item.id] = (document, key)
        shelf.problems.extend(document.problems)
    return found


def _curricula(path: Path, shelf: Shelf, tips: Mapping[str, Tip]) -> dict[str, tuple[str, ...]]:
    document = read(path)
    shelf.documents[path] = document
    found: dict[str, tuple[str, ...]] = {}
    lists = document.value.get("curricula") if isinstance(document.value, dict) else None
    if not isinstance(lists, dict):
        document.wrong((), "must begin with `curricula:` and then one list of tip ids for each group")
        lists = {}
    for group, ids in lists.items():
        found[group] = strings(document, ("curricula", group), ids)
        _one_curriculum(document, group, found[group], tips)
    for group in Group:
        if group not in found:
            document.wrong(("curricula",), f"the group `{group}` has no curriculum")
    shelf.problems.extend(document.problems)
    return found


def _one_curriculum(document: Document, group: str, ids: tuple[str, ...], tips: Mapping[str, Tip]) -> None:
    known = {str(g) for g in Group}
    if group not in known:
        document.wrong(("curricula", group), f"`{group}` is no group: {', '.join(sorted(known))}")
    seen: set[str] = set()
    for i, tip in enumerate(ids):
        key = ("curricula", group, i)
        if tip in seen:
            document.wrong(key, f"the tip `{tip}` is in this curriculum twice")
        elif tip not in tips:
            document.wrong(key, f"there is no tip `{tip}`")
        elif group in known and group not in tips[tip].groups:
            document.wrong(key, f"the tip `{tip}` is not meant for `{group}`: add the group to the tip")
        seen.add(tip)


def _relations(faq: Mapping[str, FaqEntry], shelf: Shelf) -> None:
    for entry in faq.values():
        for i, other in enumerate(entry.related):
            if other not in faq or other == entry.id:
                shelf.wrong("faq", entry.id, ("related", i), f"`{other}` is no other question of this pack")


def _version(folder: Path) -> str:
    """Twelve hex digits over the names and bytes of all files."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.yaml")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]
