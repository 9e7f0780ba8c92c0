"""Files on their way from one platform to others: uploaded, fetched by their address, or said to be there."""

from __future__ import annotations

import re
from datetime import timedelta

import aiohttp

from bot.core.events import Media, MediaKind, Outbound
from bot.core.words import CampaignKind
from bot.sandbox.telegram import Message
from bot.sandbox.telegram.files import file_id
from tests.routes.conftest import Settle
from tests.routes.village import Village, Villager

HOUR = timedelta(hours=1)
_SIZE = (1280).to_bytes(4, "big") + (960).to_bytes(4, "big")
PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + _SIZE + b"picture"
LARGE = PICTURE + bytes(1_500_000)
FILM = b"\0\0\0\x18ftypmp42" + b"film" * 10


def known(village: Village, kind: MediaKind, sent: Message) -> Media:
    """What the bot learns of a file that somebody sends it."""
    assert sent.file is not None
    return Media(kind, file_id=file_id(village.telegram_bot.id, sent.file), size=len(sent.file.content))


async def pass_on(village: Village, words: str, media: Media, *who: Villager) -> dict[str, object]:
    """A run with a file that only the Telegram account knows."""
    parts = [Outbound(chat_id="", text=words, media=(media,))]
    run_id = await village.send(
        words,
        ",".join(f"person:{one.id}" for one in who),
        parts=parts,
        account_id=village.ids["telegram"],
        kind=CampaignKind.ALERT,
        urgent=True,
        again=True,
    )
    ended = await village.check(run_id, words)
    assert len(ended) == len(who)
    return await village.status(run_id)


async def fetched(url: str) -> bytes:
    """As a platform or a phone would."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200
        return await answer.read()


async def test_a_head_on_telegram_sends_files_to_people_on_zalo(settle: Settle) -> None:
    async with settle() as village:
        (head,), readers = await village.bring(telegram=True), await village.bring(oa=HOUR, count=4)
        chatters = await village.bring(bot=True, count=2)
        everybody = (head, *readers, *chatters)
        assert head.telegram is not None
        picture = known(village, MediaKind.PHOTO, head.telegram.send_photo(village.telegram_bot, PICTURE))
        await _picture(village, picture, everybody, readers, chatters)
        await _again(village, picture, readers)
        film = known(village, MediaKind.VIDEO, head.telegram.send_video(village.telegram_bot, FILM))
        status = await pass_on(village, "Phim hướng dẫn", film, head, readers[0], chatters[0])
        assert status["sent"] == 3
        for text in (_last(readers[0]), _last_of_bot(village, chatters[0])):
            (url,) = re.findall(r"Xem tệp: (\S+)", text)
            assert text.startswith("Phim hướng dẫn")
            assert await fetched(url) == FILM
        large = known(village, MediaKind.PHOTO, head.telegram.send_photo(village.telegram_bot, LARGE))
        status = await pass_on(village, "Ảnh lớn", large, head, *readers[:2], chatters[0])
        assert status["sent"] == 4
        for one in readers[:2]:
            (url,) = re.findall(r"Xem tệp: (\S+)", _last(one))
            assert await fetched(url) == LARGE


async def _picture(
    village: Village, picture: Media, everybody: tuple[Villager, ...], readers: list[Villager], chatters: list[Villager]
) -> None:
    """Uploaded once to the Official Account; the bot's people get an address that our own web server answers."""
    oa = village.platforms.oa
    status = await pass_on(village, "Ảnh lịch họp", picture, *everybody)
    assert status["sent"] == len(everybody)
    (asset,) = oa.uploads.assets.values()
    assert asset.content == PICTURE
    for one in readers:
        assert one.oa is not None
        (got,) = one.oa.received
        assert (got.kind, got.text.startswith("Ảnh lịch họp")) == ("image", True)
    photos = set()
    for one in chatters:
        assert one.bot is not None
        (said,) = one.bot.chat(village.zalo_bot).bot_messages
        assert said.photo is not None
        photos.add(said.photo)
    (url,) = photos
    assert url.startswith(f"{village.app.settings.public_url}/m/")
    assert await fetched(url) == PICTURE
    async with aiohttp.ClientSession() as session, session.get(url[:-12] + "a" * 12) as answer:
        assert answer.status == 404


async def _again(village: Village, picture: Media, readers: list[Villager]) -> None:
    """By its id while the platform has it, uploaded anew after that, or when the platform says that it has not."""
    oa = village.platforms.oa
    await pass_on(village, "Nhắc lần hai", picture, *readers[:2])
    assert len(oa.uploads.assets) == 1
    village.hands.pass_by(days=6, hours=12)
    await pass_on(village, "Nhắc lần ba", picture, *readers[:2])
    assert len(oa.uploads.assets) == 2
    oa.limits.upload_life = 600
    village.hands.pass_by(minutes=20)
    await pass_on(village, "Nhắc lần bốn", picture, *readers)
    assert 1 <= oa.journal.refused()[-100] <= 3  # those on their way when it was first said
    assert len(oa.uploads.assets) == 3


def _last(who: Villager) -> str:
    assert who.oa is not None
    return who.oa.texts[-1]


def _last_of_bot(village: Village, who: Villager) -> str:
    assert who.bot is not None
    return str(who.bot.chat(village.zalo_bot).bot_messages[-1].text)


async def test_without_an_address_of_our_own_there_is_a_word_about_the_file(settle: Settle) -> None:
    """Nobody misses the words for it."""
    async with settle(public=False) as village:
        (head,), (reader,) = await village.bring(telegram=True), await village.bring(oa=HOUR)
        (chatter,) = await village.bring(bot=True)
        assert head.telegram is not None
        picture = known(village, MediaKind.PHOTO, head.telegram.send_photo(village.telegram_bot, PICTURE))
        film = known(village, MediaKind.VIDEO, head.telegram.send_video(village.telegram_bot, FILM))
        for words, media in (("Ảnh lịch họp", picture), ("Phim hướng dẫn", film)):
            status = await pass_on(village, words, media, head, reader, chatter)
            assert (status["sent"], status["failed"]) == (3, 0)
            assert "(Có tệp gửi kèm" in _last_of_bot(village, chatter)
        assert "(Có tệp gửi kèm" in _last(reader)
