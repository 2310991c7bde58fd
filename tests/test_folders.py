"""Where the user's files lie, for the glue and for the engines, and that none is ever half written."""

import stat
from pathlib import Path

import pytest

import engines.folders
import glue.folders


@pytest.mark.parametrize("at", ["/tmp/here", "~/here", ""])
def test_glue_and_engines_look_for_the_users_files_in_one_place(
    monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    for kind in ("STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", at and f"{at}/{kind}")
    home = Path(at).expanduser() if at else Path.home()
    state, data, cache = ("STATE", "DATA", "CACHE") if at else (".local/state", ".local/share", ".cache")
    assert engines.folders.state() == glue.folders.state("") == home / state / "spark-vtuber"
    assert engines.folders.data() == glue.folders.data("") == home / data / "spark-vtuber"
    assert engines.folders.caches() == home / cache / "spark-vtuber"


def test_what_is_configured_is_taken() -> None:
    assert glue.folders.state("console-token", "~/mine") == Path.home() / "mine"
    assert glue.folders.data("memory", "/tmp/mine") == Path("/tmp/mine")


def test_a_file_is_its_owners_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "made" / "list.txt"
    for text in ("first\n", "schön\n"):
        glue.folders.put(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_replaced_stays_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    (path / "in the way").mkdir(parents=True)
    with pytest.raises(OSError):
        glue.folders.put(path, "new")
    assert list(tmp_path.iterdir()) == [path]
