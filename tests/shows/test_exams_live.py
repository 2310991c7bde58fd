"""The games' exams as their user starts them: launch.py, from its command line to report.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engines.port import unused
from tests.minecraft import need_packages
from tests.shows.live import PORTS, Live, launched, shown
from tests.wires.test_chess import need_stockfish

pytestmark = pytest.mark.slow
KEYS = ("games.adapter.port", "chess.engine.port", "minecraft.engine.port", "minecraft.port")


def ports(*keys: str) -> dict[str, int]:
    return {key: unused() for key in (*PORTS, *keys)}


def ended(live: Live, within: float) -> dict[str, Any]:
    """It has ended by itself, and well; its report."""
    assert live.process.wait(within) == 0, live.said[-20:]
    report: dict[str, Any] = json.loads((live.run_dir / "report.json").read_text(encoding="utf-8"))
    return report


@pytest.mark.timeout(500)
def test_a_game_of_chess_ends_the_show_with_its_report(tmp_path: Path) -> None:
    need_stockfish()
    words = ["chess.games=1", "chess.engine.most_moves=2", "chess.engine.pause_s=0.2", "speaker=[wav]"]
    words += ["chess.opponent=stockfish", "games.adapter.taste.within=2", "director.lonely=600"]
    with launched(tmp_path, "+show=chess", *words, ports=ports(*KEYS[:2])) as live:
        report = ended(live, 440)
    assert report["show"]["shows"] == ["chess"] and report["lines_without_fate"] == 0
    moves = [e["name"] for e in live.events("ActionChosen") if e["game"] == "Chess"]
    assert len(moves) == 2 == sum(report["decisions_by"].values())
    (game,) = live.run_dir.rglob("chess-*.pgn")
    assert "2. " in game.read_text() and "3. " not in game.read_text()
    assert (report["games"], report["adjudicated"], report["moves"], report["illegal_moves"]) == (1, 1, 4, 0)


@pytest.mark.timeout(500)
def test_an_exam_of_the_body_writes_its_report(tmp_path: Path) -> None:
    need_packages()
    words = ["+show=minecraft", "minecraft.exam=wooden_pickaxe", "minecraft.seeds=1"]
    with shown(tmp_path, *words, ports={}) as live:
        report = ended(live, 440)
    (step,) = report["steps"]
    assert step["goal"] == "wooden_pickaxe" and step["claimed"] is step["true"] is True
    assert report["success_share"] == 1.0 and report["claims_false"] == 0 and report["reflex_ms"]["n"] > 0
    assert any("wooden_pickaxe: 100 % of 1 worlds" in line for line in live.said)
