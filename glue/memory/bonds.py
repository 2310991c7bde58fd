"""How well she knows whom: by visits, days and gifts that were counted, never by what somebody says of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from pydantic import TypeAdapter, ValidationError

from glue.errors import Refused
from glue.memory.file import LineFile
from glue.memory.whose import among, folded

MOST = 50_000  # viewers; beyond it those who came once and longest ago are let go
SPARE = 1000  # lines of the file that nobody needs any more before it is written again


class Closeness(IntEnum):
    """What the counts make of a viewer."""

    STRANGER = 0
    GUEST = 1  # came back
    REGULAR = 2
    FRIEND = 3


@dataclass(frozen=True, slots=True)
class Bond:
    """`visits`: shows that the viewer wrote in; `days`: of them on another date than the one before, one a
    show at most, whatever a clock does. `first`, `last`: wall clock, seconds since 1970."""

    viewer: str
    first: float
    last: float
    visits: int = 0
    days: int = 0
    gifts: int = 0
    date: str = ""
    name: str = ""  # what the viewer is called, where `viewer` is another key

    @property
    def called(self) -> str:
        """The viewer's name."""
        return self.name or self.viewer

    @property
    def closeness(self) -> Closeness:
        """Grows with days; a gift counts as two, once she knows the viewer a little."""
        worth = self.days + (min(self.gifts, 5) * 2 if self.days > 1 else 0)
        if worth >= 12:
            return Closeness.FRIEND
        return Closeness.REGULAR if worth >= 5 else Closeness.GUEST if self.visits > 1 else Closeness.STRANGER


_BOND = TypeAdapter(Bond)


class Bonds:
    """Every viewer that she has met."""

    def __init__(self, file: LineFile) -> None:
        self._file = file
        self.known: dict[str, Bond] = {}
        self._here: set[str] = set()  # in this show
        self._changed: dict[str, None] = {}
        lines = 0
        for line in file.read():
            lines += 1
            try:
                bond = _BOND.validate_json(line)
            except (ValidationError, ValueError, RecursionError):
                continue
            self.known[bond.viewer.casefold()] = bond
        if lines > len(self.known) + SPARE:
            with suppress(Refused):  # no room: it stays as long as it is
                file.rewrite(map(_dump, self.known.values()))

    def met(self, viewer: str, now: float, gift: bool = False, name: str = "") -> None:
        """The viewer, who is called `name`, wrote, or gave something, at wall clock `now`."""
        key = viewer.casefold()[:100]
        bond = self.known.get(key) or Bond(viewer[:100], now, now)
        if key in self._here and not gift:
            return  # what is counted of this show is counted
        if key not in self._here:
            self._here.add(key)
            date = _date(now)
            new_day = date != bond.date
            bond = dataclasses.replace(
                bond, last=now, visits=bond.visits + 1, days=bond.days + new_day, date=date
            )
        self.known[key] = dataclasses.replace(bond, gifts=bond.gifts + gift, name=name[:100] or bond.name)
        self._changed[key] = None
        if len(self.known) > MOST:
            strangers = (k for k, b in self.known.items() if b.visits < 2 and k not in self._here)
            self.known.pop(next(strangers, next(iter(self.known))))

    def hide(self, viewers: Iterable[str], names: Collection[str] = ()) -> None:
        """These viewers, and whoever is called so, are not known from now on; forget() takes them out of the
        file."""
        gone = set(map(folded, viewers))
        if names:
            whose = among((), names)
            gone |= {key for key, bond in list(self.known.items()) if whose("", bond.name)}
        for key in gone:
            self.known.pop(key, None)
            self._changed.pop(key, None)
            self._here.discard(key)

    def forget(self, viewers: Collection[str], names: Collection[str] = ()) -> None:
        """Leave no trace of them. Raises Refused."""
        self.hide(viewers, names)
        whose = among(viewers, names)
        self._file.keep(lambda line: not whose(*_names(line)))

    def closest(self, most: int) -> list[Bond]:
        """Those whom she knows best, regulars at least."""
        found = [bond for bond in list(self.known.values()) if bond.closeness >= Closeness.REGULAR]
        return sorted(found, key=lambda bond: (-bond.closeness, -bond.days, bond.viewer))[:most]

    def write(self) -> None:
        """What changed, into the file. Raises Refused."""
        while self._changed:
            key, _ = self._changed.popitem()
            bond = self.known.get(key)
            try:
                if bond is not None:
                    self._file.append(_dump(bond))
            except Refused:
                self._changed[key] = None
                raise

    def sync(self) -> None:
        """To the disk. Raises Refused."""
        self.write()
        self._file.sync()

    def close(self) -> None:
        """Put it on the disk and let go of it."""
        try:
            self.write()
        except Refused:
            pass  # told before; who came today is not worth a traceback at the end
        finally:
            self._file.close()


def _dump(bond: Bond) -> str:
    return json.dumps(dataclasses.asdict(bond), ensure_ascii=False)


def _date(now: float) -> str:
    try:
        return datetime.fromtimestamp(now, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return ""  # a clock that is far off


def _names(line: bytes) -> tuple[str, str]:
    try:
        said = json.loads(line)
        return str(said["viewer"]), str(said.get("name", ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", ""
