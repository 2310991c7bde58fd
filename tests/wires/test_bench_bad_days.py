"""The benchmark against servers that are none, and its command line from end to end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import numpy as np
import psutil
import pytest

from engines.bench import openai_wire
from engines.bench.__main__ import main
from engines.bench.asr import AsrBench
from engines.bench.dialects import Asked, Server
from engines.bench.errors import BenchFailed
from engines.bench.openai_wire import ask, client, look
from engines.bench.options import Dialect, Options
from engines.bench.sound import RATE, message
from engines.bench.tts import TtsBench
from engines.bench.vision import VisionBench
from engines.port import unused
from tests import bad_server
from tests.need import need_models
from tests.test_openai_llm import HEAD, Answer, sends, server, word
from tests.waiting import gone

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
SOON = Options(clients=[1], rounds=1, timeout_s=0.3)
WAYS = [way for way in bad_server.WAYS if way != "good"]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look's waits are as short as SOON's."""
    monkeypatch.setattr(openai_wire, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr("engines.bench.tts.LOOK_SECONDS", 0.3)
    monkeypatch.setattr("engines.bench.asr.LOOK_SECONDS", 0.3)


def one_line(error: BenchFailed, port: int) -> bool:
    return "\n" not in str(error) and f"127.0.0.1:{port}" in str(error)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("way", WAYS)
async def test_no_server_of_the_openai_wire_is_one_line(way: str) -> None:
    with bad_server.serving(way) as port, anyio.fail_after(60), pytest.raises(BenchFailed) as caught:
        await look(f"http://127.0.0.1:{port}", Dialect.auto, "", {}, {})
    assert one_line(caught.value, port)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("part", ["tts", "asr", "vision", "vision over http"])
@pytest.mark.parametrize("way", WAYS)
async def test_no_server_of_the_other_wires_is_one_line(part: str, way: str) -> None:
    tone = (8000 * np.sin(np.arange(RATE) / 10)).astype(np.int16)
    with bad_server.serving(way) as port, anyio.fail_after(60), pytest.raises(BenchFailed) as caught:
        address = f"127.0.0.1:{port}"
        if part == "tts":
            await TtsBench(address, SOON).run(print)
        elif part == "asr":
            await AsrBench(address, SOON, [message(tone, RATE)]).run(print)
        else:
            await VisionBench(address if part == "vision" else f"http://{address}", SOON).run(print)
    assert one_line(caught.value, port)


async def test_nobody_there_says_how_to_start_one() -> None:
    with bad_server.closed() as port:
        with pytest.raises(BenchFailed, match=r"nobody answers at .*cure: start it"):
            await look(f"http://127.0.0.1:{port}", Dialect.auto, "", {}, {})
        once = Options(clients=[1], rounds=1)
        for bench in (TtsBench(f"127.0.0.1:{port}", once), VisionBench(f"127.0.0.1:{port}", once)):
            with anyio.fail_after(60), pytest.raises(BenchFailed, match=r"url\.(tts|vision)=ADDRESS"):
                await bench.run(print)


REFUSAL = bad_server.http(400, b'{"error":{"message":"no such field"}}')
BROKEN: dict[str, tuple[Answer, str]] = {
    "hangs after its head": (sends(HEAD, then_hang=True), "no whole answer within 0.3 s"),
    "hangs after a word": (sends(HEAD, word("hi"), then_hang=True), "no whole answer within 0.3 s"),
    "says no word": (sends(HEAD, b"data: [DONE]\n\n"), "an answer without a word"),
    "breaks off": (sends(HEAD, word("hi"), b'data: {"error": "out of memory"}\n\n'), "out of memory"),
    "is no stream": (sends(HEAD, b"<html>oh no</html>\n"), "not an event stream"),
    "has no line's end": (sends(HEAD, b"data: " + b"x" * (2 << 20)), "a line without an end"),
    "refuses": (sends(REFUSAL), "HTTP 400: no such field"),
    "wants a key": (sends(bad_server.http(401, b"")), "cure: key_from=VARIABLE"),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_an_answer_that_breaks_is_one_line(case: str) -> None:
    answer, why = BROKEN[case]
    error = ""
    async with server(answer) as url:
        known = Server(url, Dialect.none, "m")
        async with client(known) as http:
            try:
                with anyio.fail_after(30):
                    await ask(http, known, Asked("s", "l", 4), 0.3 if "hangs" in case else 20)
            except BenchFailed as raised:
                error = str(raised)
    assert why in error and url in error and "\n" not in error


WRONG = {
    "lm": "no part 'lm'",
    "llm rouds=2": "no option 'rouds'",
    "all url=127.0.0.1:1": "which part's?",
    "llm url=127.0.0.1:1 llm=smollm2": "url= starts none",
    "llm llm=absent": "absent",
    "compare a.json": "compare wants two results",
    "tts --rouds 2": "no option 'rouds'",
}


def here(monkeypatch: pytest.MonkeyPatch, *words: str) -> object:
    """The command line in this process; its exit status."""
    monkeypatch.setattr(sys, "argv", ["bench", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_be_is_refused_in_one_line(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here(monkeypatch, *words.split()) == 2
    said = capsys.readouterr().err
    assert WRONG[words] in said and "Traceback" not in said


def test_help_helps(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "help"])
    main()
    assert "clients=[1,2,4]" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["bench", "llm", "--help"])
    main()
    assert "--url" in capsys.readouterr().out


def test_a_part_that_is_not_there_leaves_the_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], piper: int
) -> None:
    closed = unused()
    nobody = (f"url.llm=http://127.0.0.1:{closed}", f"url.vision=127.0.0.1:{closed}")
    few = ("clients=[1]", "rounds=2", f"out={tmp_path}/a")
    speech = f"127.0.0.1:{piper}"
    words = ("all", f"url.tts={speech}", "--url.asr", speech, *nobody, *few)
    assert here(monkeypatch, *words) == 1
    said = capsys.readouterr().out
    assert "llm was not measured: llm: nobody answers" in said
    assert "asr was not measured: asr at" in said and "none on this wire" in said
    told = json.loads((tmp_path / "a/result.json").read_text())
    assert set(told["failed"]) == {"llm", "asr", "vision"} and told["others_percent"] is None
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"result.json", "tts.png"}
    picture = tmp_path / "ratio.png"
    assert here(monkeypatch, "compare", f"{tmp_path}/a", f"{tmp_path}/a/result.json", f"out={picture}") == 0
    assert "first audio" in capsys.readouterr().out
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_ctrl_c_ends_its_engines(tmp_path: Path) -> None:
    need_models("piper-joe")
    command = [sys.executable, "-m", "engines.bench", "tts", "rounds=100000", f"out={tmp_path}/out"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"tts: 1 clients\n"
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert gone(family)
