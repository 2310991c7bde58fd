"""Viewers' text: whatever comes in, what goes on is short, visible, composed, and on one line."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glue.senses.clean import LONGEST_NAME, LONGEST_TEXT, MARKS, NOBODY, clean, name

ANY = st.text() | st.text(st.characters()) | st.binary()
SURROGATES = st.text(st.characters(categories=["Cs", "Cf", "Cc", "Mn", "Lo", "So"]))


@given(ANY | SURROGATES)
@example("\ud800")
@example("e" + "\u0301" * 5000)
@example("\u0344" * 9)
def test_what_comes_out_is_safe(raw: str | bytes) -> None:
    text = clean(raw).text
    assert len(text) <= LONGEST_TEXT
    assert text == text.strip()
    assert unicodedata.is_normalized("NFC", text)
    text.encode("utf-8")
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        assert category not in ("Cc", "Cs", "Co", "Zl", "Zp")
        assert category != "Cf" or char == "\u200d"
        marks = marks + 1 if category[0] == "M" else 0
        assert marks <= MARKS


@given(ANY | SURROGATES)
def test_twice_is_once(raw: str | bytes) -> None:
    once = clean(raw)
    again = clean(once.text)
    assert (again.text, again.cut) == (once.text, 0)


@given(ANY)
def test_names_are_never_empty(raw: str | bytes) -> None:
    assert 0 < len(name(raw)) <= LONGEST_NAME


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126)))
def test_plain_words_stay(word: str) -> None:
    assert clean(word).text == word[:LONGEST_TEXT]
    assert clean(word).cut == max(0, len(word) - LONGEST_TEXT)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  two \t lines\r\nin one ", "two lines in one"),
        ("e\u0301te\u0301", "\u00e9t\u00e9"),
        ("Z\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308a", "\u0179\u0302\u0303\u0304a"),
        ("\u202egnp.exe\u202c\u2066x\u2069", "gnp.exex"),
        ("a\u200bb\u200cc\u2060d\ufeffe\u00adf", "abcdef"),
        ("\x1b[31mred\x07\x00", "[31mred"),
        ("\U0001f469\u200d\U0001f4bb \U0001f44d\U0001f3fd \u2764\ufe0f", None),
        ("a\u200db", "ab"),
        ("\u3164\u2800\u115f", ""),
        ("\U000e0041\U000e0042hidden", "hidden"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
        ("\ud83d broken", "broken"),
        ("日本語　です", "日本語 です"),
        (b"caf\xe9", "caf\ufffd"),
    ],
)
def test_examples(raw: str | bytes, text: str | None) -> None:
    assert clean(raw).text == (raw if text is None else text)


def test_a_long_line_is_cut_and_counted() -> None:
    said = clean("x" * 10_000)
    assert (len(said.text), said.cut) == (500, 9500)


def test_a_nameless_viewer_is_someone() -> None:
    assert name("\u200b\u3164") == NOBODY
    assert name("\u202eMika") == "Mika"
