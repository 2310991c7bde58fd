"""What she said, written into the chat that asked. In virtual time."""

import anyio
import pytest
import trio.testing

from glue.chat_events import LinesRemoved
from glue.errors import PortError, Refused, Unreachable
from glue.events import ChatLine, Ending, Source, TurnEnded, TurnStarted
from glue.senses.irc import Message
from glue.senses.twitch_own import KEPT, Own
from glue.senses.twitch_writing import LONGEST, Writer

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


class Twitch:
    """Takes lines; fails as it is told, one error a try."""

    def __init__(self, *fails: PortError) -> None:
        self.fails, self.took = list(fails), list[str]()
        self.writer = Writer(self.write)

    async def write(self, text: str, answers: str) -> bool:
        await anyio.sleep(0.1)
        if self.fails:
            raise self.fails.pop(0)
        self.took.append(text)
        return True

    def says(self, n: int) -> None:
        said = ChatLine(f"twitch-{n}", "mika", "hi", Source.TWITCH)
        self.writer.show(TurnStarted(0.0, "main", f"t{n}", said, False))
        self.writer.show(TurnEnded(0.0, "main", f"t{n}", Ending.FINISHED, f"answer {n}", f"answer {n}"))

    async def runs(self, seconds: float) -> None:
        """As the supervisor does: again, after an error."""
        with anyio.move_on_after(seconds):
            while True:
                try:
                    await self.writer.run(lambda: None)
                except PortError:
                    await anyio.sleep(1.0)


async def test_what_twitch_could_not_take_is_written_when_it_is_back_and_in_order() -> None:
    twitch = Twitch(Unreachable("chat", "503"), Unreachable("chat", "503"))
    for n in (1, 2, 3):
        twitch.says(n)
    await twitch.runs(20)
    assert twitch.took == ["answer 1", "answer 2", "answer 3"]


async def test_what_twitch_refuses_is_not_tried_again_and_the_rest_goes_on() -> None:
    twitch = Twitch(Refused("chat", "400"))
    for n in (1, 2):
        twitch.says(n)
    await twitch.runs(20)
    assert twitch.took == ["answer 2"]


async def test_an_answer_to_a_line_that_was_removed_meanwhile_is_not_tried_again() -> None:
    twitch = Twitch(Unreachable("chat", "503"))
    twitch.says(1)
    async with anyio.create_task_group() as tg:
        tg.start_soon(twitch.runs, 20)
        await anyio.sleep(0.05)  # it is on its way
        twitch.writer.show(LinesRemoved(0.0, ("twitch-1",)))
    assert twitch.took == []


def said(text: str, id: str = "1", login: str = "Spark") -> Message:
    return Message("PRIVMSG", ("#spark", text), login, {"id": id})


def test_her_own_line_is_known_by_its_words_or_by_its_id_as_often_as_it_comes() -> None:
    own, long = Own("spark"), "la " * (LONGEST // 3)
    own.writes(f"{long} ")
    own.writes("Hello.")
    own.wrote("m1")
    for mine in (
        said("Hello."),
        said("Hello."),
        said("@some_viewer_of_long_name " + long),
        said("***", "m1"),
    ):
        assert own.has(mine)
    for other in (said("Hello."[1:]), said("oh Hello."), said("Hello.", login="mika")):
        assert not own.has(other)
    for number in range(KEPT):
        own.writes(f"later {number}")
    assert not own.has(said("Hello.", "2")), "the streamer may say so again some day"
    assert not Own().has(Message("PRIVMSG", ("#spark", "")))
