"""Questions that ask the same stand together; the same ones each time."""

from __future__ import annotations

import random

from bot.core.words import UnitKind
from bot.db.tables import Unit
from bot.db.tables_questions import Question
from bot.outreach.questions.likeness import group

PLACE = Unit(id=1, code="1", name="Thôn Đông", kind=UnitKind.VILLAGE, path="/1/", aliases=[])
SAME = (
    ("giấy xác nhận bán bò xin ở đâu", "xin giấy xác nhận bán bò ở mô", "giay xac nhan ban bo xin o dau"),
    ("máy cày đăng ký ở đâu", "đăng ký máy cày ở đâu ạ"),
    ("mất chó thì báo ai",),
)


def test_alike_ones_stand_together_whatever_their_order() -> None:
    texts = [text for alike in SAME for text in alike]
    rows = [(Question(id=id, text=text), PLACE) for id, text in enumerate(texts, 1)]
    wanted = [[1, 2, 3], [4, 5], [6]]
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        found = group(rows)
        assert [alike.ids for alike in found] == wanted
        assert found[0].first.text == SAME[0][0]
        assert found[0].places == ["Thôn Đông"]
