"""Everything beside messages: health, links, articles, groups, labels."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from bot.channels.zalo_oa import ZaloOaChannel, to_confirm
from bot.core.channel import Window
from bot.core.errors import AccountStopped, BadContent, BudgetUsed, ContactClosed, NotSent, OutcomeUnknown, SlowDown
from bot.core.events import InboundKind, MediaKind, Membership, Outbound
from bot.core.grants import MemoryGrants, seed_grant
from tests.channels.conftest import Inbox
from tests.channels.zalo_oa_fixtures import Oa, official_account


@pytest.fixture
async def oa() -> AsyncIterator[Oa]:
    async with official_account() as found:
        await found.grant()
        yield found


@pytest.fixture
def channel(oa: Oa) -> ZaloOaChannel:
    return oa.connect()


def test_what_it_can_do(channel: ZaloOaChannel) -> None:
    can = channel.capabilities
    assert can.window == Window(free=timedelta(hours=48), closes=timedelta(days=7), paid_per_month=500)
    assert (can.max_text, can.max_caption, can.buttons, can.label, can.album) == (2000, 2000, 5, 100, 1)
    assert (can.edit, can.delete, can.formatting, can.groups, can.deep_links) == (False, False, False, True, True)
    assert (can.max_upload, can.upload_life, can.limits.per_second) == (5 * 1024 * 1024, timedelta(days=6), 50)
    assert can.media == {MediaKind.PHOTO, MediaKind.ANIMATION, MediaKind.FILE, MediaKind.STICKER}


async def test_all_is_well(oa: Oa, channel: ZaloOaChannel) -> None:
    health = await channel.check()
    assert (health.ok, health.name, health.problem) == (True, "Loa Số", "")


async def test_a_check_takes_the_configured_pair(oa: Oa) -> None:
    pair = oa.pair()
    seed = seed_grant(pair.access_token, pair.refresh_token, oa.hands.now)
    store = MemoryGrants()
    assert "nobody has consented" in (await oa.connect(store=store).check()).problem
    assert (await oa.connect(store=store, seed=seed).check()).ok


async def test_health_says_what_to_do(oa: Oa, channel: ZaloOaChannel) -> None:
    oa.zalo.verified = False
    assert "verified" in (await channel.check()).problem
    oa.zalo.verified = True
    oa.zalo.limits.paid_messages = 10
    for _ in range(10):
        oa.zalo.use("paid messages", 10)
    assert "Of 10 paid messages 0 are left" in (await channel.check()).problem
    oa.zalo.limits.paid_messages = 500
    oa.hands.now = datetime(2028, 1, 1, tzinfo=UTC)
    await oa.grant()
    assert "ended on 2027-12-31" in (await channel.check()).problem


async def test_health_says_that_the_token_grows_old(oa: Oa, channel: ZaloOaChannel) -> None:
    oa.hands.pass_by(hours=20)
    with oa.zalo.faults.html(503, path="/v4/oa/access_token", count=None):
        assert "ends in 5.0 h" in (await channel.check()).problem
    assert (await oa.connect().check()).ok


async def test_health_says_where_it_looks_in_vain(oa: Oa, channel: ZaloOaChannel) -> None:
    await oa.zalo.stop()
    health = await channel.check()
    assert (health.ok, "LOASO_ZALO_OA_API_URL" in health.problem) == (False, True)
    grant = await oa.store.read()
    assert grant is not None
    assert grant.access_token not in health.problem


def test_what_only_a_human_can_look_up_is_said() -> None:
    told = "\n".join(to_confirm())
    for word in ("webhook", "code_challenge", "package", "buttons", "broadcast", "articles", "GMF"):
        assert word.lower() in told.lower()


async def test_links(oa: Oa, channel: ZaloOaChannel, inbox: Inbox) -> None:
    assert (channel.link("ref_1"), channel.share_link("ref_1", "x")) == (None, None)
    await channel.start(inbox)
    assert channel.link("ref_1") == f"https://zalo.me/{oa.zalo.oa_id}"
    share = urlsplit(channel.share_link("ref_1", "Mời bà con") or "")
    query = parse_qs(share.query)
    assert (share.hostname, share.path) == ("button-share.zalo.me", "/share_external")
    assert orjson.loads(base64.b64decode(query["d"][0])) == {"url": f"https://zalo.me/{oa.zalo.oa_id}"}


async def test_an_article_is_made_and_sent_to_followers(oa: Oa, channel: ZaloOaChannel) -> None:
    lan, tam = oa.follower(), oa.zalo.add_user("Tám")
    oa.zalo.articles.ready_after = 2
    articles = channel.articles
    token = await articles.create("Tin " * 80, "Thôn Đông", "Tóm tắt", "https://a.vn/b.jpg", "Họp lúc 19 giờ")
    assert await articles.article_id(token) is None
    article_id = await articles.article_id(token)
    assert article_id is not None
    assert await articles.broadcast(article_id)
    assert ([m.kind for m in lan.received], tam.received) == (["article"], [])


async def test_what_may_go_wrong_with_an_article(oa: Oa, channel: ZaloOaChannel) -> None:
    oa.zalo.limits.articles = 1
    articles, told = channel.articles, ("Tin", "Thôn Đông", "Tóm tắt", "https://a.vn/b.jpg", "Họp")
    token = await articles.create(*told)
    with pytest.raises(BudgetUsed):
        await articles.create(*told)
    with pytest.raises(BadContent):
        await articles.article_id("nothing")
    with pytest.raises(NotSent):
        await articles.broadcast(token)
    article_id = await articles.article_id(token) or ""
    oa.hands.pass_by(hours=10)  # 22:00
    with pytest.raises(SlowDown) as night:
        await articles.broadcast(article_id)
    assert night.value.retry_after == 8 * 3600 + 5 * 60
    oa.hands.pass_by(seconds=night.value.retry_after)
    oa.zalo.faults.reset_after(path="/v2.0/oa/message")
    with pytest.raises(OutcomeUnknown):
        await articles.broadcast(article_id, cities=(4, 5))
    oa.zalo.limits.broadcasts = 1
    with pytest.raises(BudgetUsed):
        await articles.broadcast(article_id)


async def test_a_group_of_a_village(oa: Oa, channel: ZaloOaChannel, inbox: Inbox) -> None:
    await channel.start(inbox)
    await oa.hook(channel)
    head, lan, tam = oa.follower("Trưởng thôn"), oa.follower(), oa.follower("Tám")
    head.oa_admin = True
    groups, asset = channel.groups, oa.zalo.groups.add_asset("gmf50")
    assert await groups.assets("gmf50") == (asset.id,)
    group = await groups.create("Thôn Đông", "Bà con thôn Đông", asset.id, [head.id, lan.id])
    assert (group.name, group.members, group.enabled) == ("Thôn Đông", 2, True)
    assert group.link.startswith("https://zalo.me/g/")
    await groups.invite(group.id, [tam.id])
    assert [one.id for one in await groups.all()] == [group.id]
    assert set(await groups.members(group.id)) == {head.id, lan.id, tam.id}
    assert await groups.assets("gmf50") == ()
    room = oa.zalo.groups.all[group.id]
    sent = await channel.send(Outbound(chat_id=group.id, text=f"[@{group.id}] Họp [@[@x]{lan.id}]tối nay", group=True))
    (shown,) = room.received
    assert (shown.id, shown.text, room.mentioned(shown)) == (sent.message_id, "Họp tối nay", [])
    oa.zalo.groups.write(room, lan, f"[@{oa.zalo.oa_id}] mấy giờ?")
    await inbox.until(lambda: any(event.text == "mấy giờ?" for event in inbox.events))
    (asked,) = [event for event in inbox.events if event.text]
    assert (asked.chat_id, asked.addressed, asked.sender_id) == (group.id, True, lan.id)
    oa.zalo.groups.delete(room)
    await inbox.until(lambda: inbox.events[-1].membership is Membership.LEFT)
    kinds = [(e.kind, e.membership) for e in inbox.events if e.chat_id == group.id and not e.text]
    assert kinds[0] == (InboundKind.MEMBERSHIP, Membership.JOINED)
    with pytest.raises(ContactClosed):
        await channel.send(Outbound(chat_id=group.id, text="a", group=True))


async def test_many_groups_are_listed_page_by_page(oa: Oa, channel: ZaloOaChannel) -> None:
    head = oa.follower("Trưởng thôn")
    head.oa_admin = True
    for number in range(11):
        oa.zalo.groups.create(f"Thôn {number}", "", oa.zalo.groups.add_asset(), [head])
    assert [group.name for group in await channel.groups.all()] == [f"Thôn {number}" for number in range(11)]


async def test_a_group_needs_somebody(channel: ZaloOaChannel) -> None:
    with pytest.raises(ValueError):
        await channel.groups.create("Thôn Đông", "", "asset", [])


async def test_labels(oa: Oa, channel: ZaloOaChannel) -> None:
    lan = oa.follower()
    await channel.labels.tag(lan.id, "Xã A")
    await channel.labels.tag(lan.id, "Thôn Đông")
    await channel.labels.untag(lan.id, "Xã A")
    assert lan.shared.tags == ["Thôn Đông"]
    assert set(await channel.labels.names()) == {"Xã A", "Thôn Đông"}


async def test_a_right_that_the_application_lacks_is_named(oa: Oa, channel: ZaloOaChannel) -> None:
    oa.zalo.faults.error(-212, path="tagfollower")
    with pytest.raises(AccountStopped, match="must be active"):
        await channel.labels.tag(oa.follower().id, "Xã A")
