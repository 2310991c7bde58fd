"""A linear model of what a line is about: whether it is bait, where no rule says so. Pure.

Features: words, pairs of words, 3 to 5 letters in a row inside a word, and the kinds of the words (kinds.py)
alone, near each other and side by side; each hashed (CRC-32) to one of 65,536 columns, counted once, by its
group's weight, and scaled to nearly unit length. Two logistic regressions of bait against harmless texts, of
lines and of what she says, and log odds a family that name it. The weights are arrays of int8 and a scale
each, without pickles: `python -m glue.safety.train` writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from glue.safety.kinds import lexicon

COLUMNS = 1 << 16
SHIPPED = Path(__file__).with_name("weights.npz")
LETTERS = (3, 4, 5)
LONGEST = 24  # letters of a word that are looked at
MOST = 90  # words that are looked at
SHORT = 10.0  # damps short texts: a word or two prove nothing
KINDS = 4  # kinds of a word that are looked at
NEAR = 7  # words: so far apart they may have to do with each other
NEXT = 3  # words: so far apart are neighbours
WORD, PAIR, LETTER, KIND, KINDRED = 1.0, 0.8, 0.35, 1.0, 0.7  # what a feature of each group weighs
Floats = NDArray[np.float32]
Columns = NDArray[np.int32]


def features(found: Sequence[str]) -> tuple[Columns, Floats]:
    """The columns of a text's words, each once, and their values."""
    weights: dict[int, float] = {}
    for key, weight in _keys(found[:MOST]):
        weights[crc32(key.encode("utf-8", "replace")) % COLUMNS] = weight
    values = np.fromiter(weights.values(), np.float32, len(weights))
    return np.fromiter(weights, np.int32, len(weights)), values / float(np.sqrt(values @ values + SHORT))


def _keys(found: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Every feature and what it weighs."""
    for word in dict.fromkeys(found):
        framed = f"<{word[:LONGEST]}>"
        for n in LETTERS if word.isascii() else (2, *LETTERS):
            yield from ((framed[i : i + n], LETTER) for i in range(len(framed) - n + 1))
        yield f"w {word}", WORD
    yield from ((f"p {a} {b}", PAIR) for a, b in pairwise(found))
    yield from ((f"s {a} {b}", PAIR) for a, b in zip(found, found[2:], strict=False))
    yield from _kindred(found)


def _kindred(found: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Kinds alone, of words that stand near each other, and of neighbours; small words are left out."""
    each = [tuple(k for k in kinds if k != "small")[:KINDS] for kinds in lexicon().each(found)]
    telling = [(i, kinds) for i, kinds in enumerate(each) if kinds]
    yield from ((f"k {kind}", KIND) for kind in {kind for _, kinds in telling for kind in kinds})
    if not telling:
        yield "k none", KIND
        return
    yield from ((f"a {kind}", KINDRED) for kind in telling[0][1])
    for at, (i, here) in enumerate(telling):
        for j, there in telling[at + 1 :]:
            if j - i > NEAR:
                break
            yield from ((f"c {min(a, b)} {max(a, b)}", KINDRED) for a in here for b in there)
    for (i, here), (j, there) in pairwise(telling):
        if j - i <= NEXT:
            yield from ((f"n {a} {b}", KINDRED) for a in here for b in there)


class Linear:
    """The models, read at once: the first clause of a show must not wait for them. A text costs 0.3 ms."""

    def __init__(self) -> None:
        with np.load(SHIPPED, allow_pickle=False) as stored:
            scale = stored["scale"].astype(np.float32)
            self._families = [str(family) for family in stored["families"]]
            self._weights: Floats = stored["weights"].astype(np.float32) * scale[:, None]
            self._bias: Floats = stored["bias"].astype(np.float32)  # [2 + families]

    def line(self, found: Sequence[str]) -> tuple[float, str]:
        """How likely the words of a line are bait, 0 to 1, and of which family."""
        return self._judge(found, 0)

    def clause(self, found: Sequence[str]) -> tuple[float, str]:
        """How likely she must not say these words, 0 to 1, and of which family they are."""
        return self._judge(found, 1)

    def _judge(self, found: Sequence[str], which: int) -> tuple[float, str]:
        if not found:
            return 0.0, ""
        columns, values = features(found)
        points = self._weights[:, columns] @ values + self._bias
        return float(1 / (1 + np.exp(-points[which]))), self._families[int(points[2:].argmax())]
