"""JSON Schemas of the pack files, so that an editor's program shows mistakes while typing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from messages.content.hints import FOREIGN, ID, LONGEST, SYNONYMS
from messages.content.models import Fact, FaqEntry, Group, Sourced, Tip

SCHEMA_ROOT = Path(__file__).parent / "schema"
_FILES: tuple[tuple[str, type[Sourced]], ...] = (("tips", Tip), ("faq", FaqEntry), ("facts", Fact))
_DEFAULTS = frozenset(
    {"source", "source_name", "checked_on", "expires", "groups", "area", "level", "topic", "theme", "kind"}
)


def schemas() -> dict[str, str]:
    """The text of every schema file by its name; a test keeps the stored files current."""
    made = {name: _file_schema(name, model) for name, model in _FILES}
    made |= {name: _sets_schema(name) for name in (SYNONYMS, FOREIGN)}
    return {f"{name}.json": _dump(schema) for name, schema in {**made, "curricula": _curricula_schema()}.items()}


def write(folder: Path = SCHEMA_ROOT) -> None:
    """Store the schemas: `python -c 'from messages.content.editor_schema import write; write()'`."""
    folder.mkdir(exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")


def _file_schema(name: str, model: type[Sourced]) -> dict[str, Any]:
    record = model.model_json_schema()
    shared = record.pop("$defs", {})
    del record["properties"]["uses"]
    if "groups" in record["properties"]:
        record["properties"]["groups"] = {"anyOf": [record["properties"]["groups"], {"const": ["all"]}]}
    record["required"] = [field for field in record["required"] if field not in _DEFAULTS]
    defaults = {k: v for k, v in record["properties"].items() if k in _DEFAULTS}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": [name],
        "additionalProperties": False,
        "properties": {
            "defaults": {"type": "object", "additionalProperties": False, "properties": defaults},
            name: {"type": "array", "items": record},
        },
        "$defs": shared,
    }


def _sets_schema(name: str) -> dict[str, Any]:
    said = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "maxLength": LONGEST}}
    sets = {"type": "object", "propertyNames": {"pattern": ID}, "additionalProperties": said}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": [name],
        "additionalProperties": False,
        "properties": {name: sets},
    }


def _curricula_schema() -> dict[str, Any]:
    days = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
    groups = [str(group) for group in Group]
    curricula = {"type": "object", "additionalProperties": False, "required": groups}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["curricula"],
        "properties": {"curricula": {**curricula, "properties": dict.fromkeys(groups, days)}},
    }


def _dump(schema: dict[str, Any]) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"
