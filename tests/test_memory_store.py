"""The memory's files on good and bad days."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from glue.errors import ConfigError, Refused
from glue.memory.__main__ import import_
from glue.memory.entry import Entry, Kind, WrongEntry, dump
from glue.memory.store import Store
from glue.memory.traces import Forget


def fact(id: str, text: str, viewer: str = "mira", topic: str = "other", source: str = "") -> Entry:
    return Entry(id, Kind.VIEWER, "main", viewer, text, 100.0, topic=topic, source=source)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def forget(store: Store, *viewers: str, line: str = "") -> dict[str, Entry]:
    return store.forget(Forget(frozenset({line} - {""}), frozenset(viewers)))[0]


def again(store: Store, folder: Path) -> Store:
    store.close()
    return Store(folder)


def test_what_was_learnt_is_there_after_a_restart(store: Store, tmp_path: Path) -> None:
    assert store.learn(fact("1", "mira has a cat"), 100.0)
    assert list(again(store, tmp_path).entries) == ["1"]


def test_a_repetition_adds_nothing(store: Store) -> None:
    store.learn(fact("1", "mira has a cat"), 1.0)
    assert store.learn(fact("2", "Mira has a cat!"), 2.0) == []


@pytest.mark.parametrize("now", [0.0, 1.0, 100.0, 4e9])
def test_a_contradiction_ends_the_old_fact_whatever_the_clock_says(
    store: Store, tmp_path: Path, now: float
) -> None:
    store.learn(fact("1", "mira lives in Oslo", topic="home"), 100.0)
    store.learn(fact("2", "mira lives in Lisbon", topic="home"), now)
    entries = again(store, tmp_path).entries
    assert entries["1"].ended >= 100.0
    assert entries["2"].ended == 0


def test_forgetting_leaves_nothing_in_the_files(store: Store, tmp_path: Path) -> None:
    store.heard("a", "mira", "my cat is called Biscuit", 1.0)
    store.heard("b", "bob", "hello", 1.0)
    store.learn(fact("1", "mira has a cat called Biscuit", source="a"), 1.0)
    store.learn(fact("2", "bob likes tea", "bob", source="b"), 1.0)
    assert set(forget(store, "Mira")) == {"1"}
    assert not [p for p in tmp_path.iterdir() if b"iscuit" in p.read_bytes() or b"mira" in p.read_bytes()]
    assert set(forget(store, line="b")) == {"2"}
    assert not [p for p in tmp_path.iterdir() if b"bob" in p.read_bytes()]


@pytest.mark.parametrize("id", ["s:b", 's:"b"', "s:b\\", "s:ü\ud800", "s:\n"])
def test_a_line_that_is_removed_is_written_over_where_it_stands(
    store: Store, tmp_path: Path, id: str
) -> None:
    """A busy moderator must not have the whole file copied for each line."""
    path = tmp_path / "lines.jsonl"
    for each in ("s:a", id, "s:bb"):
        store.heard(each, "mira", f"line {each}", 1.0)
    inode = path.stat().st_ino
    with path.open("ab") as file:
        file.write(b"no line of ours\n")
    store = again(store, tmp_path)
    was = path.read_bytes().splitlines()
    store.forget(Forget(frozenset({"s:nobody", "", "None"})))
    forget(store, line=id)
    store.heard("s:c", "mira", "line c", 1.0)
    kept = path.read_bytes().splitlines()
    assert path.stat().st_ino == inode and sum(map(len, kept[:5])) == sum(map(len, was))
    assert [*kept[:2], *kept[3:5]] == [*was[:2], *was[3:]] and json.loads(kept[2]) == {}
    forget(store, line="s:c")
    assert json.loads(path.read_bytes().splitlines()[5]) == {}
    forget(store, "bob")
    assert path.read_bytes().splitlines() == [*was[:2], *was[3:]], "the next wish leaves no gaps"
    forget(store, line="s:bb")
    assert json.loads(path.read_bytes().splitlines()[2]) == {}
    assert "s:a" in (tmp_path / "lines.jsonl").read_text()


def test_a_name_inside_a_word_and_a_name_that_is_a_word_take_no_others_along(store: Store) -> None:
    store.learn(fact("1", "walter likes the sea", "walter"), 1.0)
    store.learn(fact("2", "al has a boat", "al"), 1.0)
    store.learn(fact("3", "bob thanked al", "bob"), 1.0)
    assert set(forget(store, "AL")) == {"2", "3"}
    for number in range(40):
        store.heard(str(number), f"viewer{number}", "the sea is calm today", 1.0)
    store.heard("x", "the", "please forget me", 1.0)
    assert forget(store, "the") == {}
    assert "1" in store.entries and len(list(store._raw.read())) == 40


def test_kill_9_loses_nothing_that_was_written(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from glue.memory.store import Store\n"
        f"store = Store(Path({str(tmp_path)!r}))\n"
        "for n in range(500): store.heard(str(n), 'mira', 'hi', 0.0)\n"
        "sys.stdout.write('written\\n'); sys.stdout.flush(); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGKILL)
    lines = (tmp_path / "lines.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines[1:]] == [str(n) for n in range(500)]


def test_a_second_show_on_the_same_memory_says_so(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="in use by another show"):
        Store(tmp_path)


def test_a_file_that_was_cut_keeps_its_whole_lines(store: Store, tmp_path: Path) -> None:
    for n in range(3):
        store.learn(fact(str(n), f"fact {n}"), 1.0)
    store.close()
    path = tmp_path / "entries.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    store = Store(tmp_path)
    assert list(store.entries) == ["0", "1"]
    store.learn(fact("9", "fact 9"), 1.0)
    assert list(again(store, tmp_path).entries) == ["0", "1", "9"]


def test_another_versions_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "entries.jsonl"
    path.write_text('{"spark_memory": 99}\nwhatever\n')
    with pytest.raises(ConfigError, match="99"):
        Store(tmp_path)
    assert path.read_text().endswith("whatever\n")


def test_a_damaged_line_is_counted_and_kept(store: Store, tmp_path: Path) -> None:
    store.learn(fact("1", "one"), 1.0)
    with (tmp_path / "entries.jsonl").open("a") as file:
        file.write("\x00\x01 no entry\n")
    store = again(store, tmp_path)
    assert (list(store.entries), store.damaged) == (["1"], 1)


def test_a_full_disk_is_told_and_leaves_whole_lines(store: Store, tmp_path: Path) -> None:
    limits, old = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(Refused, match="no room"):
            for n in range(1000):
                store.heard(str(n), "mira", "hello there", 1.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, old)
    for line in (tmp_path / "lines.jsonl").read_text().splitlines():
        json.loads(line)
    store.heard("later", "mira", "there is room again", 1.0)
    assert (tmp_path / "lines.jsonl").read_text().endswith('"at": 1.0}\n')


def test_an_export_can_be_imported_and_a_wrong_one_changes_nothing(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    file.write_text(f"{dump(fact('1', 'one'))}\n{dump(fact('2', 'two'))}\n")
    assert import_(store, file) == 2
    assert import_(store, file) == 0
    file.write_text(f"{dump(fact('3', 'three'))}\nno entry\n")
    with pytest.raises(WrongEntry, match="line 2"):
        import_(store, file)
    assert list(store.entries) == ["1", "2"]


def test_lines_of_long_ago_that_nothing_was_learnt_from_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file grew with every line of every show, and each wish to be forgotten reads all of it."""
    monkeypatch.setattr("glue.memory.store.MOST", 8000)
    store = Store(tmp_path)
    for n in range(200):
        store.heard(f"s:{n}", "mira", f"line {n} of hers", 1.0)
    store.learn(fact("1", "mira has a cat", source="s:3"), 1.0)
    store = again(store, tmp_path)
    ids = [json.loads(line)["id"] for line in (tmp_path / "lines.jsonl").read_text().splitlines()[1:]]
    assert ids[0] == "s:3" and ids[-1] == "s:199" and 20 < len(ids) < 100
    assert ids[1:] == [f"s:{n}" for n in range(201 - len(ids), 200)]
    assert (tmp_path / "lines.jsonl").stat().st_size < 5000
    assert set(forget(store, line="s:3")) == {"1"}, "the line takes along what was learnt from it"
    store.heard("s:200", "mira", "hello", 1.0)
    assert len(list(again(store, tmp_path)._raw.read())) == len(ids) + 1, "a gap, and one more"
