"""A disk that is full inside a program that a build runs: told as that, and not as a broken network."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from engines import room
from engines.bundle import modelopt, native
from engines.bundle.errors import BundleError
from engines.cache import digest

ROOT = Path(__file__).parent.parent
LIMIT = 300_000  # bytes of a file
MAKE = """
import sys
from dataclasses import replace
from pathlib import Path
from engines.cache import ModelError
from tests.test_environment import TOY
try:
    replace(TOY, requirements=Path(sys.argv[1])).make(print)
except ModelError as error:
    sys.exit(str(error))
"""


def test_pips_full_disk_is_told_and_what_it_left_is_gone(tmp_path: Path) -> None:
    place = tmp_path / "large-1.0-py3-none-any.whl"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large.bin", bytes(2 * LIMIT))
        info = "large-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: large\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    lock, made = tmp_path / "lock.txt", tmp_path / "made" / "env"
    lock.write_text(f"large==1.0 --hash=sha256:{digest(place)}\n")
    own = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "SPARK_TOY_ENV": str(made)}
    done = subprocess.run(
        [sys.executable, "-c", MAKE, str(lock)],
        cwd=ROOT,
        env=os.environ | own,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT)),
    )
    assert done.returncode == 1
    assert f"cure: free some of the disk of {made.parent}, or of " in done.stderr, done.stderr
    assert "package index" not in done.stderr and not made.exists()


def test_modelopts_full_disk_is_told(tmp_path: Path) -> None:
    code = "import os; os.write(os.open('/dev/full', os.O_WRONLY), b'weights')"
    with pytest.raises(BundleError, match=rf"the child failed .*cure: free some of the disk of {tmp_path}"):
        modelopt._run([sys.executable, "-c", code], 20.0, print, "the child", tmp_path)
    with pytest.raises(BundleError, match=r"cure: choose the weight-only quantiser"):
        modelopt._run([sys.executable, "-c", "exit('no such recipe')"], 20.0, print, "the child", tmp_path)


def test_a_compilers_full_disk_is_told_though_others_speak_after_it(tmp_path: Path) -> None:
    words = ["sh", "-c", "head -c 9 /dev/zero > /dev/full; echo 'ninja: error: build stopped'; exit 1"]
    with pytest.raises(BundleError, match=rf"sh failed: .*cure: free some of the disk of {tmp_path}, or"):
        native._call(words, os.environ["PATH"], tmp_path / "log")
    with pytest.raises(BundleError, match=r"cure: native=false"):
        native._call(["sh", "-c", "exit 1"], os.environ["PATH"], tmp_path / "log")


def test_a_write_of_ours_is_told_by_its_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space") as caught, Path("/dev/full").open("wb", 0) as stream:
        stream.write(b"x")
    assert "cure: free some of that disk" in room.told(caught.value)
    with pytest.raises(OSError, match="No such file") as other:
        (tmp_path / "none" / "file").write_text("")
    assert room.told(other.value).startswith(f"{tmp_path / 'none' / 'file'}: ")
    assert "cure: see that you may" in room.told(other.value)
