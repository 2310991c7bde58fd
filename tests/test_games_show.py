"""Games in the show: their claims to the floor, what she says about them, and the operator's page."""

from collections.abc import AsyncIterator
from dataclasses import replace

import anyio
import pytest
import trio.testing

from glue.chat_events import Deed
from glue.decisions import Close
from glue.desk_ports import DeskMessage
from glue.director import Director
from glue.events import ChatLine, Ending, Event, Fate, LineArrived, LineClosed, Source, TurnEnded, TurnStarted
from glue.game_events import FloorClaimed, GameButton, GameChanged, GamePressed, Priority
from glue.games.voice import Voice
from glue.interest import score
from glue.mind.dialect import Extensions, Server
from glue.mind.lane import REST, Lane
from glue.mind.template import Template
from glue.ports import Message, Prompt, Role
from glue.senses.console import ConsoleSense
from glue.settings import DirectorSettings
from glue.show import Show
from glue.song_events import SongStarted
from glue.stage.console_page import Nonsense, read
from glue.stage.console_recent import MOST_GAMES, Recent
from tests.core import Scene, SlowLlm, line

pytestmark = pytest.mark.anyio
OPENAIS = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {}, "strict": True}}
LONG = SlowLlm(
    ("One two three. ", "Four five six. ", "Seven eight nine. ", "Ten eleven twelve. ", "The end.")
)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


class Notes:
    """A viewer that keeps everything."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events

    def show(self, event: Event) -> None:
        self._events.append(event)


class Claims:
    """A sense: a line, and a claim to the floor a second after it."""

    def __init__(self, *claims: FloorClaimed, deed: Deed | None = None) -> None:
        self._claims, self._deed = claims, deed

    async def events(self) -> AsyncIterator[Event]:
        yield LineArrived(anyio.current_time(), replace(line("Tell me everything, Spark!"), deed=self._deed))
        await anyio.sleep(1.0)
        for claim in self._claims:
            yield claim


async def performed(*claims: FloorClaimed, deed: Deed | None = None) -> tuple[TurnEnded, float]:
    """How the reply ended, and after how long."""
    scene = Scene(llm=LONG)
    show = Show(
        {"main": scene.member()},
        Director(["main"], DirectorSettings()),
        [Notes(scene.events)],
        scene.settings,
        lambda muted: None,
        lambda gain: None,
        ends_with_chat=True,
    )
    began = anyio.current_time()
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        await show.run([Claims(*claims, deed=deed)])
        tg.cancel_scope.cancel()
    assert [e.fate for e in scene.events if isinstance(e, LineClosed)] == [Fate.ANSWERED]
    ended = next(e for e in scene.events if isinstance(e, TurnEnded))
    return ended, ended.at - began


def claim(priority: Priority, who: str = "main") -> FloorClaimed:
    return FloorClaimed(0.0, who, "G", priority)


async def test_a_games_priority_shortens_or_interrupts_her_and_nobody_else() -> None:
    whole, takes = await performed()
    assert whole.ending is Ending.FINISHED
    other, _ = await performed(claim(Priority.CRITICAL, "evil"))
    assert other.heard == whole.heard
    for priority in (Priority.MEDIUM, Priority.HIGH):
        short, took = await performed(claim(priority))
        assert took < takes - 1.0
        assert whole.heard.startswith(short.heard) and short.heard.endswith(".")
        assert short.ending is Ending.CUT
    cut, took = await performed(claim(Priority.CRITICAL))
    assert took == pytest.approx(1.0, abs=0.1) and len(cut.heard) < len(short.heard)


async def test_thanks_are_not_cut_for_a_game_but_end_with_a_clause() -> None:
    whole, takes = await performed(deed=Deed.SUB)
    short, took = await performed(claim(Priority.CRITICAL), deed=Deed.SUB)
    assert took < takes - 1.0 and short.ending is Ending.CUT
    assert whole.heard.startswith(short.heard) and short.heard.endswith("."), "no sentence is broken off"


class Endless:
    """A game that something may come from at any time."""

    endless = True

    async def events(self) -> AsyncIterator[Event]:
        await anyio.sleep_forever()
        yield LineArrived(0.0, line())


async def test_a_show_that_ends_with_its_chat_does_not_wait_for_a_game() -> None:
    scene, director = Scene(), Director(["main"], DirectorSettings())
    members, notes = {"main": scene.member()}, [Notes(scene.events)]
    show = Show(members, director, notes, scene.settings, lambda _: None, lambda _: None, ends_with_chat=True)
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        with anyio.fail_after(60):
            await show.run([Claims(), Endless()])
        tg.cancel_scope.cancel()
    assert [e.fate for e in scene.events if isinstance(e, LineClosed)] == [Fate.ANSWERED]


def game_line(number: int, text: str = "You found a diamond.") -> ChatLine:
    return ChatLine(f"g{number}", "Mine", text, Source.GAME)


def test_of_a_game_only_the_latest_waits_and_people_go_first() -> None:
    director = Director(["main"], DirectorSettings(), speaking="main")
    assert director.hear(game_line(1, "A tree."), 0.0) == []
    assert director.hear(line("what is your favourite train?"), 0.1) == []
    assert director.hear(game_line(2, "A dragon!"), 0.2) == [Close("g1", Fate.IGNORED)]
    assert director.likely(0.3) == line("what is your favourite train?")
    assert score(game_line(1), ["main"], 0.0, None) >= DirectorSettings().bar


class ADesk:
    """Pages that send these messages."""

    def __init__(self, *messages: DeskMessage) -> None:
        self._messages = messages

    async def received(self) -> AsyncIterator[DeskMessage]:
        for message in self._messages:
            yield message


async def test_a_button_of_a_game_goes_from_the_page_to_the_show() -> None:
    sent = '{"kind": "game", "game": "My Game", "button": "force", "text": "place {\\"cell\\": 4}"}'
    desk = ADesk(read(sent, 1.0), read('{"kind": "game", "game": "G", "button": "pause", "text": ""}', 2.0))
    found = [event async for event in ConsoleSense(desk).events()]
    assert found == [
        GamePressed(1.0, "My Game", GameButton.FORCE, 'place {"cell": 4}'),
        GamePressed(2.0, "G", GameButton.PAUSE, ""),
    ]
    broken = read('{"kind": "game", "game": "\\ud800G", "button": "pause", "text": "\\udfff"}', 2.0)
    [event] = [event async for event in ConsoleSense(ADesk(broken)).events()]
    assert str(event).encode()  # half a character would break whoever writes it down
    with pytest.raises(Nonsense, match="GAME_BUTTON"):
        read('{"kind": "game", "game": "G", "button": "explode", "text": ""}', 0.0)


def test_a_late_page_is_told_how_the_game_stands() -> None:
    recent = Recent()
    for force in ("first", "second"):
        recent.note(GameChanged(0.0, "main", "G", True, False, ("place",), (), force, "low"))
    assert [event["force"] for event in recent.events()] == ["second"]


def test_a_late_page_is_told_of_so_many_games_and_first_of_those_that_are_there() -> None:
    recent = Recent()

    def stands(game: str, connected: bool) -> None:
        recent.note(GameChanged(0.0, "main", game, connected, False, (), (), "", ""))

    stands("played", True)
    for number in range(2 * MOST_GAMES):
        for connected in (True, False):
            stands(f"g{number}", connected)
    known = [event["game"] for event in recent.events()]
    assert len(known) == MOST_GAMES and {"played", f"g{2 * MOST_GAMES - 1}"} <= set(known)
    for number in range(2 * MOST_GAMES):
        stands(f"h{number}", True)
    known = [event["game"] for event in recent.events()]
    assert known == [f"h{number}" for number in range(MOST_GAMES, 2 * MOST_GAMES)]


@pytest.mark.parametrize("extensions", Extensions)
def test_each_server_is_told_of_the_schema_in_openais_words(extensions: Extensions) -> None:
    prompt = Prompt("main", (Message("user", "hi"),), schema={})
    server = Server(extensions, slots={"main": 0, "background": 2}, template=Template.LLAMA3)
    assert server.request(prompt, Role.ACT).body["response_format"] == OPENAIS
    assert "response_format" not in server.request(Prompt("main", ()), Role.ACT).body


def test_a_game_has_a_slot_of_its_own_where_there_is_one() -> None:
    prompt = Prompt("main", (Message("user", "hi"),))
    for slots, wanted in (({"main": 0, "background": 2, "act": 3}, 3), ({"main": 0, "background": 2}, 2)):
        assert Server(Extensions.LLAMACPP, slots=slots).request(prompt, Role.ACT).body["id_slot"] == wanted


async def test_a_decision_gives_way_to_the_first_words_and_starts_again() -> None:
    lane, begun = Lane(), 0

    async def decides() -> int:
        nonlocal begun
        begun += 1
        await anyio.sleep(1.0)
        return begun

    async def speaks() -> None:
        await anyio.sleep(0.5)
        with lane.speaking():
            await anyio.sleep(2.0)

    async with anyio.create_task_group() as tg:
        tg.start_soon(speaks)
        assert await lane.run(decides) == 2
        assert anyio.current_time() == pytest.approx(3.5 + REST, abs=0.01)


async def test_beside_a_song_a_game_waits_for_nothing_and_a_critical_one_says_so() -> None:
    voice, claims = Voice(), list[Event]()
    for event in (
        TurnStarted(0.0, "main", "t1", line("sing daisy"), False),
        SongStarted(0.0, "main", "t1", "Daisy", 240.0),
    ):
        voice.note(event)
    began = anyio.current_time()
    for priority in Priority:
        await voice.floor("main", priority.value, priority, 0.0, claims.append)
    assert anyio.current_time() == began
    assert [each.priority for each in claims if isinstance(each, FloorClaimed)] == list(Priority)[1:]
