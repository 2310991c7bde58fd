"""Kokoro's voices (StyleTTS 2): prettier than Piper's and six times the work; a piece comes in one block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from kokoro_onnx.tokenizer import Tokenizer
from numpy.typing import NDArray

from engines.speech import edges, timing
from engines.speech.session import WrongModel, parsed, session
from engines.speech.sound import Block, Stop
from engines.speech.text import Word

RATE = 24_000
HOP = 600  # samples a unit of the model's durations
DIMENSIONS = 256  # of a style
FIRST = "af_heart"  # the model's best voice
MOST_TOKENS = 509  # a style for each number of tokens


class Kokoro:
    """One model, a file of styles a voice: voices/NAME.bin beside it, float32 [tokens, 1, 256]."""

    name = "Kokoro"
    language = "en-US"
    rate = RATE

    def __init__(self, model: Path, threads: int, tail: float) -> None:
        """Load the model; `tail`: seconds of silence after the last sound, at most. Raises WrongModel."""
        files = {path.stem: path for path in sorted((model.parent / "voices").glob("*.bin"))}
        if not files:
            raise WrongModel(f"{model.parent}/voices has no voices; cure: python -m engines.fetch kokoro")
        self.styles = tuple(sorted(files, key=lambda name: (name != FIRST, name)))
        self._voices = {name: _voice(path) for name, path in files.items()}
        self._tokenizer = Tokenizer()
        patched, self._durations = _with_durations(model)
        self._session = session(patched, threads)
        self._tail = tail

    def speak(self, words: Sequence[Word], style: str, times: bool, stop: Stop) -> Iterator[Block]:
        """Speak one piece of text; one block, or several where it has more sounds than the model takes."""
        accent = "en-gb" if style.startswith("b") else "en-us"
        symbols = self._phonemes(words, accent)
        for at in range(0, len(symbols), MOST_TOKENS):
            part = symbols[at : at + MOST_TOKENS]
            if not any(timing.sounds(symbol) for symbol in part):
                continue
            audio, spans = self._infer(part, style, stop)
            end = edges.end(spans, self._tail * RATE)
            start, onset = edges.begin(audio[:end], RATE)
            spans = timing.trim(timing.begin(spans, onset), start, end)
            said = timing.words(spans, words, lambda word: "".join(self._phonemes([word], accent)), RATE)
            samples = edges.faded(edges.risen(audio[start:end], onset - start), RATE)
            yield Block(samples, RATE, True, timing.phones(spans, RATE), said if times else ())

    def _phonemes(self, words: Sequence[Word], accent: str) -> str:
        """The words in the model's alphabet; a word's own IPA is put in as it stands."""
        parts: list[str] = []
        plain: list[str] = []
        for word in (*words, None):
            if word and not word.ipa:
                plain.append(word.text)
                continue
            if plain:
                parts.append(self._tokenizer.phonemize(" ".join(plain), accent))
                plain = []
            if word:
                parts.append(word.ipa + "".join(mark for mark in word.text if mark in ",.;:!?"))
        return self._tokenizer.known(" ".join(parts))

    def _infer(self, symbols: str, style: str, stop: Stop) -> tuple[NDArray[np.float32], list[timing.Span]]:
        """Samples, and how many of them each symbol lasts."""
        tokens = self._tokenizer.tokenize(symbols, limit=None)
        audio, durations = self._session.run(
            ["audio", self._durations],
            {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": self._voices[style][len(tokens) - 1],
                "speed": np.array([1.0], np.float32),
            },
            stop.options,
        )
        lengths = (durations.ravel() * HOP).tolist()
        return audio.ravel(), list(zip(("^", *symbols, "$"), lengths, strict=True))


def _voice(path: Path) -> NDArray[np.float32]:
    styles = np.fromfile(path, np.float32)
    if styles.size < DIMENSIONS * MOST_TOKENS or styles.size % DIMENSIONS:
        raise WrongModel(f"{path} is not a Kokoro voice; cure: python -m engines.fetch kokoro")
    return styles.reshape(-1, 1, DIMENSIONS)


def _with_durations(path: Path) -> tuple[bytes, str]:
    """The model with one more output: the rounded durations, which it computes anyway and keeps to itself."""
    model = parsed(path)
    rounded = [node.output[0] for node in model.graph.node if node.op_type == "Round"]
    clipped = [n.output[0] for n in model.graph.node if n.op_type == "Clip" and n.input[0] in rounded]
    if len(clipped) != 1:
        raise WrongModel(f"{path} is not a Kokoro model")
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(clipped[0]))
    return bytes(model.SerializeToString()), clipped[0]
