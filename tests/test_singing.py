"""A reply that is a song, in virtual time: in order, to its end, and every way to stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import anyio
import numpy as np
import pytest
import trio.testing

from glue.cues import Cues
from glue.desk_events import ClauseVoiced, ClauseWaits
from glue.errors import TooSlow, Unreachable
from glue.events import ClauseCleared, ClauseHeld, Ending, TurnEnded
from glue.gate import Gate
from glue.measured_events import TurnMeasured
from glue.settings import TurnSettings
from glue.singing import LEFT, NOTE, Singing
from glue.song_events import SongEnded, SongStarted
from glue.turn import Turn
from tests.core import RATE, Scene, SlowTts, line
from tests.tunes import BACKING, VOCALS, Tunes

pytestmark = pytest.mark.anyio
OPENING = "All aboard."  # of 0.6 s, in the voice of these tests
SPOKEN = 8000  # of 32768: that voice
TITLE = "\u266a Daisy Bell \u266a"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


def a_turn(scene: Scene, tunes: Tunes, opening: str = OPENING, cues: Cues | None = None) -> Turn:
    singing = Singing(tunes, tunes.song("Daisy Bell"), opening)
    said = line("sing Daisy Bell")
    turn = Turn("t1", scene.member(), said, scene.settings, scene.events.append, singing=singing)
    turn.cues = cues or turn.cues
    return turn


async def sing(
    scene: Scene, turn: Turn, after: float | None = None, then: Callable[[], object] = lambda: None
) -> TurnEnded:
    """The whole reply; `after` so many seconds something happens."""

    async def later(seconds: float) -> None:
        await anyio.sleep(seconds)
        then()

    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        if after is not None:
            tg.start_soon(later, after)
        ended = await turn.run(anyio.current_time())
        tg.cancel_scope.cancel()
    return ended


def heard(scene: Scene) -> np.ndarray:
    """What left the mixer."""
    return np.concatenate([pcm for _, pcm in scene.tape.blocks])


def song_ended(scene: Scene) -> SongEnded:
    (event,) = (event for event in scene.events if isinstance(event, SongEnded))
    return event


async def test_a_song_is_opened_and_sung_to_its_end_with_its_accompaniment() -> None:
    scene, tunes = Scene(), Tunes()
    ended = await sing(scene, a_turn(scene, tunes))
    assert ended.ending is Ending.FINISHED and scene.tts.spoken == [OPENING]
    assert ended.said == ended.heard == "All aboard. (sang Daisy Bell)"
    assert [e.text for e in scene.events if isinstance(e, ClauseCleared)] == [OPENING, *tunes.lines]
    assert [e.index for e in scene.events if isinstance(e, ClauseVoiced)] == [0, 1, 2, 3]
    assert tunes.sung == [(0, True), (1, True), (2, True)]
    sound = heard(scene)
    assert np.count_nonzero(sound == VOCALS + BACKING) == 30 * RATE and set(sound[: RATE // 2]) == {SPOKEN}
    assert song_ended(scene).sung == 30.0 == song_ended(scene).seconds
    (measured,) = (event for event in scene.events if isinstance(event, TurnMeasured))
    assert max(measured.gaps, default=0.0) < 0.02  # nowhere did the sound run dry
    assert (tunes.opened, tunes.closed) == (1, 1)


async def test_nothing_is_thought_of_and_the_history_has_no_lyrics() -> None:
    scene = Scene()
    await sing(scene, a_turn(scene, Tunes()))
    assert scene.llm.asked == []
    assert scene.mind.history == [("sing Daisy Bell", "All aboard. (sang Daisy Bell)", False)]


async def test_a_song_is_longer_than_a_reply_may_be_and_yet_has_an_end() -> None:
    scene, tunes = Scene(), Tunes(each=80.0)
    ended = await sing(scene, a_turn(scene, tunes))
    assert scene.settings.reply_within < 240.0 and ended.ending is Ending.FINISHED
    assert song_ended(scene).sung == 240.0
    slow, start = Scene(tts=SlowTts(first=1e6)), anyio.current_time()
    assert (await sing(slow, a_turn(slow, tunes))).ending is Ending.CUT  # a voice that says nothing
    assert anyio.current_time() - start == pytest.approx(240.0 + scene.settings.reply_within)


@pytest.mark.parametrize("dumped", [False, True])
@pytest.mark.parametrize("after", [0.3, 5.0, 17.0, 30.0])
async def test_a_skip_is_silence_at_once_and_how_far_it_was_heard_is_known(
    after: float, dumped: bool
) -> None:
    scene, tunes, start = Scene(), Tunes(), anyio.current_time()
    turn = a_turn(scene, tunes)
    ended = await sing(scene, turn, after, lambda: turn.cut(dumped))
    assert ended.ending is (Ending.DUMPED if dumped else Ending.CUT)
    assert all(at <= start + after for at, _ in scene.tape.blocks)
    sung = song_ended(scene).sung
    assert sung == pytest.approx(max(0.0, after - 0.7), abs=0.02)  # the voice begins after 0.1 s
    assert ended.heard == ("All aboard. (sang the beginning of Daisy Bell)" if after > 1 else "")
    assert scene.mind.history == [("sing Daisy Bell", ended.heard, True)]
    assert (tunes.opened, tunes.closed, scene.stand.track.queued) == (1, 1, 0)


async def test_a_cut_within_the_opening_is_no_song() -> None:
    scene = Scene()
    turn = a_turn(scene, Tunes(), "All aboard the night train.")
    ended = await sing(scene, turn, 0.8, turn.cut)
    assert ended.heard == "All aboard" and song_ended(scene).sung == 0.0


async def test_muted_she_sings_on_and_nothing_is_heard() -> None:
    scene = Scene()
    ended = await sing(scene, a_turn(scene, Tunes()), 10.0, lambda: setattr(scene.mixer, "muted", True))
    assert ended.ending is Ending.FINISHED and song_ended(scene).sung == 30.0
    assert np.count_nonzero(heard(scene) == VOCALS + BACKING) == pytest.approx(9.3 * RATE, abs=RATE / 50)
    assert not heard(scene)[11 * RATE :].any()


async def test_with_a_delay_what_was_not_heard_yet_is_not_counted() -> None:
    scene = Scene()
    scene.mixer.delay = 5.0
    turn = a_turn(scene, Tunes())
    await sing(scene, turn, 20.0, lambda: turn.cut(dumped=True))
    assert song_ended(scene).sung == pytest.approx(14.3, abs=0.02)


async def test_what_the_operator_leaves_out_is_not_sung_and_the_accompaniment_goes_on() -> None:
    scene, tunes, cues = Scene(), Tunes(), Cues()
    ended = await sing(scene, a_turn(scene, tunes, cues=cues), 5.0, lambda: cues.change("t1.2", ""))
    assert ended.ending is Ending.FINISHED
    assert tunes.sung == [(0, True), (1, False), (2, True)]
    assert np.count_nonzero(heard(scene) == BACKING) == 10 * RATE


async def test_what_the_filters_refuse_is_not_sung_nor_shown() -> None:
    scene, tunes = Scene(gate=Gate(blocked=["answer"])), Tunes()
    ended = await sing(scene, a_turn(scene, tunes))
    assert ended.ending is Ending.FINISHED and tunes.sung == [(0, True), (1, True), (2, False)]
    held = [(e.text, e.why) for e in scene.events if isinstance(e, ClauseHeld)]
    assert held == [("\u266a give me your answer do", "a blocked word")]
    assert [e.text for e in scene.events if isinstance(e, ClauseCleared)][-1] == NOTE


async def test_what_the_filters_refuse_does_not_open_a_song() -> None:
    scene, tunes = Scene(gate=Gate(blocked=["aboard"])), Tunes()
    ended = await sing(scene, a_turn(scene, tunes))
    assert scene.tts.spoken == [] and ended.heard == "(sang Daisy Bell)" and len(tunes.sung) == 3


async def test_a_chorus_may_come_again_and_so_may_the_whole_song() -> None:
    chorus = "\u266a I sing it once, I sing it twice, I sing it all the day"
    scene, tunes = Scene(), Tunes(lines=(TITLE, chorus, chorus))
    for _ in range(2):
        await sing(scene, a_turn(scene, tunes))
    assert [voiced for _, voiced in tunes.sung] == [True] * 6
    assert not [event for event in scene.events if isinstance(event, ClauseHeld)]


async def test_a_song_is_held_once_as_a_whole() -> None:
    scene, cues = Scene(), Cues(hold=True)
    ended = await sing(scene, a_turn(scene, Tunes(), cues=cues), 50.0, lambda: cues.let_go(""))
    assert [e.index for e in scene.events if isinstance(e, ClauseWaits)] == [0]
    assert ended.ending is Ending.FINISHED and song_ended(scene).sung == 30.0


async def test_a_song_that_has_to_come_to_an_end_fades_at_once() -> None:
    scene, tunes = Scene(), Tunes(each=100.0)
    turn = a_turn(scene, tunes)
    start = anyio.current_time()
    ended = await sing(scene, turn, 20.0, turn.shorten)
    assert anyio.current_time() - start < 22.0  # a second waits before the mixer
    assert ended.ending is Ending.CUT and ended.heard.endswith("(sang the beginning of Daisy Bell)")
    last = heard(scene)[-RATE // 10 :].astype(int)
    assert last[0] > 4500 and abs(last[-1]) < 200 and np.all(np.diff(last) <= 0)


async def test_who_is_told_to_end_while_she_opens_it_does_not_sing() -> None:
    scene, tunes = Scene(), Tunes()
    turn = a_turn(scene, tunes)
    ended = await sing(scene, turn, 0.12, turn.shorten)  # the voice is still at it
    assert (ended.ending, ended.heard, tunes.sung) == (Ending.CUT, OPENING, [])


@pytest.mark.parametrize(("breaks_at", "sung"), [(0, 0.0), (2, 20.0)])
async def test_a_file_that_breaks_ends_the_reply_with_what_was_heard(breaks_at: int, sung: float) -> None:
    scene, tunes = Scene(), Tunes(breaks_at=breaks_at, fails=TooSlow("songs", "the disk hangs"))
    ended = await sing(scene, a_turn(scene, tunes))
    assert ended.ending is Ending.FAILED and ended.why == "songs: the disk hangs"
    assert song_ended(scene).sung == pytest.approx(sung, abs=1.2)  # what was queued is silent, too
    assert tunes.closed == 1


async def test_a_voice_that_is_away_is_no_song() -> None:
    scene, tunes = Scene(tts=SlowTts(fails=Unreachable("speech", "gone"))), Tunes()
    ended = await sing(scene, a_turn(scene, tunes))
    assert (ended.ending, ended.heard, tunes.sung) == (Ending.FAILED, "", [])
    assert scene.mind.history == [("sing Daisy Bell", "", True)]


async def test_without_words_to_open_it_it_begins_at_once() -> None:
    scene, tunes = Scene(), Tunes()
    start = anyio.current_time()
    ended = await sing(scene, a_turn(scene, tunes, ""))
    assert scene.tape.blocks[0][0] == start and ended.heard == "(sang Daisy Bell)"
    (begun,) = (event for event in scene.events if isinstance(event, SongStarted))
    assert replace(begun, at=0.0) == SongStarted(0.0, "main", "t1", "Daisy Bell", 30.0)


async def test_the_next_reply_is_prepared_when_the_song_is_nearly_over_and_not_before() -> None:
    scene = Scene(settings=TurnSettings())
    warmed: list[tuple[float, int]] = []
    turn = a_turn(scene, Tunes())
    turn.upcoming = lambda: warmed.append((anyio.current_time(), len(scene.llm.warmed)))
    start = anyio.current_time()
    await sing(scene, turn)
    assert turn.prepared and warmed[0][0] - start == pytest.approx(0.7 + 30.0 - LEFT - 1.0, abs=0.3)
    assert scene.llm.warmed[0].messages[0].content == "All aboard. (sang Daisy Bell)"
