"""Two on stage: one avatar that who is heard moves, and a view of each in which only that one speaks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Browser, Frame, Page

from glue.errors import Unreachable
from glue.events import CaptionShown
from glue.stage.shared import Shared
from tests.console_show import opened
from tests.wires.puppet_client import Plugin, plugin
from tests.wires.test_puppet_page import hold, until

pytestmark = pytest.mark.anyio


class Model:
    """An Avatar that keeps what it is told."""

    def __init__(self) -> None:
        self.poses: list[float] = []
        self.expressions: list[tuple[str, bool]] = []

    def pose(self, values: Mapping[str, float]) -> None:
        self.poses.append(values["MouthOpen"])

    async def express(self, name: str, active: bool) -> None:
        self.expressions.append((name, active))


async def test_who_is_heard_moves_the_avatar_and_the_other_does_not_shake_it() -> None:
    model = Model()
    shared = Shared(model)
    main, evil = shared.seat(), shared.seat()
    for seat, mouth in ((main, 0.0), (evil, 0.0), (evil, 0.7), (main, 0.0), (evil, 0.0), (main, 0.4)):
        seat.pose({"MouthOpen": mouth})
    assert model.poses == [0.0, 0.7, 0.0, 0.4]
    await main.express("happy", True)
    with pytest.raises(Unreachable):
        await evil.express("smug", True)
    await evil.express("smug", False)
    assert model.expressions == [("happy", True), ("smug", False)]


async def view(browser: Browser, url: str) -> Page:
    page = await browser.new_page(viewport={"width": 320, "height": 360})
    await page.goto(url)
    return page


async def opens(there: Plugin, frame: Frame, other: Frame) -> None:
    """Whoever is moved opens her mouth in `frame`, and the one in `other` does not."""
    with anyio.fail_after(30):
        while not (
            await frame.evaluate("() => spark.mouth()") > 3 > await other.evaluate("() => spark.mouth()")
        ):
            await hold(there, 0.1, MouthOpen=0.9, VoiceA=1)
    await hold(there, 0.3, MouthOpen=0.9, VoiceA=1)
    assert await other.evaluate("() => spark.mouth()") < 3


@pytest.mark.browser
async def test_each_view_shows_its_own_and_speaks_only_her_words(
    puppet: str, browser: Browser, tmp_path: Path
) -> None:
    async with plugin(puppet) as there:
        avatar = puppet.replace("ws://", "http://") + "/"
        async with opened(tmp_path, avatar) as console:
            pages = [
                await view(browser, f"{console.url('stage')}&sound=0&who={who}") for who in ("main", "evil")
            ]
            for page in pages:
                await until(page, "() => document.getElementById('avatar').src !== ''", within=60)
            main, evil = (page.frames[1] for page in pages)
            for frame, look in ((main, "main"), (evil, "evil")):
                await until(frame, f"() => window.spark?.look() === '{look}' && spark.frames > 20", within=60)
            console.show(CaptionShown(1.0, "evil", "t1", 0, "Kneel before me!", 5))
            await opens(there, evil, main)
            words = [await page.locator("#captions").inner_text() for page in pages]
            assert words == ["", "Kneel before me!"]
            console.show(CaptionShown(2.0, "main", "t2", 0, "Never.", 5))
            await opens(there, main, evil)
            assert await pages[0].locator("#captions").inner_text() == "Never."
            for page in pages:
                await page.close()
