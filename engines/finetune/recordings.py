"""A voice's recordings and what is said in them, checked before hours of a GPU are spent on them.

A folder with WAV files, or one with them in `wavs`, and a transcript: LJSpeech's `metadata.csv` (a line each:
`name|text`, or `name|text|text in words`), or `manifest.jsonl` ("audio_filepath", "text", "normalized_text").
"""

from __future__ import annotations

import hashlib
import json
import re
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CSV, JSONL = "metadata.csv", "manifest.jsonl"
RATE = 22050  # Hz, of the published FastPitch; a higher one is resampled, a lower one lacks the treble
SHORTEST, LONGEST = 1.0, 20.0  # seconds
CLIPPED = 0.001  # of the samples at full scale
SILENT = 0.003  # of full scale (-50 dB), root mean square
HELD = 20  # every so many-th clip is kept for validation
ROUND = "ffmpeg -i {} -ac 1 -ar 22050 -c:a pcm_s16le NEW.wav"


class Flawed(Exception):
    """Recordings that no voice should learn from: a line each, with the file and the cure."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording; `words` is what is read aloud, without digits."""

    path: Path
    words: str
    seconds: float


def read(folder: Path, minutes: float) -> list[Clip]:
    """The clips of a folder, in the transcript's order. Raises Flawed with everything that is wrong."""
    flaws: list[str] = []
    clips: list[Clip] = []
    known: dict[str, Path] = {}
    rates: dict[int, Path] = {}
    for place, path, words in _lines(folder, flaws):
        try:
            _check_words(place, words)
            rate, samples = _samples(path)
            _check_sound(path, rate, samples)
        except Flawed as error:
            flaws.append(str(error))
            continue
        content = hashlib.sha256(samples.tobytes()).hexdigest()
        if (other := known.setdefault(content, path)) is not path:
            flaws.append(f"{path} is the same recording as {other}; cure: leave one of them out")
        rates.setdefault(rate, path)
        clips.append(Clip(path, words, len(samples) / rate))
    if len(rates) > 1:
        said = ", ".join(f"{rate} Hz ({path})" for rate, path in sorted(rates.items()))
        flaws.append(f"recordings of several sample rates: {said}; cure: bring all to one")
    spoken = sum(clip.seconds for clip in clips) / 60
    if not flaws and spoken < minutes:
        flaws.append(f"{folder}: {spoken:.1f} minutes of {minutes:g}; cure: record more, or minutes=")
    if flaws:
        raise Flawed("\n".join(flaws))
    return clips


def manifests(clips: Sequence[Clip], folder: Path) -> tuple[Path, Path]:
    """Write NeMo's manifests for training and validation. The same clips are always split the same way."""
    order = sorted(clips, key=lambda clip: hashlib.sha256(f"{clip.path.name} {clip.words}".encode()).digest())
    count = max(1, len(order) // HELD)
    folder.mkdir(parents=True, exist_ok=True)
    return _write(folder / "train.json", order[count:]), _write(folder / "validation.json", order[:count])


def _write(path: Path, clips: Sequence[Clip]) -> Path:
    rows = ({"audio_filepath": str(c.path), "text": c.words, "duration": round(c.seconds, 3)} for c in clips)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _lines(folder: Path, flaws: list[str]) -> Iterator[tuple[str, Path, str]]:
    """Place, file and words of each line. Raises Flawed without a transcript."""
    there = [folder / name for name in (CSV, JSONL) if (folder / name).is_file()]
    if len(there) != 1:
        what = "both" if there else "neither"
        raise Flawed(f"{folder} has {what} {CSV} and {JSONL}; cure: one of them says what is spoken")
    try:
        lines = there[0].read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Flawed(f"{there[0]}: {error}; cure: UTF-8 text that you may read") from error
    seen: set[Path] = set()
    for number, line in enumerate(lines, 1):
        place = f"{there[0]}, line {number}"
        if not line.strip():
            continue
        try:
            path, words = _csv(folder, line) if there[0].name == CSV else _json(folder, line)
        except (ValueError, KeyError, TypeError, RecursionError):
            flaws.append(f"{place}: {line[:60]!r} is no {'name|text' if there[0].name == CSV else 'clip'}")
            continue
        if path in seen:
            flaws.append(f"{place}: {path} comes a second time; cure: leave one line out")
            continue
        seen.add(path)
        yield place, path, words


def _csv(folder: Path, line: str) -> tuple[Path, str]:
    """Raises ValueError for a line that has neither two nor three columns."""
    name, text, *normal = line.split("|")
    if len(normal) > 1:
        raise ValueError
    name = name if name.lower().endswith(".wav") else f"{name}.wav"
    home = folder / "wavs" if (folder / "wavs").is_dir() else folder
    return (home / name).absolute(), (*normal, text)[0].strip() or text.strip()


def _json(folder: Path, line: str) -> tuple[Path, str]:
    """Raises ValueError, KeyError or TypeError for what is no clip."""
    row = json.loads(line)
    words = row.get("normalized_text") or row["text"] if isinstance(row, dict) else None
    if not isinstance(words, str):
        raise TypeError
    return (folder / row["audio_filepath"]).absolute(), words.strip()


def _check_words(place: str, words: str) -> None:
    if not re.search(r"\w", words):
        raise Flawed(f"{place}: there is no text; cure: write what is spoken, or leave the line out")
    if re.search(r"\d", words):  # NeMo's normaliser is not on aarch64, and its alphabet has no digits
        raise Flawed(f"{place}: {words[:60]!r} has digits; cure: write them as words, in the last column")


def _samples(path: Path) -> tuple[int, np.ndarray[tuple[int], np.dtype[np.int16]]]:
    """Sample rate in Hz, and the samples, 16 bit mono. Raises Flawed."""
    if not path.is_file():
        raise Flawed(f"{path} is missing; cure: put it there, or leave its line out")
    try:
        with wave.open(str(path)) as file:
            channels, width, rate, frames, *_ = file.getparams()
            content = file.readframes(frames)
    except (wave.Error, EOFError, OSError) as error:
        said = f"{path} is no WAV file of plain samples ({str(error) or 'cut short'})"
        raise Flawed(f"{said}; cure: {ROUND.format(path)}") from error
    if channels != 1 or width != 2:
        said = f"{path} has {channels} channels of {8 * width} bit, not one of 16"
        raise Flawed(f"{said}; cure: {ROUND.format(path)}")
    if len(content) < frames * width:
        raise Flawed(f"{path} is cut short: {len(content)} bytes of {frames * width}; cure: copy it again")
    return rate, np.frombuffer(content, "<i2")


def _check_sound(path: Path, rate: int, samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
    """Raises Flawed for what is no clean, single utterance."""
    seconds = len(samples) / rate
    if rate < RATE:
        raise Flawed(f"{path} has {rate} Hz; cure: record with {RATE} Hz or more")
    if not SHORTEST <= seconds <= LONGEST:
        how = "join it with the next one" if seconds < SHORTEST else "cut it between sentences"
        raise Flawed(f"{path} is {seconds:.1f} s long, not {SHORTEST:g} to {LONGEST:g}; cure: {how}")
    levels = np.abs(samples.astype(np.float64)) / 32767
    if np.sqrt(np.mean(levels**2)) < SILENT:
        raise Flawed(f"{path} is silent; cure: record it again, louder")
    if np.mean(levels >= 1) > CLIPPED:
        raise Flawed(f"{path} is clipped at {np.mean(levels >= 1):.1%} of its samples; cure: record it lower")
