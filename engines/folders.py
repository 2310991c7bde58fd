"""Our folders among the user's (XDG base directories)."""

import os
from pathlib import Path

OURS = "spark-vtuber"


def state() -> Path:
    """Of what this machine keeps."""
    return _ours("XDG_STATE_HOME", ".local/state")


def data() -> Path:
    """Of what the user would miss."""
    return _ours("XDG_DATA_HOME", ".local/share")


def caches() -> Path:
    """Of what can be fetched or made again."""
    return _ours("XDG_CACHE_HOME", ".cache")


def _ours(variable: str, usual: str) -> Path:
    return Path(os.environ.get(variable) or f"~/{usual}", OURS).expanduser()
