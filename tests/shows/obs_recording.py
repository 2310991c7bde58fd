"""`python -m tests.shows.obs_recording FOLDER [SECONDS]`: a show of Minecraft as real OBS records it.

Viewers ask for six things while she plays. FOLDER then holds the video with its pictures, the journal and the
report; what she did, and what Whisper hears of what she said, is printed. Debian's OBS has no browser source,
so it captures the screens of two Chromiums: the map, and /stage before a green that is keyed out, as a
browser source's transparency would be.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import anyio
from faster_whisper import WhisperModel
from playwright.sync_api import BrowserType, sync_playwright

from engines.port import unused
from glue.report.write import write
from glue.stage.obs_cues import State
from glue.stage.obs_layout import BOTTOM_RIGHT, Placed
from glue.stage.obs_link import Link
from tests.need import need_browser
from tests.obs_peer import Peer, obs, screen, sounds
from tests.shows.live import PORTS, Live, launched
from tests.shows.test_obs_live import SCENES, environment, set_up, share_understood, sound_of
from tests.wires.speech_server import need

CANVAS = (640, 360)  # as tests/obs_peer.py sets OBS up
ALONE = (500, 360)  # the picture that she is in; Chromium makes no window narrower
ASKED = (
    "mika: Spark, please dig a hole!",
    "bo: can you collect some wood?",
    "zoe: what do you have in your inventory?",
    "lee: make a crafting table!",
    "ann: say hello in the game please",
    "max: look around you, what is there?",
)
GREEN = "html { background: #00ff00 !important; }"
FLAGS = "--no-sandbox --no-first-run --kiosk --window-position=0,0 --disable-gpu --password-store=basic"
PICTURE_EVERY = 15  # seconds
PATIENCE_MS = 120_000  # both cores are busy


@contextmanager
def shown(
    chromium: BrowserType,
    address: str,
    size: tuple[int, int],
    style: str,
    folder: Path,
    env: Mapping[str, str],
) -> Iterator[None]:
    """A page on a whole screen."""
    words = [f"--window-size={size[0]},{size[1]}", "--autoplay-policy=no-user-gesture-required"]
    window = chromium.launch_persistent_context(
        folder,
        executable_path=need_browser(),
        headless=False,
        no_viewport=True,
        bypass_csp=True,  # of the style that is put in
        args=[*FLAGS.split(), *words],
        ignore_default_args=["--mute-audio", "--enable-automation"],
        env={**os.environ, **env},
        timeout=PATIENCE_MS,
    )
    page = window.pages[0]
    page.goto(address, timeout=PATIENCE_MS)
    if style:
        page.add_style_tag(content=style)
    yield
    window.close()


def furnish(link: Link, map_at: str, her_at: str) -> None:
    """Both screens into the scenes, the map lowest; and her voice."""
    capture = {"advanced": True, "show_cursor": False}
    key = {"key_color_type": "green", "similarity": 300, "smoothness": 60}
    made: dict[str, tuple[str, dict[str, Any]]] = {
        "Spark Map": ("xshm_input", capture | {"server": map_at}),
        "Spark Avatar": ("xshm_input", capture | {"server": her_at}),
        "Voice": ("pulse_output_capture", {"device_id": "tts.monitor"}),
    }
    corner = Placed("Spark Avatar", (1.0, 1.0), BOTTOM_RIGHT, (0.4, 0.66))
    where = {"Spark Map": Placed("Spark Map", box=(1.0, 1.0)), "Spark Avatar": corner}
    for state in (State.GAME, State.CHATTING):
        scene = SCENES[state]
        for index, (name, (kind, settings)) in enumerate(made.items(), 1):
            if state is State.GAME:
                words: dict[str, Any] = {"inputName": name, "inputKind": kind, "inputSettings": settings}
                item = link.ask("CreateInput", sceneName=scene, **words)["sceneItemId"]
            elif name != "Spark Map":
                item = link.ask("CreateSceneItem", sceneName=scene, sourceName=name)["sceneItemId"]
            else:
                continue
            link.ask("SetSceneItemIndex", sceneName=scene, sceneItemId=item, sceneItemIndex=index)
            if name in where:
                place: dict[str, Any] = {"sceneItemTransform": where[name].transform(*CANVAS)}
                link.ask("SetSceneItemTransform", sceneName=scene, sceneItemId=item, **place)
    green: dict[str, Any] = {"filterKind": "chroma_key_filter_v2", "filterSettings": key}
    link.ask("CreateSourceFilter", sourceName="Spark Avatar", filterName="No green", **green)


def perform(live: Live, link: Link, seconds: float) -> None:
    """Type what is asked for, evenly spread; then end the recording."""
    live.until(lambda: live.events("GameChanged"), within=180)
    live.until(lambda: link.ask("GetRecordStatus")["outputDuration"] > 2000, within=60)
    apart = seconds / len(ASKED)
    for line in ASKED:
        live.type(line)
        time.sleep(apart)
    link.ask("StopRecord")
    live.until(lambda: not link.ask("GetRecordStatus")["outputActive"], within=30)


def record(folder: Path, seconds: float) -> Path:
    """The whole show; the video."""
    ports = {
        key: unused()
        for key in (*PORTS, "games.adapter.port", "minecraft.engine.port", "embeddings.engine.port")
    }
    with ExitStack() as stack:
        enter = stack.enter_context
        her_at, map_at = enter(screen("360x360x24")), enter(screen("640x360x24"))
        pulse = enter(sounds(folder))
        peer: Peer = enter(obs(folder, pulse))
        anyio.run(set_up, peer)
        link = Link("127.0.0.1", peer.port, peer.password, 20.0)
        link.open()
        stack.callback(link.close)
        furnish(link, map_at, her_at)
        enter(environment("OBS_PASSWORD", peer.password))
        words = [
            "+show=minecraft",
            "broadcast=obs",
            f"broadcast.port={peer.port}",
            "broadcast.start=[record]",
        ]
        words += ["speaker=[page]", f"minecraft.engine.skills={folder}"]
        live = enter(launched(folder, *words, ports=ports, small=False))
        live.until(live.url, within=300)
        pages = {"DISPLAY": her_at, "PULSE_SERVER": pulse}, {"DISPLAY": map_at, "PULSE_SERVER": pulse}
        stage = live.url().replace("/?", "/stage?") + "&captions=0"
        chromium = enter(sync_playwright()).chromium
        enter(shown(chromium, stage, ALONE, GREEN, folder / "her", pages[0]))
        map_page = f"http://127.0.0.1:{ports['minecraft.engine.port']}/map"
        enter(shown(chromium, map_page, CANVAS, "", folder / "map", pages[1]))
        perform(live, link, seconds)
        return next(path for path in peer.videos.glob("*.mkv") if "Replay" not in path.name)


def tell(folder: Path, video: Path) -> None:
    """What was said, heard and done."""
    say = sys.stdout.write
    write(folder / "run")
    live = Live(None, folder / "run", {})  # type: ignore[arg-type]  # it has ended; its journal is there
    for event in live.events("ActionChosen"):
        say(f"chose  {event['name']} {event['data'][:60]} ({event['by']}, {event['took']:.1f} s)\n")
    for event in live.events("ActionJudged"):
        say(f"judged {event['success']}: {event['message'][:100]}\n")
    said = " ".join(event["heard"] for event in live.events("TurnEnded"))
    model = WhisperModel(str(need("whisper-tiny.en", "model.bin").parent), device="cpu", compute_type="int8")
    heard = " ".join(segment.text.strip() for segment in model.transcribe(sound_of(video), beam_size=1)[0])
    say(f"said:  {said}\nheard: {heard}\nunderstood: {share_understood(said or 'nothing', heard):.2f}\n")
    rate = f"fps=1/{PICTURE_EVERY}"
    argv = [
        "ffmpeg",
        "-loglevel",
        "error",
        "-y",
        "-i",
        str(video),
        "-vf",
        rate,
        str(folder / "picture-%02d.png"),
    ]
    subprocess.run(argv, check=True)
    say(f"video: {video}\npictures: {folder}/picture-*.png\n")


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True)
    tell(folder, record(folder, float(sys.argv[2]) if len(sys.argv) > 2 else 150.0))


if __name__ == "__main__":
    main()
