"""Shared by the tests of the pages: a browser that a module's pages are opened in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.shows.test_page import chromium


@pytest.fixture(scope="module")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    """The system's Chromium; who needs it with other flags defines it."""
    async with chromium() as browser:
        yield browser
