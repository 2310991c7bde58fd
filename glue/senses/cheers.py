"""WORLD -> EVENTS: the words of a cheer without the tokens that stand for its bits ("Cheer100"). Pure.

They are pictures with a number in chat: read aloud, or answered, they are noise. Which there are:
https://dev.twitch.tv/docs/api/reference/#get-cheermotes; a channel may have some of its own.
"""

from __future__ import annotations

import re

TOKEN = re.compile(r"(?<!\S)(?P<name>\w*[^\W\d])(?P<bits>[1-9]\d{0,6})(?!\S)")
EVERYWHERE = frozenset(
    "anon bday biblethump bitboss cheer cheerwhal corgo dansgame doodlecheer elegiggle failfish frankerz goal"
    " heyguys holidaycheer kappa kreygasm mrdestructoid muxy notlikethis party pjsalt pride ripcheer scoops"
    " seemsgood shamrock showlove streamlabs swiftrage trihard uni vohiyo 4head".split()
)


def words(said: str, bits: int) -> str:
    """What was said beside cheering `bits`. A token of the channel's own is known by the sum of all."""
    found = list(TOKEN.finditer(said))
    every = sum(int(token["bits"]) for token in found) == bits

    def kept(token: re.Match[str]) -> str:
        return "" if every or token["name"].lower() in EVERYWHERE else token[0]

    return " ".join(TOKEN.sub(kept, said).split())
