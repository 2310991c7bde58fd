"""A request's text to the words that are spoken: SSML read, what cannot be said left out, cut in pieces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

MOST_WORDS = 30  # an inference: Piper given 1,200 at once took 87 s and 21 GB
MOST_CHARACTERS = 240  # an inference, for text that hardly has words
LONGEST_WORD = 40
LONGEST_SOUND = 60  # IPA symbols that a request may give for a word
DASHES = "\u2014\u2013"
PAUSES = ",;:" + DASHES
ENDS = ".!?\u2026\u3002\uff01\uff1f"  # the ellipsis and the CJK marks too
QUOTES = "\"'\u201c\u201d\u2018\u2019()"
SHORT_FORMS = {"mr.", "mrs.", "ms.", "dr.", "st.", "vs.", "prof.", "jr.", "sr.", "e.g.", "i.e.", "no."}
JOINERS = {"and", "but", "or", "because", "that", "which", "who", "so", "when", "while", "if", "then", "with"}
SIGNS = "&+=%$\u20ac\u00a3@"  # said by their names, also when they stand alone
TAGS = "speak|phoneme|say-as|prosody|break|emphasis|sub|voice|lang|mark|audio|script|style"
# A parser of HTML takes what is never closed for text; of these it must not.
UNREADABLE = re.compile(rf"<!--.*?(?:-->|$)|<![^>]*>?|</?(?:{TAGS})\b[^>]*$", re.DOTALL | re.IGNORECASE)
REPEATED = re.compile(r"([^\w\s])\1+")
UNSPOKEN = {"Cc", "Cf", "Cs", "Co", "Cn", "So", "Sk", "Zl", "Zp"}  # controls, emoji, modifiers


@dataclass(frozen=True, slots=True)
class Word:
    """A word as written, its punctuation with it, and how it sounds where the request says so (IPA)."""

    text: str
    ipa: str = ""


def dictionary(entries: str) -> dict[str, str]:
    """Riva's custom_dictionary, "WORD  IPA,WORD2  IPA2": lower-case word -> IPA. Broken ones are skipped."""
    found = {}
    for entry in entries.split(","):
        word, gap, ipa = entry.strip().partition("  ")
        if gap and word.strip() and ipa.strip():
            found[word.strip().lower()] = ipa.strip()[:LONGEST_SOUND]
    return found


def read(text: str, sounds: Mapping[str, str]) -> list[Word]:
    """The words of plain text or SSML; `sounds` is a dictionary(). Empty where nothing can be spoken."""
    reader = _Ssml()
    closed, bracket, rest = UNREADABLE.sub(" ", text).rpartition(">")
    reader.feed(closed + bracket + rest.replace("<", " "))  # tags without an end take the parser n^2
    reader.close()
    words = [part for word in _with_marks(reader.words()) for part in _fit(word)]
    words = [Word(word.text, word.ipa or sounds.get(_core(word.text).lower(), "")) for word in words]
    speakable = any(word.ipa or any(c.isalnum() for c in word.text) for word in words)
    return words if speakable else []


def pieces(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """Cut at sentence ends, and so that no piece is over the limits, at the best place there is."""
    start = 0
    for end, word in enumerate(words, 1):
        if end == len(words) or _ends_sentence(word.text):
            yield from _short(words[start:end])
            start = end


def _short(sentence: Sequence[Word]) -> Iterator[Sequence[Word]]:
    while sentence:
        most, characters = 0, 0
        while most < min(MOST_WORDS, len(sentence)) and characters <= MOST_CHARACTERS:
            characters += len(sentence[most].text) + 1
            most += 1
        cut = most if most == len(sentence) else _best_cut(sentence, most)
        yield sentence[:cut]
        sentence = sentence[cut:]


def _best_cut(words: Sequence[Word], most: int) -> int:
    """After the last comma, or before the last joining word, of the longest piece allowed; else all of it."""
    least = most // 3
    for cut in range(most, least, -1):
        if words[cut - 1].text[-1:] in PAUSES:
            return cut
    for cut in range(most, least, -1):
        if words[cut].text.lower() in JOINERS:
            return cut
    return most


def _ends_sentence(text: str) -> bool:
    bare = text.rstrip(QUOTES)
    return bare[-1:] in ENDS and bool(bare) and bare.lower() not in SHORT_FORMS


def _core(text: str) -> str:
    """A word without the punctuation around it."""
    return text.strip(QUOTES + PAUSES + ENDS + "-")


def _with_marks(words: Sequence[Word]) -> Iterator[Word]:
    """Marks that stand alone become the pause behind the word before them, and only one; signs stay."""
    last: Word | None = None
    for word in words:
        if word.ipa or any(c.isalnum() or c in SIGNS for c in word.text):
            if last:
                yield last
            last = word
        elif last and last.text[-1:].isalnum():
            pause = next((c for c in word.text if c in ENDS), ",")
            last = Word(last.text + pause, last.ipa)
    if last:
        yield last


def _fit(word: Word) -> Iterator[Word]:
    """A word that no voice could say in one breath, in parts."""
    text = word.text
    if len(text) <= LONGEST_WORD:
        yield word
        return
    for at in range(0, len(text), LONGEST_WORD // 2):
        yield Word(text[at : at + LONGEST_WORD // 2])


def _clean(text: str) -> str:
    """Text without what is not spoken: controls, emoji, markup signs, direction and zero-width marks."""
    kept = []
    for character in unicodedata.normalize("NFC", text):
        if character.isspace() or character in "*_~^`#|\\{}[]<>":
            kept.append(" ")
        elif character in "\u200d\ufe0e\ufe0f" or unicodedata.category(character) not in UNSPOKEN:
            kept.append("" if character in "\u200d\ufe0e\ufe0f" else character)
    return REPEATED.sub(lambda run: "..." if run[1] == "." else run[1], "".join(kept))


class _Ssml(HTMLParser):
    """SSML as Riva knows it: `phoneme` and `say-as` are read, other tags drop out, broken ones are forgiven.

    HTML's parser on purpose: it expands no entities of the text's own making and cannot be made to fail.
    """

    SPELLED = ("characters", "spell-out", "digits", "telephone")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str | Word] = []
        self._open: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("phoneme", "say-as", "script", "style"):
            self._open.append((tag, {name: value or "" for name, value in attrs}))
        elif tag in ("break", "p", "s", "br"):
            self._add(" ")

    def handle_endtag(self, tag: str) -> None:
        if any(tag == name for name, _ in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        tag, attributes = self._open[-1] if self._open else ("", {})
        if tag in ("script", "style"):
            return
        text = _clean(data)
        ipa = _clean(attributes.get("ph", "")).strip()
        if tag == "phoneme" and ipa and attributes.get("alphabet", "ipa") == "ipa" and text.strip():
            self._parts.append(Word(" ".join(text.split()), ipa.strip("/")[:LONGEST_SOUND]))
        elif tag == "say-as" and attributes.get("interpret-as") in self.SPELLED:
            self._add(" " + " ".join(c for c in text if c.isalnum()) + " ")
        else:
            self._add(text)

    def _add(self, text: str) -> None:
        """Add plain text; what an inner tag cut in two becomes one word again."""
        if self._parts and isinstance(self._parts[-1], str):
            self._parts[-1] += text
        else:
            self._parts.append(text)

    def words(self) -> list[Word]:
        """What was read, as words; punctuation that follows a spelled-out sound stays with its word."""
        words: list[Word] = []
        for part in self._parts:
            if isinstance(part, Word):
                words.append(part)
                continue
            attached = bool(part) and not part[0].isspace() and bool(words) and bool(words[-1].ipa)
            for text in part.split():
                if attached and not any(c.isalnum() for c in text):
                    words[-1] = Word(words[-1].text + text, words[-1].ipa)
                else:
                    words.append(Word(text))
                attached = False
        return words
