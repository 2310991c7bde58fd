"""The recognition engine as a process: `python -m engines.asr port=8024 model=whisper-tiny.en`."""

import asyncio
import sys

from engines.asr.options import Options
from engines.options import read


def main() -> None:
    """Serve; one clear line and exit 1 where that cannot be."""
    options = read(Options)
    from engines.asr.server import serve
    from engines.asr.whisper import WrongModel
    from engines.cache import ModelError
    from engines.port import PortTaken

    try:
        asyncio.run(serve(options))
    except (PortTaken, ModelError, WrongModel) as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
