"""The commands that the pages name are commands: each of launch.py's composes and is accepted."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from glue.app import check
from tests.test_conf import composed

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *(ROOT / each / "README.md" for each in ("engines", "glue", "tests"))]
# In a block to the line's comment, in a sentence to the closing mark.
COMMAND = re.compile(r"launch\.py (?! )([^#`\n]*(?:\n[^#`\n]*(?=`))?)")
SWEPT = re.compile(r"^([\w.]+=)([^,\[]+),.*$")  # of a sweep, its first


def commands() -> list[str]:
    found = {match for page in PAGES for match in COMMAND.findall(page.read_text())}
    return sorted(" ".join(each.split()) for each in found if "--help" not in each)


def overrides(command: str) -> list[str]:
    words = [word for word in shlex.split(command) if "=" in word]
    return [SWEPT.sub(r"\1\2", word) for word in words]


@pytest.mark.parametrize("command", commands())
def test_a_command_of_a_page_composes(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_PASSWORD", "any")
    check(composed(*overrides(command)))


def test_both_pages_have_the_same_commands_for_a_spark() -> None:
    first, second = (
        page.read_text().split("\n## On a DGX Spark\n")[1].split("\n## ")[0] for page in PAGES[:2]
    )
    blocks = [re.findall(r"```sh\n(.*?)```", each, re.DOTALL) for each in (first, second)]
    assert blocks[0] == blocks[1] and len(blocks[0]) == 1
    for way in ("verify bundle=", "+show=check"):
        assert way in first and way in second


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", page.read_text()):
            there = (page.parent / target).resolve() if target else page
            assert there.is_file(), target
            heads = re.findall(r"^#+ (.+)$", there.read_text() if anchor else "", re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", head.casefold()).replace(" ", "-") for head in heads}
            assert not anchor or anchor in slugs, anchor
