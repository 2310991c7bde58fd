"""Each of the operator's wishes on a running show: what it does, what it says, and what the journal keeps."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import anyio
import pytest

from glue.desk_events import ClauseWaits, OperatorAsked, OperatorServed, Wish
from glue.events import ChatLine, ClauseHeld, Fate, LineClosed, PartDegraded, Source, TurnEnded, TurnStarted
from glue.safety.blocklist import MOST, Blocklist
from glue.senses.terminal import TerminalSense
from tests.core import PlainMind, PlainStand, Scene, SlowLlm, SlowTts
from tests.desk_show import INSTEAD, Air, Remembered, on_air

pytestmark = pytest.mark.anyio


SAID = ["What a lovely hat that is. ", "The cat is asleep already. "]


@pytest.fixture
async def air(tmp_path: Path) -> AsyncIterator[Air]:
    """Quick: these wait for real."""
    async with on_air(
        tmp_path, Scene(llm=SlowLlm(words=SAID, first=0.01), tts=SlowTts(first=0.01, word=0.1))
    ) as air:
        yield air


def asks(air: Air, wish: Wish, text: str = "") -> OperatorServed:
    """The operator wishes; what came of it."""
    air.show.take(OperatorAsked(anyio.current_time(), wish, text))
    served = [event for event in air.happened if isinstance(event, OperatorServed)][-1]
    assert (served.what, served.text) == (wish.value, text)
    return served


Kind = TypeVar("Kind")


async def until(air: Air, kind: type[Kind], count: int = 1) -> list[Kind]:
    with anyio.fail_after(20):
        while True:
            found: list[Kind] = [event for event in air.happened if isinstance(event, kind)]
            if len(found) >= count:
                return found
            await anyio.sleep(0.01)


async def test_memory_is_looked_at_corrected_and_forgotten(air: Air) -> None:
    assert "memory=milvus" in asks(air, Wish.FORGET, "a1").effect
    air.controls.parts.memories = memories = Remembered({"a1": "mira has a cat"})
    assert asks(air, Wish.LOOK, "memory cat").effect == "a1 mira: mira has a cat"
    assert asks(air, Wish.REMEMBER, "a1 mira has a  dog").effect == "she remembers: mira has a dog"
    for text, why in (("a1", "what should it say"), ("b2 x", "nothing called 'b2'"), ("a1 disk", "no room")):
        served = asks(air, Wish.REMEMBER, text)
        assert not served.done and why in served.effect
    assert asks(air, Wish.FORGET, "@mira").done and memories.forgot == ["mira"]
    assert asks(air, Wish.FORGET, "a1").effect == "forgotten: 1 entries"
    for text in ("a1", "", "@"):
        assert not asks(air, Wish.FORGET, text).done


async def carried(air: Air, wish: Wish, count: int) -> OperatorServed:
    """What is told when it is over; `count`: of all that was told of it."""
    with anyio.fail_after(20):
        while True:
            told = [e for e in air.happened if isinstance(e, OperatorServed) and e.what == wish.value]
            if len(told) >= count:
                return told[-1]
            await anyio.sleep(0.01)


async def test_memory_goes_into_a_file_and_comes_back_by_its_name_alone(air: Air, tmp_path: Path) -> None:
    assert "memory=milvus" in asks(air, Wish.EXPORT).effect
    air.controls.parts.memories = memories = Remembered({"a1": "mira has a cat"})
    folder = tmp_path / "exports"
    assert asks(air, Wish.EXPORT, "friday").effect == f"begun: {folder / 'friday.jsonl'}"
    over = await carried(air, Wish.EXPORT, 3)
    assert over.done and (folder / "friday.jsonl").read_text() == "a1 mira has a cat\n"
    assert [path.name for path in folder.iterdir()] == ["friday.jsonl"]
    assert asks(air, Wish.IMPORT, "friday.jsonl").done
    assert (await carried(air, Wish.IMPORT, 2)).effect.startswith("1 entries are new")
    assert list(memories.texts.values()) == ["mira has a cat", "a1 mira has a cat"]
    (folder / "linked.jsonl").symlink_to(tmp_path / "journal.jsonl")
    for count, (name, why) in enumerate({"nothing": "No such file", "linked": "is no file of"}.items(), 2):
        assert asks(air, Wish.IMPORT, name).done
        over = await carried(air, Wish.IMPORT, 2 * count)
        assert not over.done and why in over.effect
    for path in ("", "../journal", "/etc/passwd", "a/b", ".hidden", "..", "x" * 99, "a b"):
        assert not asks(air, Wish.IMPORT, path).done
    assert not asks(air, Wish.EXPORT, "../friday").done and len(memories.texts) == 2


@pytest.mark.parametrize("wish", [Wish.DELAY, Wish.SLOW])
async def test_what_is_no_number_of_seconds_is_declined_and_changes_nothing(air: Air, wish: Wish) -> None:
    for text in ("soon", "nan", "inf", "-0.1", "1e9", "2,5,1"):
        for good in ("7,5", "0"):
            assert asks(air, wish, good).done
        served = asks(air, wish, text)
        assert not served.done and "0" in served.effect, text
        assert air.scene.mixer.delay == 0.0 == air.controls.door.standing(0.0)["slow"], text


async def test_delay_has_bounds(air: Air) -> None:
    assert asks(air, Wish.DELAY, "2,5").done and air.scene.mixer.delay == 2.5
    for text in ("-1", "10.1", "nan", "soon", ""):
        assert not asks(air, Wish.DELAY, text).done
    assert air.scene.mixer.delay == 2.5


async def test_the_operators_words_pass_the_same_filters_unless_they_insist(air: Air) -> None:
    assert asks(air, Wish.SAY, "Good evening everybody.").done
    await until(air, TurnEnded)
    refused = asks(air, Wish.SAY, "Heil Hitler, all of you.")
    assert not refused.done and "anyway own-" in refused.effect
    id = refused.effect.split("anyway ")[1].split("'")[0]
    assert asks(air, Wish.ANYWAY, id).done
    ended = await until(air, TurnEnded, 2)
    assert [e.heard for e in ended] == ["Good evening everybody.", "Heil Hitler, all of you."]
    assert not asks(air, Wish.SAY).done


async def test_the_operators_words_are_said_by_whom_they_are_given_to(air: Air) -> None:
    members, stand = air.controls.parts.members, PlainStand(air.scene.mixer, air.scene.tts.word)
    members["evil"] = replace(members["main"], who="evil", mind=PlainMind(), stand=stand)
    for text in ("Evil: kneel, chat", "good evening: Spark here", "spark: hello"):
        assert asks(air, Wish.SAY, text).done
    ended = await until(air, TurnEnded, 3)
    said = [(e.who, e.heard) for e in ended]
    assert said == [("evil", "kneel, chat"), ("main", "good evening: Spark here"), ("main", "hello")]
    assert not asks(air, Wish.SAY, "evil:").done


async def test_behind_the_goodbye_nothing_is_said_and_a_second_end_is_one_at_once(air: Air) -> None:
    assert asks(air, Wish.END).done
    await until(air, TurnStarted)
    late = asks(air, Wish.SAY, "One more thing.")
    assert not late.done and "the show ends" in late.effect
    assert asks(air, Wish.END).effect == "at once"
    with anyio.fail_after(30):
        await air.over.wait()
    assert not [event for event in air.happened if isinstance(event, TurnEnded)]


async def test_a_refused_edit_leaves_the_clause_as_it_was(air: Air) -> None:
    asks(air, Wish.HOLD, "always")
    assert not asks(air, Wish.HOLD, "perhaps").done
    air.says("mika", "hello Spark")
    await until(air, ClauseWaits)
    assert not asks(air, Wish.EDIT, "t1.0 Heil Hitler.").done
    assert not asks(air, Wish.EDIT, "t1.0").done
    assert asks(air, Wish.EDIT, "Boots.").done
    await until(air, ClauseWaits, 2)
    assert asks(air, Wish.DROP).done
    assert [e.heard for e in await until(air, TurnEnded)] == ["Boots."]


async def test_topic_and_mood_stand_in_the_next_prompt_and_behind_all_that_is_cached(air: Air) -> None:
    before = air.talk.prefix().messages
    assert asks(air, Wish.TOPIC, "night trains").done and asks(air, Wish.MOOD, "smug").done
    after = air.talk.prefix().messages
    assert after[:-1] == before[:-1]
    alone = ChatLine("q", "", "", Source.HERSELF)
    assert " about night trains" in air.talk.prompt(alone, ()).messages[-1].content
    assert (
        "Tonight's topic: night trains." in after[-1].content
        and "Spark is in a smug mood" in after[-1].content
    )
    asks(air, Wish.TOPIC)
    asks(air, Wish.MOOD)
    assert air.talk.prefix().messages == before


async def test_the_one_who_answers_is_switched(air: Air) -> None:
    assert asks(air, Wish.PERSONA, "evil").done and list(air.controls.director.cast) == ["evil", "main"]
    assert not asks(air, Wish.PERSONA, "nobody").done


async def test_the_blocklist_holds_at_once_for_chat_and_for_her_and_for_the_next_show(
    air: Air, tmp_path: Path
) -> None:
    assert asks(air, Wish.BLOCK, "cat").done and not asks(air, Wish.BLOCK, "cat").done
    line = air.says("mika", "a line about a c.a.t Spark")
    assert [e.fate for e in await until(air, LineClosed)] == [Fate.BLOCKED], line
    air.says("mika", "hello Spark")
    held = (await until(air, ClauseHeld))[0]
    assert held.text == "The cat is asleep already." and "the operator's list" in held.why
    ended = (await until(air, TurnEnded))[0]
    assert ended.heard == f"What a lovely hat that is. {INSTEAD}"
    assert list(Blocklist(tmp_path / "blocklist.txt")) == ["cat"]
    assert asks(air, Wish.UNBLOCK, "cat").done and not asks(air, Wish.UNBLOCK, "cat").done
    assert list(Blocklist(tmp_path / "blocklist.txt")) == []


async def test_engines_are_restarted_by_name(air: Air) -> None:
    assert asks(air, Wish.RESTART, "llm").done and not asks(air, Wish.RESTART, "fridge").done
    assert air.restarted == ["llm", "fridge"]


async def test_what_the_terminal_is_told(air: Air) -> None:
    asks(air, Wish.HOLD, "always")
    air.says("mika", "hello Spark")
    air.says("bo", "what is your name?")
    air.show.emit(PartDegraded(anyio.current_time(), "speech", "nobody listens"))
    assert "bo: what is your name?" in asks(air, Wish.LOOK, "inbox").effect
    assert "speech: down: nobody listens" in asks(air, Wish.LOOK, "health").effect
    assert "hold: True" in asks(air, Wish.LOOK).effect
    await until(air, ClauseWaits)
    asks(air, Wish.HOLD, "never")
    await until(air, TurnEnded)
    while air.controls.lookup.read_on():
        pass
    assert "hello Spark" in asks(air, Wish.FIND, "mika").effect
    told = asks(air, Wish.OPEN, "t1").effect
    assert "asked (" in told and "audible" in told and "lovely hat" in told


async def test_every_action_is_in_the_journal_with_its_effect(air: Air, tmp_path: Path) -> None:
    wishes = [wish for wish in Wish if wish is not Wish.OPEN]
    for wish in wishes:
        asks(air, wish, "x")
    records = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    asked = [r["wish"] for r in records if r["event"] == "OperatorAsked"]
    served = [(r["what"], bool(r["effect"])) for r in records if r["event"] == "OperatorServed"]
    assert asked == [wish.value for wish in wishes] and served == [(wish.value, True) for wish in wishes]


async def test_every_wish_is_a_command(tmp_path: Path) -> None:
    typed = [f"/{wish.value} some words" for wish in Wish if wish is not Wish.HOLD]
    path = tmp_path / "typed"
    path.write_text("\n".join([*typed, "/hold", "/release", "/DUMP", "/panic"]))
    with path.open() as file:
        sense = TerminalSense(file.fileno(), lambda text: pytest.fail(text))
        events = [event async for event in sense.events()]
    asked = [(e.wish, e.text) for e in events if isinstance(e, OperatorAsked)]
    assert asked[:-2] == [(wish, "some words") for wish in Wish if wish is not Wish.HOLD]
    assert asked[-2:] == [(Wish.HOLD, "always"), (Wish.HOLD, "never")] and len(events) == len(Wish) + 3


def test_a_list_of_the_desks_that_is_longer_than_a_person_adds_holds_whole_and_stays_whole(
    tmp_path: Path,
) -> None:
    path = tmp_path / "list.txt"
    words = [f"word{number}" for number in range(20_000)]
    path.write_text("\n".join(words))
    blocklist = Blocklist(path)
    assert blocklist.find("a word19999, that is") == "word19999" and blocklist.find("word5001") == "word5001"
    assert blocklist.add("onemore") and blocklist.find("is onemore") and blocklist.remove("word7")
    assert path.read_text().split() == [word for word in [*words, "onemore"] if word != "word7"]
    again = Blocklist(path)
    assert again.find("word19998") and again.find("onemore") and not again.find("word7")
    assert again.newest(2) == ["word19999", "onemore"]


def test_the_blocklist_has_bounds(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("word7\n")
    blocklist = Blocklist(path)
    assert (
        blocklist.remove("word7") and blocklist.add("one   more # really") and "one more" in list(blocklist)
    )
    assert not blocklist.find("word7") and blocklist.find("that is ONE more") == "one more"
    for nothing in ("", "# only", "...", "far too many words for one entry of such a list as this"):
        assert not Blocklist().add(nothing)
    mine = Blocklist()
    assert all(mine.add(f"word{number}") for number in range(MOST)) and not mine.add("one too many")
