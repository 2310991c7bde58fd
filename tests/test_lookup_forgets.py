"""What is to be forgotten leaves the journal while the show goes on, and when it ends."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from io import FileIO
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

import glue.lookup
from glue.lookup import Lookup
from glue.report.__main__ import main
from glue.unfinished import Damaged, left
from tests.test_redacted_traces import arrived, asked, named, started

pytestmark = pytest.mark.anyio


async def test_a_torn_line_goes_though_it_tells_of_nobody(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    said = json.dumps(arrived("l1", "Mira", "I like green boots"))
    begun = json.dumps(started("t1", arrived("l1", "Mira", "")))
    path.write_text(f"{said[:-4]}\n{begun}\n1\n")
    lookup = Lookup(path)
    while lookup.read_on():
        pass
    lookup.forget(["l1"], None)
    await lookup.blank()
    assert "boots" not in path.read_text() and len(path.read_text()) == len(f"{said[:-4]}\n{begun}\n1\n")


async def test_the_loop_goes_on_after_each_line_that_is_written_over(tmp_path: Path) -> None:
    path, states = tmp_path / "journal.jsonl", set[int]()
    path.write_text("".join(json.dumps(arrived(f"l{n}", "Mira", "boots")) + "\n" for n in range(40)))
    lookup = Lookup(path)
    while lookup.read_on():
        pass
    lookup.forget((), named("Mira"))

    async def watch() -> None:
        while True:
            states.add(path.read_text().count("boots"))
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tg:
        tg.start_soon(watch)
        await lookup.blank()
        tg.cancel_scope.cancel()
    assert len(states) >= 20 and lookup.find("boots") == []


def long_show(path: Path, lines: int) -> Lookup:
    """Its journal, read: Mira's line is the first of so many."""
    others = (arrived(f"x{n}", f"viewer{n % 300}", "hello there") for n in range(lines))
    with path.open("w") as file:
        file.writelines(json.dumps(each) + "\n" for each in (arrived("l1", "Mira", "boots"), *others))
    lookup = Lookup(path)
    while lookup.read_on(1000):
        pass
    lookup.forget((), named("Mira"))
    return lookup


async def ended(lookup: Lookup) -> None:
    """The show that keeps it."""
    async with anyio.create_task_group() as tg:
        tg.start_soon(lookup.keep)
        await anyio.lowlevel.checkpoint()
        tg.cancel_scope.cancel()


async def test_a_wish_at_the_end_of_a_long_show_is_done_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Only what may be meant is read: an evening's whole journal would take longer than there is time."""
    monkeypatch.setattr(glue.lookup, "CLOSING", 60.0)
    read, raw = list[int](), Lookup._raw

    def counted(self: Lookup, file: FileIO, number: int) -> bytes:
        read.append(number)
        return raw(self, file, number)

    monkeypatch.setattr(Lookup, "_raw", counted)
    lookup = long_show(tmp_path / "journal.jsonl", 3000)
    await ended(lookup)
    assert "Mira" not in (tmp_path / "journal.jsonl").read_text() and not caplog.records
    assert len(read) < 10


def wished(path: Path) -> Lookup:
    """Mira's sixty lines and a prompt of another reply that tells of one; she wants to be forgotten."""
    lines = [arrived(f"l{n}", "Mira", f"I like {n} green boots") for n in range(60)]
    prompt = asked("t9", "Mira: I like 0 green boots", "Nice.", "Ann: hello there")
    path.write_text("".join(f"{json.dumps(each)}\n" for each in (*lines, prompt)))
    lookup = Lookup(path)
    lookup.read_on(1000)
    lookup.forget((), named("Mira"))
    return lookup


async def test_a_wish_that_the_end_interrupts_still_knows_the_words_that_are_gone_by_then(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.jsonl"
    lookup = wished(path)
    async with anyio.create_task_group() as tg:
        tg.start_soon(lookup.keep)
        with anyio.fail_after(30):
            while path.read_text().count("0 green boots") > 6:
                await anyio.lowlevel.checkpoint()
        assert "Mira: I like 0" in path.read_text()
        tg.cancel_scope.cancel()
    assert "boots" not in path.read_text() and "Ann: hello there" in path.read_text()


@pytest.mark.parametrize("most", [1, 60])
async def test_a_wish_that_is_cut_off_is_carried_on_from_its_file(tmp_path: Path, most: int) -> None:
    """Wherever it was cut: what is gone by then is known from the file."""
    path = tmp_path / "journal.jsonl"
    lookup = wished(path)
    async with anyio.create_task_group() as tg:
        tg.start_soon(lookup.blank)
        with anyio.fail_after(30):
            while path.read_text().count("boots") > 61 - most:
                await anyio.lowlevel.checkpoint()
        assert "Mira: I like 0" in path.read_text()
        tg.cancel_scope.cancel()
    lookup._leave()
    assert (tmp_path / "forget.json").stat().st_mode & 0o777 == 0o600
    assert await Lookup(path).finish()
    assert "boots" not in path.read_text() and "Ann: hello there" in path.read_text()
    assert not (tmp_path / "forget.json").exists()


async def test_a_wish_that_the_end_of_the_show_cuts_off_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(glue.lookup, "CLOSING", 0.0)
    lookup = long_show(tmp_path / "journal.jsonl", 1)
    await ended(lookup)
    assert "Mira" in (tmp_path / "journal.jsonl").read_text()
    assert f"python -m glue.report {tmp_path}" in caplog.text
    await anyio.to_thread.run_sync(reported, tmp_path)
    texts = [(tmp_path / name).read_text() for name in ("journal.jsonl", "report.json", "report.html")]
    assert "viewer0" in texts[0] and not any("Mira" in text or "boots" in text for text in texts)
    assert not (tmp_path / "forget.json").exists()


async def test_a_wish_that_cannot_even_be_written_down_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(glue.lookup, "CLOSING", 0.0)
    (tmp_path / "forget.new").mkdir()  # it can be neither written nor taken away, as nothing on a dying disk
    await ended(long_show(tmp_path / "journal.jsonl", 1))
    assert f"{tmp_path / 'journal.jsonl'} holds what was to be forgotten" in caplog.text
    assert "cure: delete it" in caplog.text


def test_what_is_to_be_forgotten_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, safe, sync = tmp_path / "forget.json", list[tuple[str, bool]](), os.fsync

    def seen(file: int) -> None:
        sync(file)
        safe.append((Path(f"/proc/self/fd/{file}").read_text(), place.exists()))

    monkeypatch.setattr(os, "fsync", seen)
    wished(tmp_path / "journal.jsonl")._leave()
    assert safe == [(place.read_text(), False)] and "Mira" in place.read_text()


def reports(folder: Path, most: int) -> subprocess.CompletedProcess[str]:
    """`most` bytes of a file may be written."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    command = [sys.executable, "-m", "glue.report", str(folder)]
    return subprocess.run(command, preexec_fn=limit, capture_output=True, text=True)


def reported(folder: Path) -> None:
    """The same without a limit, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["report", str(folder)])
        main()


@pytest.mark.parametrize(
    "text", ["", '[{"ids": [', "[1]", "5", "[{}]", '[{"authors": [5]}]', "[" * 9999, "\xff"]
)
def test_a_damaged_file_of_wishes_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text("")
    path.with_name("forget.json").write_text(text, encoding="latin-1")
    with pytest.raises(Damaged, match=r"forget\.json is damaged: .*; cure: delete journal\.jsonl, and it"):
        left(path)


def test_a_report_of_damaged_wishes_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "journal.jsonl").write_text("")
    (tmp_path / "forget.json").write_text("{")
    with pytest.raises(SystemExit, match="1"):
        reported(tmp_path)
    told = capsys.readouterr().err
    assert "forget.json is damaged" in told and told.count("\n") == 1


def test_there_is_no_report_of_what_is_to_be_forgotten(tmp_path: Path) -> None:
    wished(tmp_path / "journal.jsonl")._leave()
    done = reports(tmp_path, most=0)
    assert done.returncode == 1 and done.stderr.endswith(
        "what is to be forgotten; cure: see that it can be written\n"
    )
    assert (tmp_path / "forget.json").exists() and not (tmp_path / "report.json").exists()
    reported(tmp_path)
    assert not (tmp_path / "forget.json").exists()


async def test_what_was_wished_last_is_done_when_the_show_ends(tmp_path: Path) -> None:
    path, said = tmp_path / "journal.jsonl", arrived("l1", "Mira", "boots")
    path.write_text(f"{json.dumps(said)}\n")
    lookup = Lookup(path)
    lookup.read_on()
    lookup.forget((), named("Mira"))
    async with anyio.create_task_group() as tg:
        tg.start_soon(lookup.keep)
        await anyio.lowlevel.checkpoint()
        with path.open("a") as file:
            file.write(f"{json.dumps(started('t1', said))}\n")
        tg.cancel_scope.cancel()
    assert "boots" not in path.read_text() and len(path.read_text().splitlines()) == 2
