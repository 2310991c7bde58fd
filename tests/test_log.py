"""What is logged: on the terminal and in the run folder, with its fields and without anybody's words."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from pymilvus import MilvusException

from glue.errors import Refused
from glue.log import logged
from glue.memory.index import _translated
from glue.memory.vectors import Embeddings
from glue.mind.openai_llm import _said
from tests.bad_server import serving

ours = logging.getLogger("glue.somewhere")
library = logging.getLogger("httpx")


def kept(run_dir: Path) -> str:
    return (run_dir / "show.log").read_text(encoding="utf-8")


def test_fields_stand_behind_the_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with logged(tmp_path):
        ours.warning("no such model; the one that is on stays", extra={"model": "Ann", "has": "Bob, Cid"})
    told = "no such model; the one that is on stays (model=Ann; has=Bob, Cid)\n"
    assert capsys.readouterr().err == told
    assert kept(tmp_path).endswith(f"WARNING glue.somewhere: {told}")


def test_info_is_in_the_file_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with logged(tmp_path):
        ours.info("avatar connected", extra={"address": "ws://localhost:8001"})
        ours.debug("every frame")
    assert not capsys.readouterr().err
    assert kept(tmp_path).endswith("avatar connected (address=ws://localhost:8001)\n")
    assert "every frame" not in kept(tmp_path)


def test_of_a_library_the_terminal_has_the_warnings_and_the_file_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logged(tmp_path):
        library.info("GET https://api.example/?key=SECRET")
        library.warning("a connection was lost")
    assert capsys.readouterr().err == "a connection was lost\n"
    assert not (tmp_path / "show.log").exists()


def test_what_a_server_quotes_is_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As vLLM refuses a request: with the request in it."""
    body = json.dumps({"message": "bad input: {'content': 'mika: my cat is called Biscuit'}"}).encode()
    with logged(tmp_path):
        ours.warning("the opener failed: %s", Refused("llm", _said(400, body), quoted=True))
        ours.error("a line was not kept: %s", Refused("memory", "no room; cure: free some"))
    said = capsys.readouterr().err
    assert said == (
        "the opener failed: llm: Refused, HTTP 400\na line was not kept: memory: no room; cure: free some\n"
    )
    assert "Biscuit" not in kept(tmp_path)


@pytest.mark.anyio
async def test_memorys_servers_are_known_to_quote() -> None:
    with serving("500") as port:
        embeddings = Embeddings(f"http://127.0.0.1:{port}", "any", 4, 5.0, "")
        with pytest.raises(Refused, match="it broke") as told:
            await embeddings.embed(["Biscuit"])
        await embeddings.close()
    with pytest.raises(Refused, match="Biscuit") as searched, _translated():
        raise MilvusException(1100, "cannot parse expression: viewer == 'Biscuit'")
    assert told.value.quoted and searched.value.quoted


def test_of_an_exception_its_place_and_type(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with logged(tmp_path):
        try:
            raise ValueError("mika wrote this")
        except ValueError:
            ours.exception("a decision broke")
    for told in (capsys.readouterr().err, kept(tmp_path)):
        assert "a decision broke\n" in told and "test_log.py" in told and told.endswith("ValueError\n")
        assert told.count("mika wrote") == 1, "the line of the program is shown, not what it said"


def test_a_name_from_elsewhere_is_no_signal_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logged(tmp_path):
        ours.warning("no such %s", "m\x1b[2J\nodel", extra={"has": "\x07A\n"})
    assert capsys.readouterr().err == "no such m [2J odel (has= A )\n"


def test_a_full_disk_costs_the_file_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "show.log").symlink_to("/dev/full")
    with logged(tmp_path):
        ours.warning("one")
        ours.warning("two")
    assert capsys.readouterr().err == "one\ntwo\n"


def test_each_show_of_a_sweep_has_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with logged(tmp_path / name):
            ours.warning("in %s", name)
    assert "in b" not in kept(tmp_path / "a") and "in a" not in kept(tmp_path / "b")
    assert capsys.readouterr().err == "in a\nin b\n"
