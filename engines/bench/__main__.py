"""How fast are the servers? `python -m engines.bench llm|tts|asr|vision|all [key=value ...]`, or `help`."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import anyio
from rich.console import Console

from engines.bench import machine, plots
from engines.bench.compare import differences, ratios
from engines.bench.errors import BenchFailed
from engines.bench.options import PARTS, Options, lines
from engines.bench.results import NAME, Result, load, save
from engines.bench.run import Run
from engines.bench.table import say, show, show_ratios
from engines.bench.targets import Target, configured, given, is_override
from engines.cache import ModelError
from engines.fetch import fetch
from engines.options import OptionError, parse
from engines.process import Spec, StartFailed, until_signal
from engines.specs import prepare
from engines.up import ROOT

USAGE = """python -m engines.bench PART [key=value ...]      PART: llm, tts, asr, vision, or all of them
python -m engines.bench compare A.json B.json [out=PICTURE.png]    the second over the first: table and plot

Without url= the engines of the show's config are started on ports of their own and ended again; its words
choose others: llm=smollm2, speech=kokoro, stack=paced, llm.engine.threads=4.
With url= (or --url) nothing is started: any server of the wire will do, NVIDIA's too.
  python -m engines.bench llm url=http://127.0.0.1:8355 bandwidth_gbs=273 weights=CHECKPOINT_FOLDER
  python -m engines.bench all url.llm=http://spark:8355 url.tts=spark:50051 url.asr=spark:50052
Options:"""
HELPS = frozenset({"help", "--help", "-h"})
CLOSING = "Results: a table, result.json and a PNG a part. Rows named floor are what the wire costs alone."


def main() -> None:
    """The command line. Exit status 2 for a wrong option, 1 where a part was not measured; one line each."""
    console = Console(stderr=True)
    words = plain(sys.argv[1:])
    if not words or not HELPS.isdisjoint(words):
        sys.stdout.write("\n".join([USAGE, *lines(), CLOSING]) + "\n")
        return
    try:
        good = _compared(words[1:]) if words[0] == "compare" else _measured(words, console)
    except OptionError as error:
        say(console, str(error))
        sys.exit(2)
    except (BenchFailed, StartFailed, ModelError) as error:
        say(console, str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0 if good else 1)


def plain(words: Sequence[str]) -> list[str]:
    """Options as other programs want them, `--url ADDRESS` or `--url=ADDRESS`, as ours: url=ADDRESS."""
    said: list[str] = []
    for word in words:
        if said and said[-1].startswith("--") and said[-1] not in HELPS and "=" not in said[-1]:
            said[-1] += f"={word}"
        else:
            said.append(word)
    return [word.removeprefix("--") if "=" in word else word for word in said]


def _compared(words: Sequence[str]) -> bool:
    names = [word for word in words if not word.startswith("out=")]
    if len(names) != 2:
        raise OptionError("compare wants two results: compare A.json B.json [out=PICTURE.png]")
    paths = [Path(name).expanduser() for name in names]
    one, other = (load(path / NAME if path.is_dir() else path) for path in paths)
    found = ratios(one, other)
    console = Console(width=None if sys.stdout.isatty() else 130)
    show_ratios((names[0], names[1]), found, console)
    for line in differences(one, other):
        say(console, f"differs: {line}")
    given = [word.removeprefix("out=") for word in words if word.startswith("out=")]
    picture = Path(given[0] if given else f"compare_{time.strftime('%Y-%m-%d_%H-%M-%S')}.png").expanduser()
    plots.ratios((names[0], names[1]), found, picture)
    say(console, f"written: {picture}")
    return True


def _measured(words: Sequence[str], console: Console) -> bool:
    parts = PARTS if words[0] == "all" else (words[0],)
    if parts[0] not in PARTS:
        raise OptionError(f"no part '{words[0]}'; the parts are: {', '.join(PARTS)}, all, compare, help")
    overrides = [word for word in words[1:] if is_override(word)]
    options = parse(Options, [_addressed(word, parts) for word in words[1:] if not is_override(word)])
    targets, engines = _servers(parts, options, overrides)
    fetch([model for spec in engines for model in spec.models], console)
    prepare(engines, lambda line: say(console, line))
    out = Path(options.out or ROOT / "runs" / time.strftime("bench_%Y-%m-%d_%H-%M-%S")).expanduser()
    out.mkdir(parents=True, exist_ok=True)
    chosen = dataclasses.asdict(options) | {"dialect": options.dialect.value, "config": overrides}
    result = Result(time.strftime("%Y-%m-%dT%H:%M:%S%z"), machine.words(), chosen)
    run = Run(options, targets, result, lambda line: say(console, line))

    async def whole() -> bool:
        good = False
        async with until_signal():
            good = await run.parts(parts, engines, out)
        return good

    good = anyio.run(whole)
    if not result.rows and not result.failed:
        raise KeyboardInterrupt  # nothing was finished
    _written(result, out)
    return good


def _addressed(word: str, parts: Sequence[str]) -> str:
    """url=ADDRESS is the one part's. Raises OptionError where there are several."""
    if not word.startswith("url="):
        return word
    if len(parts) > 1:
        raise OptionError("which part's? url.llm=ADDRESS url.tts=ADDRESS url.asr=ADDRESS url.vision=ADDRESS")
    return f"url.{parts[0]}={word.removeprefix('url=')}"


def _servers(
    parts: Sequence[str], options: Options, overrides: Sequence[str]
) -> tuple[dict[str, Target], list[Spec]]:
    """With an address for any part nothing else is started, but a voice that speaks to the ears."""
    targets = {part: given(part, address, options) for part, address in options.url.items()}
    wanted = [part for part in parts if part not in targets]
    if "asr" in parts and not options.sound and "tts" not in (*wanted, *targets):
        wanted.append("tts")
    if not wanted:
        if overrides:
            raise OptionError(f"'{overrides[0]}' chooses an engine to start, and url= starts none")
        return targets, []
    ours, engines = configured(wanted, options, overrides)
    return targets | ours, engines


def _written(result: Result, out: Path) -> None:
    console = Console(width=None if sys.stdout.isatty() else 130)
    show(result, console)
    save(result, out / NAME)
    for part in dict.fromkeys(row.part for row in result.rows):
        plots.part(part, [row for row in result.rows if row.part == part], out / f"{part}.png")
    say(console, f"written: {out}")


if __name__ == "__main__":
    main()
