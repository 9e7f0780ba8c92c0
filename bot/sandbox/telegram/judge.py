"""An independent judge: requests, answers and updates held against aiogram's generated types (optional, for tests)."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, get_args

import orjson

from bot.sandbox.telegram.errors import ApiError, Json


class Judge:
    """Writes what is wrong into `violations`. Needs aiogram, which only tests install: see `available`."""

    def __init__(self, violations: list[str]) -> None:
        if not self.available():
            raise RuntimeError("the judge needs aiogram: install the dev dependencies, or set judge=False")
        self.violations = violations
        _methods()
        _update_adapter()

    @staticmethod
    def available() -> bool:
        """Whether aiogram is installed."""
        return importlib.util.find_spec("aiogram") is not None

    def check_request(self, method: str, params: Json, uploads: frozenset[str]) -> None:
        """Unknown fields and values of the wrong shape are recorded and answered with 400."""
        found = list(_request_faults(method, params, uploads))
        if found:
            self.violations.extend(found)
            raise ApiError(400, f"Bad Request: {found[0]}")

    def check_result(self, method: str, result: object) -> None:
        """An answer of this server that aiogram could not read."""
        adapter = _result_adapter(method)
        if adapter is not None:
            self.violations.extend(f"answer of {method}: {fault}" for fault in _faults(adapter, result))

    def check_update(self, update: Json) -> None:
        """An update of this server that aiogram could not read."""
        self.violations.extend(f"update: {fault}" for fault in _faults(_update_adapter(), update))


@lru_cache(maxsize=1)
def _methods() -> dict[str, Any]:
    from aiogram import methods

    found = [getattr(methods, name) for name in methods.__all__]
    return {cls.__api_method__: cls for cls in found if isinstance(getattr(cls, "__api_method__", None), str)}


@lru_cache(maxsize=256)
def _result_adapter(method: str) -> Any:
    from pydantic import TypeAdapter

    cls = _methods().get(method)
    return TypeAdapter(cls.__returning__) if cls is not None else None


@lru_cache(maxsize=1)
def _update_adapter() -> Any:
    from aiogram.types import Update
    from pydantic import TypeAdapter

    return TypeAdapter(Update)


def _request_faults(method: str, params: Json, uploads: frozenset[str]) -> Iterator[str]:
    from pydantic import ValidationError

    cls = _methods().get(method)
    if cls is None:
        yield f"{method} is no method of the Bot API"
        return
    fields = cls.model_fields
    values: Json = {}
    for name, value in params.items():
        if name not in fields:
            yield f"{method} has no field {name}"
        else:
            values[name] = _decoded(fields[name].annotation, value)
    for name in uploads & fields.keys():
        values[name] = "attach://upload"
    try:
        yield from (f"{method}: unknown {path}" for path in _unknown(cls.model_validate(values), method))
    except ValidationError as error:
        for problem in error.errors(include_url=False)[:5]:
            where = ".".join(map(str, problem["loc"]))
            yield f"{method}: {where}: {problem['msg']}"


@lru_cache(maxsize=2048)
def _takes_text(annotation: object) -> bool:
    """Whether a field is itself a string, so that its value is no JSON."""
    return annotation is str or any(arg is str for arg in get_args(annotation))


def _decoded(annotation: object, value: object) -> object:
    if isinstance(value, str) and value[:1] in ("{", "[") and not _takes_text(annotation):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _faults(adapter: Any, value: object) -> Iterator[str]:
    from pydantic import ValidationError

    try:
        yield from (f"unknown {path}" for path in _unknown(adapter.validate_python(value), ""))
    except ValidationError as error:
        for problem in error.errors(include_url=False)[:5]:
            yield f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"


def _unknown(value: object, path: str) -> Iterator[str]:
    """Paths of fields that no type of aiogram knows."""
    from pydantic import BaseModel

    if isinstance(value, list | tuple):
        for item in value:
            yield from _unknown(item, path)
    elif isinstance(value, BaseModel):
        yield from (f"{path}.{name}" for name in value.model_extra or {})
        for name in value.model_fields_set & type(value).model_fields.keys():
            yield from _unknown(getattr(value, name), f"{path}.{name}")
