"""Where her eyes' pictures come from: a file, a folder, an X11 screen, OBS. `next()` blocks: call it in a
thread."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import BinaryIO, Protocol

import mss
import numpy as np
from mss.exception import ScreenShotError
from PIL import Image, UnidentifiedImageError

from glue.errors import ConfigError, Unreachable
from glue.senses.sight import Broadcast, Picture

MOST_PIXELS = 64_000_000  # of a file; a larger one is no picture of ours
KINDS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
SCREEN = re.compile(r"screen(?::(\d+))?")
OBS = re.compile(r"obs(?::(.+))?")


class Frames(Protocol):
    """Pictures, the newest only."""

    def next(self, longest: int) -> Picture | None:
        """The newest picture, scaled down to at most `longest` pixels a side; None where it is the last one
        again, or not whole yet. Raises Unreachable."""
        ...


def frames(source: str, broadcast: Broadcast | None = None) -> Frames:
    """What `source` names: screen, screen:NUMBER, obs, obs:SOURCE, or a path. Raises ConfigError."""
    if matched := OBS.fullmatch(source):
        if broadcast is None:
            raise ConfigError(f"eyes.source: '{source}' needs OBS; cure: broadcast=obs")
        return OnAir(broadcast, matched[1] or "")
    if matched := SCREEN.fullmatch(source):
        return Screen(int(matched[1] or 1))
    if not source or re.match(r"[a-z]+:", source):
        raise ConfigError(
            f"eyes.source: '{source}' is none of: screen, screen:2, obs, obs:SOURCE, a picture, a folder"
        )
    return Files(Path(source).expanduser())


class Screen:
    """Monitor `number` of the X11 display, from 1; 0 is all of them in one picture."""

    def __init__(self, number: int) -> None:
        self._number = number

    def next(self, longest: int) -> Picture | None:
        """The Frames port."""
        try:
            with mss.MSS() as display:  # a thread's own: X11 connections are not shared
                monitors = display.monitors
                if self._number >= len(monitors):
                    raise Unreachable("eyes", f"there is no screen {self._number}; cure: eyes.source=screen")
                shot = display.grab(monitors[self._number])
        except ScreenShotError as error:
            said = str(error).splitlines()[0] if str(error) else "no X11 display"
            raise Unreachable("eyes", f"{said}; cure: set DISPLAY, or eyes.source=PICTURE") from error
        return _scaled(Image.frombytes("RGB", shot.size, shot.bgra, "raw", "BGRX"), longest)


class OnAir:
    """A source of OBS, "" for the scene that viewers see."""

    def __init__(self, broadcast: Broadcast, source: str) -> None:
        self._broadcast, self._source = broadcast, source

    def next(self, longest: int) -> Picture | None:
        """The Frames port. Raises Refused for a source that OBS has not."""
        with io.BytesIO(self._broadcast.shot(self._source, longest)) as stream:
            return _read(stream, longest)


class Files:
    """A picture's file that is written again and again, or the newest picture of a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: tuple[str, int, int] | None = None

    def next(self, longest: int) -> Picture | None:
        """The Frames port."""
        try:
            newest = self._newest()
            if newest is None or newest == self._last:
                return None
            found = _opened(Path(newest[0]), longest)
        except OSError as error:
            raise Unreachable(
                "eyes", f"{self._path}: {error.strerror or error}; cure: eyes.source=PICTURE or FOLDER"
            ) from error
        if found is not None:
            self._last = newest
        return found

    def _newest(self) -> tuple[str, int, int] | None:
        """Its path, when it was written (ns) and its bytes. Raises OSError."""
        paths = [self._path]
        if self._path.is_dir():
            paths = [path for path in self._path.iterdir() if path.suffix.lower() in KINDS]
        stamps = [(str(path), (there := path.stat()).st_mtime_ns, there.st_size) for path in paths]
        return max(stamps, key=lambda stamp: (stamp[1], stamp[0]), default=None)


def _opened(path: Path, longest: int) -> Picture | None:
    """A file's picture; None where it is not one, or not yet: somebody may still write it."""
    with path.open("rb") as stream:
        return _read(stream, longest)


def _read(stream: BinaryIO, longest: int) -> Picture | None:
    try:
        with Image.open(stream) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            image.draft("RGB", (longest, longest))
            return _scaled(image.convert("RGB"), longest)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        return None  # Pillow raises all of these for a file that is cut short or damaged


def _scaled(image: Image.Image, longest: int) -> Picture:
    image.thumbnail((longest, longest), Image.Resampling.BILINEAR)
    return np.asarray(image, np.uint8)
