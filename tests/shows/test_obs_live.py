"""A show on air: launch.py, its stage's page in a Chromium, real OBS that records and streams it."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from faster_whisper import WhisperModel
from numpy.typing import NDArray
from obsws_python.baseclient import ObsClient

from glue.stage.obs import Obs
from glue.stage.obs_cues import State
from glue.stage.obs_layout import Pages
from glue.stage.obs_link import Link
from tests.need import need_browser
from tests.obs_peer import Peer, listener, obs, running, screen, sounds
from tests.shows.live import Live, launched
from tests.wires.speech_server import need

# alone, all of them: what a starved page plays is torn, and the show is not to be started twice
pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(300)]
HUM = 0.02  # of 1
METERS = 1 << 16  # obs-websocket's subscription to InputVolumeMeters
SCENES = {
    State.STARTING: "Spark Starting",
    State.CHATTING: "Spark Chatting",
    State.TWINS: "Spark Twins",
    State.GAME: "Spark Game",
    State.BRB: "Spark Be Right Back",
    State.ENDING: "Spark Ending",
}


@contextmanager
def page(live: Live, folder: Path, display: str, pulse: str) -> Iterator[None]:
    """The stage's page on a screen of its own, as a browser source shows it; it plays her voice."""
    browser = need_browser()
    address = live.url().replace("/?", "/stage?") + "&captions=0"
    words = "--no-sandbox --no-first-run --kiosk --window-position=0,0 --window-size=640,360 --disable-gpu"
    quiet = "--autoplay-policy=no-user-gesture-required --disable-features=Translate --password-store=basic"
    env = {"DISPLAY": display, "PULSE_SERVER": pulse, "HOME": str(folder)}
    with running(
        [browser, *words.split(), *quiet.split(), f"--user-data-dir={folder}/chromium", address], env
    ):
        yield


def furnish(ask: Callable[..., Any], display: str) -> None:
    """What Debian's OBS lacks a browser source for: the screen that shows the page, and its sound."""
    screen = {"advanced": True, "server": display, "show_cursor": False}
    words = {"inputName": "Spark Avatar", "inputKind": "xshm_input", "inputSettings": screen}
    avatar = ask("CreateInput", sceneName=SCENES[State.CHATTING], **words)["sceneItemId"]
    ask("SetSceneItemIndex", sceneName=SCENES[State.CHATTING], sceneItemId=avatar, sceneItemIndex=1)
    heard = {"inputName": "Voice", "inputKind": "pulse_output_capture"}
    ask("CreateInput", sceneName=SCENES[State.CHATTING], inputSettings={"device_id": "tts.monitor"}, **heard)


def frame_of(video: Path, at: float) -> NDArray[np.uint8]:
    """The frame `at` seconds, shape [360, 640, 3]."""
    argv = ["ffmpeg", "-loglevel", "error", "-ss", f"{at:.2f}", "-i", str(video), "-frames:v", "1"]
    raw = subprocess.run([*argv, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
    return np.frombuffer(raw.stdout, np.uint8).reshape(360, 640, 3)


def sound_of(video: Path) -> NDArray[np.float32]:
    """The sound, 16 kHz mono, -1 to 1."""
    argv = ["ffmpeg", "-loglevel", "error", "-i", str(video), "-f", "f32le", "-ar", "16000", "-ac", "1", "-"]
    return np.frombuffer(subprocess.run(argv, capture_output=True, check=True).stdout, np.float32)


def metered(peer: Peer, seconds: float) -> float:
    """A level, 0 to 1, of her voice that OBS's meter shows within so long, once it is more than a hum."""
    level, words = 0.0, {"host": "127.0.0.1", "port": peer.port, "password": peer.password}
    client = ObsClient(**words, subs=METERS, timeout=30)
    client.authenticate()
    deadline = time.monotonic() + seconds
    while level <= HUM and time.monotonic() < deadline:
        for meter in json.loads(client.ws.recv())["d"]["eventData"]["inputs"]:
            if meter["inputName"] == "Voice":
                level = max(level, *(value for channel in meter["inputLevelsMul"] for value in channel), 0.0)
    client.ws.shutdown()
    return level


def share_understood(said: str, heard: str) -> float:
    """The share of the words of `said` that are in `heard`, in their order."""
    meant, got = (re.findall(r"[a-z']+", text.lower()) for text in (said, heard))
    blocks = SequenceMatcher(None, meant, got, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(meant)


@dataclass
class OnAir:
    """A show, its OBS, a client of OBS, and what arrives at the stream's other end."""

    live: Live
    peer: Peer
    link: Link
    stream: Path


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnAir]:
    folder = tmp_path_factory.mktemp("air")
    with ExitStack() as stack:
        display = stack.enter_context(screen())
        pulse = stack.enter_context(sounds(folder))
        peer = stack.enter_context(obs(folder, pulse))
        stack.enter_context(listener(peer, folder / "stream.flv"))
        anyio.run(set_up, peer)
        link = Link("127.0.0.1", peer.port, peer.password, 10.0)
        link.open()
        stack.callback(link.close)
        furnish(link.ask, display)
        words = [f"broadcast.port={peer.port}", "broadcast.start=[record,stream]", "broadcast.linger_s=60"]
        stack.enter_context(environment("OBS_PASSWORD", peer.password))
        words += ["speaker=[page]", "persona=[main,evil]", "broadcast.together_s=1"]
        words += ["cast.main.max_tokens=20", "cast.evil.max_tokens=20"]
        live = stack.enter_context(launched(folder, "broadcast=obs", *words))
        live.until(live.url, within=120)
        stack.enter_context(page(live, folder, display, pulse))
        live.until(lambda: link.ask("GetStreamStatus")["outputBytes"] > 50_000, within=60)
        yield OnAir(live, peer, link, folder / "stream.flv")


def test_what_viewers_see_and_hear(show: OnAir) -> None:
    live, ask = show.live, show.link.ask
    live.type("/say Good evening everybody, I am so happy that you came to see me today.")
    live.until(lambda: any(e["stage"] == "audible" for e in live.events("StageReached")), within=60)
    assert metered(show.peer, 10.0) > HUM  # a page that draws on the same cores is late
    (ended,) = live.until(lambda: live.events("TurnEnded"), within=60)
    assert ask("GetCurrentProgramScene")["currentProgramSceneName"] == SCENES[State.CHATTING]

    def captioned() -> bool:
        words = str(ask("GetInputSettings", inputName="Spark Caption")["inputSettings"].get("text", ""))
        return words.startswith("Spark: ") and ended["heard"].endswith(words.removeprefix("Spark: "))

    live.until(captioned)
    until = ask("GetRecordStatus")["outputDuration"] / 1000 + 0.5
    live.until(lambda: ask("GetRecordStatus")["outputDuration"] / 1000 > until + 0.5)
    ask("StopRecord")
    live.until(lambda: not ask("GetRecordStatus")["outputActive"])
    (video,) = show.peer.videos.glob("*.mkv")
    picture = frame_of(video, until)
    red, green, blue = (picture[:260, 120:520, channel].astype(int) for channel in range(3))
    assert np.mean((red > 180) & (green > 120) & (blue < 100)) > 0.1, "her yellow hair is not in the picture"
    left = picture[300:350, 40:200].max(axis=2)  # beside her, where the page is white; "I" may be all of it
    assert np.count_nonzero(left < 60) > 30, "nor the caption's black outline"
    whisper = WhisperModel(
        str(need("whisper-tiny.en", "model.bin").parent), device="cpu", compute_type="int8"
    )
    segments, _ = whisper.transcribe(sound_of(video), beam_size=1)
    assert share_understood(ended["heard"], " ".join(segment.text for segment in segments)) > 0.5
    live.until(lambda: show.stream.stat().st_size > 100_000)


def test_the_second_one_who_speaks_brings_their_scene(show: OnAir) -> None:
    live, ask = show.live, show.link.ask

    def scene() -> str:
        return str(ask("GetCurrentProgramScene")["currentProgramSceneName"])

    live.type("bo: Evil, what are you plotting?")
    live.until(lambda: scene() == SCENES[State.TWINS], within=60)
    live.until(lambda: [e for e in live.events("TurnEnded") if e["who"] == "evil"], within=60)
    live.until(lambda: scene() == SCENES[State.CHATTING], within=60)


def test_obs_dies_and_the_show_notices_a_line_in_the_journal(show: OnAir) -> None:
    live = show.live
    answered = list(live.fates().values()).count("answered")
    show.peer.kill()
    live.type("zoe: Spark, say yes or no: are you still there?")
    live.until(lambda: list(live.fates().values()).count("answered") > answered, within=60)
    show.peer.start()
    live.until(lambda: live.events("PartRecovered"), within=60)
    parts = [event["part"] for event in live.events("PartDegraded")]
    assert set(parts) == {"broadcast"} and len(parts) <= 2
    assert not any("Traceback" in line or show.peer.password in line for line in live.said)


async def set_up(peer: Peer) -> None:
    names: dict[str, Any] = {"caption": "Spark Caption", "playing": "Spark Now Playing"}
    async with Obs(port=peer.port, password=peer.password, scenes=SCENES, **names) as broadcast:
        await broadcast.set_up("Spark VTuber", Pages("http://127.0.0.1:8020/stage"), lambda line: None)


@contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        yield
