"""The board as a process: `python -m engines.chess opponent=stockfish`."""

import asyncio
import sys

from engines.chess.options import Missing, Options, prepare
from engines.options import read


def main() -> None:
    """Play; one clear line and exit 1 where that cannot be."""
    options = read(Options)
    from engines.port import PortTaken

    try:
        prepare(options)
        from engines.chess.server import serve
        from engines.chess.stockfish import Lost

        try:
            asyncio.run(serve(options))
        except* Lost as group:
            sys.exit(str(group.exceptions[0]))
    except (Missing, PortTaken) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
