"""What a request's text becomes before it is spoken: read, cleaned, cut."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.speech.text import MOST_CHARACTERS, MOST_WORDS, Word, dictionary, pieces, read

MARKUP = st.lists(
    st.sampled_from(
        ["<speak>", "</speak>", "<phoneme ph='a'>", "</phoneme>", "<say-as interpret-as='digits'>"]
    )
    | st.sampled_from(
        ["</say-as>", "<!--", "-->", "<!", "]]>", "<script>", "</script>", "&amp;", "&#0;", "<"]
    )
    | st.text(max_size=5)
).map("".join)


def plain(text: str) -> str:
    return " ".join(word.text for word in read(text, {}))


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hello, chat!", "Hello, chat!"),
        ("so *very*   ~cool~ 🎉", "so very cool"),
        ("no\u200bway \u202eabc\u202c", "noway abc"),
        ("what?!?!??  really......", "what?!?!? really..."),
        ("2 + 2 = 4 & 50 %", "2 + 2 = 4 & 50 %"),
        ("yes - no", "yes, no"),
        ("I <3 you", "I 3 you"),
        ("<speak>one<break time='1s'/>two</speak>", "one two"),
        ("un<b>believ</b>able", "unbelievable"),
        ("<script>bad()</script>good", "good"),
        ("tea &amp; cake", "tea & cake"),
        ("good <speak", "good"),
        ("!!! ... 🎉", ""),
    ],
)
def test_only_what_can_be_said_is_left(text: str, spoken: str) -> None:
    assert plain(text) == spoken


def test_given_sounds_are_kept_with_their_punctuation() -> None:
    words = read("A <phoneme alphabet='ipa' ph='təmeto'>tomato</phoneme>, please.", {})
    assert words == [Word("A"), Word("tomato,", "təmeto"), Word("please.")]
    assert read("<phoneme alphabet='x-arpabet' ph='AH0'>uh</phoneme>", {}) == [Word("uh")]
    assert plain("<say-as interpret-as='spell-out'>cat 5</say-as>!") == "c a t 5!"


def test_a_dictionary_gives_a_word_its_sound() -> None:
    sounds = dictionary("Spark  zæp, broken,GIF  dʒif,  ,x  ")
    assert sounds == {"spark": "zæp", "gif": "dʒif"}
    assert read('Is "Spark", a gif?', sounds)[1] == Word('"Spark",', "zæp")


def test_cuts_at_sentences_but_not_at_short_forms() -> None:
    cut = [
        " ".join(w.text for w in piece)
        for piece in pieces(read('Mr. Smith paid 3.5 euros. "Why?" he asked', {}))
    ]
    assert cut == ["Mr. Smith paid 3.5 euros.", '"Why?"', "he asked"]


def test_long_sentences_are_cut_where_one_would_breathe() -> None:
    text = "word " * 20 + "end, " + "word " * 20
    assert [len(piece) for piece in pieces(read(text, {}))] == [21, 20]
    text = "word " * 18 + "because " + "word " * 20
    assert [len(piece) for piece in pieces(read(text, {}))] == [18, 21]


@given(st.text() | MARKUP)
def test_nothing_is_lost_and_no_piece_is_too_long(text: str) -> None:
    words = read(text, {})
    cut = list(pieces(words))
    assert [word for piece in cut for word in piece] == words
    for piece in cut:
        assert 0 < len(piece) <= MOST_WORDS
        assert sum(len(word.text) for word in piece[:-1]) <= MOST_CHARACTERS
        assert not any(c in word.text for word in piece for c in "<>[]{}*")


@given(st.text())
def test_any_dictionary_can_be_read(entries: str) -> None:
    assert all(word and ipa for word, ipa in dictionary(entries).items())


@pytest.mark.parametrize(
    "unit",
    ["<speak>", "<!--", "<phoneme ph='", "&lt;", "a" * 50, ". ", "<a <a ", "<a <a>", "<a b='", "]]>", "<!["],
)
def test_no_text_takes_long_to_read(unit: str) -> None:
    begun = time.thread_time()
    list(pieces(read(unit * (10_000 // len(unit)), {})))
    assert time.thread_time() - begun < 0.5
