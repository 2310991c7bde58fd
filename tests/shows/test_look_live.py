"""Who is on stage decides how she looks, from conf/persona/ to the page that draws her."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page

from engines.port import unused
from tests.need import need_models
from tests.shows.live import PORTS, shown
from tests.shows.test_stage_live import page_at

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CAST = ("llm=smollm2", "persona=[evil,main]", "cast.main.avatar=Spark Evil")


def wears(page: Page) -> str:
    """The look of whom its frame draws; "" while it draws nobody, or is being loaded again."""
    with suppress(Error):
        for frame in page.frames[1:]:
            return str(frame.evaluate("() => window.spark?.frames > 5 ? spark.look() : ''"))
    return ""


def test_the_page_shows_whoever_is_on_stage_as_her_file_says(tmp_path: Path) -> None:
    need_models("smollm2", "piper-joe")
    with shown(tmp_path, *CAST, ports={key: unused() for key in PORTS}) as live:
        live.until(live.url)
        log = live.run_dir / "show.log"
        live.until(lambda: log.exists() and "avatar connected" in log.read_text(encoding="utf-8"))
        stage = live.url().replace("/?", "/stage?")
        with page_at(stage) as page:  # the first of the cast's look, which the avatar was told over its wire
            live.until(lambda: wears(page) == "evil")
            page.goto(f"{stage}&who=main")
            live.until(lambda: wears(page) == "evil")
