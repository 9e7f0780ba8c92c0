"""Settings: every wrong one named at once, in plain words, and no secret shown."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot import settings
from bot.core.errors import SettingsError

OFFICIAL = {"LOASO_ZALO_OA_APP_ID": "77", "LOASO_ZALO_OA_APP_SECRET": "hush-app", "LOASO_ZALO_OA_OA_SECRET": "hush-oa"}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_nothing_set_is_fine() -> None:
    found = settings.load()
    assert found.telegram_token == ()
    assert found.telegram_rate == 30
    assert str(found.zone) == "Asia/Ho_Chi_Minh"


def test_every_problem_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "LOASO_DATABASE_URL": "mysql://nobody",
        "LOASO_TELEGRAM_TOKEN": "notatoken",
        "LOASO_TELEGRAM_RATE": "fast",
        "LOASO_HTTP_PORT": "99999",
        "LOASO_ADMINS": "bob",
        "LOASO_TIMEZONE": "Mars/Base",
        "LOASO_ENGINE": "quantum",
        "LOASO_PUBLIC_URL": "loaso.vn",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    named = {problem.split(":")[0] for problem in caught.value.problems}
    assert named == set(wrong)
    assert "notatoken" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"LOASO_ENGINE": "cluster"}, "needs PostgreSQL"),
        ({"LOASO_TELEGRAM_MODE": "webhook", "LOASO_TELEGRAM_TOKEN": "1:abcdefgh"}, "LOASO_PUBLIC_URL"),
        ({"LOASO_TELEGRAM_TOKEN": "1:abcdefgh,1:hgfedcba"}, "named twice"),
        (
            {"LOASO_ZALO_BOT_MODE": "webhook", "LOASO_ZALO_BOT_TOKEN": "1:abcdefgh"},
            "BOT_MODE=webhook needs LOASO_PUBLIC_",
        ),
        ({"LOASO_ZALO_OA_APP_ID": "77", "LOASO_ZALO_OA_SECRET": "y"}, "LOASO_ZALO_OA_APP_SECRET: set it"),
        ({"LOASO_ZALO_OA_APP_ID": "77", "LOASO_ZALO_OA_APP_SECRET": "x"}, "LOASO_ZALO_OA_OA_SECRET: set it"),
        ({"LOASO_ZALO_OA_APP_SECRET": "x"}, "LOASO_ZALO_OA_APP_ID: set it"),
        ({"LOASO_ZALO_OA_OA_SECRET": "x"}, "LOASO_ZALO_OA_APP_ID: set it"),
        ({"LOASO_ZALO_OA_REFRESH_TOKEN": "x"}, "LOASO_ZALO_OA_APP_ID: set it"),
        ({"LOASO_ZALO_OA_ACCESS_TOKEN": "x"}, "LOASO_ZALO_OA_APP_ID: set it"),
        ({**OFFICIAL, "LOASO_ZALO_OA_ACCESS_TOKEN": "x"}, "LOASO_ZALO_OA_REFRESH_TOKEN: set it"),
    ],
)
def test_settings_that_do_not_fit_together(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], says: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=says):
        settings.load()


def test_every_problem_with_zalo_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "LOASO_ZALO_BOT_TOKEN": "hush-token",
        "LOASO_ZALO_BOT_API_URL": "bot-api.zaloplatforms.com",
        "LOASO_ZALO_BOT_MODE": "pigeon",
        "LOASO_ZALO_BOT_PEOPLE": "-1",
        "LOASO_ZALO_BOT_GROUPS": "some",
        "LOASO_ZALO_BOT_MONTHLY": "many",
        "LOASO_ZALO_OA_APP_ID": "loa-so",
        "LOASO_ZALO_OA_API_URL": "ftp://openapi.zalo.me",
        "LOASO_ZALO_OA_OAUTH_URL": "oauth",
        "LOASO_ZALO_OA_BUTTONS": "perhaps",
        "LOASO_ZALO_OA_PAID_MONTHLY": "-5",
        "LOASO_ZALO_OA_ARTICLES_MONTHLY": "few",
        "LOASO_ZALO_OA_MUTE_MINUTES": "1441",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert [problem.split(":")[0] for problem in caught.value.problems] == list(wrong)
    assert "hush" not in str(caught.value)


def test_what_does_not_fit_together_is_named_beside_what_is_wrong_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"LOASO_ZALO_BOT_TOKEN": "x", "LOASO_ZALO_OA_APP_ID": "77", "LOASO_HTTP_PORT": "99999"}
    for name, value in {**wrong, "LOASO_ZALO_BOT_MODE": "webhook", "LOASO_PUBLIC_URL": "loaso.vn"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    named = [problem.split(":")[0] for problem in caught.value.problems]
    assert named == [
        "LOASO_ZALO_BOT_TOKEN",
        "LOASO_PUBLIC_URL",
        "LOASO_HTTP_PORT",
        "LOASO_ZALO_OA_APP_SECRET",
        "LOASO_ZALO_OA_OA_SECRET",
    ]


@pytest.mark.parametrize("name", ["LOASO_ZALO_OA_OA_SECRET", "LOASO_ZALO_OA_SECRET"])
def test_the_secret_of_the_webhook_has_two_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    for other, value in {**OFFICIAL, "LOASO_ZALO_OA_OA_SECRET": ""}.items():
        monkeypatch.setenv(other, value)
    monkeypatch.setenv(name, "hush-oa")
    found = settings.load()
    assert found.zalo_oa_oa_secret is not None
    assert found.zalo_oa_oa_secret.get_secret_value() == "hush-oa"
    assert settings.unknown_names() == []
    assert "hush" not in repr(found)
    monkeypatch.delenv(name)
    (tmp_path / ".env").write_text(f"{name}=from-file\n")
    from_file = settings.load().zalo_oa_oa_secret
    assert from_file is not None
    assert from_file.get_secret_value() == "from-file"


def test_zalo_is_read_without_the_blanks_that_copying_brings(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = {"LOASO_ZALO_OA_ACCESS_TOKEN": " a ", "LOASO_ZALO_OA_REFRESH_TOKEN": "r\n"}
    copied = {**OFFICIAL, "LOASO_ZALO_OA_APP_ID": " 77 ", "LOASO_ZALO_OA_APP_SECRET": " s ", **tokens}
    for name, value in {
        **copied,
        "LOASO_ZALO_BOT_TOKEN": " 12:abc-xyz\n",
        "LOASO_ZALO_BOT_API_URL": "http://z/",
    }.items():
        monkeypatch.setenv(name, value)
    found = settings.load()
    secrets = (found.zalo_bot_token, found.zalo_oa_app_secret, found.zalo_oa_access_token, found.zalo_oa_refresh_token)
    assert [s and s.get_secret_value() for s in secrets] == ["12:abc-xyz", "s", "a", "r"]
    assert (found.zalo_oa_app_id, found.zalo_bot_api_url) == ("77", "http://z")


def test_several_tokens_and_admins_are_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOASO_TELEGRAM_TOKEN", "1:abcdefgh, 2:hgfedcba")
    monkeypatch.setenv("LOASO_ADMINS", "telegram:5,zalo_oa:77")
    found = settings.load()
    assert [t.get_secret_value() for t in found.telegram_token] == ["1:abcdefgh", "2:hgfedcba"]
    assert [str(a) for a in found.admins] == ["telegram:5", "zalo_oa:77"]
    assert "abcdefgh" not in repr(found)


def test_a_variable_without_a_value_is_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in settings.Settings.model_fields:
        monkeypatch.setenv(f"LOASO_{name.upper()}", "")
    found = settings.load()
    assert found == settings.Settings.model_construct()
    assert len(settings.secret_key(found)) > 30
    assert (tmp_path / "var" / "secret.key").exists()


def test_an_empty_line_of_the_file_is_not_set_either(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOASO_SECRET_KEY=\nLOASO_PUBLIC_URL=\nLOASO_HTTP_PORT=\n")
    found = settings.load()
    assert (found.secret_key, found.public_url, found.http_port) == (None, None, 8080)


def test_a_secret_of_blanks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOASO_SECRET_KEY", " " * 20)
    with pytest.raises(SettingsError, match="16 random characters"):
        settings.load()


def test_many_programs_that_start_at_once_agree_on_the_secret(tmp_path: Path) -> None:
    found = settings.load(database_url=f"sqlite+aiosqlite:///{tmp_path}/var/loaso.db")
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: settings.secret_key(found), range(8)))
    assert len(keys) == 1
    assert [f.name for f in (tmp_path / "var").iterdir()] == ["secret.key"]


def test_a_misspelt_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOASO_TELEGRAM_TOKENS", "1:abcdefgh")
    assert settings.unknown_names() == ["LOASO_TELEGRAM_TOKENS"]


def test_the_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    found = settings.load(database_url=f"sqlite+aiosqlite:///{tmp_path}/var/loaso.db")
    first = settings.secret_key(found)
    assert len(first) > 30
    assert settings.secret_key(found) == first
    assert stat.S_IMODE((tmp_path / "var" / "secret.key").stat().st_mode) == 0o600


def test_with_postgresql_the_secret_is_kept_in_var(tmp_path: Path) -> None:
    found = settings.load(database_url="postgresql+psycopg://u:p@h/d")
    assert settings.secret_key(found) == (tmp_path / "var" / "secret.key").read_bytes().strip()


def test_a_key_file_that_was_never_finished_is_not_signed_with(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret.key").touch()
    with pytest.raises(SettingsError, match="holds no whole key"):
        settings.secret_key(settings.load())


def test_a_secret_that_can_be_neither_read_nor_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where a folder should be")
    with pytest.raises(SettingsError, match="LOASO_SECRET_KEY: set it"):
        settings.secret_key(settings.load())
