"""The broadcast's adapter against real OBS: a scene collection made, a show followed, bad days survived."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from anyio import to_thread
from numpy.typing import NDArray

from engines.checkup import wires
from glue.broadcast_events import BroadcastLacking, BroadcastMeasured, Fault, HighlightMarked, StreamFaltered
from glue.chat_events import Deed
from glue.errors import PortError, Refused, TooSlow
from glue.events import (
    Button,
    ButtonPressed,
    CaptionShown,
    ChatLine,
    Ending,
    Event,
    PartDegraded,
    PartRecovered,
    Source,
    StageTaken,
    TurnEnded,
    TurnStarted,
)
from glue.game_events import GameChanged
from glue.senses.frames import frames
from glue.stage.obs import Obs
from glue.stage.obs_cues import State
from glue.stage.obs_layout import Pages
from glue.stage.obs_link import Link
from glue.supervise import Patience, supervise
from tests.obs_peer import Peer, listener, obs

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(240)]
ROOT = Path(__file__).parent.parent.parent
SCENES = {state: f"Spark {state.value}" for state in State}
NAMES: dict[str, Any] = {"scenes": SCENES, "caption": "Spark Caption", "playing": "Spark Now Playing"}
PAGE = "http://127.0.0.1:8020/stage?token=t0ken&captions=0"
PAGES = Pages(PAGE, twins=[f"{PAGE}&sound=0&who={who}" for who in ("main", "evil")])
RAID = ChatLine("l1", "mika", "raided with 40 viewers", Source.TWITCH, supporter=True, deed=Deed.RAID)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with obs(tmp_path_factory.mktemp("obs")) as peer:
        yield peer


def adapter(peer: Peer, **words: Any) -> Obs:
    """Ours, with the collection's names unless `words` has others."""
    return Obs(port=peer.port, **{"password": peer.password, **NAMES, **words})


@asynccontextmanager
async def on_air(peer: Peer, **words: Any) -> AsyncIterator[tuple[Obs, list[Event]]]:
    """The adapter under its supervisor, connected; and all that was told."""
    told: list[Event] = []
    works = anyio.Event()

    async def watch(connected: Callable[[], None]) -> None:
        def both() -> None:
            connected()
            works.set()

        await broadcast.watch(told.append, both)

    async with adapter(peer, **words) as broadcast, anyio.create_task_group() as tg:
        patience = Patience(first=0.1, most=0.5, settled=0.1)
        tg.start_soon(partial(supervise, "broadcast", watch, told.append, patience))
        with anyio.fail_after(60):
            await works.wait()
        yield broadcast, told
        tg.cancel_scope.cancel()


@pytest.fixture
def ask(peer: Peer) -> Iterator[Callable[..., Any]]:
    """A client of our own, to look at what is really there."""
    link = Link("127.0.0.1", peer.port, peer.password, 10.0)
    link.open()
    yield link.ask
    link.close()


async def until(done: Callable[[], Any], within: float = 60.0) -> Any:
    with anyio.fail_after(within):
        while True:
            if found := await to_thread.run_sync(done):
                return found
            await anyio.sleep(0.05)


def says(text: str, spoken: int) -> CaptionShown:
    return CaptionShown(0.0, "main", "t1", 0, text, spoken)


def white(picture: NDArray[np.uint8]) -> float:
    """Its share of the lower third."""
    return float(np.mean(picture[240:].min(axis=2) > 200))


def placed(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A scene's items without the sizes that OBS measures, a frame or two after it made them."""
    measured = ("width", "height", "sourceWidth", "sourceHeight")
    for row in items:
        row["sceneItemTransform"] = {k: v for k, v in row["sceneItemTransform"].items() if k not in measured}
    return items


async def test_a_collection_is_made_and_the_second_time_nothing_changes(
    peer: Peer, ask: Callable[..., Any]
) -> None:
    first: list[str] = []
    async with adapter(peer) as broadcast:
        await broadcast.set_up("Spark VTuber", PAGES, first.append)
    names = list(SCENES.values())
    await until(lambda: [row["sceneName"] for row in ask("GetSceneList")["scenes"]][::-1] == names)
    assert ask("GetSceneCollectionList")["currentSceneCollectionName"] == "Spark VTuber"
    items = ask("GetSceneItemList", sceneName=SCENES[State.GAME])["sceneItems"]
    assert {"Spark Capture", "Spark Caption", "Spark Now Playing"} <= {row["sourceName"] for row in items}
    two = ask("GetSceneItemList", sceneName=SCENES[State.TWINS])["sceneItems"]
    assert {"Spark Backdrop", "Spark Caption"} <= {row["sourceName"] for row in two}
    assert "t0ken" not in "".join(first)
    for told in (f"'{SCENES[State.STARTING]}' is on", "removed OBS's empty 'Scene'"):
        assert told in first
    if "browser_source" not in ask("GetInputKindList")["inputKinds"]:
        assert any("has no browser source" in line and "cure: " in line for line in first)
    before = json.dumps([ask("GetSceneList"), ask("GetInputList"), placed(items)])
    second: list[str] = []
    async with adapter(peer) as broadcast:
        await broadcast.set_up("Spark VTuber", PAGES, second.append)
    assert second[-1] == "all of it was there; nothing was changed"
    items = ask("GetSceneItemList", sceneName=SCENES[State.GAME])["sceneItems"]
    assert json.dumps([ask("GetSceneList"), ask("GetInputList"), placed(items)]) == before


async def test_what_was_removed_is_put_back_where_it_stood(peer: Peer, ask: Callable[..., Any]) -> None:
    def order() -> list[str]:
        items = ask("GetSceneItemList", sceneName=SCENES[State.CHATTING])["sceneItems"]
        return [row["sourceName"] for row in sorted(items, key=lambda row: int(row["sceneItemIndex"]))]

    async with adapter(peer) as broadcast:
        await broadcast.set_up("Spark VTuber", PAGES, lambda line: None)
    before, words = order(), {"sceneName": SCENES[State.CHATTING]}
    backdrop = ask("GetSceneItemId", **words, sourceName="Spark Backdrop")["sceneItemId"]
    ask("RemoveSceneItem", **words, sceneItemId=backdrop)
    await until(lambda: order() == before[1:])
    async with adapter(peer) as broadcast:
        await broadcast.set_up("Spark VTuber", PAGES, lambda line: None)
    await until(lambda: order() == before)
    assert before[0] == "Spark Backdrop" and len(before) > 1


async def test_the_command_sets_it_up_once(
    peer: Peer, tmp_path: Path, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBS_PASSWORD", peer.password)
    words = ["+show=obs_setup", f"broadcast.port={peer.port}", "obs_setup.collection=By command"]
    words += [f"console.token_file={tmp_path / 'token'}", f"hydra.run.dir={tmp_path / 'run'}"]
    argv, said = [sys.executable, "launch.py", *words], list[str]()
    for _ in range(2):
        done = await anyio.run_process(argv, cwd=ROOT, check=False)
        said.append((done.stdout + done.stderr).decode())
        assert done.returncode == 0, said[-1]
    assert "'Spark Starting' is on" in said[0] and "nothing was changed" in said[1]
    token = (tmp_path / "token").read_text().strip()
    assert token not in "".join(said) and peer.password not in "".join(said)
    assert ask("GetSceneCollectionList")["currentSceneCollectionName"] == "By command"
    await to_thread.run_sync(partial(ask, "SetCurrentSceneCollection", sceneCollectionName="Spark VTuber"))


async def test_in_the_users_own_collection_what_is_on_stays_on(peer: Peer, ask: Callable[..., Any]) -> None:
    def there() -> set[str]:
        return {str(row["sceneName"]) for row in ask("GetSceneList")["scenes"]}

    await to_thread.run_sync(partial(ask, "CreateSceneCollection", sceneCollectionName="Own"))
    await until(lambda: there() == {"Scene"})
    ask("CreateScene", sceneName="Not filled yet")
    ask("SetCurrentProgramScene", sceneName="Not filled yet")
    said: list[str] = []
    for collection in ("Own", ""):
        async with adapter(peer) as broadcast:
            await broadcast.set_up(collection, PAGES, said.append)
    assert there() == {"Scene", "Not filled yet", *SCENES.values()}
    assert ask("GetCurrentProgramScene")["currentProgramSceneName"] == "Not filled yet"
    assert not [line for line in said if "is on" in line or "removed" in line]
    await to_thread.run_sync(partial(ask, "SetCurrentSceneCollection", sceneCollectionName="Spark VTuber"))
    await until(lambda: "Not filled yet" not in there())


async def test_scene_caption_and_mute_follow_the_show(peer: Peer, ask: Callable[..., Any]) -> None:
    def scene() -> str:
        return str(ask("GetCurrentProgramScene")["currentProgramSceneName"])

    def text(source: str = "Spark Caption") -> str:
        return str(ask("GetInputSettings", inputName=source)["inputSettings"].get("text", ""))

    def muted() -> bool:
        return bool(ask("GetInputMute", inputName="Sound")["inputMuted"])

    words = {"sceneName": SCENES[State.CHATTING], "inputName": "Sound", "inputKind": "pulse_output_capture"}
    ask("CreateInput", **words)
    ask("SetCurrentSceneTransition", transitionName="Cut")
    more: dict[str, Any] = {"voice": "Sound", "transition": "Fade", "together_s": 1.0, "linger_s": 0.3}
    async with on_air(peer, **more) as (broadcast, told):

        def seen() -> float:
            picture = frames("obs", broadcast).next(640)
            return float("nan") if picture is None or picture.shape != (360, 640, 3) else white(picture)

        await until(lambda: scene() == SCENES[State.STARTING])
        assert ask("GetCurrentSceneTransition")["transitionName"] == "Fade"
        broadcast.show(TurnStarted(0.0, "main", "t1", RAID, False))
        await until(lambda: scene() == SCENES[State.CHATTING])
        await until(lambda: seen() < 0.001)
        broadcast.show(says("Hello there, chat! How is everybody today?", 16))
        await until(lambda: text() == "Hello there, chat!"[:16])
        await until(lambda: seen() > 0.005)
        broadcast.show(ButtonPressed(0.0, Button.MUTE))
        await until(muted)
        broadcast.show(ButtonPressed(0.0, Button.UNMUTE))
        broadcast.show(TurnEnded(anyio.current_time(), "main", "t1", Ending.FINISHED, "", "Hello there"))
        await until(lambda: not muted() and not text())
        broadcast.show(GameChanged(0.0, "main", "Minecraft", True, False, (), (), "", ""))
        await until(lambda: scene() == SCENES[State.GAME] and "Minecraft" in text("Spark Now Playing"))
        broadcast.show(GameChanged(0.0, "main", "Minecraft", False, False, (), (), "", ""))
        await until(lambda: scene() == SCENES[State.CHATTING] and not text("Spark Now Playing"))
        for who in ("main", "evil"):
            broadcast.show(StageTaken(0.0, who, who.title()))
        broadcast.show(TurnStarted(0.0, "evil", "t2", RAID, False))
        await until(lambda: scene() == SCENES[State.TWINS])
        broadcast.show(TurnEnded(anyio.current_time(), "evil", "t2", Ending.FINISHED, "", "Kneel."))
        await until(lambda: scene() == SCENES[State.CHATTING])
        broadcast.show(ButtonPressed(0.0, Button.STOP))
        await until(lambda: scene() == SCENES[State.BRB])
        assert not [event for event in told if isinstance(event, BroadcastLacking | PartDegraded)]
    await until(lambda: scene() == SCENES[State.ENDING])


async def test_a_highlight_saves_the_replay_and_is_found_in_the_recording(
    peer: Peer, ask: Callable[..., Any]
) -> None:
    async with on_air(peer, start=["record", "replay"], highlights=[Deed.RAID]) as (broadcast, told):
        await until(lambda: ask("GetReplayBufferStatus")["outputActive"])
        await until(lambda: ask("GetRecordStatus")["outputDuration"] > 1000)
        broadcast.show(TurnStarted(0.0, "main", "t1", RAID, False))
        now = anyio.current_time()
        broadcast.show(TurnEnded(now, "main", "t1", Ending.FINISHED, "Thanks!", "Thanks!"))
        (mark,) = await until(lambda: [e for e in told if isinstance(e, HighlightMarked)])
        assert mark.why == "mika raided with 40 viewers" and mark.recorded > 0.5
        assert mark.replay
        assert mark.chapter <= ("CreateRecordChapter" in ask("GetVersion")["availableRequests"])
        await until(lambda: list(peer.videos.glob("Replay*")))
        (video,) = [path for path in peer.videos.glob("*.mkv") if "Replay" not in path.name]
        marks = video.with_suffix(".marks.txt")
        assert Path(mark.file) == marks
        assert marks.read_text() == f"00:00:00 Start\n00:00:{int(mark.recorded):02} {mark.why}\n"
    await until(lambda: not ask("GetRecordStatus")["outputActive"])


async def test_what_the_user_of_obs_does_by_hand_stays(peer: Peer, ask: Callable[..., Any]) -> None:
    ask("SetInputMute", inputName="Sound", inputMuted=True)
    async with on_air(peer, start=["record"], voice="Sound") as (broadcast, told):

        def noticed() -> list[bool]:
            return [e.recording for e in told if isinstance(e, BroadcastMeasured)][-1:]

        await until(lambda: noticed() == [True])
        assert ask("GetInputMute", inputName="Sound")["inputMuted"]
        ask("StopRecord")
        await until(lambda: noticed() == [False])
        broadcast._link.abort()
        await until(lambda: [e for e in told if isinstance(e, PartRecovered)])
        assert not ask("GetRecordStatus")["outputActive"]
    ask("SetInputMute", inputName="Sound", inputMuted=False)


async def test_obs_killed_and_started_again_is_brought_up_to_date(peer: Peer) -> None:
    async with on_air(peer) as (broadcast, told):
        peer.kill()
        (down,) = await until(lambda: [e for e in told if isinstance(e, PartDegraded)])
        assert "cure: start OBS" in down.why or "hung up" in down.why
        broadcast.show(TurnStarted(0.0, "main", "t1", RAID, False))
        broadcast.show(says("I am still here", 15))
        await to_thread.run_sync(peer.start)
        await until(lambda: [e for e in told if isinstance(e, PartRecovered)])
        with_it = Link("127.0.0.1", peer.port, peer.password, 10.0)
        await to_thread.run_sync(with_it.open)
        collection = {"sceneCollectionName": "Spark VTuber"}  # it was started with another one
        await to_thread.run_sync(partial(with_it.ask, "SetCurrentSceneCollection", **collection))
        current = partial(with_it.ask, "GetCurrentProgramScene")

        def chatting() -> bool:
            try:
                return bool(current()["currentProgramSceneName"] == SCENES[State.CHATTING])
            except Refused:  # while it loads the collection
                return False

        def told_again() -> bool:  # the scene comes first
            words = with_it.ask("GetInputSettings", inputName="Spark Caption")["inputSettings"]
            return bool(words.get("text") == "I am still here")

        await until(chatting)
        await until(told_again)
        with_it.close()


async def test_the_stream_is_started_again_after_every_start_of_obs(peer: Peer, tmp_path: Path) -> None:
    def stream() -> dict[str, Any]:
        link = Link("127.0.0.1", peer.port, peer.password, 10.0)
        with suppress(PortError), closing(link):  # while it starts
            link.open()
            return link.ask("GetStreamStatus")
        return {}

    async with AsyncExitStack() as show:
        for number in range(3):
            with listener(peer, tmp_path / f"{number}.flv"):
                if number:
                    await to_thread.run_sync(peer.start)
                else:
                    await show.enter_async_context(on_air(peer, start=["stream"]))
                await until(lambda: stream().get("outputBytes"))
                if number < 2:
                    peer.kill()
                else:
                    await show.aclose()
                    await until(lambda: stream().get("outputActive") is False)


async def test_an_obs_that_hangs_holds_nobody_up(peer: Peer) -> None:
    assert peer.process is not None
    async with adapter(peer, timeout_s=2.0) as broadcast, anyio.create_task_group() as tg:
        ended = anyio.Event()
        works = anyio.Event()

        async def watch() -> None:
            with pytest.raises(TooSlow):
                await broadcast.watch(lambda event: None, works.set)
            ended.set()

        tg.start_soon(watch)
        await works.wait()
        peer.process.send_signal(signal.SIGSTOP)
        try:
            rounds = 0
            while not ended.is_set():
                broadcast.show(says("still here", 5))
                await anyio.sleep(0.01)
                rounds += 1
        finally:
            peer.process.send_signal(signal.SIGCONT)
        assert rounds > 5, "the event loop stood still while OBS did"


async def test_a_stream_to_nowhere_is_noticed(peer: Peer) -> None:
    async with on_air(peer, start=["stream"], patience_s=0.5) as (_, told):
        faults = await until(lambda: [e for e in told if isinstance(e, StreamFaltered)])
        assert faults[0].fault in (Fault.OFF_AIR, Fault.RECONNECTING) and "cure: " in faults[0].why


async def test_other_scene_names_are_one_line_each(peer: Peer) -> None:
    scenes = {State.CHATTING: "My Scene"}
    async with on_air(peer, scenes=scenes, caption="", playing="", transition="Swirl") as (_, told):
        await until(lambda: [e for e in told if isinstance(e, BroadcastLacking)][1:])
        lacking = [e.why for e in told if isinstance(e, BroadcastLacking)]
        assert len(lacking) == 2 and all("cure: " in why for why in lacking)
        assert any("no 'My Scene'; its scenes are '" in why and "broadcast.scenes" in why for why in lacking)


async def test_a_wrong_password_is_one_line_and_is_in_no_log(
    peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with adapter(peer, password="sesame123") as broadcast:
        with pytest.raises(PortError, match="refuses the password; cure: OBS_PASSWORD="):
            await broadcast.watch(lambda event: None, lambda: None)
    async with adapter(peer, password="") as broadcast:
        with pytest.raises(PortError, match="no password was given; cure: "):
            await broadcast.watch(lambda event: None, lambda: None)
    assert "sesame123" not in caplog.text and "Traceback" not in caplog.text


async def test_eyes_on_a_source_that_is_not_there(peer: Peer) -> None:
    async with on_air(peer) as (broadcast, _):
        with pytest.raises(Refused, match=r"no source 'Nothing'; cure: eyes\.source=obs:NAME"):
            await to_thread.run_sync(frames("obs:Nothing", broadcast).next, 640)


async def test_the_doctor_asks_obs_itself(peer: Peer) -> None:
    there = {"address": f"ws://127.0.0.1:{peer.port}"}
    assert (await wires.obs({**there, "password": peer.password})).startswith("obs-websocket 5.")
    for password in ("sesame123", ""):
        with pytest.raises(wires.Wrong, match=r"obs-websocket 5\..* refuses OBS_PASSWORD"):
            await wires.obs({**there, "password": password})
