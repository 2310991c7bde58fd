"""The living face in virtual time: continuous, blinking like people do, the same again for a seed."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import anyio
import numpy as np
import pytest
import trio.testing

from glue.errors import Refused, Unreachable
from glue.events import AWAY, CaptionShown, Event
from glue.ports import Speech, Timed
from glue.stage.face import Attention, Face
from glue.stage.lipsync import CLOSED
from glue.stage.mood import Mood, mood_of
from glue.stage.performer import Performer
from tests.test_lipsync import RATE, vowel

TICK = 1 / 60
FASTEST = {  # the largest change a tick
    "FaceAngle": 2.5,
    "FacePosition": 0.1,
    "EyeOpen": 0.3,
    "EyeLeft": 0.7,
    "EyeRight": 0.7,
    "Brow": 0.08,
    "Mouth": 0.06,
    "Spark": 0.05,
}
RANGES = {
    "FaceAngle": (-30, 30),
    "FacePosition": (-10, 10),
    "EyeOpen": (0, 1),
    "Brow": (0, 1),
    "Mouth": (0, 1),
}


def poses(seconds: float, seed: int = 7) -> list[dict[str, float]]:
    """A face that is idle, thinks, speaks and feels in turn; its mouth stays shut."""
    face, found = Face(Random(seed)), []
    for n in range(round(seconds / TICK)):
        now = n * TICK
        attention = list(Attention)[int(now / 3) % 3]
        if n % 240 == 0:
            face.feel(list(Mood)[n // 240 % len(Mood)], now)
        found.append(face.pose(now, CLOSED, attention))
    return found


def test_nothing_snaps_and_everything_moves() -> None:
    found = poses(120)
    for name in found[0]:
        values = np.asarray([pose[name] for pose in found])
        prefix = next((p for p in FASTEST if name.startswith(p)), None)
        if prefix:
            assert np.abs(np.diff(values)).max() <= FASTEST[prefix], name
        low, high = next((r for p, r in RANGES.items() if name.startswith(p)), (-1, 1))
        assert low <= values.min() and values.max() <= high, name
        if not name.startswith(("Mouth", "Voice", "FacePositionZ")):  # these follow the voice
            for second in range(0, 120, 4):
                assert np.ptp(values[second * 60 : second * 60 + 240]) > 0, (name, second)


def test_a_seed_gives_the_same_face() -> None:
    assert poses(5) == poses(5)
    assert poses(5) != poses(5, seed=8)


def test_blinks_come_as_they_do_in_people() -> None:
    face, lids = Face(Random(1)), []
    for n in range(200 * 600):  # ten minutes at 200 Hz
        lids.append(face.pose(n / 200, CLOSED, Attention.SPEAKING)["EyeOpenLeft"])
    shut = np.asarray(lids) < 0.4
    starts = np.flatnonzero(shut[1:] & ~shut[:-1]) / 200
    gaps = np.diff(starts)
    double = (gaps < 0.5).mean()
    single = gaps[gaps >= 0.5]
    assert 0.07 <= double <= 0.20
    assert 1.9 <= single.min() and single.max() <= 6.4
    assert 2.8 <= np.median(single) <= 4.2
    closed = shut.sum() / 200 / len(starts)
    assert 0.05 <= closed <= 0.2


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("Hahaha, you did what?", Mood.LAUGH),
        ("I love you, chat.", Mood.LOVE),
        ("Ugh, how dare you!", Mood.ANGRY),
        ("That makes me sad.", Mood.SAD),
        ("Wow, no way!", Mood.SURPRISED),
        ("Obviously, I won.", Mood.SMUG),
        ("Did you eat yet?", Mood.ASKING),
        ("The sky is blue.", None),
        ("He hated the chateau.", None),
    ],
)
def test_words_make_moods(text: str, mood: Mood | None) -> None:
    assert mood_of(text) is mood


class Model:
    """An Avatar that keeps what it is told; `away` refuses the wire, `lacks` an expression."""

    def __init__(self) -> None:
        self.poses: list[tuple[float, Mapping[str, float]]] = []
        self.expressions: list[tuple[str, bool]] = []
        self.away = False
        self.lacks = ""

    def pose(self, values: Mapping[str, float]) -> None:
        self.poses.append((anyio.current_time(), values))

    async def express(self, name: str, active: bool) -> None:
        if self.away:
            raise Unreachable("avatar", "away")
        if name == self.lacks:
            raise Refused("avatar", "no such expression")
        self.expressions.append((name, active))


class Play:
    """A performer on a track that plays from second 1 to `until`; it looks `lead` seconds ahead."""

    def __init__(self, until: float = 2.0, lead: float = 0.0) -> None:
        self.model, self.events, self.until, self.lead = Model(), list[Event](), until, lead
        self.performer = Performer("main", self.model, self.head, self.events.append, Face(Random(2)), RATE)

    def head(self) -> float:
        return min(max(0.0, anyio.current_time() + self.lead - self.began - 1.0), self.until - 1.0)

    def speak(self) -> None:
        self.performer.enter("t1")
        self.performer.begin_clause("t1", 0, "Wow, no way!", 0.0)
        words = (Timed("wow", 0.0, 0.3), Timed("no", 0.4, 0.6), Timed("way", 0.6, 0.9))
        for n in range(10):
            sound = Speech(vowel("A", 0.1), words=words if n == 0 else ())
            self.performer.add(0, 0.0, n / 10, sound)

    async def run(self, seconds: float) -> None:
        self.began = anyio.current_time()
        self.speak()
        with anyio.move_on_after(seconds):
            await self.performer.run()


def in_virtual_time(play: Play, seconds: float) -> None:
    trio.run(play.run, seconds, clock=trio.testing.MockClock(autojump_threshold=0))


def test_captions_mouth_and_expression_follow_what_is_heard() -> None:
    play = Play()
    in_virtual_time(play, 8)
    shown = [e for e in play.events if isinstance(e, CaptionShown)]
    assert [e.text[: e.spoken] for e in shown] == ["Wow,", "Wow, no", "Wow, no way!"]
    assert [e.at - play.began for e in shown] == pytest.approx([1.0, 1.4, 1.6], abs=0.04)
    opened = [(at - play.began, pose["MouthOpen"]) for at, pose in play.model.poses]
    assert all(value == 0 for at, value in opened if at <= 1.0 or at > 2.15)
    assert max(value for at, value in opened if 1.0 < at < 2.0) > 0.5
    assert play.model.expressions == [("surprised", True), ("surprised", False)]
    gaps = np.diff([at for at, _ in play.model.poses])
    assert gaps.max() < 0.034


def test_the_operators_mood_stays_and_panic_is_a_neutral_face_with_a_caption() -> None:
    play = Play()

    async def operator() -> None:
        async with anyio.create_task_group() as tg:
            tg.start_soon(play.run, 8.0)
            await anyio.sleep(0.5)
            play.performer.settle(Mood.SMUG)
            await anyio.sleep(4.5)  # her words asked for another mood, and that has faded
            play.performer.away(True, "Be right back!")
            await anyio.sleep(1.0)
            play.performer.away(False)

    trio.run(operator, clock=trio.testing.MockClock(autojump_threshold=0))
    moods = [("smug", True), ("smug", False), ("surprised", True), ("surprised", False)]
    assert play.model.expressions == [*moods, ("smug", True), ("smug", False), ("smug", True)]
    last = [e for e in play.events if isinstance(e, CaptionShown)][-1]
    assert (last.turn, last.text, last.spoken) == (AWAY, "Be right back!", 14)


def test_a_mood_that_one_model_lacked_is_shown_on_the_next() -> None:
    """Also what is on is told again: the next model begins without an expression."""
    play = Play()
    play.model.lacks = "smug"

    async def operator() -> None:
        async with anyio.create_task_group() as tg:
            tg.start_soon(play.run, 140.0)
            play.performer.settle(Mood.SMUG)
            await anyio.sleep(30.0)
            assert play.model.expressions == [("surprised", True), ("surprised", False)]
            play.model.lacks = ""
            await anyio.sleep(35.0)
            assert play.model.expressions[2:] == [("smug", True)]

    trio.run(operator, clock=trio.testing.MockClock(autojump_threshold=0))
    assert play.model.expressions[2:] == [("smug", True), ("smug", True)]


def test_the_operators_mood_is_back_after_words_whose_mood_the_model_lacks() -> None:
    play = Play()
    play.model.lacks = "surprised"
    play.performer.settle(Mood.SMUG)
    in_virtual_time(play, 8)
    assert play.model.expressions == [("smug", True), ("smug", False), ("smug", True)]


@pytest.mark.parametrize(("lead", "at"), [(0.0, 1.5), (0.03, 1.385)])
def test_a_cut_shuts_the_mouth_with_the_call(lead: float, at: float) -> None:
    """With a lead the playhead is pulled back, here over a word's beginning: nothing is heard of that."""
    play = Play(lead=lead)

    async def cut() -> None:
        async with anyio.create_task_group() as tg:
            tg.start_soon(play.run, 3.0)
            await anyio.sleep(at)
            assert play.model.poses[-1][1]["MouthOpen"] > 0.1
            play.until = at
            play.performer.cut(play.head())
            assert play.model.poses[-1][1]["MouthOpen"] == 0
            assert play.performer.heard(play.head()) == "Wow,"
            await anyio.sleep(1)
            assert not [e for e in play.events if isinstance(e, CaptionShown) and e.at > play.began + at]
            assert all(pose["MouthOpen"] == 0 for when, pose in play.model.poses if when > play.began + at)

    trio.run(cut, clock=trio.testing.MockClock(autojump_threshold=0))


def test_a_sound_that_stops_short_closes_the_mouth_softly() -> None:
    play = Play(until=1.52)
    in_virtual_time(play, 4)
    opened = [pose["MouthOpen"] for at, pose in play.model.poses if at - play.began > 1.5]
    assert opened[0] > 0.5 and opened[12] == 0
    assert np.abs(np.diff(opened)).max() < 0.5


@pytest.mark.parametrize("trouble", ["away", "lacks"])
def test_an_avatar_without_the_expression_or_away_changes_nothing_else(trouble: str) -> None:
    play = Play()
    setattr(play.model, trouble, "surprised" if trouble == "lacks" else True)
    in_virtual_time(play, 8)
    assert not play.model.expressions
    assert len(play.model.poses) > 200


def test_the_face_looks_aside_while_she_thinks_and_at_the_camera_when_she_speaks() -> None:
    face = Face(Random(5))
    looks: dict[Attention, float] = {}
    for attention in (Attention.THINKING, Attention.SPEAKING):
        since = 10.0 * len(looks)
        xs = [face.pose(since + n * TICK, CLOSED, attention)["EyeLeftX"] for n in range(300)]
        looks[attention] = float(np.abs(xs[60:]).mean())
    assert looks[Attention.THINKING] > 0.35 > 0.15 > looks[Attention.SPEAKING]
