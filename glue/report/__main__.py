"""`python -m glue.report RUN_DIR...`: makes a run's report again from its journal; several are compared,
in the last one's folder (comparison.html, comparison.json). What the end of a show left of wishes to be
forgotten is carried out first.

`--within 0.1`: fails where first audio is later by more than a tenth than in the first, as with a game than
with none: `launch.py +show=rehearsal rehearsal.floor=false`, the same with `'+show=[rehearsal,minecraft]'`.
"""

import argparse
from pathlib import Path

import anyio

from glue.lookup import Lookup
from glue.report.compare import compare, slower
from glue.report.table import show
from glue.report.write import write
from glue.unfinished import NAME, Damaged


def main() -> None:
    """Exit 1 with one line where there is no journal, what is to be forgotten stays, or a run is too slow."""
    manner = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m glue.report", description=__doc__, formatter_class=manner
    )
    parser.add_argument("run_dir", nargs="+", type=Path, help="a folder with a journal.jsonl")
    parser.add_argument("--within", type=float, metavar="SHARE", help="how much later first audio may be")
    asked = parser.parse_args()
    folders: list[Path] = asked.run_dir
    if asked.within is not None and len(folders) < 2:
        parser.error("--within compares: give it two folders or more")
    for folder in folders:
        try:
            if (folder / NAME).exists() and not anyio.run(Lookup(folder / "journal.jsonl").finish):
                journal = folder / "journal.jsonl"
                parser.exit(1, f"{journal} holds what is to be forgotten; cure: see that it can be written\n")
            found = write(folder)
        except OSError as error:
            parser.exit(1, f"{error.filename}: {error.strerror}\n")
        except Damaged as error:
            parser.exit(1, f"{error}\n")
        if len(folders) == 1:
            show(found)
    if len(folders) > 1:
        rows = compare({folder.name: folder for folder in folders}, folders[-1])
        if asked.within is not None and (late := slower(rows, asked.within)):
            parser.exit(1, "\n".join(late) + "\n")


if __name__ == "__main__":
    main()
