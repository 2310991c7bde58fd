"""The puppet as a process: `python -m engines.avatar port=8023`."""

import asyncio
import sys

from engines.avatar.options import Options
from engines.options import read


def main() -> None:
    """Serve; one clear line and exit 1 where that cannot be."""
    options = read(Options)
    from engines.avatar.server import serve
    from engines.port import PortTaken

    try:
        asyncio.run(serve(options))
    except PortTaken as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
