"""The system's Chromium, in which pages are opened as a viewer or OBS would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright, expect

from tests.need import need_browser

expect.set_options(timeout=30_000)  # ms, instead of 5,000: a busy machine draws a frame in seconds
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    """A browser of its own, with these flags as well."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=need_browser(), args=[*FLAGS, *flags])
        yield browser
        await browser.close()
