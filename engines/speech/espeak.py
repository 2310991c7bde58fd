"""Words to IPA with espeak-ng, as Piper's voices were trained on it."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Sequence

from piper.phonemize_espeak import EspeakPhonemizer

from engines.speech.text import Word


class Espeak:
    """espeak-ng keeps one global state: two threads in it at once give each other's phonemes."""

    def __init__(self, voice: str) -> None:
        self._voice = voice
        self._lock = threading.Lock()
        self._espeak = EspeakPhonemizer()

    def phonemes(self, words: Sequence[Word]) -> list[str]:
        """IPA symbols, one code point each, with spaces between words and the punctuation that was there."""
        found: list[str] = []
        plain: list[str] = []
        for word in words:
            if word.ipa:
                found += self._plain(plain, found)
                plain = []
                found += [" "] if found else []
                marks = re.sub(r"[^,.;:!?]", "", word.text)
                found += [*unicodedata.normalize("NFD", word.ipa), *marks]
            else:
                plain.append(word.text)
        return found + self._plain(plain, found)

    def alone(self, word: Word) -> str:
        """One word's phonemes, as one string."""
        return "".join(self.phonemes([word]))

    def _plain(self, texts: Sequence[str], before: Sequence[str]) -> list[str]:
        if not texts:
            return []
        with self._lock:
            sentences = self._espeak.phonemize(self._voice, " ".join(texts))
        joined: list[str] = [" "] if before else []
        for sentence in sentences:
            joined += [" "] if joined and joined[-1] != " " else []
            joined += sentence
        return joined
