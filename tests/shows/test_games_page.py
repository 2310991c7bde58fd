"""The operator's say in a game, on the console page in a real Chromium."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Browser, expect

from glue.closing import closing
from glue.game_events import (
    ActionChosen,
    ActionExplained,
    ActionJudged,
    GameButton,
    GameChanged,
    GameFate,
    GameMessageClosed,
    GamePressed,
)
from glue.senses.console import ConsoleSense
from glue.stage.console import Console
from tests.console_show import opened
from tests.shows.test_page import HOSTILE, page_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with opened(tmp_path) as console:
        yield console


def changed(console: Console, game: str = "Noughts", **more: object) -> None:
    usual = {
        "connected": True,
        "paused": False,
        "actions": ("place(cell: 0..8)", "pass"),
        "vetoed": (),
        "force": "Your move.",
        "priority": "high",
    }
    console.show(GameChanged(anyio.current_time(), "main", game, **(usual | more)))  # type: ignore[arg-type]


async def test_a_game_its_decisions_and_the_operators_buttons(browser: Browser, console: Console) -> None:
    async with page_of(browser, console.url()) as page, closing(ConsoleSense(console).events()) as pressed:
        await expect(page.locator("#doing")).to_have_text("idle")
        await expect(page.locator("#games")).to_be_hidden()
        changed(console)
        panel = page.locator(".game")
        await expect(panel.locator("h2")).to_contain_text("wants (high): Your move.")
        now = anyio.current_time()
        console.show(ActionChosen(now, "main", "Noughts", "a1", "place", '{"cell": 4}', "model", 0.812))
        console.show(ActionJudged(now, "main", "Noughts", "a1", True, HOSTILE, 0.1))
        console.show(ActionExplained(now, "main", "Noughts", "a1", "The middle is best."))
        decision = panel.locator(".decision")
        await expect(decision).to_contain_text(
            'place {"cell": 4}model · 812 msThe middle is best. · ' + HOSTILE
        )
        assert await page.title() != "owned"

        await panel.get_by_role("button", name="Veto").click()
        event = await anext(pressed)
        assert isinstance(event, GamePressed)
        assert (event.game, event.button, event.text) == ("Noughts", GameButton.VETO, "place")
        changed(console, vetoed=("place",), paused=True)
        await expect(panel.get_by_role("button", name="Allow")).to_be_visible()
        await panel.get_by_role("button", name="Go on").click()
        event = await anext(pressed)
        assert isinstance(event, GamePressed) and event.button is GameButton.RESUME
        await panel.get_by_label("Action").select_option("pass")
        await panel.get_by_label("Action").select_option("place(cell: 0..8)")
        await panel.get_by_label("Parameters").fill('{"cell": 8}')
        await panel.get_by_role("button", name="Force").click()
        event = await anext(pressed)
        assert isinstance(event, GamePressed)
        assert (event.button, event.text) == (GameButton.FORCE, 'place {"cell": 8}')


async def test_refusals_are_shown_and_a_late_page_sees_it_all(browser: Browser, console: Console) -> None:
    changed(console)
    changed(console, "Other", connected=False)
    now = anyio.current_time()
    why = "no parameters fit its schema"
    console.show(
        GameMessageClosed(
            now, "main", "Noughts", 7, now, "actions/force", "Your move.", GameFate.REFUSED, why
        )
    )
    async with page_of(browser, console.url()) as page:
        await expect(page.locator(".game")).to_have_count(2)
        await expect(page.locator(".refused").first).to_have_text(f"actions/force: {why}")
        await expect(page.locator(".game", has_text="Other").locator("h2")).to_contain_text("not connected")
