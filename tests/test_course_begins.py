"""How a show begins, in virtual time: it may wait for Go, and she greets once."""

import pytest
import trio.testing

from glue.broadcast_events import Phase
from glue.chat_events import Deed
from glue.course import GOODBYE, GREETING, greets
from glue.desk_events import Wish
from glue.events import Button, Fate, TurnStarted
from glue.safety.screen import Screen
from glue.safety_events import Screened
from glue.settings import DirectorSettings, SafetySettings, When
from tests.core import Scene
from tests.test_course import Gone, Steps, perform
from tests.test_show import ends, fates

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def test_until_go_lines_wait_and_nothing_is_said() -> None:
    steps: Steps = [
        (0.0, Deed.RAID),
        (1.0, "am i the first?"),
        (100.0, "hello Spark"),
        (120.0, Button.GO),
        (121.0, Button.GO),
    ]
    show = await perform(steps, greets=True, waits=True, within=150.0)
    assert show.phases() == [Phase.WAITING, Phase.LIVE]
    began = next(e for e in show.events if isinstance(e, TurnStarted))
    assert began.at == show.began(Phase.LIVE) == pytest.approx(show.events[0].at + 120.0)
    assert show.said() == [GREETING, "did it", "hello Spark"]
    assert fates(show.events) == {"l0": Fate.ANSWERED, "l1": Fate.EARLY, "l2": Fate.ANSWERED}
    early = next(e.at for e in show.events if getattr(e, "fate", None) is Fate.EARLY)
    assert early == pytest.approx(show.events[0].at + 1.0 + 45.0)


async def test_the_silence_before_go_is_none_that_she_breaks() -> None:
    show = await perform([(100.0, Button.GO)], waits=True, lonely=25.0, within=120.0)
    assert show.phases() == [Phase.WAITING, Phase.LIVE] and show.said() == []


async def test_she_greets_once_where_nobody_is_waited_for() -> None:
    show = await perform([(0.0, "hello Spark"), (1.0, Button.GO)], greets=True, within=30.0)
    assert show.said() == [GREETING, "hello Spark"] and show.phases() == [Phase.LIVE]


@pytest.mark.parametrize("waits", [False, True])
async def test_a_show_whose_model_is_gone_is_live_without_a_greeting(waits: bool) -> None:
    show = await perform([(1.0, Button.GO)], Scene(llm=Gone()), greets=True, waits=waits, within=10.0)
    assert show.phases()[-1] is Phase.LIVE and show.said() == [GREETING]


async def test_a_show_that_greets_nobody_is_as_it_always_was() -> None:
    show = await perform([(0.0, "hello Spark")], within=30.0)
    assert show.said() == ["hello Spark"] and show.phases() == []
    assert greets(DirectorSettings(), ends_with_chat=False) and not greets(DirectorSettings(), True)
    assert greets(DirectorSettings(greets=When.always), True)
    assert not greets(DirectorSettings(greets=When.never), False)


@pytest.mark.parametrize("told", [GREETING, GOODBYE])
def test_the_filters_take_what_she_is_told_for_no_bait(told: str) -> None:
    assert Screen(SafetySettings()).line(told).outcome is Screened.PASSED


async def test_a_show_that_never_began_ends_without_a_goodbye() -> None:
    show = await perform([(0.0, "hello Spark"), (1.0, Wish.END)], greets=True, waits=True)
    assert show.phases() == [Phase.WAITING, Phase.ENDING] and show.said() == []
    assert show.lasted == pytest.approx(1.0 + 5.0) and fates(show.events) == {"l0": Fate.UNHEARD}


async def test_where_she_waits_the_operators_own_words_are_said() -> None:
    show = await perform([(2.0, Button.GO)], greets=True, waits=True, scripts=["One two."], within=20.0)
    assert ends(show.events)[0].heard == "One two." and show.said()[1:] == [GREETING]
    assert show.phases() == [Phase.WAITING, Phase.LIVE]
