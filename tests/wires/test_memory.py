"""Memory against the real Milvus Lite and the real MiniLM."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from httpx import AsyncClient
from openai import AsyncOpenAI

from glue.chat_events import LinesRemoved
from glue.errors import Refused
from glue.memory.entry import Entry, Kind
from glue.memory.exam import Sitting
from glue.memory.index import Index
from glue.memory.shares import COMMON
from glue.memory.store import Store
from glue.memory.wanted import Wanted
from glue.memory.year import Question, year
from tests.waiting import eventually
from tests.wires.memory_servers import Servers, note, remembering

pytestmark = pytest.mark.anyio
MAIN = frozenset({"main"})


async def test_a_fact_is_learnt_and_recalled_after_a_restart(empty: Servers, tmp_path: Path) -> None:
    answers = [note(0, "mira has a cat named Biscuit", topic="pet")]
    async with remembering(empty, tmp_path, answers) as show:
        show.say("mira", "we have a cat, Biscuit, and she snores", "Biscuit sounds lovely!")
        assert await show.recalled("mira", "what is my cat called?") == ["mira has a cat named Biscuit"]
        assert show.llm.asked[0].schema is not None
    async with remembering(empty, tmp_path) as show:
        assert await show.recalled("mira", "do you know my cat?") == ["mira has a cat named Biscuit"]
        assert not await show.memory.recall("main", show.line("mira", "a line that never arrived"))


async def test_a_viewers_fact_is_for_that_viewer(empty: Servers, tmp_path: Path) -> None:
    answers = [note(0, "mira lives in Oslo", topic="home")]
    async with remembering(empty, tmp_path, answers) as show:
        show.say("mira", "I live in Oslo these days", "Cold!")
        assert await show.recalled("mira", "where do I live?")
        assert not await show.told("bob", "where do I live?")


async def test_what_changed_is_recalled_as_it_is_now(empty: Servers, tmp_path: Path) -> None:
    answers = [
        note(0, "mira lives in Oslo", topic="home"),
        note(0, "mira lives in Lisbon now", topic="home"),
    ]
    async with remembering(empty, tmp_path, answers) as show:
        show.say("mira", "I live in Oslo", "Cold!")
        assert await show.recalled("mira", "where do I live?") == ["mira lives in Oslo"]
        show.say("mira", "I moved, I live in Lisbon now", "Warm!")
        found = await show.recalled("mira", "where do I live?", lambda found: "Lisbon" in str(found))
        assert "Lisbon" in str(found) and "Oslo" not in str(found)
    store = Store(tmp_path)
    old = next(entry for entry in store.entries.values() if "Oslo" in entry.text)
    store.close()
    assert old.ended > 0


def traces(folder: Path, word: str) -> list[str]:
    """Files that hold a word; a column file is read as what it is, for it is compressed."""
    import pyarrow
    from pyarrow import parquet

    found = []
    try:
        paths = [path for path in (folder, *folder.rglob("*")) if path.is_file()]
    except FileNotFoundError:  # a folder goes: look again
        return [str(folder)]
    for path in paths:
        try:
            text = path.read_bytes()
            if path.suffix == ".parquet":
                text += str(parquet.read_table(path).to_pydict()).encode()
        except (pyarrow.ArrowInvalid, OSError):  # it is being written, or goes: look again
            text = word.encode()
        if word.encode() in text:
            found.append(str(path.relative_to(folder)))
    return found


async def gone(files: Path, index: Path, word: str) -> None:
    await eventually(lambda: not traces(files, word) and not traces(index, word), 60)


async def test_forget_me_leaves_no_trace_in_file_index_or_prompt(empty: Servers, tmp_path: Path) -> None:
    answers = [
        note(0, "mira has a cat named Biscuit"),
        note(0, "bob plays the tuba"),
    ]
    async with remembering(empty, tmp_path, answers) as show:
        said = show.say("mira", "my cat is called Biscuit", "Aww.")
        assert await show.recalled("mira", "what is my cat called?")
        show.say("bob", "I play the tuba every day", "Loud!")
        assert await show.recalled("bob", "which instrument do I play?")
        index = Index(empty.milvus, "", "memory", 384, 10.0)
        await index.open()
        await index.flush()
        assert traces(tmp_path, "Biscuit")
        assert traces(empty.index, "Biscuit")
        show.say("mira", "please forget me")
        for word in ("Biscuit", "mira"):
            await gone(tmp_path, empty.index, word)
        assert said in show.unlearned
        assert await show.recalled("bob", "what instrument do I play?") == ["bob plays the tuba"]
        assert not await show.memory.recall("main", show.line("mira", "what is my cat called?"))
        await index.close()


async def test_the_operator_corrects_and_forgets_an_entry(empty: Servers, tmp_path: Path) -> None:
    async with remembering(empty, tmp_path) as show:
        said = show.say("mira", "my cat is called Biscuit")
        assert await show.recalled("mira", "what is my cat called?") == ["mira's cat is called Biscuit"]
        (wrong,) = [str(entry["id"]) for entry in show.memory.found("BISCUIT mira")]
        assert show.memory.amend(wrong, "mira has a cat  named Waffle")
        told = await show.recalled("mira", "what is my cat called?", lambda found: "Waffle" in str(found))
        assert told == ["mira has a cat named Waffle"]
        await gone(tmp_path / "entries.jsonl", empty.index, "Biscuit")
        assert [e["text"] for e in show.memory.found("waffle")] == ["mira has a cat named Waffle"]
        assert not show.memory.amend(wrong, "it is there no more")
        assert show.memory.forget(str(show.memory.found("waffle")[0]["id"])) >= 1
        for word in ("Waffle", "Biscuit"):  # the line that it was learnt from as well
            await gone(tmp_path, empty.index, word)
        assert said in show.unlearned and show.memory.found("") == []
        show.say("bob", "I play the tuba every day")
        assert await show.recalled("bob", "which instrument do I play?")
        assert show.memory.forget(viewer="BOB") >= 1
        await gone(tmp_path, empty.index, "tuba")


async def test_what_moderators_remove_is_not_known_any_more(empty: Servers, tmp_path: Path) -> None:
    async with remembering(empty, tmp_path) as show:
        bad = show.say("mira", "my cat is called Biscuit")
        show.say("mira", "I play the tuba")
        assert await show.recalled("mira", "what is my cat called?")
        show.memory.show(LinesRemoved(1.0, (bad,)))
        assert bad in show.unlearned
        await gone(tmp_path, empty.index, "Biscuit")
        assert await show.recalled("mira", "which instrument do I play?") == ["mira plays the tuba"]
    store = Store(tmp_path)
    assert [entry.text for entry in store.entries.values()] == ["mira plays the tuba"]
    store.close()


async def test_the_same_in_other_words_is_one_memory_and_dates_are_told(
    empty: Servers, tmp_path: Path
) -> None:
    async with remembering(empty, tmp_path) as show:
        show.say("mira", "I collect old stamps")
        assert await show.recalled("mira", "do you know what I collect?") == ["mira collects old stamps"]
        show.say("mira", "I collect some old stamps!")
        show.say("mira", "I play the tuba")
        assert await show.recalled("mira", "which instrument do I play?") == ["mira plays the tuba"]
        assert await show.recalled("mira", "do you know what I collect?") == ["mira collects old stamps"]
        (dated,) = await show.recalled("mira", "when did I tell you what I collect?")
        assert "told on" in dated


async def test_a_large_partition_keeps_its_rows_when_one_of_them_is_forgotten(empty: Servers) -> None:
    index = Index(empty.milvus, "", "many", 8, 30.0)
    await index.again()
    entries = [Entry(f"j{n}", Kind.JOKE, "main", "", f"joke number {n}", float(n)) for n in range(2600)]
    vectors = np.random.default_rng(1).normal(size=(len(entries), 8)).astype(np.float32)
    for start in range(0, len(entries), 650):  # several segments, in no order of their ids
        await index.add(entries[start : start + 650][::-1], vectors[start : start + 650][::-1])
        await index.flush()
    assert await index.ids() == dict.fromkeys((entry.id for entry in entries), COMMON)
    gone = {"j7": COMMON, "j2599": COMMON}
    await index.remove(gone)
    await index.purge(gone.values())
    assert set(await index.ids()) == {entry.id for entry in entries} - set(gone)
    (found,) = await index.search("", vectors[1300:1301], Wanted(MAIN), 1)
    assert (found.id, round(found.likeness, 2)) == ("j1300", round(float(vectors[1300] @ vectors[1300]), 2))
    await eventually(lambda: not traces(empty.index, "joke number 2599"))
    await index.drop()
    await index.close()


async def test_rows_that_do_not_arrive_leave_the_partition_that_has_them(
    empty: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Index(empty.milvus, "", "many", 8, 30.0)
    await index.again()
    entries = [Entry(f"j{n}", Kind.JOKE, "main", "", f"joke number {n}", float(n)) for n in range(20)]
    await index.add(entries, np.eye(20, 8, dtype=np.float32) + 1)
    whole = index._paged
    monkeypatch.setattr(index, "_paged", lambda partition, fields: whole(partition, fields)[1:])
    with pytest.raises(Refused, match="20 rows"):
        await index.purge([COMMON])
    assert COMMON in index._opened.list_partitions("many")
    await index.drop()
    await index.close()


async def test_the_exam_measures_both_designs_alike(at: Servers) -> None:
    section: dict[str, Any] = {"uri": at.milvus, "token": "", "embeddings": at.embeddings, "model": "minilm"}
    section |= {"key": "", "dimensions": 384, "likeness": 0.18, "same": 0.75, "most": 5}

    async def parrot(question: Question, recalled: Sequence[str]) -> str:
        return " ".join(recalled)

    sitting = Sitting(section, lambda line: None, lambda: 0.0)
    report: dict[str, Any] = await sitting.sit(year(60, 900, 8), [50], parrot)
    naive = report["naive"]
    for design in (report, naive):
        assert design["recall_ms"]["50"].keys() == {"p50", "p95"}
        assert design["answers_right"] == design["recall_at_5"]
        assert 0 < design["recall_at_1"] <= design["recall_at_2"] <= design["recall_at_5"]
        assert design["answers_false"] == design["false_memories"]
    assert report["forgotten_share"] == 1.0 and report["injections_obeyed"] == 0
    assert max(0.85, naive["recall_at_5"] + 0.01) <= report["recall_at_5"]  # a CPU may round one away
    assert naive["forgotten_share"] == 0.75  # others speak of one of the four who left


async def test_all_that_is_known_of_a_viewer_can_be_found(empty: Servers) -> None:
    index = Index(empty.milvus, "", "many", 8, 30.0)
    await index.again()
    entries = [
        Entry(f"v{n}", Kind.VIEWER, "main", f"viewer{n // 6}", f"fact {n}", float(n)) for n in range(1200)
    ]
    vectors = np.random.default_rng(1).normal(size=(len(entries), 8)).astype(np.float32)
    await index.add(entries, vectors)
    await index.flush()
    for n in range(0, 600, 6):
        found = await index.search("", vectors[n + 300 : n + 301], Wanted(MAIN, f"viewer{n // 6}"), 6)
        assert {hit.id for hit in found} == {f"v{n + k}" for k in range(6)}
    await index.drop()
    await index.close()


async def test_a_page_of_others_gets_no_vectors_and_programs_do(at: Servers) -> None:
    seen = list[int]()
    async with AsyncClient(base_url=at.embeddings, trust_env=False, timeout=30) as client:
        for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}, {}):
            sent = {"Content-Type": "text/plain", **headers}  # which a browser sends without asking first
            asked = '{"model": "minilm", "input": ["a cat"]}'
            answer = await client.post("/v1/embeddings", content=asked, headers=sent)
            seen.append(answer.status_code)
    assert seen == [403, 403, 200] and len(answer.json()["data"][0]["embedding"]) == 384


async def test_openais_client_takes_the_vectors(at: Servers) -> None:
    async with AsyncOpenAI(base_url=f"{at.embeddings}/v1", api_key="none") as client:
        answer = await client.embeddings.create(model="minilm", input=["a cat", "a kitten", "tax law"])
    one, two, three = (each.embedding for each in answer.data)
    assert len(one) == 384
    likeness = [sum(a * b for a, b in zip(one, other, strict=True)) for other in (two, three)]
    assert likeness[0] > 0.6 > 0.3 > likeness[1]


def test_a_second_server_on_the_same_index_says_so(at: Servers) -> None:
    command = [sys.executable, "-m", "engines.memory", "port=0", f"folder={at.index}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "in use by another memory server" in ended.stderr
