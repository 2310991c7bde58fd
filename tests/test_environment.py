"""What makes environments of their own: gone with the build, even by kill -9, and told when it is late."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from engines.bundle import modelopt
from engines.bundle.errors import BundleError
from engines.cache import ModelError, digest
from engines.environment import Environment

ROOT = Path(__file__).parent.parent
TOY = Environment("toy", Path("none.txt"), "SPARK_TOY_ENV")
BUILDS = {
    "ours": "from tests.test_environment import TOY; TOY._run(argv, print)",
    "ModelOpt's": "from engines.bundle import modelopt as m; m._run(argv, 60.0, print, 'it', m.ENGINE)",
}


@pytest.mark.parametrize("code", BUILDS.values(), ids=BUILDS)
def test_no_child_goes_on_writing_when_the_build_is_killed(tmp_path: Path, code: str) -> None:
    up = tmp_path / "up"
    os.mkfifo(up)
    child = f"import os, time; open({str(up)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    argv = [sys.executable, "-c", f"import sys; argv = [sys.executable, '-c', {child!r}]; {code}"]
    with subprocess.Popen(argv, cwd=ROOT) as build:
        left = psutil.Process(int(up.read_text()))
        build.kill()
    _, alive = psutil.wait_procs([left], timeout=30)
    for each in alive:
        each.kill()
    assert not alive


def test_one_whose_python_is_gone_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a new release of the system: the link leads nowhere."""
    lock = tmp_path / "lock.txt"
    lock.write_text("")
    toy = replace(TOY, requirements=lock)
    monkeypatch.setenv("SPARK_TOY_ENV", str(tmp_path / "env"))
    toy.make(print)
    assert toy.made
    toy.python.unlink()
    toy.python.symlink_to(tmp_path / "nowhere")
    assert not toy.made
    toy.make(print)
    assert toy.made and toy.python.exists()


def test_one_that_is_late_is_told_with_the_cure() -> None:
    toy = replace(TOY, within=0.2)
    with pytest.raises(ModelError, match=r"making the environment of toy did not end within 0 s; cure: "):
        toy._run([sys.executable, "-c", "import time; time.sleep(60)"], print)


def test_large_packages_are_told_while_they_come() -> None:
    said: list[str] = []
    words = ("  Downloading small.whl (9 kB)", "  Downloading torch.whl (2.1 GB)", "noise")
    TOY._run([sys.executable, "-c", f"print({chr(10).join(words)!r})"], said.append)
    assert said == ["Downloading torch.whl (2.1 GB)"]


def wheel(folder: Path) -> str:
    """A package of one module, as an index would have it; its hash."""
    place = folder / "toy_package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("toy_package.py", "")
        info = "toy_package-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: toy-package\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return digest(place)


def ours(lock: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPARK_TOY_ENV", str(folder))
    toy = replace(TOY, requirements=lock)
    toy.make(print)
    return toy.python


def modelopts(lock: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPARK_QUANTISE_ENV", str(folder))
    monkeypatch.setattr(modelopt, "ENVIRONMENT", replace(modelopt.ENVIRONMENT, requirements=lock))
    return modelopt.environment()


@pytest.mark.parametrize("make", [ours, modelopts])
def test_only_what_the_lock_has_by_its_hash_gets_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[..., Path]
) -> None:
    lock, found = tmp_path / "lock.txt", wheel(tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    for line in ("toy-package==1.0\n", f"toy-package==1.0 --hash=sha256:{'0' * 64}\n"):
        lock.write_text(line)
        with pytest.raises((ModelError, BundleError), match=r"cure: see that"):
            make(lock, tmp_path / "env", monkeypatch)
    lock.write_text(f"toy-package==1.0 --hash=sha256:{found}\n")
    python = make(lock, tmp_path / "env", monkeypatch)
    subprocess.run([python, "-c", "import toy_package"], check=True)
    assert not [*(tmp_path / "env").rglob("site-packages/pip")]  # Debian's Python could not put one there


@pytest.mark.parametrize("lock", sorted(ROOT.glob("engines/*/requirements*.txt")), ids=str)
def test_a_lock_has_hashes_of_everything_and_what_is_asked_for(lock: Path) -> None:
    pins = re.split(r"^(?=[\w.-]+==)", lock.read_text(), flags=re.MULTILINE)[1:]
    assert pins and all("--hash=sha256:" in pin for pin in pins)
    names = {re.split("[=]", pin)[0].casefold() for pin in pins}
    asked = re.findall(r"^[\w.-]+", lock.with_suffix(".in").read_text(), re.MULTILINE)
    assert {name.casefold() for name in asked} <= names
