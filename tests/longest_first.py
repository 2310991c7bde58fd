"""A pytest plugin: the files that take longest begin, so that no process is left with one of them at the end.

For `--dist=loadfile --no-loadscope-reorder`, where a process takes the next file when its own is done."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

KEPT = "spark/took"  # in pytest's cache: {test: seconds}
GIVEN = "took"  # the same, as a process gets it: all must come to one order


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Clock(config))


class Clock:
    """What each test took, its fixtures included, when it was last passed."""

    def __init__(self, config: pytest.Config) -> None:
        self._cache = getattr(config, "cache", None)  # None: pytest is told to keep nothing
        self._took: dict[str, float] = self._cache.get(KEPT, {}) if self._cache else {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        if node.config.option.dist == "loadfile":
            node.workerinput[GIVEN] = self._took.copy()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.passed:
            before = 0.0 if report.when == "setup" else self._took.get(report.nodeid, 0.0)
            self._took[report.nodeid] = round(before + report.duration, 2)

    def pytest_sessionfinish(self) -> None:
        if self._cache:
            self._cache.set(KEPT, self._took)


@pytest.hookimpl(trylast=True)  # what is deselected is gone
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    took = getattr(config, "workerinput", {}).get(GIVEN)
    if took is None:
        return
    files: dict[str, float] = defaultdict(float)
    for item in items:
        files[_file(item)] += took[item.nodeid] if item.nodeid in took else _most(item)
    items.sort(key=lambda item: -files[_file(item)])


def _file(item: pytest.Item) -> str:
    return item.nodeid.split("::", 1)[0]


def _most(item: pytest.Item) -> float:
    """Seconds that it may take: all that is known of a test that has never been passed here."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0] if marker and marker.args else item.config.getini("timeout") or 0)
