"""A rehearsal with /stage open in a Chromium beside it: `python -m tests.shows.on_stage [overrides]`.

Prints what the show prints, its table at the end.
"""

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from engines.port import unused
from tests.need import need_browser
from tests.shows.live import PORTS, shown


def main(overrides: list[str]) -> None:
    """Play it to its end."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory()))
        words = ("+show=rehearsal", "speaker=[wav,page]", *overrides)
        live = stack.enter_context(shown(home, *words, ports={key: unused() for key in PORTS}))
        address = live.until(live.url, within=120)
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=need_browser(), args=["--autoplay-policy=no-user-gesture-required"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(address.replace("/?", "/stage?"))
        printed = 0
        while live.process.poll() is None:
            page.wait_for_timeout(1000)
            sys.stdout.writelines(f"{line}\n" for line in live.said[printed:])
            printed = len(live.said)
        time.sleep(0.5)
        sys.stdout.writelines(f"{line}\n" for line in live.said[printed:])
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
