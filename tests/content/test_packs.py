"""The real pack is sound, and a broken one says in which file and line."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest

from bot.core.errors import UserError
from bot.core.text import length, nfc
from messages.content.editor_schema import SCHEMA_ROOT, schemas
from messages.content.packs import PACK_ROOT, BadPack, FactKind, Group, Pack, check, load, translations

TODAY = date(2026, 11, 22)
ZALO_TEXT = 2000
"""Characters that the shortest channel takes in one message (Zalo)."""
SAFETY = """
    wrong_transfer otp_safety otp_not_received fake_police deepfake suspicious_link fake_app scammed report_number
    zalo_lost facebook_lost child_safety loan_scam job_scam personal_data lost_phone hotlines""".split()  # noqa: SIM905


@cache
def pack() -> Pack:
    return load()


def test_the_real_pack_has_no_problem() -> None:
    assert [str(problem) for problem in check(today=TODAY)] == []


def test_there_is_enough_for_every_group() -> None:
    assert len(pack().tips) >= 180
    assert set(pack().curricula) == {str(group) for group in Group}
    assert all(len(days) >= 30 for days in pack().curricula.values())
    orders = [days[:14] for days in pack().curricula.values()]
    assert len(set(orders)) == len(orders)


def test_every_group_has_tips_of_its_own_and_every_tip_a_day() -> None:
    own = {tip.groups[0] for tip in pack().tips.values() if len(tip.groups) == 1}
    assert own == set(Group)
    assert {tip for days in pack().curricula.values() for tip in days} == pack().tips.keys()


def test_the_questions_cover_seventy_topics_and_all_that_safety_needs() -> None:
    assert len({entry.topic for entry in pack().faq.values()}) >= 90
    assert [id for id in SAFETY if not pack().faq[id].safety] == []
    assert all(len(set(entry.phrasings)) >= 4 for entry in pack().faq.values())


def test_everything_fits_every_channel() -> None:
    bodies = [tip.body() for tip in pack().tips.values()] + [entry.body() for entry in pack().faq.values()]
    assert max(length(text) for text in bodies) <= min(ZALO_TEXT, 4096)
    assert all(len(tip.body()) <= 300 and len(tip.simpler) <= 300 for tip in pack().tips.values())
    assert all(len(tip.steps) <= 3 for tip in pack().tips.values())
    assert all(text == nfc(text) for text in bodies)


def test_facts_are_written_out_in_the_texts() -> None:
    assert "113" in pack().faq["scammed"].body()
    assert pack().faq["scammed"].uses == ("hotline_police",)
    assert not any("{" in entry.body() for entry in pack().faq.values())


def test_emergency_numbers_live_longer_than_those_that_wait_for_confirmation() -> None:
    unsure = {id for id, fact in pack().facts.items() if fact.confirm}
    assert unsure == {"hotline_vneid", "hotline_portal"}
    assert not set(pack().faq["hotlines"].uses) & unsure
    assert {f.value for f in pack().facts.values() if f.kind is FactKind.HOTLINE} >= {"111", "112", "113", "114", "115"}


def test_scripts_can_be_read_aloud() -> None:
    for tip in pack().tips.values():
        assert len(tip.script) <= 900
        assert re.search(r"https?:|www\.|\.gov|/", tip.script) is None, tip.id


def test_what_expired_is_no_longer_current() -> None:
    report = pack().faq["report_number"]
    assert pack().current(report, TODAY)
    assert not pack().current(report, report.expires)
    assert pack().current(report, report.expires - timedelta(days=1))


def test_the_version_changes_with_any_file(tmp_path: Path) -> None:
    write_pack(tmp_path)
    before = load(tmp_path).version
    write_pack(tmp_path, tips=TIPS + "# a remark\n")
    assert re.fullmatch("[0-9a-f]{12}", before)
    assert load(tmp_path).version != before


def test_stored_schemas_are_current() -> None:
    stored = {path.name: path.read_text(encoding="utf-8") for path in SCHEMA_ROOT.glob("*.json")}
    assert stored == schemas(), "run: python -c 'from messages.content.editor_schema import write; write()'"


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(BadPack, match="no pack for the language `xx`") as caught:
        load(PACK_ROOT, "xx")
    assert isinstance(caught.value, UserError)


def test_an_empty_folder_is_a_problem(tmp_path: Path) -> None:
    assert "no pack here" in str(check(tmp_path, today=TODAY)[0])


HEAD = """\
defaults:
  source: https://vneid.gov.vn
  source_name: VNeID
  checked_on: 2026-11-01
  expires: 2027-05-31
"""
TIPS = f"""{HEAD}tips:
  - id: first_tip
    title: Khóa màn hình
    groups: [all]
    area: device
    level: 1
    text: Bà con đặt khóa màn hình cho điện thoại.
    simpler: Đặt mã khóa cho máy của mình nhé.
    why: Để người khác không mở được.
    script: Bà con chú ý. Xin đặt khóa màn hình cho điện thoại của mình.
    quiz:
      ask: Ai mở được máy có khóa?
      choices: [Ai cũng mở được, Chỉ mình mở được, Không ai mở được]
      right: 2
      because: Khóa rồi thì chỉ chủ máy mới mở được.
"""
FAQ = f"""{HEAD}faq:
  - id: police_call
    title: Gọi công an
    phrasings: [gọi công an số mấy, so cong an, gọi công an mần răng, goi 113]
    answer: Việc gấp thì bà con gọi {{fact:hotline_police}} nhé.
    theme: an_toan
"""
FACTS = f"""{HEAD}facts:
  - id: hotline_police
    kind: hotline
    value: "113"
    label: Công an
"""


def write_pack(root: Path, **files: str) -> None:
    """A small sound pack, some files of it replaced."""
    curricula = "curricula:\n" + "".join(f"  {group}: [first_tip]\n" for group in Group)
    whole = {"tips": TIPS, "faq": FAQ, "facts": FACTS, "curricula": curricula, **files}
    places = {"tips": "tips/a.yaml", "faq": "faq/a.yaml", "facts": "facts.yaml", "curricula": "curricula.yaml"}
    for name, text in whole.items():
        path = root / "vi" / places.get(name, f"{name}.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def swap(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


TIP_TWICE = TIPS + TIPS.split("tips:\n")[1].replace("first_tip", "second_tip").replace("Khóa màn", "Giữ màn")
BROKEN = [
    ("spoken with digits", "spoken", "words:\n  OTP: ô tê 9\n", 2, "without digits"),
    ("capitals of nothing", "spoken", "words:\n  OTP: ô tê pê\ncapitals: [AI]\n", 3, "does not stand under"),
    ("nothing spoken", "spoken", "- OTP\n", 1, "must begin with `words:`"),
    ("not YAML", "tips", TIPS + "  - id: [", 21, "not valid YAML"),
    ("alias", "tips", TIPS + "    picture: *other\n", 21, "aliases"),
    ("no list", "tips", "tips: 3\n", 1, "must hold a list"),
    ("unknown part", "tips", TIPS + "extra: 1\n", 21, "`extra` is not known"),
    ("word for a record", "tips", TIPS + "  - only words\n", 21, "must be a record"),
    ("unknown field", "tips", TIPS + "    colour: red\n", 21, "Extra inputs"),
    ("written twice", "tips", TIPS + "    level: 2\n", 21, "`level` is written twice"),
    ("id taken", "tips", TIPS + TIPS.split("tips:\n")[1], 21, "is taken already"),
    ("too long", "tips", swap(TIPS, "Bà con đặt", "Bà con đặt " + "rất " * 80), 12, "at most 300 characters"),
    ("four steps", "tips", TIPS + "    steps: [một hai, ba bốn, năm sáu, bảy tám]\n", 21, "at most 3 items"),
    ("fourth is right", "tips", swap(TIPS, "right: 2", "right: 4"), 19, "less than or equal to 3"),
    ("same choice", "tips", swap(TIPS, "Không ai mở được", "ai cũng MỞ được"), 17, "two choices say the same"),
    ("four choices", "tips", swap(TIPS, "Không ai mở được", "Không ai, Máy hỏng"), 18, "at most 3 items"),
    ("no such area", "tips", swap(TIPS, "area: device", "area: kitchen"), 10, "area"),
    ("level too high", "tips", swap(TIPS, "level: 1", "level: 9"), 11, "less than or equal to 3"),
    ("http source", "tips", swap(TIPS, "https:", "http:"), 2, "begins with https"),
    ("not a date", "tips", swap(TIPS, "2027-05-31", "2027-13-45"), 5, "expires"),
    ("not NFC", "tips", swap(TIPS, "Khóa màn hình", "Kho\u0301a màn hình"), 8, "NFC"),
    ("invisible", "tips", swap(TIPS, "Khóa màn hình", "Khóa\u200b màn hình"), 8, "invisible"),
    ("unknown fact", "faq", swap(FAQ, "hotline_police", "hotline_moon"), 7, "no fact `hotline_moon`"),
    ("few phrasings", "faq", swap(FAQ, ", so cong an, gọi công an mần răng", ""), 9, "at least 4 items"),
    ("related to nothing", "faq", FAQ + "    related: [moon]\n", 12, "no other question"),
    ("unknown tip", "curricula", "curricula:\n  student: [moon]\n", 2, "no tip `moon`"),
    ("missing group", "curricula", "curricula:\n  student: [first_tip]\n", 2, "`elderly` has no curriculum"),
    ("unknown group", "curricula", "curricula:\n  cats: [first_tip]\n", 2, "`cats` is no group"),
    ("twice a tip", "curricula", "curricula:\n  student:\n    - first_tip\n    - first_tip\n", 4, "twice"),
    ("no curricula", "curricula", "", 1, "must begin with `curricula:`"),
]
SAID_BADLY = [
    ("future check", "tips", swap(TIPS, "2026-11-01", "2026-12-24"), 4, "in the future"),
    ("expired", "tips", swap(TIPS, "2027-05-31", "2026-11-20"), 5, "expired on 2026-11-20"),
    ("trusted too long", "tips", swap(TIPS, "2027-05-31", "2028-11-20"), 5, "within 400 days"),
    ("expired fact", "facts", swap(FACTS, "2027-05-31", "2026-11-20"), 5, "expired"),
    ("bare phone", "tips", swap(TIPS, "cho máy của mình", "rồi gọi 0912 345 678"), 13, "0912 345 678 must be a fact"),
    ("bare hotline", "tips", swap(TIPS, "cho máy của mình", "rồi gọi 113"), 13, "113 must be a fact"),
    ("bare sum", "tips", swap(TIPS, "cho máy của mình", "kẻo mất 5 triệu"), 13, "5 triệu must be a fact"),
    ("foreign link", "tips", swap(TIPS, "cho máy của mình", "ở https://abc.com"), 13, ".gov.vn"),
    ("loud link", "tips", swap(TIPS, "Xin đặt", "Vào https://vneid.gov.vn đặt"), 15, "loudspeaker"),
    ("block", "tips", swap(TIPS, "cho máy của mình", "rồi bật VPN"), 13, "round a block"),
    ("lock threat", "tips", swap(TIPS, "cho máy của mình", "kẻo sẽ bị khóa SIM"), 13, "favourite line"),
    ("for ever", "tips", swap(TIPS, "cho máy của mình", "miễn phí mãi"), 13, "for ever"),
    ("certificate", "tips", swap(TIPS, "cho máy của mình", "sẽ được chứng nhận"), 13, "never a certificate"),
    ("money back", "tips", swap(TIPS, "cho máy của mình", "sẽ lấy lại được tiền"), 13, "comes back"),
    ("district", "tips", swap(TIPS, "cho máy của mình", "ở công an huyện"), 13, "districts"),
    ("unasked", "tips", TIPS[: TIPS.index("    quiz:")], 7, "has no practice question"),
    ("bad reason", "tips", swap(TIPS, "Khóa rồi thì chỉ", "Gọi 113 thì"), 20, "113 must be a fact"),
    ("same tip", "tips", TIP_TWICE, 26, "nearly the same"),
    ("no voice", "tips", TIPS + "    voice: tips/a.yaml\n", 21, "no .ogg (Opus)"),
    ("no picture", "tips", TIPS + "    picture: media/no.png\n", 21, "no file media/no.png"),
]


def files_of(name: str) -> str:
    return {"tips": "tips/a.yaml", "faq": "faq/a.yaml"}.get(name, f"{name}.yaml")


@pytest.mark.parametrize(("label", "name", "text", "line", "words"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_file_is_refused_with_its_line(
    tmp_path: Path, label: str, name: str, text: str, line: int, words: str
) -> None:
    write_pack(tmp_path, **{name: text})
    with pytest.raises(BadPack) as caught:
        load(tmp_path)
    found = [(p.path, p.line) for p in caught.value.problems if words in p.text]
    assert found == [(tmp_path / "vi" / files_of(name), line)], caught.value.problems


@pytest.mark.parametrize(("label", "name", "text", "line", "words"), SAID_BADLY, ids=[row[0] for row in SAID_BADLY])
def test_what_must_not_be_said_is_reported_with_its_line(
    tmp_path: Path, label: str, name: str, text: str, line: int, words: str
) -> None:
    write_pack(tmp_path, **{name: text})
    load(tmp_path)
    problems = check(tmp_path, today=TODAY)
    assert (tmp_path / "vi" / files_of(name), line) in [(p.path, p.line) for p in problems if words in p.text], problems


def test_a_warning_may_name_what_it_warns_of(tmp_path: Path) -> None:
    write_pack(tmp_path, tips=swap(TIPS, "Đặt mã khóa cho máy của mình", "Không đọc mã otp cho ai cả"))
    assert [p.text for p in check(tmp_path, today=TODAY) if "days, at least" not in p.text] == []


def test_a_wrong_choice_may_say_what_one_must_not_do(tmp_path: Path) -> None:
    write_pack(tmp_path, tips=swap(TIPS, "Không ai mở được", "Đọc mã OTP cho người gọi"))
    assert [p.text for p in check(tmp_path, today=TODAY) if "days, at least" not in p.text] == []


def test_the_right_answer_stands_in_every_place_equally_often() -> None:
    places = Counter(tip.quiz.right for tip in pack().tips.values() if tip.quiz)
    assert max(places.values()) <= 0.4 * len(pack().tips)
    longest = sum(
        max(tip.quiz.choices, key=len) == tip.quiz.choices[tip.quiz.right - 1]
        for tip in pack().tips.values()
        if tip.quiz
    )
    assert longest <= 0.5 * len(pack().tips), "whoever presses the longest must not be right"


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    write_pack(tmp_path, tips=swap(TIPS, "level: 1", "level: 9"), faq=swap(FAQ, "hotline_police", "moon"))
    with pytest.raises(BadPack) as caught:
        load(tmp_path)
    assert {p.path.parent.name for p in caught.value.problems} >= {"tips", "faq"}


TRANSLATED = """\
tips:
  - id: first_tip
    title: Lock the screen
    text: Put a lock on the screen of your phone.
    simpler: Give your phone a lock of its own.
    why: So that nobody else can open it.
    script: Attention please. Put a lock on the screen of your phone, as you lock your house.
    quiz:
      ask: Who opens a locked phone?
      choices: [Anybody, Only its owner, Nobody]
      right: 2
      because: A lock keeps everybody else out.
"""


def write_translation(root: Path, tips: str = TRANSLATED) -> Path:
    write_pack(root)
    path = root / "en" / "tips" / "a.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(tips, encoding="utf-8")
    (root / "en" / "facts.yaml").write_text("facts:\n  - id: hotline_police\n    label: Police\n", encoding="utf-8")
    return path


def test_a_translation_holds_words_and_takes_the_rest_over(tmp_path: Path) -> None:
    write_translation(tmp_path)
    first = load(tmp_path)
    english = translations(first, tmp_path)["en"]
    tip = english.tips["first_tip"]
    assert (tip.title, tip.groups, tip.source) == (
        "Lock the screen",
        first.tips["first_tip"].groups,
        "https://vneid.gov.vn",
    )
    assert (english.facts["hotline_police"].label, english.facts["hotline_police"].value) == ("Police", "113")
    assert english.curricula == {}
    assert not english.current(tip, tip.expires)


def test_a_translation_of_nothing_is_named_with_its_line(tmp_path: Path) -> None:
    path = write_translation(tmp_path, swap(TRANSLATED, "first_tip", "moon_tip"))
    (problem,) = [p for p in check(tmp_path, today=TODAY) if "translates nothing" in p.text]
    assert (problem.path, problem.line) == (path, 2)
    with pytest.raises(BadPack):
        translations(load(tmp_path), tmp_path)


def test_english_has_the_first_weeks_of_a_resident() -> None:
    english = translations(pack())["en"]
    assert set(pack().curricula["resident"][:30]) <= english.tips.keys()
    assert all(tip.quiz is not None for tip in english.tips.values())
