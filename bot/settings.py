"""Settings: environment variables or `.env`, read once, validated together, every problem named at once."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from bot.core.errors import SettingsError
from bot.speech.options import SpeechOptions

PREFIX = "LOASO_"
GOOD_SECRET = 16
"""Characters of a good secret key: with fewer, whoever holds one signed link could guess it. `loaso check` says so."""

_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{3,256}")
_OA = ("app_id", "app_secret", "oa_secret", "access_token", "refresh_token")
_COPIED = ("zalo_bot_token", *(f"zalo_oa_{name}" for name in _OA))
"""What is copied from a console, often with blanks, which would travel in a header."""
_ADDRESS = re.compile(r"(telegram|zalo_bot|zalo_oa):(-?[A-Za-z0-9_.-]{1,64})")


class Mode(StrEnum):
    """How a platform's updates reach us."""

    POLLING = "polling"
    WEBHOOK = "webhook"


class EngineKind(StrEnum):
    """Who runs the sending."""

    LOCAL = "local"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Address:
    """`channel:external id` of a person, as operators write it."""

    channel: str
    external_id: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Raises `ValueError` with a plain sentence."""
        match = _ADDRESS.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"'{text}' is not CHANNEL:ID, for example telegram:123456789")
        return cls(match[1], match[2])

    def __str__(self) -> str:
        return f"{self.channel}:{self.external_id}"


class Settings(SpeechOptions):
    """Everything an operator can set; a variable without a value is not set. Names and meanings are part of the
    outside contract."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    database_url: str = "sqlite+aiosqlite:///var/loaso.db"
    telegram_token: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    telegram_api_url: str = "https://api.telegram.org"
    telegram_mode: Mode = Mode.POLLING
    telegram_rate: Annotated[float, Field(ge=0, le=1000)] = 30
    zalo_bot_token: SecretStr | None = None
    zalo_bot_api_url: str = "https://bot-api.zaloplatforms.com"
    zalo_bot_mode: Mode = Mode.POLLING
    zalo_bot_people: Annotated[int, Field(ge=0)] = 50
    zalo_bot_groups: Annotated[int, Field(ge=0)] = 3
    zalo_bot_monthly: Annotated[int, Field(ge=0)] = 3000
    zalo_oa_app_id: str | None = None
    zalo_oa_app_secret: SecretStr | None = None
    zalo_oa_oa_secret: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices(f"{PREFIX}ZALO_OA_OA_SECRET", f"{PREFIX}ZALO_OA_SECRET")
    )
    zalo_oa_access_token: SecretStr | None = None
    zalo_oa_refresh_token: SecretStr | None = None
    zalo_oa_api_url: str = "https://openapi.zalo.me"
    zalo_oa_oauth_url: str = "https://oauth.zaloapp.com"
    zalo_oa_buttons: bool = True
    zalo_oa_paid_monthly: Annotated[int, Field(ge=0)] = 500
    zalo_oa_articles_monthly: Annotated[int, Field(ge=0)] = 4
    zalo_oa_mute_minutes: Annotated[int, Field(ge=0, le=1440)] = 60
    answer_hours: Annotated[float, Field(ge=0.25, le=72)] = 4
    public_url: str | None = None
    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    secret_key: SecretStr | None = None
    admins: Annotated[tuple[Address, ...], NoDecode] = ()
    timezone: str = "Asia/Ho_Chi_Minh"
    engine: EngineKind = EngineKind.LOCAL
    cluster_lease: Annotated[float, Field(ge=2, le=300)] = 20
    keep_deliveries_days: Annotated[int, Field(ge=8, le=36_500)] = 180
    assistant_url: str | None = None
    assistant_model: str | None = None
    assistant_key: SecretStr | None = None
    assistant_timeout: Annotated[float, Field(ge=0.2, le=10)] = 2
    log_level: str = "INFO"
    log_format: Annotated[str, Field(pattern="^(auto|json|console)$")] = "auto"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def sqlite_path(self) -> Path | None:
        """Where the SQLite file is; `None` on PostgreSQL."""
        scheme, _, rest = self.database_url.partition(":///")
        return Path(rest) if scheme.startswith("sqlite") else None

    @field_validator("telegram_token", mode="before")
    @classmethod
    def _tokens(cls, value: Any) -> Any:
        return tuple(t.strip() for t in value.split(",") if t.strip()) if isinstance(value, str) else value

    @field_validator("telegram_token")
    @classmethod
    def _token_form(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for place, token in enumerate(value, 1):
            if not _TOKEN.fullmatch(token.get_secret_value()):
                raise ValueError(
                    f"token number {place} does not look like 123456:ABC-DEF; copy it again from @BotFather"
                )
        ids = [t.get_secret_value().split(":")[0] for t in value]
        if len(set(ids)) < len(ids):
            raise ValueError("the same bot is named twice")
        return value

    @field_validator(*_COPIED, mode="before")
    @classmethod
    def _copied(cls, value: Any) -> Any:
        return value.strip() or None if isinstance(value, str) else value

    @field_validator("zalo_bot_token")
    @classmethod
    def _zalo_token_form(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("this does not look like 12345689:abc-xyz; copy it again from Zalo's Bot Creator")
        return value

    @field_validator("zalo_oa_app_id")
    @classmethod
    def _zalo_app_id(cls, value: str | None) -> str | None:
        if value is not None and not value.isdecimal():
            raise ValueError("write the app's number, as it stands in Zalo's developer console")
        return value

    @field_validator("admins", mode="before")
    @classmethod
    def _admins(cls, value: Any) -> Any:
        return tuple(Address.parse(a) for a in value.split(",") if a.strip()) if isinstance(value, str) else value

    @field_validator("secret_key")
    @classmethod
    def _real_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().strip():
            raise ValueError(f"write {GOOD_SECRET} random characters or more, or leave it out and a key is made")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"'{value}' is not a time zone; write one like Asia/Ho_Chi_Minh") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value.startswith(("sqlite+aiosqlite:///", "postgresql+psycopg://")):
            raise ValueError("write sqlite+aiosqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME")
        return value

    @field_validator(
        "telegram_api_url", "zalo_bot_api_url", "zalo_oa_api_url", "zalo_oa_oauth_url", "public_url", "assistant_url"
    )
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc):
            raise ValueError("write a whole address that begins with https:// (or http://)")
        return value.rstrip("/") if value else value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("write DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @model_validator(mode="after")
    def _together(self) -> Settings:
        problems = []
        if self.engine is EngineKind.CLUSTER and self.sqlite_path is not None:
            problems.append("LOASO_ENGINE=cluster needs PostgreSQL: set LOASO_DATABASE_URL=postgresql+psycopg://…")
        if self.telegram_mode is Mode.WEBHOOK and self.telegram_token and not self.public_url:
            problems.append("LOASO_TELEGRAM_MODE=webhook needs LOASO_PUBLIC_URL, the https address of this server")
        if self.assistant_url and not self.assistant_model:
            problems.append("LOASO_ASSISTANT_MODEL: name the model that LOASO_ASSISTANT_URL offers")
        problems += [*self._zalo_problems(), *self._speech_problems()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _zalo_problems(self) -> list[str]:
        problems = []
        if self.zalo_bot_mode is Mode.WEBHOOK and self.zalo_bot_token and not self.public_url:
            problems.append("LOASO_ZALO_BOT_MODE=webhook needs LOASO_PUBLIC_URL, the https address of this server")
        if self.zalo_oa_app_id is None:
            tokens = self.zalo_oa_access_token or self.zalo_oa_refresh_token
            if self.zalo_oa_app_secret or self.zalo_oa_oa_secret or tokens:
                problems.append("LOASO_ZALO_OA_APP_ID: set it, or leave out the other LOASO_ZALO_OA_… settings")
            return problems
        if self.zalo_oa_app_secret is None:
            problems.append("LOASO_ZALO_OA_APP_SECRET: set it; without it no access token can be renewed")
        if self.zalo_oa_oa_secret is None:
            problems.append("LOASO_ZALO_OA_OA_SECRET: set it; without it nothing that Zalo sends us can be believed")
        if self.zalo_oa_access_token and not self.zalo_oa_refresh_token:
            problems.append("LOASO_ZALO_OA_REFRESH_TOKEN: set it too; without it the access token dies within a day")
        return problems


def load(**overrides: Any) -> Settings:
    """Read the settings. Raises `SettingsError` that names every problem at once."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(_problems(error) + _unfit(error, overrides)) from error


def _unfit(error: ValidationError, overrides: dict[str, Any]) -> list[str]:
    """What does not fit together either, seen only without what is wrong alone."""
    alone = {str(found["loc"][0]) for found in error.errors() if found["loc"]} & Settings.model_fields.keys()
    if not alone:
        return []
    try:
        Settings(**{**overrides, **{name: Settings.model_fields[name].default for name in alone}})
    except ValidationError as more:
        named = [PREFIX + name.upper() for name in alone]
        return [problem for problem in _problems(more) if not any(name in problem for name in named)]
    return []


def _problems(error: ValidationError) -> list[str]:
    problems: list[str] = []
    for found in error.errors(include_url=False, include_input=False):
        text = found["msg"].removeprefix("Value error, ")
        name = PREFIX + str(found["loc"][0]).upper() if found["loc"] else ""
        problems += [f"{name}: {line}" if name else line for line in text.splitlines()]
    return problems


def unknown_names() -> list[str]:
    """Variables that begin like ours and mean nothing: most often a spelling mistake."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {f"{PREFIX}ZALO_OA_SECRET"}
    return sorted(n for n in os.environ if n.startswith(PREFIX) and n not in known)


def secret_key(settings: Settings) -> bytes:
    """The key that signs links and sessions: the setting, else a file that is made once, mode 0600: beside a SQLite
    database, in `var/` with PostgreSQL. Programs on several machines, or in several folders, must be given the setting.

    Raises `SettingsError` when the file can be neither read nor made, or holds no whole key.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path = secret_file(settings)
    try:
        return _kept_secret(path)
    except OSError as error:
        raise SettingsError([f"LOASO_SECRET_KEY: set it; {path} cannot be used: {error.strerror}"]) from error


def secret_file(settings: Settings) -> Path:
    """Where the key is kept when it is not set."""
    return (settings.sqlite_path or Path("var/loaso.db")).with_name("secret.key")


def _kept_secret(path: Path) -> bytes:
    """The key in the file; made whole before it gets its name, so that nobody ever reads half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
    kept = path.read_text().strip()
    if len(kept) < GOOD_SECRET:
        raise SettingsError([f"LOASO_SECRET_KEY: {path} holds no whole key; delete the file and start again"])
    return kept.encode()
