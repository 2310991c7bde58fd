"""Real OBS under Xvfb, for tests. obs-websocket listens on every address of the machine, so OBS runs in a
network namespace of its own where that is allowed; bridges lead in. A random password in any case."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engines.port import unused
from tests.need import need_program

ROOT = Path(__file__).parent.parent
INSIDE = 4455  # OBS's port in its namespace
SCENES = "T"  # its profile and scene collection at the start

GLOBAL = """[General]
FirstRun=true
LastVersion=486539266
EnableAutoUpdates=false
[Basic]
Profile=T
ProfileDir=T
SceneCollection=T
SceneCollectionFile=T
[BasicWindow]
SysTrayEnabled=false
WarnBeforeStartingStream=false
PreviewEnabled=false
[OBSWebSocket]
FirstLoad=false
ServerEnabled=true
ServerPort={port}
AlertsEnabled=false
AuthRequired=true
ServerPassword={password}
"""
PROFILE = """[General]
Name=T
[Video]
BaseCX=640
BaseCY=360
OutputCX=640
OutputCY=360
FPSCommon=10
[Output]
Mode=Simple
RetryDelay=1
[SimpleOutput]
FilePath={videos}
RecFormat=mkv
RecQuality=Stream
VBitrate=800
StreamEncoder=x264
Preset=ultrafast
UseAdvanced=true
x264Settings=keyint=10
RecRB=true
RecRBTime=10
"""


@contextmanager
def running(
    argv: Sequence[str | Path], env: Mapping[str, str] | None = None, **words: object
) -> Iterator[subprocess.Popen[str]]:
    """A child that is ended, and killed where it does not end."""
    process = subprocess.Popen(
        [str(word) for word in argv],
        cwd=words.get("cwd", ROOT),  # type: ignore[call-overload]  # a number, a file or a path
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=words.get("stdout", subprocess.DEVNULL),
        stderr=words.get("stderr", subprocess.DEVNULL),
        pass_fds=words.get("pass_fds", ()),
        text=True,
    )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(30)
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def screen(size: str = "640x360x24") -> Iterator[str]:
    """An X server of its own; its DISPLAY."""
    program = need_program("Xvfb", "sudo apt install xvfb")
    reading, writing = os.pipe()
    argv: list[str | Path] = [program, "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp"]
    argv.append("-noreset")  # else it refuses, for a moment, whoever comes when its last client has gone
    with running(argv, pass_fds=[writing]):
        os.close(writing)
        with os.fdopen(reading) as said:
            number = said.readline().strip()
        yield f":{number}"


@contextmanager
def sounds(folder: Path) -> Iterator[str]:
    """A PulseAudio server of its own with a silent device `tts`; its PULSE_SERVER."""
    program = need_program("pulseaudio", "sudo apt install pulseaudio pulseaudio-utils")
    path = folder / "pulse"
    state = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PULSE_RUNTIME_PATH": str(folder)}
    modules = [
        "module-null-sink sink_name=tts rate=48000",
        f"module-native-protocol-unix auth-anonymous=1 socket={path}",
    ]
    loads = [word for module in modules for word in ("-L", module)]
    argv: list[str | Path] = [
        program,
        "-n",
        "--daemonize=no",
        "--exit-idle-time=-1",
        "--disallow-exit",
        *loads,
    ]
    with running(argv, state):
        until(path.exists)
        yield f"unix:{path}"


def until(done: object, within: float = 60.0) -> None:
    """Ask `done()` until it is true."""
    assert callable(done)
    deadline = time.monotonic() + within
    while not done():
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.02)


@dataclass
class Peer:
    """OBS that can be started, killed and started again, at the same port for us."""

    home: Path
    display: str
    pulse: str = ""
    password: str = field(default_factory=lambda: secrets.token_hex(8))
    port: int = field(default_factory=unused)
    rtmp: int = field(default_factory=unused)  # where it streams to
    inside: list[str] = field(default_factory=list)  # what runs a command where OBS is
    process: subprocess.Popen[str] | None = None

    @property
    def videos(self) -> Path:
        return self.home / "videos"

    def write(self) -> None:
        """What OBS reads at its start: no wizard, no window that asks, the websocket on."""
        base, port = self.home / "obs-studio", INSIDE if self.inside else self.port
        files = {
            "global.ini": GLOBAL.format(port=port, password=self.password),
            "basic/profiles/T/basic.ini": PROFILE.format(videos=self.videos),
            "basic/profiles/T/service.json": json.dumps(
                {
                    "type": "rtmp_custom",
                    "settings": {"server": f"rtmp://127.0.0.1:{self.rtmp}/live", "key": "k"},
                }
            ),
            "plugin_config/obs-websocket/config.json": json.dumps(  # read by OBS 30 and newer
                {
                    "first_load": False,
                    "server_enabled": True,
                    "server_port": port,
                    "alerts_enabled": False,
                    "auth_required": True,
                    "server_password": self.password,
                }
            ),
        }
        for name, text in files.items():
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            (base / name).write_text(text, encoding="utf-8")
        (base / "basic/scenes").mkdir(exist_ok=True)
        self.videos.mkdir(exist_ok=True)

    def start(self) -> None:
        """Start it and wait until its websocket answers."""
        env = {
            "XDG_CONFIG_HOME": str(self.home),
            "DISPLAY": self.display,
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "QT_QPA_PLATFORM": "xcb",
            "PULSE_SERVER": self.pulse or "unix:/nowhere",
        }
        words = "--multi --disable-missing-files-check --disable-updater --minimize-to-tray"
        argv = [*self.inside, "obs", *words.split(), "--collection", SCENES, "--profile", SCENES]
        log = (self.home / "obs.log").open("a", encoding="utf-8")
        with log:
            self.process = subprocess.Popen(
                argv, env=_plain() | env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True
            )
        until(self.answers, within=90)

    def answers(self) -> bool:
        """Whether a WebSocket server is there: behind a bridge an open port alone says nothing."""
        assert self.process is not None and self.process.poll() is None, (self.home / "obs.log").read_text()
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as there:
                there.sendall(
                    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
                )
                return there.recv(12) == b"HTTP/1.1 101"
        except OSError:
            return False

    def kill(self) -> None:
        """As a crash does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)


@contextmanager
def obs(home: Path, pulse: str = "") -> Iterator[Peer]:
    """A running OBS with an empty scene. Where `unshare` is not allowed, the network can reach it."""
    need_program("obs", "sudo apt install obs-studio obs-plugins")
    with ExitStack() as stack:
        peer = Peer(home, stack.enter_context(screen("1280x720x24")), pulse)
        who = [] if os.getuid() == 0 else ["-r"]
        apart = ["unshare", *who, "-n"]
        if (
            shutil.which("unshare")
            and subprocess.run([*apart, "true"], stderr=subprocess.DEVNULL).returncode == 0
        ):
            holder = bridge(stack, str(home / "in"), str(INSIDE), apart)
            bridge(stack, str(peer.port), str(home / "in"), [])
            user = ["-U", "--preserve-credentials"] if who else []
            peer.inside = ["nsenter", "-t", str(holder.pid), "-n", *user]
        peer.write()
        peer.start()
        try:
            yield peer
        finally:
            assert peer.process is not None
            end(peer.process)


@contextmanager
def listener(peer: Peer, file: Path) -> Iterator[None]:
    """Where OBS streams to, one time; what arrives is kept."""
    program = need_program("ffmpeg", "sudo apt install ffmpeg")
    address = f"rtmp://127.0.0.1:{peer.rtmp}/live/k"
    words = f"-loglevel error -listen 1 -i {address} -c copy -y {file}"
    with running([*peer.inside, str(program), *words.split()]) as process:
        there = Path(f"/proc/{process.pid}/net/tcp")  # of the namespace that it is in
        until(lambda: f":{peer.rtmp:04X} 00000000:0000 0A" in there.read_text())
        yield


def _plain() -> dict[str, str]:
    """The environment without what cv2 puts into it: the path of its own Qt, which OBS cannot use."""
    return {name: value for name, value in os.environ.items() if not name.startswith("QT_")}


def bridge(stack: ExitStack, source: str, target: str, apart: Sequence[str]) -> subprocess.Popen[str]:
    argv = [*apart, sys.executable, "-m", "tests.bridge", source, target]
    process = stack.enter_context(running(argv, stdout=subprocess.PIPE, stderr=None))
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process
