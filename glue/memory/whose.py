"""Whose something is. A viewer has a key (ChatLine.viewer) and a name, which others may have as well."""

from collections.abc import Callable

Theirs = Callable[[str, str], bool]  # of a key and a name


def theirs(viewer: str, name: str = "") -> Theirs:
    """Whether something under a key and a name is this viewer's. Without a `name`, `viewer` is what a person
    calls somebody: a key, or the name of all who are called so."""
    wanted = viewer.casefold()
    if not wanted:
        return lambda key, called: False
    if name:
        return lambda key, called: key.casefold() == wanted
    return lambda key, called: wanted in (key.casefold(), called.casefold())
