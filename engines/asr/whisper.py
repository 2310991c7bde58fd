"""SOUND -> WORDS: Whisper on CTranslate2, one utterance at a time, as short as the utterance is.

Whisper was trained on 30 s and is usually given 30 s, silence behind the words. Its encoder is most of the
work for a short utterance, so it gets the utterance and five seconds of silence, ten in all at least: on 84
sentences of seven voices a third of the time and no more errors (three seconds in all: six times as many).
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import ctranslate2
import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import _LANGUAGE_CODES as LANGUAGES
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from tokenizers import Tokenizer as Words

from engines.asr.detector import RATE, Samples

FRAMES = 100  # a second, of features
MOST = 3000  # frames: 30 s
AFTER = 500  # frames of silence behind the words
SHORTEST = 1000  # frames: with less context it repeats itself
TOKENS = 7  # a second of speech, at most; a loop is longer
SPARE = 12  # tokens


class WrongModel(Exception):
    """A folder is no Whisper; one line saying so."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it sounds, in seconds from the utterance's start; `sure` 0-1."""

    text: str
    start: float
    end: float
    sure: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What was understood. `sure`: mean log probability of a token; `nothing`: probability of no speech."""

    text: str
    sure: float = 0.0
    nothing: float = 0.0
    repeats: float = 1.0  # how far the text can be compressed; a loop over 2.4
    words: tuple[Word, ...] = ()

    @property
    def confidence(self) -> float:
        """0-1."""
        return float(np.exp(min(0.0, self.sure)))


class Whisper:
    """One model; `hear` blocks, one call at a time."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Raises WrongModel."""
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type="int8", intra_threads=threads, inter_threads=1
            )
            self._words = Words.from_file(str(folder / "tokenizer.json"))
        except (RuntimeError, ValueError, OSError) as error:
            raise WrongModel(
                f"asr: {folder} is no Whisper for CTranslate2: {error}; cure: fetch it again"
            ) from error
        self.name = folder.name
        self.multilingual = bool(self._model.is_multilingual)
        self.languages = frozenset(LANGUAGES if self.multilingual else ("en",))
        self._features = FeatureExtractor(feature_size=_mels(folder))

    def hear(self, sound: Samples, language: str, times: bool = False) -> Heard:
        """The words of `sound` (mono, 16 kHz, at most 30 s). `language`: two letters; `times`: of words."""
        tokenizer = Tokenizer(self._words, self.multilingual, "transcribe", language)
        frames = min(MOST, max(SHORTEST, round(len(sound) / RATE * FRAMES) + AFTER))
        padded = np.zeros(frames * RATE // FRAMES, np.float32)
        padded[: len(sound)] = sound[: len(padded)]
        features = self._features(padded, padding=0)[None, :, :frames].astype(np.float32)
        encoded = self._model.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(features)))
        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        result = self._model.generate(
            encoded,
            [prompt],
            beam_size=1,
            max_length=len(prompt) + SPARE + round(len(sound) / RATE * TOKENS),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=list(get_suppressed_tokens(tokenizer, [-1])),
            repetition_penalty=1.05,
        )[0]
        tokens = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
        text = tokenizer.decode(tokens).strip()
        words = self._times(tokenizer, tokens, encoded, len(sound)) if times and tokens else ()
        return Heard(text, float(result.scores[0]), float(result.no_speech_prob), _repeats(text), words)

    def _times(
        self, tokenizer: Tokenizer, tokens: list[int], encoded: ctranslate2.StorageView, samples: int
    ) -> tuple[Word, ...]:
        """When each word sounds, from where the decoder looked."""
        frames = round(samples / RATE * FRAMES)
        aligned = self._model.align(encoded, tokenizer.sot_sequence, [tokens], frames)[0]
        texts, parts = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
        ends = np.cumsum([len(part) for part in parts])
        when = np.asarray([(text, time) for text, time in aligned.alignments])
        firsts = np.searchsorted(when[:, 0], np.concatenate([[0], ends[:-1]]))
        starts = when[np.minimum(firsts, len(when) - 1), 1] / 50  # two frames a position
        each = [
            aligned.text_token_probs[end - len(part) : end] for part, end in zip(parts, ends, strict=True)
        ]
        sure = [float(np.mean(probabilities or [0.0])) for probabilities in each]
        found: list[Word] = []
        for text, start, end, p in zip(texts[:-1], starts, starts[1:], sure, strict=False):
            if found and not any(c.isalnum() for c in text):  # a full stop is no word
                found[-1] = replace(found[-1], text=found[-1].text + text.strip())
            else:
                found.append(Word(text.strip(), float(start), float(end), p))
        return tuple(found)


def _mels(folder: Path) -> int:
    """How many bands the model's features have: 80, and 128 in the largest."""
    try:
        config = json.loads((folder / "preprocessor_config.json").read_text())
    except (OSError, ValueError):
        return 80
    return int(config.get("feature_size", 80))


def _repeats(text: str) -> float:
    """How many times shorter the text becomes by compressing it."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if raw else 1.0
