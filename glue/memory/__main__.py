"""`python -m glue.memory show|export|import|forget|bench|tune ...`: her memory from a terminal.

    show [WORD]        entries that hold WORD        export [FILE]      as JSON lines
    import FILE        JSON lines of an export       forget viewer=NAME | id=ID
    bench rows=20000   recall's times on the servers that run, and how large the index is, in one of its own
    tune               what each likeness lets in, on pairs of sentences

KEY=VALUE words such as memory.adapter.folder=DIR are the config's, as for launch.py.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from glue.checks import explain, plain
from glue.errors import ConfigError, PortError
from glue.folders import data
from glue.memory.entry import Entry, WrongEntry
from glue.memory.porter import exported, parsed
from glue.memory.store import Store
from glue.memory.traces import Forget
from glue.settings import register

CONF = Path(__file__).parent.parent.parent / "conf"


def main() -> None:
    """The command line: one line and exit status 1 where it cannot be done, 2 for a wrong word."""
    words = sys.argv[1:]
    verb, rest = (words[0], words[1:]) if words else ("", [])
    config = [word for word in rest if word.startswith(("memory.", "embeddings."))]
    rest = [word for word in rest if word not in config]
    if verb not in ("show", "export", "import", "forget", "bench", "tune"):
        sys.stderr.write(f"{__doc__}")
        raise SystemExit(2)
    try:
        memory = configured(config)
        _do(verb, rest, memory["adapter"], memory["engine"])
    except (HydraException, OmegaConfBaseException) as error:
        sys.exit(explain(error))
    except (ConfigError, PortError, WrongEntry, OSError) as error:
        sys.exit(str(error))


def configured(words: list[str]) -> dict[str, Any]:
    """The memory's section, as memory=milvus has it. Raises what Hydra raises."""
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return plain(compose("config", overrides=["memory=milvus", *words]).memory)


def _do(verb: str, rest: list[str], section: dict[str, Any], engine: dict[str, Any] | None) -> None:
    if verb == "bench":
        import anyio

        from glue.memory.bench import bench

        rows = next((int(word[5:]) for word in rest if word.startswith("rows=")), 20_000)
        kept = (engine or {}).get("folder") or data("memory") / "index"
        sys.stdout.write(anyio.run(bench, section, rows, Path(kept).expanduser()))
        return
    if verb == "tune":
        import anyio

        from glue.memory.tune import tune

        sys.stdout.write(anyio.run(tune, section))
        return
    store = Store(data("memory", section["folder"]))
    try:
        match verb, rest:
            case "show", _:
                wanted = rest[0].casefold() if rest else ""
                shown = [line for line in map(_shown, store.entries.values()) if wanted in line.casefold()]
                sys.stdout.writelines(shown)
            case "export", []:
                sys.stdout.writelines(page.decode() for page in exported(store))
            case "export", [file]:
                Path(file).write_bytes(b"".join(exported(store)))
            case "import", [file]:
                _say(f"{import_(store, Path(file))} entries were new; the next show can recall them")
            case "forget", [word] if word.startswith("viewer=") and len(word) > 7:
                _forgotten(store.forget(Forget(viewers=frozenset({word[7:]})))[0])
            case "forget", [word] if word.startswith("id="):
                _forgotten(store.forget(Forget(entries=frozenset({word[3:]})))[0])
            case _:
                sys.stderr.write(f"{__doc__}")
                raise SystemExit(2)
    finally:
        store.close()


def import_(store: Store, file: Path) -> int:
    """Add an export's entries, all or, where a line is wrong, none. Raises WrongEntry, Refused, OSError."""
    with file.open("rb") as lines:
        try:
            entries = [entry for _, entry in parsed(lines)]
        except WrongEntry as error:
            raise WrongEntry(f"{file}: {error}") from error
    new = [entry for entry in entries if store.entries.get(entry.id) != entry]
    for entry in new:
        store.put(entry)
    return len(new)


def _forgotten(gone: Collection[str]) -> None:
    _say(f"{len(gone)} entries are out of the files; out of the index when the next show starts")


def _shown(entry: Entry) -> str:
    held = "" if not entry.ended else " (no longer)"
    return f"{entry.id}  {entry.kind.value:8} {entry.persona:8} {entry.called or '-':20} {entry.text}{held}\n"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
