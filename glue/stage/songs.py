"""SOUND -> AUDIENCE: the operator's songs, looked up by name in one folder.

NAME.wav is what she sings; beside it may lie NAME.backing.wav, what accompanies her, and NAME.lrc, her words.
What is there is looked at in a thread, again and again: a song that is put in is there in a moment.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import anyio
import anyio.to_thread

from glue.errors import Refused
from glue.song_ports import NONE, Song
from glue.stage import clip
from glue.stage.lyrics import LARGEST, Lyrics, lyrics
from glue.stage.song_sound import SONG, Line, SongSound

log = logging.getLogger(__name__)

NAME = re.compile(r"[\w-]|[\w-][\w .'!&+,-]{0,58}[\w'!-]")
NOTE = "\u266a"
BACKING = ".backing"
OTHERS = frozenset({".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".aif", ".aiff"})
MOST = 200  # songs
LOOKED = 2000  # files of the folder that are looked at
EVERY = 5.0  # seconds between two looks
JUDGED = 0.02  # seconds between two lines that the filters judge
NAMED = 3  # of a song's lines that they refuse
CURE = "cure: stage.songs=FOLDER, with NAME.wav, NAME.backing.wav and NAME.lrc in it"


@dataclass(frozen=True, slots=True)
class Found:
    """A song of the folder, and where its parts lie; `lines` are on its samples."""

    song: Song
    vocals: Path
    backing: Path | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What there is, by name; and what is wrong with the rest, a line each with the cure."""

    songs: Mapping[str, Found]
    wrong: tuple[str, ...] = ()


class WavSongs:
    """The `Songs` port. keep() looks at the folder."""

    def __init__(
        self, folder: str, rate: int, gain: float, refuses: Callable[[str], str] = lambda words: ""
    ) -> None:
        """`folder` "": there are none; `rate` in Hz; `gain` 1: as loud as the file; `refuses(words)`: why the
        filters will not have them, "" where they will."""
        self._folder, self._rate, self._gain = folder, rate, gain
        self._refuses = refuses
        self._look = Look({})
        self._seen: tuple[object, ...] = ()
        self._told: set[str] = set()

    def names(self) -> Sequence[str]:
        """See song_ports.Songs."""
        return list(self._look.songs)

    def wrong(self) -> Sequence[str]:
        """See song_ports.Songs."""
        return self._look.wrong

    def song(self, name: str) -> Song:
        """See song_ports.Songs."""
        return self._found(name).song

    def sound(self, song: Song) -> SongSound:
        """See song_ports.Songs."""
        found = self._found(song.name)
        return SongSound(found.vocals, found.backing, self._rate, self._gain, found.lines)

    def _found(self, name: str) -> Found:
        for each, found in self._look.songs.items():
            if each.casefold() == name.casefold():
                return found
        there = f"there are: {', '.join(self._look.songs)}" if self._look.songs else NONE
        raise Refused(SONG.part, f"no song is called '{name}'; {there}")

    async def keep(self) -> None:
        """Look for ever; tells the log what is wrong, once."""
        while self._folder:
            await self.look()
            await anyio.sleep(EVERY)

    async def look(self) -> None:
        """Look now, at what has changed since the last time."""
        if not self._folder:
            return
        seen = await anyio.to_thread.run_sync(_stamps, self._folder, abandon_on_cancel=True)
        if seen == self._seen:
            return
        self._seen = seen
        found = anyio.to_thread.run_sync(look, self._folder, self._rate, abandon_on_cancel=True)
        self._look = await found
        self._tell()
        for name in self.names():
            if refused := await self._refused(self.song(name)):
                self._look = replace(self._look, wrong=(*self._look.wrong, refused))
                self._tell()

    def _tell(self) -> None:
        """Each fault once."""
        for why in self._look.wrong:
            if why not in self._told:
                log.warning("a song: %s", why)
        self._told.update(self._look.wrong)

    async def _refused(self, song: Song) -> str:
        """What of its words the filters refuse: known before she sings it. They judge a line in two
        milliseconds, and whoever is answered meanwhile needs the time more."""
        whys = []
        for number in sorted(song.sung):
            await anyio.sleep(JUDGED)
            if why := self._refuses(song.lines[number]):
                whys.append(f"'{song.lines[number]}' ({why})")
        return f"{song.name}: the filters refuse {'; '.join(whys[:NAMED])}: not sung" if whys else ""


def look(folder: str, rate: int) -> Look:
    """All that there is to sing at `rate` Hz, and what is wrong. Blocks."""
    if not _folder(folder).is_dir():
        return Look({}, (f"there is no folder '{folder}'; {CURE}",))
    files = {path.name.casefold(): path for path in _files(folder)}
    wrong: list[str] = []
    songs: dict[str, Found] = {}
    for path in files.values():
        stem, suffix = path.stem, path.suffix.lower()
        if (of := _belongs(path)) is not None:
            if f"{of}.wav".casefold() not in files:
                wrong.append(f"{path.name} lies beside no {of}.wav; {CURE}")
        elif suffix in OTHERS:
            wrong.append(f"{path.name} is no WAV file; {SONG.cure}")
        elif suffix != ".wav":
            continue
        elif not NAME.fullmatch(stem):
            wrong.append(f"{path.name}: a song's name is of letters, digits, blanks and - . ' ! & + , alone")
        elif len(songs) == MOST:
            wrong.append(f"{path.name}: {MOST} songs are the most")
        else:
            try:
                songs[stem] = _song(path, files, rate, wrong)
            except Refused as error:
                wrong.append(error.why)
    return Look(songs, tuple(wrong))


def _belongs(path: Path) -> str | None:
    """Of which song this is the accompaniment or the words."""
    stem = path.stem
    if path.suffix.lower() == ".lrc":
        return stem
    backs = path.suffix.lower() == ".wav" and stem.lower().endswith(BACKING)
    return stem[: -len(BACKING)] if backs else None


def _song(path: Path, files: Mapping[str, Path], rate: int, wrong: list[str]) -> Found:
    """Raises Refused where there is nothing to sing; without the rest it is sung all the same."""
    name, seconds = path.stem, clip.seconds(path, SONG)
    backing = files.get(f"{name}{BACKING}.wav".casefold())
    if backing is not None:
        try:
            seconds = max(seconds, clip.seconds(backing, SONG))
        except Refused as error:
            wrong.append(f"{name} is sung without its accompaniment: {error.why}")
            backing = None
    words = Lyrics()
    if (written := files.get(f"{name}.lrc".casefold())) is not None:
        try:
            with written.open("rb") as file:
                words = lyrics(file.read(LARGEST + 1), seconds)
            wrong += [f"{written.name}: {why}" for why in words.wrong]
        except (OSError, Refused) as error:
            why = error.why if isinstance(error, Refused) else error.strerror
            wrong.append(f"{name} is sung without its words: {written.name}: {why}")
    lines = tuple(_lines(name, words, round(seconds * rate), rate))
    captions = tuple(line.text for line in lines)
    sung = frozenset(n for n, text in enumerate(captions) if text not in (NOTE, f"{NOTE} {name} {NOTE}"))
    return Found(Song(name, seconds, rate, captions, sung), path, backing, lines)


def _lines(name: str, words: Lyrics, samples: int, rate: int) -> Iterator[Line]:
    """What is shown from when to when, without a gap: where nobody sings, the song's name or a note."""
    begins = [(round(sung.at * rate), f"{NOTE} {sung.text}" if sung.text else NOTE) for sung in words.lines]
    if not begins or begins[0][0] > 0:
        begins.insert(0, (0, f"{NOTE} {name} {NOTE}"))
    ends = [first for first, _ in begins[1:]] + [samples]
    for (first, text), last in zip(begins, ends, strict=True):
        if first < last:
            yield Line(text, first, last)


def _folder(folder: str) -> Path:
    return Path(folder).expanduser()


def _files(folder: str) -> list[Path]:
    """In order; none where the folder is not there, or not to be read."""
    try:
        return sorted(islice(_folder(folder).iterdir(), LOOKED))
    except OSError:
        return []


def _stamps(folder: str) -> tuple[object, ...]:
    """What changes when a file does."""
    found: list[object] = [folder]
    for path in _files(folder):
        try:
            state = path.stat()
        except OSError:
            continue
        found.append((path.name, state.st_mtime_ns, state.st_size))
    return tuple(found)
