"""Listening instead of reading: the setting, and the voice beside what is said."""

from __future__ import annotations

from bot.core.events import ChatKind, InboundKind, Outbound
from bot.core.text import words
from bot.db.tables import Item
from bot.outreach import letterbox, voice
from bot.outreach.voice import Aloud, Script
from handlers.routing import ButtonSpec, Context, Router, Test
from messages.content.models import FaqEntry, Tip

router = Router(ChatKind.PRIVATE)


def _only(*wanted: str) -> Test:
    """The whole message, with no polite words around it: "ok nghe" means "all right" in Quảng Bình, and "đọc đi" asks
    for a voice."""

    def test(ctx: Context) -> bool:
        plain = ctx.inbound.kind is InboundKind.MESSAGE and not ctx.inbound.media and not ctx.inbound.forwarded
        return plain and words(ctx.text) in wanted

    return test


@router.on(_only("nghe"))
@router.on_text("nghe thay vì đọc", "thích nghe", "muốn nghe", "bật nghe", "mở nghe", "bật tiếng", "bật giọng đọc")
@router.on_text("đọc cho nghe", "đọc cho tôi nghe", "đọc đi", "đọc to lên", "cho tôi nghe", "nghe giọng đọc", "listen")
async def listen(ctx: Context) -> None:
    """Wish noted, and heard at once where that is possible."""
    ctx.person.listens = True
    here = voice.form_for(ctx.desk, ctx.capabilities) is not None and voice.is_there(ctx.desk)
    key = "voice.will_read" if here else "voice.elsewhere"
    await ctx.reply(key)
    if here:
        said = ctx.desk.book.say(ctx.person.language, key).text
        await _hear(ctx, voice.of_text(ctx.desk, said, ctx.person.language))


@router.on(_only("đọc", "doc"))
@router.on_text("đọc thay vì nghe", "thích đọc", "muốn đọc", "tắt nghe", "thôi nghe", "không nghe", "tắt tiếng", "read")
@router.on_text("tắt giọng đọc", "chỉ đọc chữ", "đọc chữ")
async def read(ctx: Context) -> None:
    ctx.person.listens = False
    await ctx.reply("voice.text_only")


def change(ctx: Context) -> list[ButtonSpec]:
    """The button of the settings; none where nothing can be heard."""
    if ctx.person.listens:
        return [("voice.turn_off", "set:listen:0")]
    here = voice.form_for(ctx.desk, ctx.capabilities) is not None and voice.is_there(ctx.desk)
    return [("voice.turn_on", "set:listen:1")] if here else []


async def hear_tip(ctx: Context, item: Item, *, asked: bool = False) -> None:
    """The voice of a tip, now if there is one, else as soon as it is made. `asked`: somebody pressed for it."""
    language, group = ctx.person.language, ctx.in_group
    ready = voice.ready_tip(ctx.desk, item, language, ctx.capabilities, group=group)
    await _hear(ctx, voice.of_tip(ctx.desk, item, language), ready, asked=asked)


async def hear_simpler(ctx: Context, item: Item, tip: Tip) -> None:
    await _hear(ctx, voice.of_simpler(ctx.desk, item, tip, ctx.person.language))


async def hear_answer(ctx: Context, entry: FaqEntry, *, asked: bool = False) -> None:
    await _hear(ctx, voice.of_answer(ctx.desk, entry), asked=asked)


def answer_button(ctx: Context, entry: FaqEntry) -> list[ButtonSpec]:
    """The button under an answer; whoever listens hears it anyway."""
    possible = voice.can_say(ctx.desk, ctx.desk.pack.language, ctx.capabilities, group=ctx.in_group)
    return [("voice.listen", f"faq:listen:{entry.id}")] if possible and not ctx.person.listens else []


async def _hear(ctx: Context, script: Script, ready: Outbound | None = None, *, asked: bool = False) -> None:
    ready = ready or voice.ready(ctx.desk, script, ctx.person.language, ctx.capabilities, group=ctx.in_group)
    if ready is not None:
        await letterbox.put_beside(ctx.tx, ctx.desk, ctx.account, ctx.contact, ready, ctx.now)
    elif voice.can_say(ctx.desk, script.language, ctx.capabilities, group=ctx.in_group):
        ctx.aloud.append(_aloud(ctx, script))
        if asked and ctx.inbound.answer_id is not None:
            await ctx.answer("voice.coming")
    elif asked:
        await ctx.answer("voice.not_here")


def _aloud(ctx: Context, script: Script) -> Aloud:
    return Aloud(
        account=ctx.account.key,
        contact_id=ctx.contact.id,
        group=ctx.in_group,
        reads=ctx.person.language,
        script=script,
    )
