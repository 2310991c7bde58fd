"""`python -m glue.report RUN_DIR...`: makes a run's report again from its journal; several are compared."""

import argparse
from pathlib import Path

from glue.report.compare import compare
from glue.report.table import show
from glue.report.write import write


def main() -> None:
    """Exit 1 with one line where there is no journal."""
    parser = argparse.ArgumentParser(prog="python -m glue.report", description=__doc__)
    parser.add_argument("run_dir", nargs="+", type=Path, help="a folder with a journal.jsonl")
    folders: list[Path] = parser.parse_args().run_dir
    for folder in folders:
        try:
            found = write(folder)
        except OSError as error:
            parser.exit(1, f"{error.filename}: {error.strerror}\n")
        if len(folders) == 1:
            show(found)
    if len(folders) > 1:
        compare({folder.name: folder for folder in folders}, Path())


if __name__ == "__main__":
    main()
