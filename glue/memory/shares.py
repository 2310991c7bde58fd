"""How the index is divided, and what of a line is searched by its words: both decide what a search costs.

Milvus Lite walks over every row of the partitions that are searched, in Python, and over every entry that
holds one of the words. So a viewer's own entries lie in one of a few partitions, and "the" is not looked up.
"""

from __future__ import annotations

import re
import zlib

from glue.memory.entry import Entry, Kind

SHARES = 16  # partitions of what only the viewer whom it is about is told
COMMON = "common"
HERS = "hers"  # facts about the cast themselves: few, and asked for by few lines
ABOUT_ALL = (Kind.JOKE, Kind.SELF)  # known whoever asks; the rest only to whom it is about
OWN = tuple(f"own{n:02d}" for n in range(SHARES))
ALL = (COMMON, HERS, *OWN)
MOST_WORDS = 8  # of a line; the longest say the most
IDLE = frozenset(
    """
    a about after all also am an and any anything are as at be because been before but by can come could
    did do does don dont for from get go going good got had has have he her here hers hey hi him his
    how i if in into is it its just know ll let like lol m make me mine more much my no not now of
    off oh ok on one or our out over re really remember s said say see she should so some tell than
    thank thanks that the their them then there these they thing think this those to today too up us
    ve very was we well were what when where which while who whom why will with would yes yet you
    your yours
    """.split()
)


def share(entry: Entry) -> str:
    """The partition that an entry lies in."""
    if entry.kind is Kind.SELF:
        return HERS
    return COMMON if not entry.viewer or entry.kind in ABOUT_ALL else own(entry.viewer)


def own(viewer: str) -> str:
    """The partition of what only this viewer is told."""
    return OWN[zlib.crc32(viewer.casefold().encode("utf-8", "replace")) % SHARES]


def telling(text: str) -> str:
    """The words of a line that are worth a search: no more than a few, none of those that all lines have."""
    words = dict.fromkeys(re.findall(r"\w+", text.casefold()))
    heavy = [word for word in words if word not in IDLE and len(word) > 1]
    return " ".join(sorted(heavy, key=len, reverse=True)[:MOST_WORDS])
