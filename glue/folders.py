"""Where the user's files lie (XDG base directories), and how a small one is written."""

import os
from contextlib import suppress
from pathlib import Path

OURS = "spark-vtuber"


def state(name: str, configured: str = "") -> Path:
    """Of what this machine keeps: `configured`, or `name` in our folder."""
    return _in("XDG_STATE_HOME", ".local/state", name, configured)


def data(name: str, configured: str = "") -> Path:
    """Of what the user would miss: `configured`, or `name` in our folder."""
    return _in("XDG_DATA_HOME", ".local/share", name, configured)


def put(path: Path, text: str) -> None:
    """A file of `text`, for its owner only, in one step: who reads it, or is killed here, has the old
    one or the new one. Raises OSError, and leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)  # of a process of this number that was killed
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text.encode("utf-8"))
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def _in(variable: str, usual: str, name: str, configured: str) -> Path:
    return Path(configured or Path(os.environ.get(variable) or f"~/{usual}", OURS, name)).expanduser()
