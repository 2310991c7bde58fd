"""Whose something is. A viewer has a key (ChatLine.viewer) and a name, which others may have as well."""

from collections.abc import Callable, Iterable

from glue.events import ChatLine

LONGEST = 100  # characters of either that are looked at
Theirs = Callable[[str, str], bool]  # of a key and a name


def theirs(viewer: str, name: str = "") -> Theirs:
    """Whether something under a key and a name is this viewer's. Without a `name`, `viewer` is what a person
    calls somebody: a key, or the name of all who are called so."""
    return among([viewer], [] if name else [viewer])


def wrote(viewer: str, name: str = "") -> Callable[[ChatLine], bool]:
    """Whether a line is this viewer's, see theirs()."""
    whose = theirs(viewer, name)
    return lambda line: whose(line.viewer, line.author)


def among(viewers: Iterable[str], names: Iterable[str]) -> Theirs:
    """The same of several: viewers by their keys, and whoever is called so."""
    keys, called = set(map(folded, viewers)) - {""}, set(map(folded, names)) - {""}
    return lambda key, name: folded(key) in keys or folded(name) in called


def folded(text: str) -> str:
    """A key or a name as it is compared."""
    return text.casefold()[:LONGEST]
