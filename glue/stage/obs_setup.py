"""A complete scene collection in a running OBS (`+show=obs_setup`). Everything blocks, as obs_link says.

What is there stays as its user has left it; so running it twice changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from glue.errors import Refused
from glue.stage.obs_layout import BROWSER, Layout, Placed, Source
from glue.stage.obs_link import BUSY, PART, Denied, Link

SWITCH_S = 10.0  # for OBS to load another collection; until then it denies everything
NO_BROWSER = (
    "this OBS has no browser source (Debian's has none), so she is not in the picture; "
    "cure: OBS from obsproject.com, its PPA or Flathub, then this again"
)
BY_HAND = "'{name}': choose in its properties what it shows"
STANDS_IN = "'{name}': this OBS captures no game or window; put a capture of your own there"

Say = Callable[[str], None]


def size_of(link: Link) -> tuple[int, int]:
    """The canvas, in pixels. Raises PortError."""
    video = link.ask("GetVideoSettings")
    return int(video["baseWidth"]), int(video["baseHeight"])


def enter(link: Link, collection: str, say: Say) -> bool:
    """Make `collection` and switch to it, where it is not on already; "" stays. Returns whether it was
    made. Raises PortError."""
    there = link.ask("GetSceneCollectionList")
    if not collection or there["currentSceneCollectionName"] == collection:
        return False
    for request in ("GetStreamStatus", "GetRecordStatus"):
        if link.ask(request)["outputActive"]:
            raise Refused(PART, "OBS is on air, and another scene collection would show; cure: stop it first")
    known = collection in there["sceneCollections"]
    if known:
        link.ask("SetCurrentSceneCollection", sceneCollectionName=collection)
        say(f"switched to the scene collection '{collection}'")
    else:
        link.ask("CreateSceneCollection", sceneCollectionName=collection)
        say(f"made the scene collection '{collection}'")
    _ready(link, collection)
    return not known


def _ready(link: Link, collection: str) -> None:
    deadline = time.monotonic() + SWITCH_S
    while time.monotonic() < deadline:
        try:
            if link.ask("GetSceneCollectionList")["currentSceneCollectionName"] == collection:
                link.ask("GetSceneList")
                return
        except Denied as error:
            if error.code != BUSY:
                raise
        time.sleep(0.1)
    raise Refused(PART, f"OBS does not switch to '{collection}'; cure: see whether it asks something")


class Setup:
    """Puts a layout in, source by source, and counts what it had to change."""

    def __init__(self, link: Link, layout: Layout, size: tuple[int, int], say: Say, fresh: bool) -> None:
        self._link, self._layout, self._size, self._say = link, layout, size, say
        self._fresh = fresh
        self._sources = {source.name: source for source in layout.sources}
        self._kinds: list[str] = []
        self._inputs: dict[str, str] = {}
        self.changed = 0

    def run(self) -> None:
        """All of it. Raises PortError."""
        self._kinds = list(map(str, self._link.ask("GetInputKindList")["inputKinds"]))
        found = self._link.ask("GetInputList")["inputs"]
        self._inputs = {str(each["inputName"]): str(each["unversionedInputKind"]) for each in found}
        before = [str(scene["sceneName"]) for scene in self._link.ask("GetSceneList")["scenes"]]
        for scene, placed in self._layout.scenes.items():
            if scene not in before:
                self._link.ask("CreateScene", sceneName=scene)
                self._did(f"made the scene '{scene}'")
            self._fill(scene, placed)
        if self._fresh:
            self._first(before)
        for name in self._used():
            self._follow(self._sources[name])

    def _used(self) -> list[str]:
        placed = [each.source for scene in self._layout.scenes.values() for each in scene]
        return [name for name in dict.fromkeys(placed) if name in self._inputs]

    def _fill(self, scene: str, placed: Sequence[Placed]) -> None:
        items = self._link.ask("GetSceneItemList", sceneName=scene)["sceneItems"]
        items.sort(key=lambda item: int(item["sceneItemIndex"]))
        there = [str(item["sourceName"]) for item in items]  # from the bottom up
        wanted = [each.source for each in placed]
        for number, each in enumerate(placed):
            if each.source in there:
                continue
            item = self._put(scene, self._sources[each.source])
            if item is not None:
                transform = each.transform(*self._size)
                words: dict[str, Any] = {"sceneName": scene, "sceneItemId": item}
                self._link.ask("SetSceneItemTransform", **words, sceneItemTransform=transform)
                index = _between(there, wanted[:number], wanted[number + 1 :])
                if index < len(there):  # OBS puts what is new on top of all
                    self._link.ask("SetSceneItemIndex", **words, sceneItemIndex=index)
                there.insert(index, each.source)
                self._did(f"put '{each.source}' into '{scene}'")

    def _put(self, scene: str, source: Source) -> int | None:
        """The new item's id; None where this OBS has no kind for it."""
        if source.name in self._inputs:
            words = {"sceneName": scene, "sourceName": source.name}
            return int(self._link.ask("CreateSceneItem", **words)["sceneItemId"])
        kind = self._kind(source.kinds) or self._kind(source.otherwise)
        if kind is None:
            return None
        words = {"sceneName": scene, "inputName": source.name, "inputKind": kind}
        made = self._link.ask("CreateInput", **words, inputSettings=dict(source.settings))
        self._inputs[source.name] = kind
        self._did(f"made '{source.name}' ({kind})")
        if source.otherwise:
            self._say((BY_HAND if self._kind(source.kinds) else STANDS_IN).format(name=source.name))
        return int(made["sceneItemId"])

    def _kind(self, families: Sequence[str]) -> str | None:
        fits = (kind for family in families for kind in self._kinds if kind.startswith(family))
        return next(fits, None)

    def _follow(self, source: Source) -> None:
        """Bring the settings up to date that the config decides, such as the page's address."""
        if not source.kept or not self._inputs[source.name].startswith(tuple(source.kinds)):
            return
        now: Mapping[str, Any] = self._link.ask("GetInputSettings", inputName=source.name)["inputSettings"]
        new = {key: source.settings[key] for key in source.kept if now.get(key) != source.settings[key]}
        if new:
            self._link.ask("SetInputSettings", inputName=source.name, inputSettings=new)
            self._did(f"'{source.name}' has a new {' and '.join(new)}")

    def _first(self, before: Sequence[str]) -> None:
        """In a collection that this run made: on with the first scene, away with the empty one that OBS put
        there. In the user's own what is on air stays so, and an empty scene may be meant."""
        first = next(iter(self._layout.scenes), None)
        if first is None or first in before:
            return
        self._link.ask("SetCurrentProgramScene", sceneName=first)
        self._did(f"'{first}' is on")
        for name in before:
            if not self._link.ask("GetSceneItemList", sceneName=name)["sceneItems"]:
                self._link.ask("RemoveScene", sceneName=name)
                self._did(f"removed OBS's empty '{name}'")

    def _did(self, what: str) -> None:
        self.changed += 1
        self._say(what)


def _between(there: Sequence[str], below: Sequence[str], above: Sequence[str]) -> int:
    """Where a new item belongs among those that are `there`: on the one that the layout has right `below` it,
    else under what it has `above`; what a user has put in keeps its neighbours."""
    for name in reversed(below):
        if name in there:
            return there.index(name) + 1
    return min((there.index(name) for name in above if name in there), default=len(there))


def set_up(link: Link, layout: Layout, size: tuple[int, int], say: Say, fresh: bool) -> None:
    """Put `layout` in and say what was done, what is missing; `fresh`: into a collection that this run has
    made. Raises PortError."""
    setup = Setup(link, layout, size, say, fresh)
    setup.run()
    if not any(str(kind).startswith(BROWSER) for kind in link.ask("GetInputKindList")["inputKinds"]):
        say(NO_BROWSER)
    say(f"{setup.changed} changes" if setup.changed else "all of it was there; nothing was changed")
