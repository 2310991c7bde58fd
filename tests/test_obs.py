"""What the broadcast shows, by events; when its stream is started; old OBSes. No OBS is needed here."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

import anyio
import pytest
from anyio import to_thread
from websockets.asyncio.server import ServerConnection, serve

from glue.broadcast_events import Fault, HighlightMarked, Phase, PhaseBegun, StreamFaltered
from glue.chat_events import Deed, LinesRemoved
from glue.desk_events import OperatorServed
from glue.errors import ConfigError, PortError, TooSlow, Unreachable
from glue.events import (
    AWAY,
    Button,
    ButtonPressed,
    CaptionShown,
    ChatLine,
    Ending,
    Event,
    Source,
    StageTaken,
    TurnEnded,
    TurnStarted,
)
from glue.game_events import GameChanged
from glue.senses.frames import frames
from glue.senses.twitch_chat import deed as twitch_deed
from glue.song_events import SongEnded, SongStarted
from glue.stage.obs import Obs
from glue.stage.obs_cues import Cue, Cues, State, why
from glue.stage.obs_desk import Desk
from glue.stage.obs_layout import Pages, layout
from glue.stage.obs_link import Denied, Link
from glue.stage.obs_marks import marked
from tests.test_eyes_show import VIRTUAL
from tests.test_safety_show import closed, perform

RAID = ChatLine("l1", "mika", "raided with 40 viewers", Source.TWITCH, supporter=True, deed=Deed.RAID)
GAME = GameChanged(1.0, "main", "Chess", True, False, (), (), "", "")


def cues(*events: Event) -> Cues:
    found = Cues({Deed.RAID}, 2.0, 60.0)
    for event in events:
        found.note(event)
    return found


def says(text: str, spoken: int, who: str = "main") -> CaptionShown:
    return CaptionShown(1.0, who, "t1", 0, text, spoken)


def ended(at: float, heard: str, who: str = "main") -> TurnEnded:
    return TurnEnded(at, who, "t1", Ending.FINISHED, heard, heard)


def test_the_scene_follows_the_show() -> None:
    show = cues()
    assert show.cue(0.0) == Cue(State.STARTING, "", "", False)
    show.note(TurnStarted(1.0, "main", "t1", RAID, False))
    assert show.cue(1.0).state is State.CHATTING
    show.note(GAME)
    assert (show.cue(1.0).state, show.cue(1.0).playing) == (State.GAME, "Chess")
    show.note(ButtonPressed(1.0, Button.STOP))
    assert show.cue(1.0).state is State.BRB
    show.note(ButtonPressed(1.0, Button.GO))
    assert show.cue(1.0).state is State.GAME
    show.note(replace(GAME, connected=False))
    assert (show.cue(1.0).state, show.cue(1.0).playing) == (State.CHATTING, "")
    show.end()
    assert show.cue(1.0).state is State.ENDING


def test_a_caption_holds_what_was_heard_and_goes_after_a_while() -> None:
    show = cues(says("hello there", 5))
    assert show.cue(1.0).caption == "hello"
    show.note(ended(3.0, "hello"))
    assert show.changes_at(3.0) == 5.0
    assert (show.cue(4.9).caption, show.cue(5.0).caption) == ("hello", "")


def test_the_words_of_a_panic_go_when_she_is_back() -> None:
    show = cues(ButtonPressed(1.0, Button.PANIC), CaptionShown(1.0, "main", AWAY, 0, "Be right back!", 14))
    assert (show.cue(9.0).state, show.cue(9.0).caption) == (State.BRB, "Be right back!")
    show.note(ButtonPressed(9.0, Button.GO))
    assert (show.cue(9.0).state, show.cue(9.0).caption) == (State.STARTING, "")


def test_the_words_of_a_panic_stay_though_the_reply_ends_behind_them() -> None:
    show = cues(says("hello there", 5), ButtonPressed(1.0, Button.PANIC))
    show.note(CaptionShown(1.0, "main", AWAY, 0, "Be right back!", 14))
    show.note(ended(1.1, "hello"))
    assert show.changes_at(2.0) == float("inf") and show.cue(60.0).caption == "Be right back!"


def test_two_on_stage_have_their_names_in_the_caption() -> None:
    show = cues(StageTaken(0.0, "main", "Spark"), StageTaken(0.0, "evil", "Evil"))
    show.note(says("hi", 2))
    show.note(says("no", 2, "evil"))
    assert show.cue(1.0).caption == "Spark: hi\nEvil: no"


def test_the_twins_are_on_while_the_second_one_speaks_and_a_while_longer() -> None:
    show = cues(StageTaken(0.0, "main", "Spark"), StageTaken(0.0, "evil", "Evil"))
    show.note(TurnStarted(1.0, "main", "t1", RAID, False))
    show.note(ended(2.0, "hi"))
    assert show.cue(2.0).state is State.CHATTING
    show.note(TurnStarted(3.0, "evil", "t1", RAID, False))
    assert show.cue(3.0).state is State.TWINS
    show.note(ended(9.0, "kneel", "evil"))
    show.note(TurnStarted(10.0, "main", "t1", RAID, False))
    assert show.cue(10.0).state is show.cue(68.9).state is State.TWINS and show.changes_at(20.0) == 69.0
    assert show.cue(69.0).state is State.CHATTING
    show.note(TurnStarted(70.0, "evil", "t1", RAID, False))
    show.note(GAME)
    assert show.cue(70.0).state is State.GAME
    show.note(ButtonPressed(70.0, Button.STOP))
    assert show.cue(70.0).state is State.BRB


def test_who_was_made_the_first_is_alone_in_the_picture() -> None:
    show = cues(StageTaken(0.0, "main", "Spark"), StageTaken(0.0, "evil", "Evil"))
    show.note(TurnStarted(1.0, "evil", "t1", RAID, False))
    assert show.note(OperatorServed(1.5, "persona", "evil", True, "evil answers from the next reply on"))
    show.note(ended(2.0, "kneel", "evil"))
    assert show.cue(2.0).state is State.TWINS and show.changes_at(2.0) == 62.0
    show.note(TurnStarted(62.0, "evil", "t1", RAID, False))
    show.note(ended(63.0, "kneel", "evil"))
    assert show.cue(62.5).state is show.cue(63.0).state is State.CHATTING
    show.note(TurnStarted(64.0, "main", "t1", RAID, False))
    assert show.cue(64.0).state is State.TWINS, "the other one is the second now"
    show.note(ended(65.0, "hi"))
    declined = OperatorServed(66.0, "persona", "nobody", False, "on stage: evil, main")
    assert not show.note(declined) and show.cue(125.0).state is State.CHATTING


def test_until_go_the_starting_scene_is_on_whatever_happens() -> None:
    show = cues(PhaseBegun(0.0, Phase.WAITING), TurnStarted(1.0, "main", "t1", RAID, False), GAME)
    assert show.cue(1.0).state is State.STARTING
    show.note(ButtonPressed(2.0, Button.STOP))
    assert show.cue(2.0).state is State.BRB
    show.note(ButtonPressed(3.0, Button.GO))
    show.note(replace(GAME, connected=False))
    assert show.note(PhaseBegun(3.0, Phase.LIVE)) and show.cue(3.0).state is State.CHATTING


def test_live_and_ending_have_their_scenes_though_nobody_speaks() -> None:
    show = cues(PhaseBegun(0.0, Phase.LIVE))
    assert show.cue(0.0).state is State.CHATTING
    show.note(PhaseBegun(1.0, Phase.LEAVING))
    assert show.cue(1.0).state is State.CHATTING
    show.note(ButtonPressed(1.5, Button.STOP))
    show.note(PhaseBegun(2.0, Phase.ENDING))
    assert show.cue(2.0).state is State.ENDING, "also of a show that was stopped"


def test_one_alone_is_never_the_twins() -> None:
    show = cues(StageTaken(0.0, "evil", "Evil"), TurnStarted(1.0, "evil", "t1", RAID, False))
    assert show.cue(1.0).state is State.CHATTING


def test_mute_is_told() -> None:
    show = cues(ButtonPressed(0.0, Button.MUTE))
    assert show.cue(0.0).muted
    show.note(ButtonPressed(0.0, Button.UNMUTE))
    assert not show.cue(0.0).muted


@pytest.mark.parametrize(("line", "heard", "marks"), [(RAID, "thanks", 1), (RAID, "", 0)])
def test_a_highlight_is_one_that_was_thanked_for(line: ChatLine, heard: str, marks: int) -> None:
    show = cues(TurnStarted(1.0, "main", "t1", line, False), ended(2.0, heard))
    assert [(at, why(line)) for at, line in show.marks] == [(2.0, "mika raided with 40 viewers")][:marks]


def test_what_is_no_highlight_is_not_marked() -> None:
    follow = replace(RAID, deed=Deed.FOLLOW)
    assert not cues(TurnStarted(1.0, "main", "t1", follow, False), ended(2.0, "thanks")).marks


def test_a_mark_has_the_deed_and_none_of_the_viewer_s_own_words() -> None:
    line = twitch_deed("l1", "mika", Deed.BITS, "cheered with 5 bits", "look at this")
    assert why(line) == "mika cheered with 5 bits"


@pytest.mark.parametrize("praised", [RAID, replace(RAID, id="l0", joined=(replace(RAID, id="l0"), RAID))])
def test_what_a_moderator_removed_is_no_highlight(praised: ChatLine) -> None:
    began, other = TurnStarted(1.0, "main", "t1", praised, False), replace(RAID, id="l2")
    assert not cues(began, LinesRemoved(1.5, ("l1",)), ended(2.0, "thanks")).marks, "while she thanks"
    late = cues(began, ended(2.0, "thanks"), TurnStarted(2.1, "main", "t2", other, False), ended(2.5, "too"))
    late.note(LinesRemoved(3.0, ("l1",)))
    assert list(late.marks) == [(2.5, other)], "before OBS had it"


def test_eyes_on_obs_need_obs() -> None:
    with pytest.raises(ConfigError, match="cure: broadcast=obs"):
        frames("obs:Game")


def test_an_output_that_there_is_not_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match="no 'video'; choose of stream, record, replay"):
        Obs(start=["video"])


@pytest.mark.anyio
async def test_no_obs_is_one_line_with_the_cure(port: int) -> None:
    async with Obs(port=port) as obs:
        with anyio.fail_after(10), pytest.raises(PortError, match=r"no OBS at .* cure: start OBS"):
            await obs.watch(lambda event: None, lambda: None)


async def silent(socket: ServerConnection) -> None:
    """obs-websocket 4, which OBS 27 has, waits to be spoken to."""
    await socket.wait_closed()


Answers = dict[str, dict[str, object]]


def recording(**more: dict[str, object]) -> Callable[[ServerConnection], Awaitable[None]]:
    """obs-websocket 5.0.0, which came with OBS 28: no congestion, no chapters; its replay buffer is off.
    `more` is what a newer one answers."""
    answers: Answers = {
        "GetSceneList": {"scenes": []},
        "GetInputList": {"inputs": []},
        "GetStreamStatus": {
            "outputActive": True,
            "outputReconnecting": False,
            "outputBytes": 5,
            "outputSkippedFrames": 0,
            "outputTotalFrames": 9,
        },
        "GetRecordStatus": {"outputActive": True, "outputDuration": 1500},
        "GetStats": {"renderSkippedFrames": 0, "renderTotalFrames": 9, "activeFps": 30.0},
        "GetCurrentProgramScene": {"currentProgramSceneName": "Scene"},
    }
    return partial(answering, answers | more)


async def answering(answers: Answers, socket: ServerConnection) -> None:
    await socket.send(json.dumps({"op": 0, "d": {"obsWebSocketVersion": "5.0.0", "rpcVersion": 1}}))
    assert json.loads(await socket.recv())["op"] == 1
    await socket.send(json.dumps({"op": 2, "d": {"negotiatedRpcVersion": 1}}))
    async for text in socket:
        asked = json.loads(text)["d"]
        kind, there = asked["requestType"], asked["requestType"] in answers
        status = {"result": there, "code": 100 if there else 204}
        d = {"requestType": kind, "requestId": asked["requestId"], "requestStatus": status}
        await socket.send(json.dumps({"op": 7, "d": d | ({"responseData": answers[kind]} if there else {})}))


@asynccontextmanager
async def speaking(peer: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[int]:
    async with serve(peer, "127.0.0.1", 0) as server:
        yield next(iter(server.sockets)).getsockname()[1]


@pytest.mark.anyio
async def test_an_obs_that_is_too_old_is_one_line_with_the_cure() -> None:
    async with speaking(silent) as port, Obs(port=port, timeout_s=0.3) as obs:
        with pytest.raises(TooSlow, match=r"says nothing .* cure: OBS 28 or newer"):
            await obs.watch(lambda event: None, lambda: None)


ODD: list[Answers] = [
    {"GetSceneList": {"scenes": None}},
    {"GetInputList": {"inputs": [{}]}},
    {"GetStats": {}},
    {"GetStreamStatus": {"outputActive": False, "outputReconnecting": False, "outputBytes": float("inf")}},
    {"GetRecordStatus": {"outputActive": True, "outputDuration": "long"}},
]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.anyio
async def test_an_odd_answer_is_an_outage_of_obs_and_ends_no_show(odd: Answers, tmp_path: Path) -> None:
    async with speaking(recording(**odd)) as port, Obs(tmp_path, port=port, highlights=[Deed.RAID]) as obs:
        obs.show(TurnStarted(0.0, "main", "t1", RAID, False))
        obs.show(ended(anyio.current_time(), "Thanks!"))
        with anyio.fail_after(10), pytest.raises(Unreachable, match=r"OBS at .* gave an odd answer"):
            await obs.watch(lambda event: None, lambda: None)


@pytest.mark.anyio
async def test_a_picture_that_is_none_is_an_outage_too() -> None:
    async with speaking(recording(GetSourceScreenshot={})) as port, Obs(port=port) as obs:
        works = anyio.Event()

        async def watch() -> None:
            with suppress(PortError):  # the connection is given up under it
                await obs.watch(lambda event: None, works.set)

        async with anyio.create_task_group() as tg:
            tg.start_soon(watch)
            with anyio.fail_after(10):
                await works.wait()
                with pytest.raises(Unreachable, match="odd answer"):
                    await to_thread.run_sync(obs.shot, "Game", 640)
            tg.cancel_scope.cancel()


async def highlighted(peer: Callable[[ServerConnection], Awaitable[None]], run_dir: Path) -> HighlightMarked:
    """What a raid leaves there."""
    told: list[Event] = []
    async with speaking(peer) as port, Obs(run_dir, port=port, highlights=[Deed.RAID]) as obs:
        obs.show(TurnStarted(0.0, "main", "t1", RAID, False))
        obs.show(ended(anyio.current_time(), "Thanks!"))
        async with anyio.create_task_group() as tg:
            tg.start_soon(obs.watch, told.append, lambda: None)
            with anyio.fail_after(10):
                while not any(isinstance(event, HighlightMarked) for event in told):  # noqa: ASYNC110  # nobody says when
                    await anyio.sleep(0.01)
            tg.cancel_scope.cancel()
    (mark,) = [event for event in told if isinstance(event, HighlightMarked)]
    return mark


MARKS = "00:00:00 Start\n00:00:01 mika raided with 40 viewers\n"


@pytest.mark.anyio
async def test_obs_28_on_another_machine_does_what_it_can(tmp_path: Path) -> None:
    mark = await highlighted(recording(), tmp_path)
    assert (mark.recorded, mark.chapter, mark.replay) == (1.5, False, False)
    assert Path(mark.file) == tmp_path / "recording.marks.txt"
    assert (tmp_path / "recording.marks.txt").read_text() == MARKS


@pytest.mark.anyio
async def test_a_newer_obs_gets_a_chapter_and_marks_beside_the_video(tmp_path: Path) -> None:
    for name, size in (("talk.mp4", 900), ("Replay.mp4", 200), ("old.mp4", 1000), ("notes.txt", 1000)):
        (tmp_path / name).write_bytes(bytes(size))
    os.utime(tmp_path / "old.mp4", (1.0, 1.0))
    status: dict[str, object] = {"outputActive": True, "outputDuration": 1500, "outputBytes": 1000}
    folder: dict[str, object] = {"recordDirectory": str(tmp_path)}
    newer = recording(
        GetRecordStatus=status, GetRecordDirectory=folder, CreateRecordChapter={}, SaveReplayBuffer={}
    )
    mark = await highlighted(newer, tmp_path / "run")
    assert mark.chapter and mark.replay
    assert Path(mark.file) == tmp_path / "talk.marks.txt"
    assert (tmp_path / "talk.marks.txt").read_text() == MARKS


def test_a_second_mark_goes_into_the_same_file(tmp_path: Path) -> None:
    for recorded in (1.9, 3725.2):
        file = marked(str(tmp_path / "elsewhere"), 0, tmp_path, recorded, "hello")
    assert file.read_text() == "00:00:00 Start\n00:00:01 hello\n01:02:05 hello\n"


@pytest.mark.parametrize(
    ("recording", "start", "told"),
    [(True, ["replay"], True), (False, [], True), (True, [], False), (True, ["record"], False)],
)
def test_a_replay_that_is_denied_is_one_line_for_who_asked_for_it_or_has_no_mark(
    recording: bool, start: list[str], told: bool, tmp_path: Path
) -> None:
    class NoReplay(Asked):
        def ask(self, request: str, **words: object) -> dict[str, object]:
            if request == "SaveReplayBuffer":
                raise Denied(request, 501, "Replay buffer is not active.")
            return super().ask(request, **words)

    link = cast(Link, NoReplay(outputActive=recording, outputDuration=1500))
    desk = Desk(link, {}, "", "", "", "", start, tmp_path)
    for number in range(2):
        mark = desk.mark("hello", float(number))
        assert not mark.replay and mark.chapter == recording
    line = "OBS saves no replay of a highlight; cure: broadcast.start=[replay]"
    assert desk.lacking == ({line} if told else set())


def test_marks_that_cannot_be_written_are_one_line_with_the_cure(tmp_path: Path) -> None:
    desk = Desk(
        cast(Link, Asked(outputActive=True, outputDuration=1500)), {}, "", "", "", "", [], tmp_path / "no"
    )
    assert not desk.mark("hello", 1.0).file
    assert [why for why in desk.lacking if "cure: " in why]


@pytest.mark.anyio
async def test_what_connects_when_the_show_is_over_leaves_no_connection() -> None:
    came: list[ServerConnection] = []

    async def peer(socket: ServerConnection) -> None:
        came.append(socket)
        await socket.wait_closed()

    async with speaking(peer) as port:
        link = Link("127.0.0.1", port, "", 0.3)
        link.close()
        with pytest.raises(PortError, match="the show is over"):
            await to_thread.run_sync(link.open)
    assert not came


class SlowToStart:
    """A Link to an OBS whose stream runs only some time after it was asked to."""

    def __init__(self) -> None:
        self.runs = False
        self.started = 0

    def ask(self, request: str, **words: object) -> dict[str, object]:
        self.started += request == "StartStream"
        counters = ["outputBytes", "outputSkippedFrames", "outputTotalFrames"]
        counters += ["renderSkippedFrames", "renderTotalFrames", "activeFps"]
        answer: dict[str, object] = dict.fromkeys(counters, 0)
        answer |= {"scenes": [], "inputs": [], "outputReconnecting": False, "currentProgramSceneName": "A"}
        return answer | {"outputActive": self.runs and "Stream" in request}


class Asked:
    """A Link to an OBS that does everything and gives every answer at once."""

    def __init__(self, **answer: object) -> None:
        self.asked: list[tuple[str, dict[str, object]]] = []
        self._answer = {"recordDirectory": "", **answer}

    def ask(self, request: str, **words: object) -> dict[str, object]:
        self.asked.append((request, words))
        return self._answer


def test_the_stream_is_started_again_after_each_start_of_obs() -> None:
    link = SlowToStart()
    desk = Desk(cast(Link, link), {}, "", "", "", "", ["stream"], Path())
    for number in range(1, 4):
        link.runs = False
        desk.learn()
        assert link.started == number and not desk.sample(1.0).streaming
        link.runs = True
        assert desk.sample(2.0).streaming
    link.runs = False
    desk.sample(3.0)
    desk.learn()
    assert link.started == 3, "somebody has stopped it"


SCENES = {state: f"My {state}" for state in State}


@pytest.mark.parametrize("game", ["", "http://127.0.0.1:8029/?token=x"])
@pytest.mark.parametrize(("caption", "playing"), [("Words", "Now"), ("", "")])
def test_every_scene_is_made_of_sources_that_there_are(caption: str, playing: str, game: str) -> None:
    pages = Pages("http://127.0.0.1/stage", game, [f"http://127.0.0.1/stage?who={who}" for who in "ab"])
    found = layout(SCENES, caption, playing, pages, (1920, 1080))
    names = {source.name for source in found.sources}
    assert set(found.scenes) == set(SCENES.values()) and len(names) == len(found.sources)
    for placed in found.scenes.values():
        assert placed and {each.source for each in placed} <= names
        for each in placed:
            where = each.transform(1920, 1080)
            assert 0 <= where["positionX"] <= 1920 and 0 <= where["positionY"] <= 1080
    assert ("Spark Board" in names) is bool(game)
    twins = [each.source for each in found.scenes[SCENES[State.TWINS]]]
    assert twins == ["Spark Avatar", "Spark Backdrop", "Spark Left", "Spark Right", *filter(None, [caption])]
    urls = {source.name: source.settings["url"] for source in found.sources if source.name in twins[2:4]}
    assert urls == dict(zip(twins[2:4], pages.twins, strict=True))


def test_a_twins_scene_without_a_name_leaves_the_usual_one_on() -> None:
    link = Asked()
    desk = Desk(cast(Link, link), {**SCENES, State.TWINS: ""}, "", "", "", "", [], Path())
    desk.follow(Cue(State.TWINS, "", "", False))
    assert link.asked == [("SetCurrentProgramScene", {"sceneName": SCENES[State.CHATTING]})]


def test_a_scene_without_a_name_is_left_to_the_user() -> None:
    assert list(layout({**SCENES, State.BRB: ""}, "", "", Pages(""), (640, 360)).scenes) == [
        name for state, name in SCENES.items() if state is not State.BRB
    ]


@pytest.mark.parametrize("anyio_backend", [VIRTUAL])
@pytest.mark.anyio
async def test_what_is_wrong_with_the_stream_is_mentioned_by_herself() -> None:
    fault = StreamFaltered(0.0, Fault.DROPPING, "3 of 30 frames", "The stream stutters. Mention it.")
    events = await perform((0.1, fault))
    (own,) = [event.line for event in events if isinstance(event, TurnStarted)]
    assert (own.source, own.text) == (Source.HERSELF, "The stream stutters. Mention it.")
    assert not closed(events)


def test_what_she_sings_is_what_is_playing_and_then_the_game_is_again() -> None:
    show = cues(GAME, SongStarted(2.0, "main", "t1", "Daisy Bell", 60.0))
    assert show.cue(2.0).playing == "\u266a Daisy Bell"
    assert (
        show.note(SongEnded(9.0, "main", "t1", "Daisy Bell", 6.0, 60.0)) and show.cue(9.0).playing == "Chess"
    )
