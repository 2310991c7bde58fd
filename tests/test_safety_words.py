"""Words, however they are spelt; lists of any length; personal data by its shape."""

import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.errors import ConfigError
from glue.safety.fold import fold, lookalikes, read
from glue.safety.lists import load, shipped
from glue.safety.phrases import Phrases
from glue.safety.private import luhn, redact

LIST = Phrases(["blorbo", "grumpf", "two words", "zonk*"])
SIGNS = {"o": "0", "l": "1", "b": "8"}
WORDS = st.text(alphabet=string.ascii_lowercase, min_size=4, max_size=10)


@pytest.mark.parametrize(
    "text",
    [
        "a BLORBO!",
        "blorbos",
        "b l o r b o",
        "b.l.o.r.b.o",
        "b-l-o-r-b-o",
        "bl or bo",
        "b then l then o then r then b then o",
        "8l0rb0",
        "b1orbo",
        "blooooorbo",
        "blo\u043e\u043eorbo",  # two of them Cyrillic
        "\uff42\uff4c\uff4f\uff52\uff42\uff4f",
        "\U0001d553\U0001d55d\U0001d560\U0001d563\U0001d553\U0001d560",
        "\U0001f171\U0001f17b\U0001f17e\U0001f181\U0001f171\U0001f17e",
        "\u0299\u029f\u1d0f\u0280\u0299\u1d0f",
        "b\u200bl\u200bo\u200br\u200bb\u200bo",
        "bl\u0336o\u0336r\u0336b\u0336o\u0336",
        "Two  WORDS.",
        "zonkers",
        "first letters: Big Lions Often Roar But Occasionally",
    ],
)
def test_a_listed_word_is_found_however_it_is_spelt(text: str) -> None:
    assert LIST.find(text), text


@pytest.mark.parametrize("text", ["blorb", "ablorbo", "two, or words", "bl orb", "zon", "", "two", "b l o r"])
def test_what_only_resembles_it_is_not(text: str) -> None:
    assert not LIST.find(text)


@given(WORDS, st.sampled_from(["", " ", ".", "-", "\u200b", "\u0301"]))
def test_any_word_is_found_with_anything_between_its_letters(word: str, between: str) -> None:
    assert Phrases([word]).find(f"they say {between.join(word)} again")


@given(WORDS, st.randoms(use_true_random=False))
def test_any_word_is_found_in_lookalike_letters(word: str, chance: object) -> None:
    other = {read_as: char for char, read_as in lookalikes().items()}
    assert Phrases([word]).find("".join(other.get(c, c) for c in word))


@given(st.text(max_size=300))
def test_any_text_is_read_and_stays_short(text: str) -> None:
    reading = read(text)
    assert all(word and " " not in word for word in (*reading.plain, *reading.leeted))
    assert len(reading.hidden) <= 150
    assert fold(fold(text)).isascii() >= fold(text).isascii()


def test_other_scripts_match_themselves() -> None:
    assert Phrases(["привет"]).find("ну ПРИВЕТ тебе")
    assert Phrases(["挨拶"]).find("挨拶")


def test_empty_lists_find_nothing() -> None:
    lists = load()
    assert not lists.own.find("anything at all")
    assert not Phrases([]).find("anything at all") and not Phrases(["", " ", "!!"]).find("!!")


def test_a_list_that_cannot_be_read_is_told_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read .*cure"):
        load([str(tmp_path / "absent.txt")])


def test_the_shipped_list_is_coded_and_short() -> None:
    parts = shipped()
    assert sum(map(len, parts.values())) < 400
    text = (Path(__file__).parent.parent / "glue/safety/words.txt").read_text(encoding="utf-8").lower()
    assert not [entry for entry in parts["slurs"] if len(entry) > 4 and entry.isascii() and entry in text]


def test_slurs_are_nowhere_in_plain_text() -> None:
    slurs = [entry for entry in shipped()["slurs"] if len(entry) > 5 and entry.isascii()]
    for path in (Path(__file__).parent.parent / "glue/safety").glob("*.*"):
        if path.suffix in (".jsonl", ".yaml", ".py"):
            text = path.read_text(encoding="utf-8").lower()
            assert not [s for s in slurs if f" {s} " in text], path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mail me at jane.doe@example.com", "an email"),
        ("jane dot doe at gmail dot com", "an email"),
        ("see www.spam.example/x now", "a link"),
        ("go to cheap-fame dot com", "a link"),
        ("bit.ly/abc", "a link"),
        ("call +49 170 1234567", "a number"),
        ("555-867-5309", "a number"),
        ("five five five, eight six seven, five three oh nine", "a number"),
        ("card 4111 1111 1111 1111", "a number"),
        ("my ssn is 078-05-1120", "a number"),
        ("DE89 3704 0044 0532 0130 00", "an account number"),
        ("ip 203.0.113.77", "an IP"),
        ("I live at 14 Oak Street", "an address"),
        ("Hauptstraße 5", "an address"),
    ],
)
def test_personal_data_and_links_are_named_instead(text: str, found: str) -> None:
    shown, what = redact(text)
    assert found in what and found in shown
    assert not any(part in shown for part in ("doe", "8675309", "4111", "Oak", "203.0"))


@pytest.mark.parametrize(
    "text",
    [
        "i scored 1234567 points",
        "on 2026-12-24",
        "10 000 coins",
        "version 10.4.2",
        "meet me at level 42",
        "it is 3 to 4, see you at 20:15",
        "one, two, three!",
        "what's your favourite street food",
        "e.g. this",
        "500,000,000 stars",
    ],
)
def test_what_is_not_data_stays(text: str) -> None:
    assert redact(text) == (text, "")


@given(st.text(max_size=400))
def test_any_text_is_redacted_once(text: str) -> None:
    shown, _ = redact(text)
    assert json.dumps(shown)


def test_a_card_s_sum() -> None:
    assert luhn("4111111111111111") and not luhn("4111111111111112")
