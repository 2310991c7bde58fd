# ruff: noqa: RUF001
"""Foreign scripts as an English voice reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.romanised import romanised
from glue.voice.riva_ask import spoken


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Привет, Katya! Ещё?", "Privet, Katya! Eshche?"),
        ("こんにちは！ 元気？", "konnichiha! yuanqi?"),
        ("Γεια σου", "Geia soy"),
        ("안녕 Minji", "annyeong Minji"),
        ("Größe, café, señor…", "Größe, café, señor…"),  # a Latin script is hers to read
        ("e\u0301t\u00e9", "été"),
        ("It's 3 o'clock — really", "It's 3 o'clock — really"),
        ("10⁶ people, 1½ cups, x²", "10⁶ people, 1½ cups, x²"),
        ("2π r, 5 µm, 10 Ω", "2π r, 5 µm, 10 Ω"),
        ("ㅋㅋㅋㅋ 안녕", "haha annyeong"),
        ("「猫」", '"mao"'),
        ("Z͑ͫa̴l", "Zal"),
        ("\ufb01ne, o\ufb00, Vi\u1ec7t", "fine, off, Viet"),
        ("١٢ नमस्ते", "12 nmste"),
    ],
)
def test_an_english_voice_is_given_latin_letters(text: str, said: str) -> None:
    assert romanised(text, "en-US") == said


def test_a_voice_that_reads_a_script_is_given_it() -> None:
    assert romanised("こんにちは！", "ja-JP") == "こんにちは！"
    assert romanised("Việt", "vi-VN") == "Việt"
    assert romanised("Привет", "ru_RU") == romanised("Привет", "be") == "Привет"


@given(st.text(max_size=60))
def test_nothing_is_left_that_is_spelt_out_letter_by_letter(text: str) -> None:
    said = spoken(text, "en-US")
    assert not [c for c in said if c.isalpha() and ord(c) > 0x2AF and c.lower() != c.upper()], said


@given(st.text(alphabet="abcxyzABCäöüßéèñçøåłžđ,.!?' 0123456789-—", max_size=60))
def test_latin_text_is_left_alone(text: str) -> None:
    assert romanised(text, "en-US") == text
