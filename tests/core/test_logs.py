"""Logs: no secret and nobody's words, whoever writes the line."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import orjson
import pytest
import structlog

from bot import logs

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


@pytest.fixture
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("_as_before")
def test_secrets_and_words_do_not_get_out(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "json")
    log = structlog.get_logger("test")
    log.info("Sent", url=f"https://api.telegram.org/bot{TOKEN}/sendMessage", text="mẹ ốm", phone="0912345678")
    logging.getLogger("other").error("failed for 0912345678 at postgresql://u:geheim@h/d with %s", TOKEN)
    try:
        int(f"bad answer from /bot{TOKEN}/getMe")
    except ValueError:
        log.exception("It broke")
    printed = capsys.readouterr().err
    for secret in (TOKEN, "AAHdqTcv", "mẹ ốm", "0912345678", "geheim"):
        assert secret not in printed
    lines = [orjson.loads(line) for line in printed.splitlines()]
    assert lines[0]["event"] == "Sent"
    assert "ValueError" in lines[2]["exception"]


@pytest.mark.usefixtures("_as_before")
def test_a_line_is_one_json_object_with_vietnamese_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "json")
    structlog.get_logger("test").info("Đã gửi", contact=7)
    line = orjson.loads(capsys.readouterr().err)
    assert (line["event"], line["contact"], line["level"], line["logger"]) == ("Đã gửi", 7, "info", "test")
