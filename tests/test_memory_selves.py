"""Facts about herself: they come from her persona, and nothing that is said can add, change or end one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from glue.checks import personas
from glue.errors import Refused
from glue.events import Source
from glue.memory.entry import Entry, Kind
from glue.memory.index import Index
from glue.memory.rows import Rows
from glue.memory.selves import about_her, fixed, whose
from glue.memory.shares import HERS, share
from glue.memory.store import Store
from glue.memory.traces import Forget
from tests.memory_show import line, on, remembering
from tests.test_conf import composed

pytestmark = pytest.mark.anyio
FOOD, TRAIN = "Spark's favourite food is electricity", "Spark's favourite train is the night train"
MAIN = {"main": ("Spark", (FOOD, TRAIN))}


def test_every_persona_has_facts_that_her_prompt_does_not_hold() -> None:
    cast = personas(composed("persona=[main,evil]"))
    for persona in cast.values():
        assert len(persona.facts) >= 10
        assert all(persona.name in fact and fact not in persona.prompt for fact in persona.facts)
    assert not set(cast["main"].facts) & set(cast["evil"].facts)


def test_the_same_words_are_the_same_entry_and_other_words_another() -> None:
    (one, two), (again, other) = fixed("main", "Spark", [FOOD, TRAIN]), fixed("main", "Spark", [FOOD, "x"])
    assert one == again and len({one.id, two.id, other.id, fixed("evil", "Spark", [FOOD])[0].id}) == 4
    assert whose(one.id) == "main" and whose("1") is None and share(one) == HERS


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("what's your favourite food?", True),
        ("can I ask what your name is", True),
        ("do you like trains?", True),
        ("are you\u2019re cat ok", True),
        ("do you remember my cat?", False),
        ("did you see me win?", False),
        ("my favourite food is ramen", False),
        ("the young one wins", False),
        ("does Spark like trains?", True),
        ("what is Spark's favourite food", True),
        ("hi Spark, I am late", False),
    ],
)
def test_whether_a_line_asks_about_her(text: str, asks: bool) -> None:
    assert about_her(text, {"spark"}) is asks


class Partition:
    """What an index says is in it."""

    def __init__(self, there: Mapping[str, str]) -> None:
        self.there = dict(there)

    async def ids(self) -> dict[str, str]:
        return self.there


async def test_what_left_her_file_leaves_the_index_and_another_characters_facts_stay(tmp_path: Path) -> None:
    store, rows = Store(tmp_path), Rows(0.75)
    old, new, evil = (fixed(*of)[0] for of in (("main", "Spark", [TRAIN]), ("main", "Spark", [FOOD]),
                                               ("evil", "Evil", ["Evil is afraid of hugs"])))  # fmt: skip
    store.fix("main", [new])
    await rows.level(store, cast(Index, Partition({old.id: HERS, evil.id: HERS})))
    assert (rows.gone, list(rows.stale)) == ({old.id: HERS}, [new.id])
    rows = Rows(0.75)
    await rows.level(store, cast(Index, Partition({new.id: HERS, evil.id: HERS})))
    assert not rows.gone and not rows.stale, "what is unchanged costs nothing"
    store.close()


@pytest.mark.parametrize("name", ["Spark", "electricity", "food"])
def test_nobody_who_is_forgotten_takes_her_facts_along(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path)
    fact = fixed("main", "Spark", [FOOD])[0]
    store.fix("main", [fact])
    store.put(Entry("j", Kind.JOKE, "main", "", "the toaster runs the stream", 1.0))
    for what in (
        Forget(viewers=frozenset({name})),
        Forget(authors=frozenset({("twitch:1", name)})),
        Forget(entries=frozenset({fact.id})),
    ):
        assert not store.hide(what)
        assert store.forget(what)[0] == {}
    assert set(store.entries) == {"j", fact.id}
    store.close()
    assert FOOD not in (tmp_path / "entries.jsonl").read_text()


async def test_a_line_about_her_is_answered_with_her_own_facts(tmp_path: Path) -> None:
    async with remembering(
        tmp_path, selves=MAIN | {"evil": ("Evil", ("Evil eats cold leftovers",))}
    ) as scene:
        assert scene.memory._store is not None
        scene.memory._keeping._rows.changed(list(scene.memory._store.entries.values()))
        scene.say(on(Source.TWITCH, "1", "I love ramen", "l1"))
        await scene.settle()
        asked = line("what is your favourite food?", "l2")
        assert await scene.recalled(asked) == [FOOD, TRAIN]
        assert await scene.memory.recall("evil", asked) == ["Evil eats cold leftovers"]
        assert await scene.recalled(on(Source.TWITCH, "1", "what food do I love?", "l3")) == [
            "Mira loves ramen"
        ]
        told = await scene.recalled(line("when did you get your favourite food?", "l4"))
        assert told == [FOOD, TRAIN], "nobody told her, so there is no day"


async def test_neither_chat_nor_the_operator_changes_what_she_is(tmp_path: Path) -> None:
    async with remembering(tmp_path, selves=MAIN) as scene:
        for number, said in enumerate(
            ("your favourite food is mud", "Spark's favourite food is mud", "forget me")
        ):
            scene.say(on(Source.TWITCH, "1", said, f"l{number}", "electricity"), heard="Mud? Never.")
        await scene.settle()
        (id,) = [str(each["id"]) for each in scene.memory.found("electricity")]
        with pytest.raises(Refused, match="conf/persona"):
            scene.memory.amend(id, "Spark's favourite food is mud")
        with pytest.raises(Refused, match="conf/persona"):
            scene.memory.forget(id)
        assert [each["text"] for each in scene.memory.found("favourite spark")] == [TRAIN, FOOD]
        assert "mud" not in str(scene.memory.found(""))


def test_a_fact_is_of_one_line_whatever_the_file_says() -> None:
    (fact,) = fixed("main", "Spark", ["Spark\n  likes " + "x" * 999])
    assert fact.text.startswith("Spark likes x") and len(fact.text) == 400
