"""Evening -> the report's section for the streamer. Viewers' words are escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from glue.report.evening import Evening, Told

Row = Sequence[str]
WIDE = {"who": "name", "part": "name", "what": "text", "why": "text"}  # columns, by their classes


def section(found: Evening) -> str:
    """The whole section; of what there was none is said in one line."""
    shown, missing = [], []
    for title, note, head, rows in _blocks(found):
        if rows:
            shown.append(f"<h3>{title}</h3>{_note(note)}{_table(head, rows)}")
        else:
            missing.append(title.lower())
    none = f"Nothing to tell of: {', '.join(missing)}." if missing else ""
    return (
        f"<section class=evening><h2>The evening</h2><p>{escape(summary(found))}</p>"
        f"{''.join(shown)}{_note(none)}</section>"
    )


def summary(found: Evening) -> str:
    """How long it was, and how much was said."""
    return (
        f"{clock(found.seconds)} long: {_many(found.lines, 'line')} of {_many(found.viewers, 'viewer')}, "
        f"{_many(found.replies, 'reply', 'replies')} of hers."
    )


def _blocks(found: Evening) -> Iterable[tuple[str, str, Row, Sequence[Row]]]:
    active = [(each.name, str(each.lines), str(each.answered)) for each in found.active]
    yield "Most active", "", ("who", "lines", "answered"), active
    yield "Who gave what", _counts(found.deeds), ("when", "who", "what"), _told(found.given)
    questions = _told(found.questions)
    note = f"The last of {found.unanswered}." if found.unanswered > len(questions) else ""
    yield "Questions without an answer", note, ("when", "who", "what"), questions
    if found.songs:
        yield "Songs", "", ("times", "what"), [(str(n), song) for song, n in found.songs.items()]
    marks = [
        (clock(each.at), each.why, "" if each.recorded is None else clock(each.recorded))
        for each in found.highlights
    ]
    yield "Highlights", "", ("when", "what", "in the recording"), marks
    outages = [
        (clock(each.at), "the end" if each.until is None else clock(each.until), each.part, each.why)
        for each in found.outages
    ]
    yield "What was down", "", ("from", "to", "part", "why"), outages
    yield "Clauses of hers held back", "", ("times", "why"), _why(found.held)
    yield "Lines kept from her", "", ("times", "why"), _why(found.kept_out)


def _told(found: Iterable[Told]) -> list[Row]:
    return [(clock(each.at), each.author, each.text) for each in found]


def _why(counts: Mapping[str, int]) -> list[Row]:
    return [(str(n), why or "not told") for why, n in counts.items()]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items())


def _note(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""


def _table(head: Row, rows: Iterable[Row]) -> str:
    named = "".join(f'<th class="{WIDE.get(name, "")}">{name}</th>' for name in head)
    told = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    return f"<table><tr>{named}</tr>{''.join(f'<tr>{row}</tr>' for row in told)}</table>"


def _many(n: int, one: str, several: str = "") -> str:
    return f"{n:,} {one if n == 1 else several or f'{one}s'}"


def clock(seconds: float) -> str:
    """Seconds as people read a recording's time: 1:02:03."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
