"""The time that a question about the past names in plain English: "what did I tell you yesterday?"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
MONTHS = "january february march april may june july august september october november december".split()
_DAY = timedelta(days=1)
COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "couple of": 2}

# Only who asks for what was: "I moved last week" and "who wins this week?" name no time to remember.
ASKS = re.compile(
    r"\?\s*$|^(?:(?:hey|so|and|spark|ok|hi)\W+)*(?:what|where|who|when|which|how|do you|did|can you|tell me|"
    r"remember)\b",
    re.IGNORECASE,
)
PAST = re.compile(
    r"\b(?:did|was|were|told|said|talked|spoke|happened|remember|recall|mentioned|promised|joked|laughed|had|"
    r"went|played|wrote|asked)\b",
    re.IGNORECASE,
)
NAMED = re.compile(
    r"\b(?:(?P<day>yesterday|today|tonight|last night)"
    rf"|(?P<which>last|this) (?P<unit>week|month|year|{'|'.join(DAYS)})"
    rf"|on (?P<weekday>{'|'.join(DAYS)})"
    rf"|(?:in|last|back in) (?P<month>{'|'.join(MONTHS)})(?: (?P<of>20\d\d))?"
    rf"|(?P<count>\d{{1,3}}|{'|'.join(COUNTS)}) (?P<ago>day|week|month|year)s? ago)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` up to `until`, wall clock, seconds since 1970; `rest`: the line without that time."""

    since: float
    until: float
    rest: str = ""


def span(text: str, now: float) -> Span | None:
    """The time in a line that asks for what was, by this machine's calendar; None where it names none."""
    if not (ASKS.search(text) and PAST.search(text)) or (found := NAMED.search(text)) is None:
        return None
    try:
        today = datetime.fromtimestamp(now).date()
        first, last = _days({key: word.casefold() for key, word in found.groupdict().items() if word}, today)
        since, until = (datetime(d.year, d.month, d.day).timestamp() for d in (first, last + _DAY))
    except (ValueError, OverflowError, OSError):  # a clock that was far off
        return None
    return Span(since, until, f"{text[: found.start()]} {text[found.end() :]}")


def _days(said: dict[str, str], today: date) -> tuple[date, date]:
    """The first and the last day."""
    if day := said.get("day"):
        first = today - (_DAY if day in ("yesterday", "last night") else 0 * _DAY)
        return first, today if day == "last night" else first  # it may have ended after midnight
    if weekday := said.get("weekday"):
        return _weekday(weekday, today)
    if month := said.get("month"):
        return _month(MONTHS.index(month) + 1, said.get("of"), today)
    if ago := said.get("ago"):
        return _ago(int(said["count"]) if said["count"].isdigit() else COUNTS[said["count"]], ago, today)
    unit, back = said["unit"], said["which"] == "last"
    if unit in DAYS:
        return _weekday(unit, today)
    return _calendar(unit, back, today)


def _weekday(name: str, today: date) -> tuple[date, date]:
    """The newest such day that is over."""
    back = (today.weekday() - DAYS.index(name) - 1) % 7 + 1
    return today - back * _DAY, today - back * _DAY


def _month(number: int, year: str | None, today: date) -> tuple[date, date]:
    """That month, the newest that has begun."""
    of = int(year) if year else today.year - (number > today.month)
    return date(of, number, 1), _end(of, number)


def _calendar(unit: str, back: bool, today: date) -> tuple[date, date]:
    """This week, month or year, or the one before; what is "last week" on a Monday may be eight days ago."""
    if unit == "week":
        first = today - today.weekday() * _DAY
        return (first - 7 * _DAY, first - _DAY) if back else (first, today)
    if unit == "month":
        if not back:
            return today.replace(day=1), today
        last = today.replace(day=1) - _DAY
        return last.replace(day=1), last
    year = today.year - back
    return date(year, 1, 1), date(year, 12, 31)


def _ago(count: int, unit: str, today: date) -> tuple[date, date]:
    """People round: the longer ago, the more."""
    days = {"day": 1, "week": 7, "month": 30, "year": 365}[unit]
    loose = {"day": 0, "week": 3, "month": 15, "year": 180}[unit]
    middle = today - count * days * _DAY
    return middle - loose * _DAY, min(today, middle + loose * _DAY)


def _end(year: int, month: int) -> date:
    return (date(year, month, 28) + 4 * _DAY).replace(day=1) - _DAY
