"""A voice's blocks to the wire's bytes: at the asked rate, 16 bits, in chunks of 100 ms or less."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import soxr

from engines.speech.sound import Block, Samples

CHUNK = 0.1  # seconds
FULL = 32767.0


class Pcm:
    """Resamples one inference; soxr holds back a few milliseconds until the block that ends it."""

    def __init__(self, source: float, target: int) -> None:
        same = abs(source - target) < 1e-6
        self._stream = None if same else soxr.ResampleStream(source, target, 1, "float32", soxr.MQ)
        self._size = int(target * CHUNK)

    def chunks(self, block: Block) -> Iterator[bytes]:
        """s16le mono of this block, cut small."""
        samples = self._resampled(block)
        whole = np.clip(np.rint(samples * FULL), -FULL, FULL).astype("<i2")
        for at in range(0, len(whole), self._size):
            yield whole[at : at + self._size].tobytes()

    def _resampled(self, block: Block) -> Samples:
        if self._stream is None:
            return block.samples
        done: Samples = self._stream.resample_chunk(block.samples, last=block.last)
        return done
