"""Where she went in a game's world, as the report draws it; and files that are damaged."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glue.report import world
from glue.report.numbers import report
from glue.report.page import page
from glue.report.read import fold

ROWS = [
    {"at": 100.0, "x": 0.0, "y": 64.0, "z": 0.0},
    {"at": 102.0, "x": 3.0, "y": 64.0, "z": 4.0},
    {"at": 110.0, "x": 3.0, "y": 64.0, "z": 4.0, "did": "collect log 3", "began": 101.0, "success": True},
    {
        "at": 130.0,
        "x": 3.0,
        "y": 60.0,
        "z": 4.0,
        "did": "goto <b>home</b> 7",
        "began": 111.0,
        "success": False,
    },
]


def written(folder: Path, *rows: object) -> Path:
    path = folder / world.WORLD
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_what_was_done_and_how_far_she_went(tmp_path: Path) -> None:
    rows = world.read(written(tmp_path, *ROWS))
    assert [row.goal for row in rows if row.did] == ["collect", "goto"]
    assert world.outcome(rows) == "2 things done or tried, 1 with success; 5 blocks walked."


def test_the_report_has_a_map_only_where_she_was_in_a_world(tmp_path: Path) -> None:
    run = fold([])
    rows = world.read(written(tmp_path, *ROWS))
    shown, bare = page(run, report(run), rows), page(run, report(run))
    assert "Where she went" in shown and "What she did there" in shown and "<b>home" not in shown
    assert "Where she went" not in bare


def test_damaged_rows_are_passed_over(tmp_path: Path) -> None:
    path = written(
        tmp_path, ROWS[0], {"at": 1.0}, "no row", {"at": 102.0, "x": float("nan"), "z": 4.0}, ROWS[3]
    )
    with path.open("ab") as file:
        file.write(b'\xff\xfe\n{"at": 3')
    assert [row.at for row in world.read(path)] == [100.0, 130.0]
    assert world.read(tmp_path / "missing.jsonl") == []


@settings(max_examples=8)
@given(
    st.lists(
        st.tuples(st.floats(-1e7, 1e7), st.floats(-1e7, 1e7), st.text(max_size=40)), min_size=1, max_size=5
    )
)
def test_whatever_she_did_can_be_drawn(places: list[tuple[float, float, str]]) -> None:
    rows = [world.Row(float(n), x, z, did=did) for n, (x, z, did) in enumerate(places)]
    for svg in (world.wander(rows), world.deeds(rows)):
        ElementTree.fromstring(svg)


@pytest.mark.parametrize("did", ["", "  "])
def test_who_did_nothing_is_drawn_too(did: str) -> None:
    ElementTree.fromstring(world.wander([world.Row(0.0, 1.0, 2.0, did=did)]))
