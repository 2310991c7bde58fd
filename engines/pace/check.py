"""Was the stated pace kept? `python -m engines.pace.check [ADDRESS]`: a table; exit 1 if it was faster."""

import sys

import httpx
from rich.console import Console
from rich.table import Table

DEFAULT = "http://127.0.0.1:8025"


def main() -> None:
    """Print stated and kept by route; exit 1 where an answer was faster, 2 where there is no proxy."""
    address = sys.argv[1] if len(sys.argv) > 1 else DEFAULT
    table = Table(
        "route",
        "model",
        "tok/s stated",
        "kept",
        "first token, ms, stated",
        "kept",
        "answers",
        "behind, ms",
        "shared, s",
    )
    try:
        report = httpx.get(f"{address}/pace", timeout=5, trust_env=False).json()
        for name, route in report["routes"].items():
            stated, kept = route["stated"], route["kept"]
            figures = (stated["decode"], kept["decode"], stated["first_token_ms"], kept["first_token_ms"])
            row = (name, stated["model"], *figures, kept["answers"], kept["behind_ms"], kept["shared_s"])
            table.add_row(*("-" if cell is None else str(cell) for cell in row))
        faster = int(report["faster"])
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError, AttributeError) as error:
        sys.stderr.write(f"no pacing proxy at {address} ({type(error).__name__}); cure: stack=paced\n")
        raise SystemExit(2) from error
    Console().print(table)
    if faster:
        sys.stderr.write(f"{faster} answers were faster than the stated pace\n")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
