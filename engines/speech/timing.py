"""Frames per phoneme to the timings that go over the wire: phonemes with their stress, and words."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher

from engines.speech.sound import SILENCE, Phone, Said
from engines.speech.text import Word

STRESS = "ˈˌ"
LENGTH = "ːˑʰʲʷˤ˞"
Span = tuple[str, float]  # a phoneme symbol and its length, any unit


def trim(spans: Iterable[Span], start: float, end: float) -> list[Span]:
    """The spans as they are when only start..end of their sum is kept; what falls outside has length 0."""
    kept, at = [], 0.0
    for text, length in spans:
        inside = min(at + length, end) - max(at, start)
        kept.append((text, max(0.0, inside)))
        at += length
    return kept


def begin(spans: Sequence[Span], onset: float) -> list[Span]:
    """The first span's silence ends at the measured onset: the model counts part of the first sound to it."""
    (mark, silence), (first, length), *rest = spans
    early = max(0.0, silence - onset)
    return [(mark, silence - early), (first, length + early), *rest]


def phones(spans: Iterable[Span], per_second: float) -> tuple[Phone, ...]:
    """Phonemes with stress in front and length behind joined to their sound; breaks and pauses as SILENCE."""
    found: list[list[str | float]] = []
    stress, waiting = "", 0.0
    for text, length in spans:
        if text in STRESS:
            stress, waiting = stress + text, waiting + length
        elif found and _belongs_to_last(text) and found[-1][0] != SILENCE:
            found[-1][0] = f"{found[-1][0]}{text}"
            found[-1][1] = float(found[-1][1]) + length
        else:
            sound = text if text.strip("^$ ") else SILENCE
            found.append([stress + sound if sound != SILENCE else sound, waiting + length])
            stress, waiting = "", 0.0
    if waiting and found:
        found[-1][1] = float(found[-1][1]) + waiting
    return tuple(Phone(str(text), float(length) / per_second) for text, length in found)


def _belongs_to_last(text: str) -> bool:
    return text in LENGTH or bool(unicodedata.combining(text[0]))


def sounds(text: str) -> bool:
    """Whether a symbol is heard as a sound of its own or a part of one, not a break or a mark."""
    return text.isalpha() or text in LENGTH or text in STRESS or bool(unicodedata.combining(text[0]))


def words(
    spans: Sequence[Span], said: Sequence[Word], alone: Callable[[Word], str], per_second: float
) -> tuple[Said, ...]:
    """When each word sounds. `alone` gives a word's phonemes by itself.

    Phonemisers join short words ("of the") and make several of one ("21"), so counting breaks does not do:
    the words' own phonemes are laid along the spoken ones, and each word takes the time of its match.
    """
    times: list[tuple[str, float, float]] = []
    at = 0.0
    for text, length in spans:
        if text.isalpha():
            times.append((text, at, at + length))
        at += length
    own = [(letter, i) for i, word in enumerate(said) for letter in alone(word) if letter.isalpha()]
    if not times or not own:
        return ()
    match = SequenceMatcher(None, [t[0] for t in times], [o[0] for o in own], autojunk=False)
    first: dict[int, float] = {}
    last: dict[int, float] = {}
    for a, b, size in match.get_matching_blocks():
        for k in range(size):
            word = own[b + k][1]
            first.setdefault(word, times[a + k][1])
            last[word] = times[a + k][2]
    spoken = sorted({i for _, i in own})
    return _fill(said, spoken, first, last, times[-1][2], per_second)


def _fill(
    said: Sequence[Word],
    spoken: Sequence[int],
    first: dict[int, float],
    last: dict[int, float],
    end: float,
    per_second: float,
) -> tuple[Said, ...]:
    """Give a word without any match the gap between its neighbours, and keep all in order."""
    found, at = [], 0.0
    for k, word in enumerate(spoken):
        following = next((first[w] for w in spoken[k + 1 :] if w in first), end)
        start = max(at, min(first.get(word, at), following))
        at = max(start, min(last.get(word, following), following))
        found.append(Said(said[word].text, start / per_second, at / per_second))
    return tuple(found)
