"""Who is on stage decides how she looks, from conf/persona/ to the page that draws her."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.port import unused
from tests.need import need_models
from tests.shows.live import PORTS, shown
from tests.shows.test_stage_live import page_at, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CAST = ("llm=smollm2", "cast.evil.blocked=[]", "cast.evil.max_tokens=30")


@pytest.mark.parametrize(
    ("words", "view", "look"),
    [
        (["persona=[evil]"], "", "evil"),
        (["persona=[evil,main]", "cast.main.avatar=Spark Evil"], "&who=main", "evil"),
    ],
)
def test_the_page_shows_whoever_is_on_stage_as_her_file_says(
    tmp_path: Path, words: list[str], view: str, look: str
) -> None:
    need_models("smollm2", "piper-joe")
    with shown(tmp_path, *CAST, *words, ports={key: unused() for key in PORTS}) as live:
        live.until(live.url, within=60)
        log = live.run_dir / "show.log"
        live.until(lambda: log.exists() and "avatar connected" in log.read_text(encoding="utf-8"))
        with page_at(live.url().replace("/?", "/stage?") + view) as page:
            until(page, "() => document.querySelector('iframe').src !== ''")
            until(page.frames[1], f"() => window.spark?.look() === '{look}' && spark.frames > 5")
