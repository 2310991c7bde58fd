"""What she adds to something that happened, in pure functions and in a reply in virtual time."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import anyio
import pytest
import trio.testing

from glue.checks import personas
from glue.events import ChatLine, Ending, Source, TurnEnded
from glue.gate import Gate
from glue.mind.asides import Asides, Feeling, feeling_of
from glue.mind.talk import Talk
from glue.safety.screen import Screen
from glue.settings import SafetySettings, TurnSettings
from glue.stage.mood import Mood, mood_of
from tests.core import PlainMind, Scene, SlowLlm
from tests.test_conf import composed

HOLE = ChatLine("g1", "Minecraft", "I dug a hole, 4 blocks deep.", Source.GAME, certain=True)
LINES = {Feeling.WELL: ["Ha!", "Clap.", "Wow.", "Mine!"], Feeling.PLAIN: ["So.", "On we go."]}
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@pytest.mark.parametrize(
    ("happened", "feeling"),
    [
        ("I died in the game, and begin again where I started.", Feeling.HURT),
        ("I ran away from a zombie.", Feeling.HURT),
        ("I could not do craft pickaxe 1: I have no planks. I have: 3 dirt.", Feeling.BADLY),
        ("I did not finish dig hole: something else comes first.", Feeling.BADLY),
        ("It did not work: there is no ground beside me to dig.", Feeling.BADLY),
        ("Stockfish took the rook on a1 with the queen, check. I am 9 points behind.", Feeling.BADLY),
        ("Stockfish moved the queen to f2, checkmate. Checkmate: Stockfish won.", Feeling.BADLY),
        ("I took the pawn on e4 with my knight. I am 1 point of material behind.", Feeling.WELL),
        ("I moved my rook to e8, checkmate. Checkmate: I won.", Feeling.WELL),
        ("I got 3 oak log.", Feeling.WELL),
        ("I fought a zombie, and it is dead.", Feeling.WELL),
        ("I moved my knight to d5.", Feeling.PLAIN),
        ("I walked 34 blocks.", Feeling.PLAIN),
    ],
)
def test_how_it_went_is_read_from_the_words(happened: str, feeling: Feeling) -> None:
    assert feeling_of(happened) is feeling


def test_each_line_is_said_before_any_is_said_again_and_none_twice_in_a_row() -> None:
    asides = Asides(LINES, seed=3)
    said = [words for _ in range(400) if (words := asides.after("I built the hut."))]
    assert 200 < len(said) < 400, "mostly, and not always"
    rounds = [said[n : n + 4] for n in range(0, len(said) - 4, 4)]
    assert all(Counter(each) == Counter(LINES[Feeling.WELL]) for each in rounds)
    assert all(one != other for one, other in pairwise(said))


def test_what_has_no_lines_stands_alone() -> None:
    asides = Asides(LINES, seed=1)
    assert not any(asides.after("I died.") for _ in range(50))


@pytest.mark.parametrize("who", ["main", "evil"])
def test_the_casts_own_asides_pass_and_tell_nothing(who: str) -> None:
    persona = personas(composed("persona=[main,evil]"))[who]
    gate = Gate(screen=Screen(SafetySettings()), blocked=persona.blocked)
    assert set(persona.asides) == set(Feeling)
    for text in (text for lines in persona.asides.values() for text in lines):
        assert gate.refuses(text) == "" and len(text.split()) <= 10
        assert not any(letter.isdigit() for letter in text)
        assert mood_of(text) is not Mood.LOVE


async def played(scene: Scene, line: ChatLine, waits: ChatLine | None = None) -> TurnEnded:
    turn = replace(scene.turn(line), upcoming=lambda: waits)
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        ended = await turn.run(anyio.current_time())
        tg.cancel_scope.cancel()
    return ended


async def test_what_happened_is_told_as_it_is_and_an_aside_follows_without_a_model() -> None:
    scene = Scene(mind=PlainMind("Glamorous work, this."))
    ended = await played(scene, HOLE)
    assert ended.heard == f"{HOLE.text} Glamorous work, this." and not scene.llm.asked


async def test_there_is_no_aside_while_somebody_waits() -> None:
    scene = Scene(mind=PlainMind("Glamorous work, this."))
    waits = ChatLine("v1", "mika", "hi", Source.TWITCH)
    assert (await played(scene, HOLE, waits)).heard == HOLE.text


async def test_a_model_that_is_trusted_goes_on_in_its_own_words() -> None:
    scene = Scene(llm=SlowLlm(words=("Mind ", "the ", "gap.")), settings=TurnSettings(goes_on=True))
    ended = await played(scene, HOLE)
    assert ended.heard == f"{HOLE.text} Mind the gap."
    assert scene.llm.asked[-1].opening == HOLE.text


async def test_the_same_thing_may_happen_again() -> None:
    scene = Scene(gate=Gate(screen=Screen(SafetySettings())))
    for _ in range(2):
        ended = await played(scene, HOLE)
        assert (ended.ending, ended.heard) == (Ending.FINISHED, HOLE.text)


def test_she_takes_them_from_her_persona() -> None:
    persona = personas(composed())["main"]
    talk = Talk("main", persona, "voice", seed=2)
    said = {talk.aside(replace(HOLE, text="I died.")) for _ in range(40)} - {""}
    assert said == set(persona.asides[Feeling.HURT])
