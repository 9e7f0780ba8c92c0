"""A newcomer's first look, in a real browser: subscribe, be the village head, see the others receive."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from bot.demo import Demo
from messages import Phrasebook
from tests.demo import chromium
from tests.demo.conftest import ZONE

HEAD, NEWCOMER, OA_NEWCOMER, BOT_NEWCOMER, SILENT = 7010, 7001, 7003, 7004, 7025
NEWS = "Tối thứ Bảy 19 giờ họp thôn tại nhà văn hóa. <img src=x onerror=document.title='hỏng'>"


@pytest.fixture
async def page(demo: Demo) -> AsyncIterator[Page]:
    """The page, in a browser that reaches nothing else."""
    program = chromium.find()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(chromium.FLAGS))
        shown = await browser.new_page(viewport={"width": 1440, "height": 900}, locale="vi-VN")
        problems: list[str] = []
        asked: set[str] = set()
        shown.on("pageerror", lambda error: problems.append(str(error)))
        shown.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
        shown.on("request", lambda request: asked.add(request.url))
        shown.set_default_timeout(20_000)
        expect.set_options(timeout=20_000)
        await shown.goto(demo.url)
        await shown.wait_for_selector("body.ready")
        yield shown
        await browser.close()
        assert problems == []
        assert {url for url in asked if not url.startswith((demo.url, "data:", "blob:"))} == set()


@pytest.mark.browser
@pytest.mark.timeout(180)
async def test_a_first_visit(demo: Demo, page: Page) -> None:
    book = Phrasebook(demo.machine.clock.zone)
    await _subscribe(page, book)
    await _tell_the_village(page, book)
    await _pass_the_minute_of_regret(page)
    await _see_the_others_receive(page, demo)


async def _subscribe(page: Page, book: Phrasebook) -> None:
    await page.click("#start")
    await _press(page, book.label("vi", "subscribe.yes"))
    await expect(_button(page, book.label("vi", "subscribe.skip"))).to_be_visible()
    await _write(page, "phong nha")
    await _press(page, "Thôn Hà Lời")
    await _press(page, book.label("vi", "subscribe.group_elderly"))
    await _press(page, "19:00")
    ledger = page.locator("#who")
    await expect(ledger).to_contain_text("đang nhận tin")
    await expect(ledger).to_contain_text("Thôn Hà Lời")
    await expect(page.locator(".step.done")).to_have_count(1)


async def _tell_the_village(page: Page, book: Phrasebook) -> None:
    await page.click(f'[data-person="{HEAD}"]')
    await expect(page.locator("#who")).to_contain_text("Hoàng Văn Lượng")
    await _write(page, NEWS)
    await _press(page, book.label("vi", "broadcast.button_offer", place="Thôn Hà Lời"))
    await _press(page, book.label("vi", "broadcast.button_go"))
    await expect(_button(page, book.label("vi", "broadcast.button_undo"))).to_be_visible()


async def _pass_the_minute_of_regret(page: Page) -> None:
    before = await page.inner_text("#clock-time")
    await page.click("#clock")
    await page.get_by_role("menuitem", name="Thêm 1 phút").click()
    await expect(page.locator("#clock-time")).not_to_have_text(before)


async def _see_the_others_receive(page: Page, demo: Demo) -> None:
    story = page.locator(".story", has_text="họp thôn tại nhà văn hóa").filter(has_text="Đã tới")
    await expect(story).to_contain_text("người ở Thôn Hà Lời")
    await expect(story.locator(".story-badges")).to_contain_text("Telegram")
    await expect(story.locator(".story-badges .zalo")).to_have_text(f"Zalo {_on_zalo(demo)}")
    await expect(page.locator(f'[data-person="{NEWCOMER}"] .unread')).to_be_visible()
    await page.click(f'[data-person="{NEWCOMER}"]')
    await expect(page.locator(".message").last).to_contain_text(NEWS)
    assert await page.locator(".message img").count() == 0
    assert "hỏng" not in await page.title()
    newcomer = demo.town.people[NEWCOMER].user.chat(demo.town.bot)
    assert sum(NEWS in message.text for message in newcomer.bot_messages) == 1
    assert demo.worlds.telegram.count_429() == 0


def _on_zalo(demo: Demo) -> int:
    """How many people of the village are reached on Zalo: not who wrote too long ago, nor who prefers Telegram."""
    here = [p for p in demo.town.people.values() if p.unit == "PN-02" and p.telegram is None]
    return sum(p.id != SILENT for p in here)


@pytest.mark.browser
@pytest.mark.timeout(180)
async def test_a_first_visit_on_zalo(page: Page) -> None:
    book = Phrasebook(ZONE)
    await page.click(f'[data-person="{OA_NEWCOMER}"]')
    await _join_by_buttons(page, book)
    await page.click(f'[data-person="{BOT_NEWCOMER}"]')
    await _join_by_numbers(page)


async def _join_by_buttons(page: Page, book: Phrasebook) -> None:
    """On the Official Account: follow, tap."""
    await page.click("#follow")
    await _press(page, book.label("vi", "subscribe.yes"))
    await expect(page.locator(".message.theirs")).to_have_count(2)
    await _write(page, "phong nha")
    await _press(page, "Thôn Hà Lời")
    await expect(page.locator("#follow")).to_be_hidden()
    ledger = page.locator("#who")
    await expect(ledger).to_contain_text("đang nhận tin")
    await expect(ledger).to_contain_text("nhắn được miễn phí")
    await expect(page.locator(".message.mine")).to_have_count(1)  # what a button sends is not shown


async def _join_by_numbers(page: Page) -> None:
    """On the bot there are no buttons."""
    last = page.locator(".message.theirs").last
    for said, answer in (("chào", "1. Đồng ý"), ("1", "Bước 1/4"), ("hà lời", "Bước 3/4")):
        await _write(page, said)
        await expect(last).to_contain_text(answer)
    assert await page.locator(".message .key").count() == 0
    await expect(page.locator("#who")).to_contain_text("Thôn Hà Lời")


def _button(page: Page, label: str) -> Locator:
    return page.locator(".message .key", has_text=label).last


async def _press(page: Page, label: str) -> None:
    await _button(page, label).click()


async def _write(page: Page, text: str) -> None:
    await page.fill("#composer", text)
    await page.press("#composer", "Enter")
