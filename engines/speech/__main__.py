"""The speech engine as a process: `python -m engines.speech port=8022 voice=piper`."""

import asyncio
import sys

from engines.options import read
from engines.speech.heap import one_arena
from engines.speech.options import Options


def main() -> None:
    """Serve; one clear line and exit 1 where that cannot be."""
    options = read(Options)
    one_arena()
    from engines.cache import ModelError
    from engines.port import PortTaken
    from engines.speech.server import serve
    from engines.speech.session import WrongModel

    try:
        asyncio.run(serve(options))
    except ModuleNotFoundError as error:  # Kokoro is an extra
        sys.stderr.write(f"{error.name} is not installed; cure: uv sync --all-extras --inexact\n")
        raise SystemExit(1) from error
    except (PortTaken, ModelError, WrongModel, FileNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
