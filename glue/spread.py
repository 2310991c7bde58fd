"""A distribution in five numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution in five numbers; None where `n` is 0."""

    n: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


NONE = Spread()


def spread(values: Iterable[float], scale: float = 1.0, digits: int = 1) -> Spread:
    """The five numbers of `values` times `scale`."""
    scaled = np.asarray([value * scale for value in values], np.float64)
    if not scaled.size:
        return NONE
    p50, p95, p99, most = (round(float(q), digits) for q in np.percentile(scaled, [50, 95, 99, 100]))
    return Spread(scaled.size, p50, p95, p99, most)
