"""Conversations with an assistant that chooses: what it is shown, and what it is not."""

from __future__ import annotations

from collections.abc import Sequence

from tests.conversations.test_faq import finds, some
from tests.support.talk import Talk


class Chooser:
    """Always takes the last title by the alphabet, and remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, Sequence[str]]] = []

    async def choose(self, question: str, titles: Sequence[str]) -> int | None:
        self.shown.append((question, titles))
        return titles.index(max(titles)) + 1


async def test_its_choice_is_answered(talk: Talk) -> None:
    chooser = talk.inbox.adviser = Chooser()
    ids = some(talk, 3)
    finds(talk, action="suggest", entries=ids, score=0.4, candidates=ids)
    person = await talk.resident("5")
    assert await person.says("máy đi đâu mất") == ["faq.answer"]
    assert max(talk.desk.pack.faq[id].title for id in ids) in person.last.text
    assert [question for question, _ in chooser.shown] == ["máy đi đâu mất"]


async def test_what_the_bot_asked_for_is_not_shown(talk: Talk) -> None:
    chooser = talk.inbox.adviser = Chooser()
    ids = some(talk, 3)
    person = talk.person()
    await person.says("/start")
    await person.says("đồng ý")
    finds(talk, action="suggest", entries=ids, score=0.4, candidates=ids)
    await person.says("xã ở gần biển lắm")
    assert chooser.shown == []


async def test_what_helpers_reply_is_not_shown(talk: Talk) -> None:
    chooser = talk.inbox.adviser = Chooser()
    ids = some(talk, 3)
    finds(talk, action="suggest", entries=ids, score=0.4, candidates=ids)
    person = await talk.resident("5")
    if not talk.channel.account.startswith("zalo_bot"):  # nobody can reply to a message there
        await person.says("ra trạm thú y xã", replies_to="1")
    await person.says("Trả lời câu 12: ra trạm thú y xã")
    assert chooser.shown == []


async def test_a_sure_answer_needs_no_choice(talk: Talk) -> None:
    chooser = talk.inbox.adviser = Chooser()
    person = await talk.resident("5")
    assert await person.says("quên mật khẩu vneid") == ["faq.answer"]
    assert chooser.shown == []
