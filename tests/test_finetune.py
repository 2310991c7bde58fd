"""A voice's recordings are checked before anything is spent on them; NeMo, where its environment is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import wave
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from engines.bundle.errors import BundleError
from engines.cache import ModelError
from engines.finetune import build, recordings
from engines.finetune.build import ENVIRONMENT, Options, trained
from engines.finetune.recordings import CSV, JSONL, RATE, Clip, Flawed, manifests, read
from engines.options import OptionError, parse
from tests.hub_server import serving

LINE = "hello chat, how are you"
LAUNCHER = [sys.executable, "-m", "engines.build", "voice"]


def clip(path: Path, seconds: float = 2.0, rate: int = RATE, level: float = 0.3, **more: int) -> Path:
    """A recording of a tone, different for each name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hertz = 120 + crc32(path.name.encode()) % 10_000 / 50
    times = np.arange(round(seconds * rate)) / rate
    samples = np.clip(level * np.sin(2 * np.pi * hertz * times) * 32767, -32767, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(more.get("channels", 1))
        file.setsampwidth(more.get("width", 2))
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def folder(root: Path, count: int = 40) -> Path:
    """Sound recordings, as LJSpeech lays them out."""
    for number in range(count):
        clip(root / "wavs" / f"a{number:02}.wav")
    lines = [f"a{number:02}|Chat {number}.|{LINE}, take {'i' * (number + 1)}" for number in range(count)]
    (root / CSV).write_text("\n".join(lines) + "\n")
    return root


def flaws(root: Path, minutes: float = 0.1) -> list[str]:
    with pytest.raises(Flawed) as caught:
        read(root, minutes)
    return str(caught.value).splitlines()


def test_sound_recordings_are_read_with_their_words(tmp_path: Path) -> None:
    clips = read(folder(tmp_path), 1.0)
    assert len(clips) == 40 and clips[0] == Clip(tmp_path / "wavs" / "a00.wav", f"{LINE}, take i", 2.0)


def test_a_manifest_of_json_lines_is_read_too(tmp_path: Path) -> None:
    clip(tmp_path / "one.wav")
    clip(tmp_path / "sub" / "two.wav")
    rows = [
        {"audio_filepath": "one.wav", "text": "Room 4", "normalized_text": "room four"},
        {"audio_filepath": str(tmp_path / "sub" / "two.wav"), "text": "hello", "duration": 2},
    ]
    (tmp_path / JSONL).write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [(each.path.name, each.words) for each in read(tmp_path, 0.01)] == [
        ("one.wav", "room four"),
        ("two.wav", "hello"),
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"rate": 16000}, r"a00\.wav has 16000 Hz; cure: record with 22050"),
        ({"channels": 2}, r"a00\.wav has 2 channels of 16 bit.*; cure: ffmpeg -i .*a00\.wav"),
        ({"width": 1}, r"a00\.wav has 1 channels of 8 bit"),
        ({"seconds": 0.5}, r"a00\.wav is 0\.5 s long, not 1 to 20; cure: join"),
        ({"seconds": 21.0}, r"a00\.wav is 21\.0 s long, not 1 to 20; cure: cut"),
        ({"level": 0.001}, r"a00\.wav is silent; cure"),
        ({"level": 3.0}, r"a00\.wav is clipped at \d+\.\d% of its samples; cure"),
        ({"rate": 44100}, r"several sample rates: 22050 Hz \(.*\), 44100 Hz \(.*a00\.wav\); cure"),
    ],
)
def test_a_recording_that_is_not_sound_is_named(tmp_path: Path, more: dict[str, float], said: str) -> None:
    clip(folder(tmp_path) / "wavs" / "a00.wav", **more)  # type: ignore[arg-type]  # the numbers fit
    (line,) = flaws(tmp_path)
    assert re.search(said, line)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no sound at all", "is no WAV file of plain samples"),
        (b"", "is no WAV file of plain samples"),
        (None, "is missing; cure"),
    ],
)
def test_what_is_no_recording_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = folder(tmp_path) / "wavs" / "a00.wav"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    (line,) = flaws(tmp_path)
    assert str(path) in line and said in line and "cure: " in line


def test_a_recording_that_was_copied_in_part_is_named(tmp_path: Path) -> None:
    path = folder(tmp_path) / "wavs" / "a00.wav"
    path.write_bytes(path.read_bytes()[:-5000])
    (line,) = flaws(tmp_path)
    assert f"{path} is cut short" in line


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a00", "line 1: 'a00' is no name|text"),
        ("a00|one|two|three", "is no name|text"),
        ("a00| ", "line 1: there is no text; cure"),
        ("a00|...", "line 1: there is no text; cure"),
        ("a00|Room 4", "'Room 4' has digits; cure"),
        ("a01|hello", "a01.wav comes a second time; cure"),
    ],
)
def test_a_line_that_says_nothing_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = folder(tmp_path) / CSV
    path.write_text("\n".join([line, *path.read_text().splitlines()[1:]]))
    (told,) = flaws(tmp_path)
    assert said in told and CSV in told


def test_the_same_recording_under_two_names_is_named(tmp_path: Path) -> None:
    wavs = folder(tmp_path) / "wavs"
    (wavs / "a01.wav").write_bytes((wavs / "a00.wav").read_bytes())
    (line,) = flaws(tmp_path)
    assert "a01.wav is the same recording as" in line and "a00.wav; cure" in line


def test_too_little_speech_and_no_or_two_transcripts_are_told(tmp_path: Path) -> None:
    assert flaws(folder(tmp_path), 5.0) == [f"{tmp_path}: 1.3 minutes of 5; cure: record more, or minutes="]
    (tmp_path / JSONL).touch()
    assert "has both" in flaws(tmp_path)[0]
    (tmp_path / JSONL).unlink()
    (tmp_path / CSV).write_bytes(b"\xff\xfe\x00")
    assert "cure: UTF-8" in flaws(tmp_path)[0]
    (tmp_path / CSV).unlink()
    assert "has neither" in flaws(tmp_path)[0]


@given(st.text(max_size=60))
def test_no_line_of_a_transcript_is_a_traceback(line: str) -> None:
    for reader in (recordings._csv, recordings._json):
        try:
            path, words = reader(Path("/data"), line)
        except (ValueError, KeyError, TypeError):
            continue
        assert isinstance(path, Path) and isinstance(words, str)


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    wavs = folder(tmp_path) / "wavs"
    clip(wavs / "a00.wav", level=3.0)
    clip(wavs / "a01.wav", seconds=0.2)
    (wavs / "a02.wav").unlink()
    assert len(flaws(tmp_path)) == 3


def test_the_same_clips_are_always_split_the_same_way(tmp_path: Path) -> None:
    clips = read(folder(tmp_path), 1.0)
    train, validation = manifests(clips, tmp_path / "one")
    again = manifests(clips[::-1], tmp_path / "two")
    assert (train.read_text(), validation.read_text()) == tuple(path.read_text() for path in again)
    rows = [json.loads(line) for path in (train, validation) for line in path.read_text().splitlines()]
    assert len(validation.read_text().splitlines()) == 2
    assert {row["audio_filepath"] for row in rows} == {str(each.path) for each in clips} and len(rows) == 40
    assert rows[0]["duration"] == 2.0 and rows[0]["text"].startswith(LINE)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "'' is no folder; data=FOLDER"),
        (["data=/nowhere"], "'/nowhere' is no folder"),
        (["steps=0"], "'steps': must be 1 or more"),
        (["rate=0.1"], "0.1 is not between"),
        (["voice=1"], "no option 'voice'"),
    ],
)
def test_a_wrong_word_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(OptionError, match=re.escape(said)):
        parse(Options, words)


def test_without_a_gpu_the_manifests_are_made_and_nothing_is_fetched(tmp_path: Path) -> None:
    out = tmp_path / "out"
    argv = [*LAUNCHER, f"data={folder(tmp_path / 'data')}", f"out={out}", "minutes=1"]
    done = subprocess.run(argv, env={"PATH": ""}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and done.stderr.endswith(
        "voice: no NVIDIA GPU here (nvidia-smi is missing); cure: run this on the Spark\n"
    )
    assert "40 clips, 1.3 minutes, all sound" in done.stderr
    assert sorted(path.name for path in out.iterdir()) == ["train.json", "validation.json"]


def test_a_training_is_told_as_it_gets_on_and_its_failure_is_one_line() -> None:
    said: list[str] = []
    trained([sys.executable, "-c", "print('noise'); print('voice: step 50 of 100, loss 2.0')"], said.append)
    assert said == ["step 50 of 100, loss 2.0"]
    with pytest.raises(ModelError, match=r"training failed \(voice: .* no GPU; cure: the driver\)$"):
        trained([sys.executable, "-c", "exit('voice: torch reaches no GPU; cure: the driver')"], said.append)
    with pytest.raises(ModelError, match=r"training failed \(exit -9\); cure: another base=, or batch=8"):
        trained([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], said.append)


def test_a_base_that_is_not_there_is_told(tmp_path: Path) -> None:
    argv = [f"data={folder(tmp_path)}", f"out={tmp_path / 'out'}", "minutes=1", "device=cpu"]
    with pytest.raises(SystemExit, match=r"none\.nemo is missing; cure: base="):
        build.main([*argv, f"base={tmp_path / 'none.nemo'}"])


def test_the_one_model_of_a_repository_is_fetched_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path / "models"))
    quiet = Console(quiet=True)
    with serving({"tts.nemo": b"weights" * 1000, "README.md": b"words"}) as hub:
        options = Options(data=str(tmp_path), base="owner/name", hub=hub.address)
        base = build._base(options, quiet)
        assert base.name == "tts.nemo" and base.read_bytes() == b"weights" * 1000
        fetched = [path for path, *_ in hub.asked if path.startswith("/cdn/")]
        build._base(options, quiet)
        assert [path for path, *_ in hub.asked if path.startswith("/cdn/")] == fetched
    with serving({"one.nemo": b"1", "two.nemo": b"2"}) as hub:
        options = Options(data=str(tmp_path), base="owner/name", hub=hub.address)
        with pytest.raises(BundleError, match=r"has 2 \.nemo files, not one; cure: base=FILE\.nemo"):
            build._base(options, quiet)


def test_the_lock_has_a_hash_for_each_package_and_names_no_host() -> None:
    lock = ENVIRONMENT.requirements.read_text()
    packages = [line for line in lock.splitlines() if line and line[0] not in "# "]
    assert packages and all("==" in line and line.endswith("\\") for line in packages)
    assert "nemo-toolkit==3.0.0 \\" in packages and "torch==2.13.0 \\" in packages
    assert "://" not in lock
    for machine in ("x86_64", "aarch64"):
        assert any(machine in line for line in packages)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nemo_itself_teaches_a_small_fastpitch(tmp_path: Path) -> None:
    if not ENVIRONMENT.made:  # 6.5 GB: made by hand, not for CI
        pytest.skip(
            f"{ENVIRONMENT.folder} is not made; cure: ./build_engines.sh voice data=FOLDER device=cpu"
        )
    data = folder(tmp_path / "data", 8)
    train, _ = manifests(read(data, 0.1), tmp_path / "first")
    small = [str(ENVIRONMENT.python), str(Path(__file__).with_name("small_fastpitch.py"))]
    subprocess.run([*small, str(tmp_path / "small.nemo"), str(train)], check=True, timeout=600)
    out = tmp_path / "out"
    argv = [f"data={data}", f"base={tmp_path / 'small.nemo'}", f"out={out}", "minutes=0.1", "device=cpu"]
    build.main([*argv, "steps=2", "batch=2"])
    assert (out / "voice.nemo").stat().st_size > 10_000
    assert json.loads((out / "job.json").read_text())["steps"] == 2
