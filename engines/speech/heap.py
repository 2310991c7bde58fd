"""Keeps the speech engine small for a whole evening: each inference allocates by the length of its text.

By glibc's own habits (a heap a thread, freed pages kept) the holes added up to 80 MB in half an hour.
"""

import ctypes

M_ARENA_MAX = -8  # mallopt(3)
LIBC = ctypes.CDLL(None)


def one_arena() -> None:
    """Let all threads share one heap. To be called before there are any."""
    if hasattr(LIBC, "mallopt"):  # glibc
        LIBC.mallopt(M_ARENA_MAX, 1)


def tidy() -> None:
    """Give back what is free; a millisecond or two."""
    if hasattr(LIBC, "malloc_trim"):
        LIBC.malloc_trim(0)
