"""Engines without a show: `python -m engines up [llm speech avatar] [GROUP=CHOICE] [key=value ...]`."""

import signal
import sys


def main() -> None:
    """Run engines.up; Ctrl-C ends it without a traceback, even while it is imported."""
    # Nothing runs yet that must be ended, and an exception can be swallowed in the middle of an import.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        from engines import up

        up.main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
