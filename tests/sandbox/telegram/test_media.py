"""Files in every kind of message: uploads, ids, albums, downloads, sizes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
import telegram

from bot.sandbox.telegram import Attachment, BotAccount, Message, TelegramSandbox, User
from tests.sandbox.telegram.conftest import PNG, Raw

KINDS = [
    ("photo", "sendPhoto", PNG),
    ("video", "sendVideo", b"video"),
    ("animation", "sendAnimation", b"gif"),
    ("voice", "sendVoice", b"OggS"),
    ("audio", "sendAudio", b"ID3"),
    ("document", "sendDocument", b"%PDF"),
    ("video_note", "sendVideoNote", b"round"),
    ("sticker", "sendSticker", b"RIFF"),
]


async def _upload(call: Raw, method: str, field: str, content: bytes, **params: object) -> dict[str, Any]:
    form = aiohttp.FormData()
    form.add_field(field, io.BytesIO(content), filename="tep.bin")
    for name, value in {"chat_id": 1001, **params}.items():
        form.add_field(name, str(value))
    answer = await call.request("POST", f"{call.base}/{method}", data=form)
    return dict(answer.result) if answer.status == 200 else answer.json


@pytest.mark.parametrize(("kind", "method", "content"), KINDS)
async def test_upload_download_and_send_again_by_id(
    call: Raw, started: User, bot: BotAccount, kind: str, method: str, content: bytes
) -> None:
    sent = await _upload(call, method, kind, content)
    shown = sent[kind][-1] if kind == "photo" else sent[kind]
    file = (await call("getFile", file_id=shown["file_id"])).result
    assert file["file_size"] == len(content)
    async with call.session.get(f"{call.sandbox.url}/file/bot{bot.token}/{file['file_path']}") as download:
        assert await download.read() == content
    again = (await call(method, chat_id=1001, **{kind: shown["file_id"]})).result
    once_more = again[kind][-1] if kind == "photo" else again[kind]
    assert once_more["file_unique_id"] == shown["file_unique_id"]
    last = started.chat(bot).last
    assert (last.kind, last.file_bytes) == (kind, content)


async def test_a_photo_shows_its_real_size_and_a_small_one(call: Raw, started: User) -> None:
    sent = await _upload(call, "sendPhoto", "photo", PNG, caption="<b>ảnh</b>", parse_mode="HTML")
    sizes = [(p["width"], p["height"]) for p in sent["photo"]]
    assert sizes == [(90, 67), (640, 480)]
    assert sent["caption"] == "ảnh"
    assert sent["caption_entities"] == [{"type": "bold", "offset": 0, "length": 3}]


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({}, "Bad Request: there is no photo in the request"),
        ({"photo": "AgACnothing"}, "Bad Request: wrong file identifier/HTTP URL specified"),
        ({"photo": "https://example.com/a.png"}, "Bad Request: failed to get HTTP URL content"),
        ({"photo": "attach://missing"}, "Bad Request: wrong file identifier/HTTP URL specified"),
    ],
)
async def test_photos_that_are_none(call: Raw, started: User, params: dict[str, str], description: str) -> None:
    answer = await call.request("POST", f"{call.base}/sendPhoto", data={"chat_id": "1001", **params})
    if not params:
        call.sandbox.violations.clear()
        assert answer.status == 400
    else:
        assert answer.error == (400, description)


@pytest.mark.parametrize(
    ("content", "description"),
    [
        (b"", "Bad Request: file must be non-empty"),
        (b"not a picture", "Bad Request: IMAGE_PROCESS_FAILED"),
        (PNG[:16] + (9000).to_bytes(4, "big") + (2000).to_bytes(4, "big"), "Bad Request: PHOTO_INVALID_DIMENSIONS"),
        (PNG[:16] + (2100).to_bytes(4, "big") + (100).to_bytes(4, "big"), "Bad Request: PHOTO_INVALID_DIMENSIONS"),
        (
            PNG + b"x" * (10 * 1024 * 1024),
            f"Bad Request: file of size {len(PNG) + 10485760} bytes is too big for a photo; "
            "the maximum size is 10485760 bytes",
        ),
    ],
    ids=["empty", "no picture", "too large a picture", "too long a picture", "too many bytes"],
)
async def test_pictures_that_are_refused(call: Raw, started: User, content: bytes, description: str) -> None:
    assert (await _upload(call, "sendPhoto", "photo", content))["description"] == description


async def test_uploads_and_downloads_have_their_sizes(
    sandbox: TelegramSandbox, call: Raw, bot: BotAccount, started: User
) -> None:
    assert (sandbox.limits.upload_bytes, sandbox.limits.download_bytes) == (50 * 1024**2, 20 * 1024**2)
    sandbox.limits.upload_bytes, sandbox.limits.download_bytes = 2000, 1000
    assert (await _upload(call, "sendDocument", "document", b"x" * 2001))["error_code"] == 413
    sent = await _upload(call, "sendDocument", "document", b"x" * 1500)
    file_id = sent["document"]["file_id"]
    assert (await call("getFile", file_id=file_id)).error == (400, "Bad Request: file is too big")
    assert (await call("getFile", file_id="nothing")).error == (400, "Bad Request: invalid file_id")


async def test_a_file_keeps_its_kind_and_its_bot(sandbox: TelegramSandbox, call: Raw, started: User) -> None:
    sent = await _upload(call, "sendDocument", "document", b"x")
    file_id = sent["document"]["file_id"]
    answer = await call("sendPhoto", chat_id=1001, photo=file_id)
    assert answer.error == (400, "Bad Request: can't use file of type Document as Photo")
    other = sandbox.add_bot("777:B")
    started.start(other)
    refused = await other.call("sendDocument", {"chat_id": 1001, "document": file_id})
    assert refused["description"] == "Bad Request: wrong file identifier/HTTP URL specified"


async def test_a_known_address_is_fetched(sandbox: TelegramSandbox, call: Raw, started: User) -> None:
    sandbox.add_url("https://loaso.example/poster.png", PNG)
    sent = (await call("sendPhoto", chat_id=1001, photo="https://loaso.example/poster.png")).result
    assert sent["photo"][-1]["width"] == 640


@pytest.mark.parametrize(("caption", "ok"), [("x" * 1024, True), ("x" * 1025, False), ("😀" * 513, False)])
async def test_captions_are_short(call: Raw, started: User, caption: str, ok: bool) -> None:
    sent = await _upload(call, "sendPhoto", "photo", PNG, caption=caption)
    assert ("message_id" in sent) is ok
    if not ok:
        assert sent["description"] == "Bad Request: message caption is too long"


async def test_an_album_mixes_new_files_and_known_ones(call: Raw, started: User, bot: BotAccount) -> None:
    known = await _upload(call, "sendPhoto", "photo", PNG)
    media = [
        {"type": "photo", "media": "attach://moi", "caption": "mới"},
        {"type": "photo", "media": known["photo"][-1]["file_id"]},
        {"type": "video", "media": "attach://phim"},
    ]
    form = aiohttp.FormData({"chat_id": "1001", "media": json.dumps(media)})
    form.add_field("moi", PNG + b"2", filename="moi.png")
    form.add_field("phim", b"mp4", filename="phim.mp4")
    sent = (await call.request("POST", f"{call.base}/sendMediaGroup", data=form)).result
    assert len({m["media_group_id"] for m in sent}) == 1
    assert [m.kind for m in started.chat(bot).messages[-3:]] == ["photo", "photo", "video"]
    assert started.chat(bot).messages[-3].file_bytes == PNG + b"2"
    assert call.sandbox.sent(bot) == 4


async def test_albums_that_are_refused(call: Raw, started: User, bot: BotAccount) -> None:
    document = started.send_document(bot, b"x").json(bot.id)["document"]["file_id"]
    audio = started.send_audio(bot, b"x").json(bot.id)["audio"]["file_id"]
    gif = started.send_animation(bot, b"x").json(bot.id)["animation"]["file_id"]
    one = {"type": "document", "media": document}
    rows = [
        ([one], "there are too few messages to send as an album"),
        ([one] * 11, "too many messages to send as an album"),
        ([one, {"type": "audio", "media": audio}], "document can't be mixed with other media types"),
    ]
    for media, words in rows:
        answer = await call("sendMediaGroup", chat_id=1001, media=media)
        assert answer.error == (400, f"Bad Request: {words}")
    answer = await call("sendMediaGroup", chat_id=1001, media=[{"type": "animation", "media": gif}] * 2)
    call.sandbox.violations.clear()
    assert answer.status == 400


SENDS: list[tuple[str, Callable[[User, BotAccount], Message]]] = [
    ("photo", lambda u, b: u.send_photo(b, PNG, caption="ảnh", entities=[{"type": "bold", "offset": 0, "length": 3}])),
    ("voice", lambda u, b: u.send_voice(b, b"ogg", duration=7)),
    ("video", lambda u, b: u.send_video(b, b"mp4", caption="phim")),
    ("animation", lambda u, b: u.send_animation(b, b"gif")),
    ("video_note", lambda u, b: u.send_video_note(b, b"mp4")),
    ("sticker", lambda u, b: u.send_sticker(b)),
    ("document", lambda u, b: u.send_document(b, b"a,b", name="ds.csv", mime="text/csv")),
    ("audio", lambda u, b: u.send_audio(b, b"mp3", title="Bài", performer="Ca sĩ")),
    ("location", lambda u, b: u.send_location(b)),
    ("venue", lambda u, b: u.send_venue(b, "Nhà văn hoá", "Thôn Trung")),
    ("contact", lambda u, b: u.send_contact(b)),
    ("text", lambda u, b: u.write(b, "chào /help")),
]


@pytest.mark.parametrize(("kind", "send"), SENDS)
async def test_what_people_send_is_read_by_the_library(
    ptb: telegram.Bot, bot: BotAccount, started: User, kind: str, send: Callable[[User, BotAccount], Message]
) -> None:
    message = send(started, bot)
    (update,) = await ptb.get_updates()
    assert update.message is not None
    assert update.message.effective_attachment is not None or kind == "text"
    assert update.message.from_user is not None
    assert update.message.from_user.id == 1001
    assert getattr(update.message, kind)
    assert message.kind == kind
    attachment = update.message.effective_attachment
    if isinstance(attachment, telegram.Document | telegram.Voice):
        assert bytes(await (await attachment.get_file()).download_as_bytearray()) == message.file_bytes


async def test_an_album_of_a_person_shares_an_id(ptb: telegram.Bot, bot: BotAccount, started: User) -> None:
    await started.send_album(bot, [PNG, Attachment("video", b"mp4", "phim")])
    updates = await ptb.get_updates()
    groups = {u.message.media_group_id for u in updates if u.message}
    assert len(updates) == 2
    assert len(groups) == 1
    assert groups != {None}
