"""The README's picture, of a show as it is: `python -m tests.shows.pictures tests/desk.png`.

Both twins on the usual models; four viewers write. Chromium draws the desk on the same cores.
"""

import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from tests.need import need_browser
from tests.shows.live import launched

LINES = (
    "mika: hi Spark! first time here",
    "old_tom: how was your day?",
    "nina: Evil, are you nicer than your sister?",
    "pixelpete: Spark, what is the best train in the world?",
)
SPOKEN = "before => !['', before].includes(document.querySelector('.caption.shown')?.textContent ?? '')"


def main(picture: Path) -> None:
    """Play the show, and take the picture while the last line is answered."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory()))
        live = stack.enter_context(launched(home, "persona=[main,evil]", "director.banter=0", small=False))
        address = live.until(live.url, within=120)
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=need_browser(), args=["--autoplay-policy=no-user-gesture-required"]
        )
        stack.callback(browser.close)
        desk, before = browser.new_page(viewport={"width": 1280, "height": 800}), ""
        desk.goto(address)
        for answered, line in enumerate(LINES):
            live.type(line)
            desk.wait_for_function(SPOKEN, arg=before, timeout=60_000)
            desk.screenshot(path=picture)
            live.until(lambda: live.events("TurnEnded")[answered:], within=60)  # noqa: B023 (it is not kept)
            before = desk.locator(".caption").last.inner_text() if desk.locator(".caption").count() else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
