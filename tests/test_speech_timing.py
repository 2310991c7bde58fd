"""Samples per symbol to phonemes and words with their times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.speech import edges, timing
from engines.speech.pcm import Pcm
from engines.speech.sound import SILENCE, Block, Phone
from engines.speech.text import Word

STRESS, LONG = timing.STRESS[0], timing.LENGTH[0]
SYMBOLS = st.sampled_from(["a", "b", "e", "o", " ", ",", ".", "!", STRESS, LONG, "\u0303"])
SPANS = st.lists(st.tuples(SYMBOLS, st.floats(0, 5000)), min_size=1).map(
    lambda inner: [("^", 500.0), *inner, ("$", 300.0)]
)


def test_stress_and_length_join_their_sound() -> None:
    spans = [
        ("^", 1.0),
        ("h", 1.0),
        (STRESS, 1.0),
        ("a", 2.0),
        (LONG, 1.0),
        (" ", 1.0),
        ("b", 1.0),
        (",", 2.0),
    ]
    assert timing.phones(spans, 10) == (
        Phone(SILENCE, 0.1),
        Phone("h", 0.1),
        Phone(f"{STRESS}a{LONG}", 0.4),
        Phone(SILENCE, 0.1),
        Phone("b", 0.1),
        Phone(",", 0.2),
    )


@given(SPANS, st.floats(0, 3000), st.floats(0, 30000))
def test_tokens_last_as_long_as_what_is_kept(spans: list[timing.Span], start: float, length: float) -> None:
    whole = sum(span for _, span in spans)
    kept = timing.trim(timing.begin(spans, start), start, start + length)
    phones = timing.phones(kept, 22050)
    assert sum(p.seconds for p in phones) * 22050 == pytest.approx(
        max(0.0, min(whole, start + length) - start), abs=0.01
    )
    assert all(p.seconds >= 0 and p.text and " " not in p.text for p in phones)


def test_words_that_the_phonemiser_joins_or_multiplies_still_have_their_times() -> None:
    alone = {"one": "wan", "of": "of", "the": "da", "21": "tweni wan", "-": ""}
    spans = [(c, 10.0) for c in "wan ofda tweni wan"]
    said = timing.words(
        spans, [Word(w) for w in ("one", "of", "the", "-", "21")], lambda w: alone[w.text], 100
    )
    assert [(w.text, round(w.start, 2), round(w.end, 2)) for w in said] == [
        ("one", 0.0, 0.3),
        ("of", 0.4, 0.6),
        ("the", 0.6, 0.8),
        ("21", 0.9, 1.8),
    ]


@given(
    st.lists(st.text("abc", min_size=1, max_size=5), min_size=1),
    st.lists(st.sampled_from("abc ,"), min_size=1),
)
def test_word_times_are_in_order_whatever_was_spoken(words: list[str], spoken: list[str]) -> None:
    said = timing.words([(c, 1.0) for c in spoken], [Word(w) for w in words], lambda word: word.text, 1.0)
    times = [time for word in said for time in (word.start, word.end)]
    assert times == sorted(times)
    assert not times or (times[0] >= 0 and times[-1] <= len(spoken))


def test_sound_begins_just_before_its_onset_and_ends_after_its_tail() -> None:
    samples = np.zeros(4000, np.float32)
    samples[1000:] = 0.1
    assert edges.begin(samples, 20000) == (800, 1000)
    assert edges.begin(np.zeros(10, np.float32), 20000) == (0, 0)
    assert edges.end([("^", 10.0), ("a", 100.0), (".", 50.0), ("$", 50.0)], 30.0) == 140
    assert edges.end([("^", 10.0), ("a", 100.0), (".", 50.0)], 3000.0) == 160


@given(
    st.lists(st.integers(1, 9000), min_size=1, max_size=6),
    st.sampled_from([22050.0, 27562.5, 23814.0, 24000.0]),
    st.sampled_from([8000, 16000, 22050, 24000, 44100, 48000]),
)
def test_resampling_loses_nothing_and_keeps_chunks_small(
    sizes: list[int], source: float, target: int
) -> None:
    pcm, given_, made = Pcm(source, target), sum(sizes), 0
    for number, size in enumerate(sizes, 1):
        block = Block(np.full(size, 2.0, np.float32), source, number == len(sizes))
        for chunk in pcm.chunks(block):
            assert 0 < len(chunk) <= target // 10 * 2 and len(chunk) % 2 == 0
            made += len(chunk) // 2
    assert abs(made - given_ * target / source) <= 2
