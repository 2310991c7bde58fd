"""Reads Riva's answers: bytes to samples, timings to seconds from the start of the clause."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from riva.client.proto.riva_tts_pb2 import SynthesizeSpeechResponse, SynthesizeSpeechResponseMetadata

from glue.ports import Pcm, Speech, Timed

BYTES = 2  # a sample, s16le


class Clock:
    """Where one stream's timings stand. Feed it the answers in order."""

    def __init__(self) -> None:
        self._begun = 0.0  # seconds: where the inference at hand begins
        self._rest = b""  # half a sample that waits for its other byte

    def read(self, answer: SynthesizeSpeechResponse) -> Speech | None:
        """The sound and the timings of an answer; None where it has neither."""
        phonemes, length = phoneme_times(answer.meta, self._begun)
        self._begun += length
        words = word_times(answer.meta)
        pcm = self._pcm(answer.audio)
        return Speech(pcm, phonemes, words) if pcm.size or phonemes or words else None

    def _pcm(self, audio: bytes) -> Pcm:
        whole = self._rest + audio
        even = len(whole) - len(whole) % BYTES
        self._rest = whole[even:]
        return np.frombuffer(whole[:even], "<i2").astype(np.int16)


def later(speech: Speech, seconds: float) -> Speech:
    """With its timings so much later: sound that goes on where another stream broke off."""
    if not seconds:
        return speech
    phonemes, words = (
        tuple(Timed(each.text, each.start + seconds, each.end + seconds) for each in timed)
        for timed in (speech.phonemes, speech.words)
    )
    return Speech(speech.pcm, phonemes, words)


def phoneme_times(meta: SynthesizeSpeechResponseMetadata, begun: float) -> tuple[tuple[Timed, ...], float]:
    """Sounds with their times, and the seconds that all tokens last, pauses and marks too.

    A server without phoneme timings (Magpie) has other things in these fields: then there are none."""
    tokens = meta.processed_text.split(" ")
    if not meta.predicted_durations or len(tokens) != len(meta.predicted_durations):
        return (), 0.0
    lengths = np.maximum(np.nan_to_num(np.asarray(meta.predicted_durations, np.float64), posinf=0.0), 0.0)
    edges = begun + np.concatenate([[0.0], np.cumsum(lengths)])
    timed = zip(tokens, pairwise(edges.tolist()), strict=True)
    sounds = tuple(Timed(token, start, end) for token, (start, end) in timed if any(map(str.isalpha, token)))
    return sounds, float(lengths.sum())


def word_times(meta: SynthesizeSpeechResponseMetadata) -> tuple[Timed, ...]:
    """Words with their times; Riva counts in milliseconds from the start of the request."""
    return tuple(
        Timed(word.word, word.start_time / 1000, max(word.start_time, word.end_time) / 1000)
        for word in meta.words
        if word.word
    )
