"""Export and import while a show runs: over the page's own route, line by line, all or none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from glue.carrier import Carrier
from glue.desk_events import OperatorServed, Wish
from glue.errors import Declined, Refused
from glue.events import Event
from glue.memory.entry import Entry, Kind, dump, load
from glue.parts import Parts
from glue.stage import console_web
from tests.console_show import opened
from tests.memory_show import Scene, line, remembering

pytestmark = pytest.mark.anyio
FACT = Entry("a1", Kind.VIEWER, "shared", "twitch:1", "Mira lives in Oslo", 5.0, topic="home", name="Mira")
OLD = Entry("a2", Kind.VIEWER, "shared", "twitch:1", "Mira lives in Rome", 1.0, 5.0, "home", name="Mira")
JOKE = Entry("a3", Kind.JOKE, "main", "", "The toaster runs the stream.", 2.0, count=3)


def lines(*entries: Entry) -> bytes:
    return "".join(f"{dump(entry)}\n" for entry in entries).encode()


async def test_what_was_exported_comes_in_again_while_the_show_runs(tmp_path: Path) -> None:
    selves = {"main": ("Spark", ("Spark eats electricity",))}
    async with remembering(tmp_path / "one", selves=selves) as scene:
        assert await scene.memory.take(lines(FACT, OLD, JOKE)) == 3
        assert await scene.memory.take(lines(FACT, OLD, JOKE)) == 0
        scene.say(line("I play the tuba", "l1", "bob"))
        await scene.settle()
        out = b"".join(scene.memory.export())
    assert "electricity" not in out.decode(), "what she is goes nowhere"
    async with remembering(tmp_path / "two", selves=selves) as scene:
        assert await scene.memory.take(out) == 4
        await scene.settle()
        assert b"".join(scene.memory.export()) == out
        assert {entry.text for entry in scene.shelf.entries.values()} >= {FACT.text, JOKE.text}
        assert OLD.id not in scene.shelf.entries
        scene.memory.forget(viewer="Mira")
        await scene.settle()
        assert "Mira" not in scene.written()


async def test_an_import_is_all_or_nothing_and_says_which_lines_are_wrong(tmp_path: Path) -> None:
    def refuses(text: str) -> str:
        return "a word of the list" if "zorblax" in text else ""

    def entry(text: str, **more: Any) -> bytes:
        return lines(
            Entry("b1", **({"kind": Kind.VIEWER} | more), persona="main", viewer="m", text=text, at=1.0)
        )

    good = lines(FACT)
    bad = {
        b"no entry": "line 2",
        b'{"id": "../../x", "kind": "viewer"}': "line 2",
        b"\xff\xfe\x00": "line 2",
        b"[" * 100_000: "line 2",
        entry("x", kind=Kind.SELF): "line 2: what she is comes from conf/persona alone",
        entry("a zorblax"): r"line 2: the filters refuse it \(a word of the list\)",
        b"\n".join([b"wrong"] * 9): r"line 2: [^\0]*line 6: [^\0]*and 4 more",
    }
    async with remembering(tmp_path, refuses=refuses) as scene:
        for data, told in bad.items():
            with pytest.raises(Refused, match=told):
                await scene.memory.take(good + data + b"\n")
        await scene.settle()
        assert scene.memory.found("") == [] and not scene.shelf.entries


async def test_a_large_import_runs_beside_a_face(tmp_path: Path) -> None:
    many = lines(*(Entry(f"m{n}", Kind.VIEWER, "main", f"v{n % 99}", f"fact {n}", 1.0) for n in range(5000)))
    steps = set[int]()

    async with remembering(tmp_path) as scene, anyio.create_task_group() as tg:
        store = scene.memory._keeping.store
        assert store is not None

        async def watch() -> None:
            while True:
                steps.add(len(store.entries))
                await anyio.lowlevel.checkpoint()

        tg.start_soon(watch)
        assert await scene.memory.take(many) == 5000
        tg.cancel_scope.cancel()
    assert len(steps) >= 10, "it is done in small steps"


async def carried(scene: Scene | None, happened: list[Event]) -> Carrier:
    class Tape:
        def show(self, event: Event) -> None:
            happened.append(event)

    parts = Parts(viewers=[Tape()])
    if scene is not None:
        parts.add(scene.memory)
        parts.viewers = parts.viewers[:1]
    return Carrier(parts, Path("nowhere"))


async def test_the_route_is_the_operators_and_bounded_and_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[Event] = []
    async with (
        remembering(tmp_path / "memory") as scene,
        opened(tmp_path) as console,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        url = console.url("memory.jsonl")
        assert (await client.get(url)).status_code == 503, "the show has not begun"
        console.carrier = await carried(scene, happened)
        answer = await client.post(url, content=lines(FACT, JOKE))
        assert answer.json()["done"] and answer.json()["told"].startswith("2 entries are new")
        found = await client.get(url)
        assert [load(row).text for row in found.text.splitlines()] == [FACT.text, JOKE.text]
        assert "attachment" in found.headers["content-disposition"]
        answer = await client.post(url, content=b"<img src=x onerror=alert(1)>\n")
        assert not answer.json()["done"] and answer.json()["told"].startswith("line 1: ")
        assert answer.headers["content-type"] == "application/json"
        monkeypatch.setattr(console_web, "LARGEST_IMPORT", 1000)
        assert (await client.post(url, content=b"x" * 1001)).status_code == 413
        for refused in (
            await client.get(url.split("?")[0]),
            await client.post(url.split("?")[0], content=lines(FACT)),
            await client.post(url, content=lines(FACT), headers={"Origin": "http://evil.example"}),
            await client.get(url, headers={"Host": "evil.example"}),
        ):
            assert refused.status_code == 403
        console.carrier = await carried(None, happened)
        assert (await client.get(url)).status_code == 404
        assert not (await client.post(url, content=b"")).json()["done"]
    served = [(each.what, each.done) for each in happened if isinstance(each, OperatorServed)]
    assert served == [
        ("import", True), ("export", True), ("import", False), ("export", False), ("import", False)
    ]  # fmt: skip


async def test_beside_the_errand_in_work_one_waits_and_no_more(tmp_path: Path) -> None:
    told = anyio.Event()

    class Bell:
        def show(self, event: Event) -> None:
            told.set()

    async with remembering(tmp_path) as scene, anyio.create_task_group() as tg:
        carrier = Carrier(Parts(viewers=[Bell()], memories=scene.memory), Path("nowhere"))
        carry = carrier.deeds()[Wish.IMPORT]
        assert carry("one").startswith("begun")
        with pytest.raises(Declined, match="waits"):
            carry("two")
        tg.start_soon(carrier.keep)
        with anyio.fail_after(30):
            await told.wait()
        assert carry("three").startswith("begun"), "the one before is over"
        tg.cancel_scope.cancel()
