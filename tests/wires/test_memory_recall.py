"""What a line is told, by whom and by when, against the real Milvus Lite and the real MiniLM."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import median
from time import thread_time
from typing import Any

import anyio
import pytest

from glue.checks import personas
from glue.events import Event, LineArrived
from glue.memory.entry import Entry, Kind
from glue.memory.index import Index
from glue.memory.shares import HERS
from glue.memory.store import Store
from glue.memory_events import LookupsTimed
from tests.test_conf import composed
from tests.waiting import eventually
from tests.wires.memory_servers import Servers, milvus, remembering

pytestmark = pytest.mark.anyio
SELVES = {who: (p.name, tuple(p.facts)) for who, p in personas(composed("persona=[main,evil]")).items()}


ASKED = {
    "what's your favourite food?": "electricity",
    "where do you live?": "railway",
    "how old are you?": "ninety",
    "do you have a pet?": "Wattson",
    "what are you afraid of?": "magnets",
    "who is your best friend?": "printer",
}


async def test_who_asks_about_her_is_told_what_is_true_of_her(empty: Servers, tmp_path: Path) -> None:
    async with remembering(empty, tmp_path, selves=SELVES) as show:
        for asked, word in ASKED.items():
            found = await show.recalled("mira", asked)
            assert found and word in found[0], (asked, found)
            assert all("Evil's" not in fact for fact in found)
        found = await show.recalled("mira", "what's your favourite food?", who="evil")
        assert "leftovers" in found[0] and "electricity" not in str(found)
        show.say("mira", "my favourite food is ramen")
        mine = await show.recalled("mira", "what is my favourite food?")
        assert mine == ["mira's favourite food is ramen"]
        for idle in ("you missed that jump", "are you an AI?", "how are you today?"):
            assert not await show.told("mira", idle)


async def test_who_is_answered_at_once_is_remembered_all_the_same(empty: Servers, tmp_path: Path) -> None:
    """In a quiet chat nobody waits: a question does, for what it was surely about."""
    async with remembering(empty, tmp_path, selves=SELVES, asked_within_ms=60_000) as show:
        show.say("mira", "my cat is called Biscuit")
        assert await show.recalled("mira", "what is my cat called?")
        fits = {"what is my cat called again?": "Biscuit", "do you have a pet?": "Wattson"}
        for text, word in {**fits, "was that jump awful?": "", "I think it is a lovely evening": ""}.items():
            line = show.line("mira", text)
            show.memory.show(LineArrived(0.0, line))
            (found, *_) = [*await show.memory.recall("main", line), ""]
            assert word in found and bool(found) == bool(word), (text, found)


async def test_who_asks_what_she_promised_is_told_that(empty: Servers, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(Entry("p", Kind.PROMISE, "main", "mira", "Spark will draw Biscuit", time.time()))
    store.close()
    async with remembering(empty, tmp_path) as show:
        show.say("mira", "my favourite thing is a promise that is kept")
        assert await show.recalled("mira", "which thing is my favourite?")
        found = await show.recalled("mira", "what did you promise me?", lambda found: len(found) == 1)
        assert found == ["Spark will draw Biscuit"]
        assert not await show.told("bob", "what did you promise me?")


async def test_facts_of_hers_that_are_gone_from_her_file_are_gone_from_the_index(
    empty: Servers, tmp_path: Path
) -> None:
    for facts in (SELVES["main"][1], SELVES["main"][1][:1]):
        selves = {"main": ("Spark", facts)}
        # supervised: Milvus Lite may fail at a flush while another client, hers() below, opens the collection
        async with remembering(empty, tmp_path, selves=selves, told=lambda event: None) as show:
            assert "electricity" in str(await show.recalled("mira", "what's your favourite food?"))
            with anyio.fail_after(60):
                while await hers(empty) != len(facts):  # noqa: ASYNC110  (it is another process)
                    await anyio.sleep(0.1)


async def hers(at: Servers) -> int:
    """How many facts about the cast the index has."""
    index = Index(at.milvus, "", "memory", 384, 10.0)
    try:
        await index.open()
        return [*(await index.ids()).values()].count(HERS)
    finally:
        await index.close()


async def test_an_index_of_before_has_room_for_her_facts_and_keeps_its_rows(
    empty: Servers, tmp_path: Path
) -> None:
    async with remembering(empty, tmp_path) as show:
        show.say("mira", "I play the tuba")
        assert await show.recalled("mira", "which instrument do I play?")
    index = Index(empty.milvus, "", "memory", 384, 10.0)
    await index.open()
    index._opened.drop_partition("memory", HERS)
    await index.close()
    again = Index(empty.milvus, "", "memory", 384, 10.0)
    await again.open()
    assert len(await again.ids()) == 1
    await again.close()


async def test_what_was_told_at_the_time_that_is_named_comes_first(empty: Servers, tmp_path: Path) -> None:
    now, day = time.time(), 86_400.0
    store = Store(tmp_path)
    for id, kind, text, days in (
        ("1", Kind.VIEWER, "mira lives in Oslo", 200),
        ("2", Kind.EPISODE, 'mira said "I burnt my pancakes this morning"', 1),
        ("3", Kind.EPISODE, 'mira said "I burnt my toast at the camping site"', 40),
    ):
        store.put(Entry(id, kind, "shared", "mira", text, now - days * day))
    store.close()
    month = datetime.fromtimestamp(now - 40 * day)
    async with remembering(empty, tmp_path) as show:
        assert len(await show.recalled("mira", "did I burn something?", lambda found: len(found) == 2)) == 2
        (told,) = await show.recalled("mira", "what did I burn yesterday?")
        assert "pancakes" in told and "told on" in told
        (told,) = await show.recalled("mira", f"what did I burn in {month:%B}?")
        assert "camping" in told
        (told,) = await show.recalled("mira", "what did I tell you yesterday?")
        assert "pancakes" in told, "who asks for a time alone is told what is of that time"
        told, *_ = await show.recalled("mira", "did I say where I live yesterday?")
        assert "Oslo" in told or "pancakes" in told
        told, *_ = await show.recalled("mira", "where did I live 3 days ago?")
        assert told.startswith("mira lives in Oslo (told on"), "nothing is of that time: all that is known"


async def test_a_made_up_memory_is_recalled_and_measured_and_leaves_the_real_one_alone(
    empty: Servers, tmp_path: Path
) -> None:
    events: list[Event] = []
    more: dict[str, Any] = {"made": 300, "every": 2, "emit": events.append, "run_dir": tmp_path / "run"}
    async with remembering(empty, tmp_path / "real", **more) as show:
        found = []
        for n in range(4):
            found.append(await show.told(f"mika{n}", "what about thunderstorms and the weather?"))
        assert [bool(each) for each in found] == [False, True, False, True]
        assert "thunderstorms" in found[1][0]
        assert len(show.memory.found("viewer")) == 100
        await eventually(lambda: sum(len(e.took) for e in events if isinstance(e, LookupsTimed)) >= 4)
    assert not (tmp_path / "real").exists() and (tmp_path / "run/memory/entries.jsonl").exists()
    index = Index(empty.milvus, "", "memory", 384, 10.0)
    await index.open()
    assert await index.ids() == {} and not index._opened.has_collection("memory_made")
    await index.close()


PACE, VIEWERS = 50, 40  # lines a second; each viewer says three things


async def test_fifty_lines_a_second_are_all_kept_and_learnt_from(empty: Servers, tmp_path: Path) -> None:
    """And none of them keeps the show's own thread busy."""
    said = [
        (f"viewer{n}", text)
        for text in ("I live in Oslo", "my cat is called Biscuit", "I play the tuba")
        for n in range(VIEWERS)
    ]
    costs = []
    async with remembering(empty, tmp_path) as show:
        began = anyio.current_time()
        for number, (author, text) in enumerate(said):
            await anyio.sleep_until(began + number / PACE)
            at = thread_time()
            show.say(author, text)
            costs.append(thread_time() - at)
        index = Index(empty.milvus, "", "memory", 384, 30.0)
        await index.open()
        with anyio.fail_after(120):  # a busy machine embeds slower than that
            while len(await index.ids()) < len(said):  # noqa: ASYNC110  (it is another process)
                await anyio.sleep(0.5)
        assert show.memory._keeping.lost == 0 and median(costs) < 0.002
        assert await show.recalled("viewer7", "where do I live?") == ["viewer7 lives in Oslo"]
        await index.close()
    kept = [json.loads(line) for line in (tmp_path / "lines.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(each["author"], each["text"]) for each in kept if "author" in each][: len(said)] == said
    store = Store(tmp_path)
    facts = [entry.text for entry in store.entries.values() if entry.kind is Kind.VIEWER]
    store.close()
    assert len(facts) == len(set(facts)) == len(said)


def test_an_index_whose_files_are_torn_is_made_again(at: Servers, tmp_path: Path) -> None:
    """What a full disk or a power cut leaves; the truth is in other files."""

    async def recalled(uri: str, said: str = "") -> list[str]:
        async with remembering(replace(at, milvus=uri), tmp_path / "memory") as show:
            if said:
                show.say("mira", said)
            return await show.recalled("mira", "what is my cat called?")

    with milvus(tmp_path) as (uri, _):
        assert anyio.run(recalled, uri, "my cat is called Biscuit")
    for kind in (".parquet", ".idx"):
        torn = [path for path in (tmp_path / "index").rglob(f"*{kind}") if path.stat().st_size]
        assert torn, kind
        for path in torn:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with milvus(tmp_path) as (uri, _):
            assert anyio.run(recalled, uri) == ["mira's cat is called Biscuit"], kind
