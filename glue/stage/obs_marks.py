"""Marks of a recording in a text file: OBS has chapters only since 30.2, and only in Hybrid MP4.

`NAME.marks.txt` lies beside NAME.mkv where OBS runs on this machine, else in the run folder. Its lines are
`HH:MM:SS why`, which video sites take for chapters in a description. Everything blocks.
"""

from __future__ import annotations

import time
from pathlib import Path

VIDEOS = (".mkv", ".mp4", ".mov", ".flv", ".ts")
GROWS_S = 15.0  # a recording was written to so lately; OBS writes one in lumps
START = "00:00:00 Start\n"  # video sites want a chapter there


def marked(directory: str, size: int, run_dir: Path, recorded: float, why: str) -> Path:
    """Add a mark `recorded` seconds into the recording of `size` bytes in OBS's `directory`; the file that it
    is in. Raises OSError."""
    video = _growing(Path(directory), size) if directory else None
    path = video.with_suffix(".marks.txt") if video else run_dir / "recording.marks.txt"
    hours, rest = divmod(int(recorded), 3600)
    mark = f"{hours:02}:{rest // 60:02}:{rest % 60:02} {why}\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(mark if file.tell() else START + mark)
    return path


def _growing(directory: Path, size: int) -> Path | None:
    """The video that is being written; a replay that was just saved is one too, but of another size."""
    since, found = time.time() - GROWS_S, list[tuple[int, Path]]()
    try:
        for path in directory.iterdir():
            if path.suffix in VIDEOS and (state := path.stat()).st_mtime >= since:
                found.append((abs(state.st_size - size), path))
    except OSError:
        return None  # OBS is elsewhere, or in a sandbox
    return min(found)[1] if found else None
