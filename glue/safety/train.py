"""Trains the classifier from our own lines: `python -m glue.safety.train` (a minute on an idle core).

Logistic regressions by full gradient steps (Adam, https://arxiv.org/abs/1412.6980), smoothed log odds for the
families; then int8 with a scale each. The same lines give the same bytes. It learns from templates.txt,
lines.jsonl and the exam's lines, but never from the third that is held out.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from glue.safety.fold import fold
from glue.safety.grow import Grower
from glue.safety.grow import read as templates
from glue.safety.labelled import BAIT, LINES, Labelled, read, spread
from glue.safety.linear import COLUMNS, SHIPPED, Columns, Floats, features
from glue.safety.views import seen

STEPS = 180
RATE = 0.25
DECAY = 5e-7
SMOOTH = 0.5
EACH = 24  # of the texts that one line stands for, at most: a line of many choices must not outweigh others
WRITTEN = 4  # times that a line counts which a person wrote as a whole
FINE = 2  # of 127: smaller weights are left out, for the file's sake
Numbers = NDArray[np.float64]


def examples(lines: Sequence[Labelled]) -> list[Labelled]:
    """Every line with its choices made."""
    chance = Random(1)
    found: list[Labelled] = []
    for line in lines:
        texts = spread(line.text)  # the exam's lines hold no choices; {"role": ...} is one of one
        texts = chance.sample(texts, min(EACH, len(texts)))
        found += [Labelled(text, line.family, line.benign) for text in texts]
    return found


class Sparse:
    """Rows of columns and values."""

    def __init__(self, lines: Sequence[Labelled]) -> None:
        rows: list[tuple[Columns, Floats]] = [features(seen(fold(line.text))) for line in lines]
        self._column = np.concatenate([columns for columns, _ in rows])
        self._value = np.concatenate([values for _, values in rows])
        self._row = np.repeat(np.arange(len(rows), dtype=np.int32), [columns.size for columns, _ in rows])
        self._rows = len(rows)

    def times(self, weights: Numbers) -> Numbers:
        """[rows]"""
        return np.bincount(self._row, weights[self._column] * self._value, self._rows).astype(np.float64)

    def back(self, errors: Numbers) -> Numbers:
        """[columns]"""
        return np.bincount(self._column, errors[self._row] * self._value, COLUMNS).astype(np.float64)


def fit(rows: Sparse, right: Numbers) -> tuple[Numbers, float]:
    """Weights [columns] and bias for `right` (0 or 1, [rows]); both kinds weigh the same."""
    positive = max(1.0, float(right.sum()))
    weight = np.where(right > 0, 0.5 / positive, 0.5 / max(1.0, right.size - positive))
    known = np.zeros(COLUMNS + 1)  # the last is the bias
    first, second = np.zeros_like(known), np.zeros_like(known)
    for step in range(1, STEPS + 1):
        errors = weight * (1 / (1 + np.exp(-(rows.times(known[:-1]) + known[-1]))) - right)
        slope = np.append(rows.back(errors) + DECAY * known[:-1], errors.sum())
        first = 0.9 * first + 0.1 * slope
        second = 0.99 * second + 0.01 * slope**2
        rate = RATE * (1 - step / (STEPS + 1))
        known -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
    return known[:-1], float(known[-1])


def named(rows: Sparse, lines: Sequence[Labelled], family: str) -> Numbers:
    """Log odds of a family's columns against those of all others' bait."""
    ours = np.array([float(line.family == family and not line.benign) for line in lines])
    others = np.array([float(line.family != family and not line.benign) for line in lines])
    here, there = rows.back(ours) + SMOOTH, rows.back(others) + SMOOTH
    odds: Numbers = np.log(here / here.sum()) - np.log(there / there.sum())
    return odds


def train(lines: Sequence[Labelled], clauses: Sequence[Labelled], path: Path) -> int:
    """Write the weights; returns how many texts they were learnt from."""
    families = sorted({line.family for line in lines if not line.benign})
    weights, biases = [], []
    read_in = Sparse(lines)
    for rows, texts in ((read_in, lines), (Sparse(clauses), clauses)):
        learnt, bias = fit(rows, np.array([float(not line.benign) for line in texts]))
        weights.append(learnt)
        biases.append(bias)
    weights += [named(read_in, lines, family) for family in families]
    biases += [0.0] * len(families)
    _store(path, families, np.array(weights, np.float32), np.array(biases, np.float32))
    return len(lines) + len(clauses)


def _store(path: Path, families: Sequence[str], weights: Floats, biases: Floats) -> None:
    scale = np.abs(weights).max(axis=1) / 127
    stored = np.round(weights / scale[:, None]).astype(np.int8)
    stored[np.abs(stored) < FINE] = 0
    np.savez_compressed(
        path, families=np.array(families), weights=stored, scale=scale.astype(np.float32), bias=biases
    )


def everything() -> tuple[list[Labelled], list[Labelled]]:
    """All lines, and all clauses, that there are to learn from."""
    exam = [line for line in read(BAIT) if not line.held_out]
    own = [*examples(read(LINES)), *exam * WRITTEN]
    spoken = [line for line in own if line.family == "spoken"]
    grower = Grower(templates())
    lines = [*grower.lines(), *own]
    return lines, [*grower.clauses(), *spoken, *spoken]


if __name__ == "__main__":
    count = train(*everything(), SHIPPED)
    sys.stdout.write(f"{count} texts learnt; {SHIPPED.name}: {SHIPPED.stat().st_size:,} bytes\n")
