"""Piper's voice: phonemes to latent frames in one go, then sound in windows, the first one short."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.speech import edges, timing
from engines.speech.espeak import Espeak
from engines.speech.session import WrongModel, session
from engines.speech.sound import Block, Samples, Stop
from engines.speech.split import split
from engines.speech.text import Word

HOP = 256  # samples a latent frame
CONTEXT = 10  # frames to either side that a sample depends on; with 10 the error is 1e-6, with 8 it is 1e-3
WINDOWS = (16, 32, 64)  # frames; the last one repeats. 16 are 0.15 s of bright sound
STYLES = {"natural": 1.0, "bright": 1.25, "dark": 1.08}


class Piper:
    """One model, several voices: said slower by a factor and played faster by it, pitch and formants rise."""

    name = "Piper.joe"
    language = "en-US"
    styles = tuple(STYLES)

    def __init__(self, model: Path, threads: int, tail: float) -> None:
        """Load the model; `tail`: seconds of silence after the last sound, at most. Raises WrongModel."""
        try:
            config: dict[str, Any] = json.loads(Path(f"{model}.json").read_text(encoding="utf-8"))
            self.rate = int(config["audio"]["sample_rate"])
            scales = config["inference"]
            self._noise, self._length = float(scales["noise_scale"]), float(scales["length_scale"])
            self._noise_w = float(scales["noise_w"])
            self._ids: dict[str, list[int]] = config["phoneme_id_map"]
            self._espeak = Espeak(config["espeak"]["voice"])
        except (ValueError, KeyError, TypeError) as error:
            what = f"{model}.json is not a Piper voice's description: {error!r}; cure: another file"
            raise WrongModel(what) from error
        halves = split(model)
        self._latent, self._frames = halves.latent, halves.frames
        self._encoder = session(halves.encoder, threads)
        self._decoder = session(halves.decoder, threads)
        self._tail = tail

    def speak(self, words: Sequence[Word], style: str, times: bool, stop: Stop) -> Iterator[Block]:
        """Speak one piece of text, window by window; the first block has all the timings."""
        symbols = [s for s in self._espeak.phonemes(words) if s in self._ids]
        if not any(timing.sounds(symbol) for symbol in symbols):
            return
        factor = STYLES[style]
        rate = self.rate * factor
        latent, spans = self._encode(symbols, self._length * factor, stop)
        end = edges.end(spans, self._tail * rate)
        start, onset, window, last = self._first_window(latent, end, rate, stop)
        spans = timing.trim(timing.begin(spans, onset), start, end)
        said = timing.words(spans, words, self._espeak.alone, rate) if times else ()
        at = min(WINDOWS[0] * HOP, end)
        yield Block(window, rate, last, timing.phones(spans, rate), said)
        for frames in (*WINDOWS[1:], *[WINDOWS[-1]] * (latent.shape[2] // WINDOWS[-1])):
            if at >= end:
                return
            until = min(at + frames * HOP, end)
            samples = self._decode(latent, at, until, stop)
            yield Block(edges.faded(samples, rate) if until == end else samples, rate, until == end)
            at = until

    def _encode(
        self, symbols: Sequence[str], length: float, stop: Stop
    ) -> tuple[NDArray[np.float32], list[timing.Span]]:
        """Latent frames, and the samples that each symbol lasts (the pad behind it counted in)."""
        pad, first, final = self._ids["_"], self._ids["^"], self._ids["$"]
        ids, owners = [*first, *pad], [0] * len([*first, *pad])
        for owner, symbol in enumerate(symbols, 1):
            own = [*self._ids[symbol], *pad]
            ids += own
            owners += [owner] * len(own)
        ids += final
        owners += [len(symbols) + 1] * len(final)
        latent, frames = self._encoder.run(
            [self._latent, self._frames],
            {
                "input": np.array([ids], np.int64),
                "input_lengths": np.array([len(ids)], np.int64),
                "scales": np.array([self._noise, length, self._noise_w], np.float32),
            },
            stop.options,
        )
        lengths = np.bincount(owners, weights=frames.ravel()) * HOP
        return latent, list(zip(("^", *symbols, "$"), lengths.tolist(), strict=True))

    def _first_window(
        self, latent: NDArray[np.float32], end: int, rate: float, stop: Stop
    ) -> tuple[int, int, Samples, bool]:
        """Where to begin, where the first sound is, the samples from there on, and whether they are all."""
        until = min(WINDOWS[0] * HOP, end)
        samples = self._decode(latent, 0, until, stop)
        start, onset = edges.begin(samples, rate)
        window = edges.risen(samples[start:], onset - start)
        return start, onset, edges.faded(window, rate) if until == end else window, until == end

    def _decode(self, latent: NDArray[np.float32], start: int, end: int, stop: Stop) -> Samples:
        """Samples start..end of the whole, from no more frames than they depend on."""
        first, last = max(0, start // HOP - CONTEXT), -(-end // HOP) + CONTEXT
        window = np.ascontiguousarray(latent[:, :, first:last])
        samples: Samples = self._decoder.run(None, {self._latent: window}, stop.options)[0].ravel()
        return samples[start - first * HOP : end - first * HOP]
