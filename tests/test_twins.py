"""Two on stage in virtual time: each hears what the other says; what is removed leaves both."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import anyio
import pytest
import trio.testing

from glue.checks import personas
from glue.director import Director
from glue.events import (
    Button,
    ChatLine,
    Ending,
    Event,
    Fate,
    LineClosed,
    Source,
    TurnEnded,
    TurnStarted,
    to_json,
)
from glue.mind.persona import Persona
from glue.mind.talk import TRACE, Talk
from glue.parts import NoMemory, Parts, cast
from glue.redacted import redacted
from glue.settings import DirectorSettings
from glue.show import Show
from glue.stage.mixer import Mixer
from tests.core import PlainStand, Scene, SlowLlm
from tests.test_conf import composed
from tests.test_face import Model
from tests.test_show import Notes, Removed, Script, Steps, fates, nobody

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


def talk(who: str, name: str) -> Talk:
    persona = Persona(
        name, "v", f"You are {name}.", [], [], ["Sing."], nudge="(Joke.)", banter="(Tease her.)"
    )
    return Talk(who, persona, "voice", seed=1)


@dataclass
class Stage:
    """Both, with one model and voice, and minds of their own."""

    scene: Scene = field(default_factory=Scene)
    notes: Notes = field(default_factory=Notes)
    minds: dict[str, Talk] = field(
        default_factory=lambda: {"main": talk("main", "Spark"), "evil": talk("evil", "Evil")}
    )

    async def perform(self, steps: Steps, seconds: float, **settings: float) -> list[Event]:
        """Play these for so long."""
        scene, director = self.scene, Director(list(self.minds), DirectorSettings(**settings))  # type: ignore[arg-type]  # whole numbers
        scene.events = self.notes.events
        members = {
            who: replace(scene.member(), who=who, mind=mind, stand=PlainStand(scene.mixer))
            for who, mind in self.minds.items()
        }
        show = Show(members, director, [self.notes], scene.settings, lambda _: None, nobody)
        with anyio.move_on_after(seconds):
            async with anyio.create_task_group() as tg:
                tg.start_soon(scene.mixer.run)
                tg.start_soon(show.run, [Script(steps)])
        return self.notes.events

    def said(self, who: str) -> str:
        """All that stands in her prompt now."""
        return "\n".join(message.content for message in self.minds[who].prefix().messages)


def starts(events: Sequence[Event]) -> list[tuple[str, Source]]:
    return [(e.who, e.line.source) for e in events if isinstance(e, TurnStarted)]


CHAT, TWIN, ALONE = Source.CONSOLE, Source.TWIN, Source.HERSELF


async def test_a_viewers_line_is_answered_and_then_they_talk_to_each_other() -> None:
    stage = Stage()
    events = await stage.perform([(0.0, "hello Spark")], 20)
    assert starts(events) == [("main", CHAT), ("evil", TWIN), ("main", TWIN)]
    assert fates(events) == {"l0": Fate.ANSWERED}, "what they say to each other has no fate"
    twin = [e.line for e in events if isinstance(e, TurnStarted) and e.line.source is TWIN]
    assert [(line.author, line.text) for line in twin] == [
        ("Spark", "Oh hello Mika. Nice hat today."),
        ("Evil", "Oh hello Mika. Nice hat today."),
    ]
    asked = [prompt.messages[-1].content for prompt in stage.scene.llm.asked]
    assert asked[1] == "(Tease her.)\nSpark: Oh hello Mika. Nice hat today."


async def test_a_lines_fate_says_who_answered_it() -> None:
    events = await Stage().perform([(0.0, "hello Spark"), (8.0, "hello Evil")], 30, banter=0.0)
    turns = {event.turn: event.who for event in events if isinstance(event, TurnStarted)}
    closed = {event.line_id: event for event in events if isinstance(event, LineClosed)}
    assert {id: event.who for id, event in closed.items()} == {"l0": "main", "l1": "evil"}
    assert all(turns[event.turn] == event.who for event in closed.values())


async def test_viewers_starve_neither_and_come_first() -> None:
    stage = Stage()
    steps: Steps = [(2.9 * n, f"{'evil' if n % 4 == 1 else 'spark'}, number {n}") for n in range(60)]
    events = await stage.perform(steps, 260, banter=5.0)
    assert set(fates(events).values()) == {Fate.ANSWERED} and len(fates(events)) == 60
    waits = set[str]()
    for event in events:
        if isinstance(event, TurnStarted):
            waits -= {event.line.id}
            assert event.line.source is CHAT or not waits, "they talk while somebody waits"
        elif hasattr(event, "line"):
            waits.add(event.line.id)
    assert {("main", CHAT), ("evil", CHAT), ("evil", TWIN), ("main", ALONE), ("evil", ALONE)} <= set(
        starts(events)
    )


async def test_what_they_say_to_each_other_ends_with_its_clause_when_somebody_writes() -> None:
    stage = Stage(Scene(llm=SlowLlm(words=("One ", "two ", "three. ", "Four ", "five ", "six. ") * 4)))
    events = await stage.perform([(0.0, "hello Spark"), (5.5, "me, too, Spark")], 20)
    said = [(e.who, e.ending, e.heard) for e in events if isinstance(e, TurnEnded)]
    assert starts(events)[:3] == [("main", CHAT), ("evil", TWIN), ("main", CHAT)]
    assert said[0][1:] == (Ending.FINISHED, "One two three. Four five six. One two three.")
    assert said[1] == ("evil", Ending.CUT, "One two three.")


async def test_a_cut_ends_what_they_were_at() -> None:
    for what in (Button.SKIP, Button.PANIC, Removed(("l0",))):
        stage = Stage()
        events = await stage.perform([(0.0, "hello Spark"), (5.8, what)], 20)
        assert starts(events) == [("main", CHAT), ("evil", TWIN)], what
        ended = [e for e in events if isinstance(e, TurnEnded)][-1]
        assert (ended.who, ended.ending) == ("evil", Ending.CUT) and ended.heard


@pytest.mark.parametrize("after", [0.8, 4.5])
async def test_of_a_line_that_is_removed_nothing_is_left_with_either(after: float) -> None:
    stage = Stage(Scene(llm=SlowLlm(words=("What ", "a ", "name. "))))
    steps: Steps = [(0.0, "bad words, Spark"), (after, Removed(("l0",))), (6.0, "hello Evil")]
    events = await stage.perform(steps, 12, banter=0)
    assert next(e for e in events if isinstance(e, TurnEnded)).heard.startswith("What")
    assert "bad words" not in stage.said("main") and "hello Evil" in stage.said("evil")
    assert "What" not in stage.said("evil").partition("hello Evil")[0]


async def test_what_is_forgotten_when_she_ends_is_not_with_the_other_either() -> None:
    stage = Stage()

    class Memory(Notes):
        def show(self, event: Event) -> None:
            super().show(event)
            if isinstance(event, TurnEnded):
                for mind in stage.minds.values():
                    mind.forget(["l0"])

    stage.notes = Memory()
    await stage.perform([(0.0, "hello Spark")], 4, banter=0)
    assert len([e for e in stage.notes.events if isinstance(e, TurnEnded)]) == 1
    assert "Nice hat" not in stage.said("main") + stage.said("evil")


async def test_what_the_other_one_said_is_prefilled_while_she_speaks() -> None:
    stage = Stage()
    events = await stage.perform([(0.0, "hello Spark"), (4.0, "and you, Evil?")], 8, banter=0)
    (first,) = [e.at for e in events if isinstance(e, TurnEnded) and e.who == "main"]
    warmed = [prompt for prompt in stage.scene.llm.warmed if prompt.who == "evil"]
    (asked,) = [prompt for prompt in stage.scene.llm.asked if prompt.who == "evil"]
    begin = "(Spark just told v0: Oh hello Mika. Nice hat today.)\n(Joke.)\n"
    assert warmed[0].messages[-1].content == begin and warmed[0].messages[:-1] == asked.messages[:-1]
    assert asked.messages[-1].content == f"{begin}v1: and you, Evil?"
    assert first < 4.0, "she had ended by then"


async def test_a_cast_of_one_is_asked_as_ever() -> None:
    stage = Stage()
    del stage.minds["evil"]
    await stage.perform([(0.0, "hello Spark"), (4.0, "and now?")], 8)
    assert [prompt.messages[-1].content for prompt in stage.scene.llm.asked] == [
        "(Joke.)\nv0: hello Spark",
        "(Joke.)\nv1: and now?",
    ]


def heads(*choices: str) -> dict[str, str]:
    """What stands before all else in the prompts of a cast."""
    cfg, parts, mixer = composed(*choices), Parts(), Mixer([], 24000, 1.0)
    offer = {"memory": NoMemory(), "screen": None, "llm": None, "tts": None}
    for who, persona in personas(cfg).items():
        cast(cfg, who, persona, parts, offer, mixer, Model())
    return {mind.prefix().who: str(mind.prefix().messages) for mind in parts.talks}


def test_only_beside_her_twin_she_has_examples_of_what_to_say_to_her() -> None:
    both = heads("persona=[main,evil]")
    assert "'Evil: " in both["main"] and "'Spark: " in both["evil"]
    assert "'Evil: " not in heads()["main"] and "'Spark: " not in heads("persona=[evil]")["evil"]


def line(text: str, author: str = "mika", source: Source = CHAT, **more: object) -> ChatLine:
    return ChatLine(f"{author}:{text}", author, text, source, **more)  # type: ignore[arg-type]  # by name


def last(mind: Talk, said: ChatLine) -> str:
    return mind.prompt(said, ()).messages[-1].content


def test_her_history_has_it_as_it_was_asked_and_each_time_only_the_newest() -> None:
    mind = talk("evil", "Evil")
    for said in ("Old news.", "I (really) am <|im_start|>charged."):
        mind.overhear("Spark", line("hi"), said)
    guessed = mind.prefix(line("and you?"), "Never.").messages
    before, asked = mind.prefix(), last(mind, line("and you?"))
    assert asked == "(Spark just told mika: I really am charged.)\n(Joke.)\nmika: and you?"
    assert asked.startswith(before.messages[-1].content)
    mind.remember(line("and you?"), "Never.", cut=False)
    assert mind.prefix().messages == guessed and last(mind, line("oh")) == "(Joke.)\nmika: oh"
    assert mind.prefix().messages[-3].content == asked


def test_what_the_other_one_said_is_compact_and_none_of_it_is_left_where_nothing_was_heard() -> None:
    mind = talk("evil", "Evil")
    mind.overhear("Spark", line("", "", ALONE), "thunder " * 60)
    note = last(mind, line("hi")).partition("\n")[0]
    assert note.startswith("(Spark just told chat: thunder") and note.endswith("thunder...)")
    assert len(note) < TRACE + 40
    mind.overhear("Spark", line("hi"), "")
    assert last(mind, line("hi")) == "(Joke.)\nmika: hi"


async def test_what_they_say_to_each_other_is_short() -> None:
    async def five() -> AsyncIterator[str]:
        for word in ("one", "two", "three", "four", "five"):
            yield f"This is number {word}. "

    mind, said = talk("evil", "Evil"), dict[Source, str]()
    for source in (CHAT, TWIN):
        last(mind, line("hi", source=source))
        said[source] = " ".join([clause async for clause in mind.clauses(five())])
    assert said[CHAT].endswith("three.") and said[TWIN].endswith("two.")


def test_what_is_certain_stays_short_and_the_note_waits() -> None:
    mind, news = talk("evil", "Evil"), line("The hole is deep.", "Mine", Source.GAME, certain=True)
    mind.overhear("Spark", line("Hm.", "Evil", TWIN), "Dig!")
    guessed = mind.prefix(news, "The hole is deep.")
    mind.remember(news, "The hole is deep.", cut=False)
    assert mind.prefix() == guessed and mind.prefix().messages[-3].content == "(You play Mine.)"
    assert last(mind, line("hi")) == "(Spark just told you: Dig!)\n(Joke.)\nmika: hi"


def test_whoever_is_forgotten_is_forgotten_by_both() -> None:
    mind, secret = talk("evil", "Evil"), line("my cat is Biscuit")
    mind.overhear("Spark", secret, "Biscuit, what a cat.")
    mind.remember(line("hi", "bo"), "Bo.", cut=False)
    mind.remember(line("Biscuit rules.", "Spark", TWIN, joined=(secret,)), "He drools.", cut=False)
    mind.overhear("Spark", secret, "Biscuit again.")
    mind.forget((), lambda part: part.author == "mika")
    asked = "\n".join(message.content for message in mind.prefix().messages)
    assert "Biscuit" not in asked and "drools" not in asked and "bo: hi\nBo." in asked


def test_what_she_was_told_of_a_forgotten_line_leaves_the_journal() -> None:
    secret, other = line("my cat is Biscuit"), line("hi Evil", "bo")
    mind, said = talk("evil", "Evil"), "Biscuit: what a fine cat. " * 9
    mind.overhear("Spark", secret, said)
    told = last(mind, other)
    assert "Biscuit" in told.partition("\n")[0]
    asked = {"event": "TurnAsked", "at": 2.0, "who": "evil", "turn": "t2", "recalled": []}
    records = [
        to_json(TurnStarted(0.0, "main", "t1", secret, False)),
        to_json(TurnEnded(1.0, "main", "t1", Ending.FINISHED, said, said)),
        to_json(TurnStarted(2.0, "evil", "t2", other, False)),
        asked | {"messages": [["user", f"(Spark just told bo: What a fine cat.)\n{told}"]]},
        to_json(TurnStarted(3.0, "evil", "t3", line("Biscuit!", "Spark", TWIN, joined=(secret,)), False)),
    ]
    left = redacted(records, [secret.id])
    kept = "(Spark just told bo: What a fine cat.)\n\n(Joke.)\nbo: hi Evil"
    assert left[3] is not None and left[3]["messages"] == [["user", kept]]
    assert left[4] is not None and left[4]["line"]["text"] == "" == left[4]["line"]["joined"][0]["text"]
    assert left[2] is None
