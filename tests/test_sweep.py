"""A `-m` run ends with all its jobs side by side, whatever became of each."""

import json
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from glue.report.compare import COLUMNS, Row, compare, slower
from glue.sweep import jobs

APP = """
import json, sys
from pathlib import Path
import hydra
from hydra.core.hydra_config import HydraConfig

@hydra.main(config_path=None, config_name="c", version_base="1.3")
def main(cfg):
    p50 = {"main": 400.0, "evil": 470.0}[cfg.persona]
    found = {"turns": 40, "first_audio_ms": {"p50": p50, "p95": 2 * p50}, "floor_ratio": 1.05}
    Path(HydraConfig.get().runtime.output_dir, "report.json").write_text(json.dumps(found))
    return p50

from hydra.core.config_store import ConfigStore
ConfigStore.instance().store("c", {
    "persona": "main", "temperature": 0.8,
    "hydra": {"callbacks": {"comparison": {"_target_": "glue.sweep.Comparison"}}, "output_subdir": "config"},
})
main()
"""


def test_the_jobs_of_a_sweep_are_compared(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    command = [sys.executable, "app.py", "-m", "persona=main,evil", "temperature=0.5", "hydra.sweep.dir=out"]
    repository = Path(__file__).parent.parent
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={"PYTHONPATH": str(repository), "PATH": "/usr/bin:/bin", "COLUMNS": "160"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert "persona=evil" in done.stdout
    found = json.loads((tmp_path / "out/comparison.json").read_text())
    assert [(r["run"], r["first audio p50"], r["floor ratio"]) for r in found] == [
        ("persona=main", 400.0, 1.05),
        ("persona=evil", 470.0, 1.05),
    ]
    page = (tmp_path / "out/comparison.html").read_text()
    assert "<svg" in page and "persona=evil" in page and "http" not in page.replace("http://www.w3.org", "")


def test_a_run_whose_first_audio_is_later_is_told() -> None:
    def row(name: str, p50: float | None, p95: float | None) -> Row:
        figures = {"first audio p50": p50, "p95": p95}
        return Row(name, tuple(figures.get(column) for column in COLUMNS))

    talk, game = row("talk", 400.0, 700.0), row("game", 439.0, 800.0)
    assert slower([talk, game], 0.15) == []
    assert slower([talk, game], 0.1) == ["game: p95 is 14% later than in talk"]
    assert slower([talk, row("lost", None, None)], 0.1) == [
        "lost: no first audio p50 to compare",
        "lost: no p95 to compare",
    ]


def test_a_job_without_a_report_is_a_row_without_figures(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text('{"turns": 3, "first_audio_ms": {"p50": null}}')
    rows = compare({"<b>good</b>": tmp_path, "lost": tmp_path / "none"}, tmp_path, Console(quiet=True))
    assert rows[0].values[:2] == (3.0, None)
    assert set(rows[1].values) == {None}
    assert "<b>good" not in (tmp_path / "comparison.html").read_text()


def test_jobs_are_named_by_what_differs(tmp_path: Path) -> None:
    for number, words in enumerate((["a=1", "b=2"], ["a=1", "b=3"], ["a=1", "b=3"])):
        (tmp_path / f"{number}/config").mkdir(parents=True)
        (tmp_path / f"{number}/config/overrides.yaml").write_text("".join(f"- {w}\n" for w in words))
    assert list(jobs(tmp_path, "config")) == ["b=2", "b=3", "b=3 (2)"]
