"""The desk's two buttons for the whole show, in a real Chromium: Go, and an end that is asked for twice."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Browser, expect

from glue.desk_events import OperatorAsked
from glue.ports import Prompt, Role, Usage
from tests.core import Scene, SlowLlm, SlowTts
from tests.desk_show import on_air
from tests.shows.test_page import page_of
from tests.shows.test_page_desk import FIRST, SECOND, THIRD, TWICE, ended

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@dataclass
class Talker(SlowLlm):
    """Something else in each answer: what she has said is held back by the filters."""

    answers: Iterator[list[str]] = field(default_factory=lambda: iter(([f"{FIRST} "], [f"{SECOND} ", THIRD])))

    async def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[str | Usage]:
        self.words = next(self.answers)
        async for piece in super().stream(prompt, role):
            yield piece


async def test_the_show_begins_with_go_and_ends_after_a_goodbye(browser: Browser, tmp_path: Path) -> None:
    scene = Scene(llm=Talker(first=0.05), tts=SlowTts(first=0.02, word=0.1))
    async with on_air(tmp_path, scene, waits=True) as air, page_of(browser, air.console.url()) as page:
        go, end, doing = page.locator("#go"), page.locator("#end"), page.locator("#doing")
        await expect(doing).to_have_text("not live yet")
        air.says("mika", "hello Spark")
        await expect(page.locator("#queue")).to_have_text("1 waiting")
        await go.click()
        await expect(go).to_be_hidden()
        assert (await ended(air))[0].heard == FIRST
        await expect(end).to_have_text("End show")
        await end.click()
        await expect(end).to_have_text("End show")  # it was not meant
        assert not [event for event in air.happened if isinstance(event, OperatorAsked)]
        assert await end.evaluate(TWICE) == "Really end?"
        await expect(page.locator("#effect")).to_contain_text("she says goodbye")
        async with page_of(browser, air.console.url()) as later:
            await expect(later.locator("#end")).to_have_text("End at once")
        assert (await ended(air, 2))[1].heard == f"{SECOND} {THIRD}"
        await expect(doing).to_have_text("over")
        assert not air.over.is_set(), "the ending scene is on"
        assert await end.evaluate(TWICE) == "Without a goodbye?"
        with anyio.fail_after(30):
            await air.over.wait()  # long before the ending scene would be over
