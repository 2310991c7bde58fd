"""Who is let in: names, icons, tokens, and the file that keeps them as hashes."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from engines.avatar.inputs import Plugin
from engines.avatar.tokens import MOST, MOST_OF_A_PLUGIN, Tokens, state_folder
from tests.puppet import ME, Talk, puppet

A, B = Plugin("Plugin A", "Ann"), Plugin("Plugin B", "Ben")
SMALL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + bytes([0, 0, 0, 64] * 2)).decode()
RIGHT = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + bytes([0, 0, 0, 128] * 2)).decode()


def test_a_session(tmp_path: Path) -> None:
    talk = Talk(puppet(tmp_path))
    assert talk.ask("APIState")["currentSessionAuthenticated"] is False
    token = talk.ask("AuthenticationToken", **ME, pluginIcon=RIGHT)["authenticationToken"]
    assert token.isascii() and len(token) <= 64
    assert talk.no("Statistics") == 8
    assert talk.ask("Authentication", **ME, authenticationToken=token)["authenticated"] is True
    assert talk.ask("APIState")["currentSessionAuthenticated"] is True
    assert talk.ask("Statistics")["connectedPlugins"] == 1
    other = Talk(talk.there)
    assert other.ask("APIState")["currentSessionAuthenticated"] is False, "each connection for itself"
    wrong = ME | {"pluginName": "Somebody else"}
    assert other.ask("Authentication", **wrong, authenticationToken=token)["authenticated"] is False
    assert talk.ask("Authentication", **ME, authenticationToken="\ud800")["authenticated"] is False
    assert talk.no("Statistics") == 8


@pytest.mark.parametrize(
    ("data", "number"),
    [
        ({}, 52),
        ({"pluginName": "ab", "pluginDeveloper": "Ann"}, 52),
        ({"pluginName": "a" * 33, "pluginDeveloper": "Ann"}, 52),
        ({"pluginName": 3, "pluginDeveloper": "Ann"}, 52),
        ({"pluginName": "Good"}, 53),
        (ME | {"pluginIcon": "not base64!"}, 54),
        (ME | {"pluginIcon": SMALL}, 54),
        (ME | {"pluginIcon": base64.b64encode(b"GIF89a").decode()}, 54),
    ],
)
def test_what_is_wrong_with_asking_for_a_token(tmp_path: Path, data: dict[str, str], number: int) -> None:
    assert Talk(puppet(tmp_path)).no("AuthenticationToken", **data) == number


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    talk = Talk(puppet(tmp_path))
    assert talk.no("Authentication", **ME) == 100
    assert talk.no("Authentication", authenticationToken="x", pluginDeveloper="Ann") == 101
    assert talk.no("Authentication", authenticationToken="x", pluginName="Good") == 102


def test_tokens_survive_and_cannot_be_read_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "state" / "tokens.json"
    token = Tokens(path).grant(A)
    again = Tokens(path)
    assert again.knows(A, token) and not again.knows(B, token) and not again.knows(A, token[::-1])
    assert token not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [kept.name for kept in path.parent.iterdir()] == ["tokens.json"]


def test_two_servers_share_the_file(tmp_path: Path) -> None:
    one, two = Tokens(tmp_path / "t.json"), Tokens(tmp_path / "t.json")
    first, second = one.grant(A), two.grant(B)
    assert one.knows(B, second) and two.knows(A, first)
    assert one.plugins() == 2


def test_the_oldest_tokens_go_first(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "t.json")
    given = [tokens.grant(A) for _ in range(MOST_OF_A_PLUGIN + 1)]
    assert [tokens.knows(A, token) for token in given] == [False] + [True] * MOST_OF_A_PLUGIN
    for number in range(MOST):
        tokens.grant(Plugin(f"Plugin {number}", "Ann"))
    assert not tokens.knows(A, given[-1])
    assert tokens.plugins() == MOST


@pytest.mark.parametrize("text", ["", "{", "3", "[1]", '[{"name": "x"}]', "null", "\x00"])
def test_a_file_that_is_broken_is_begun_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    token = Tokens(path).grant(A)
    assert Tokens(path).knows(A, token)


def test_without_a_place_to_keep_them_tokens_hold_until_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    tokens = Tokens(tmp_path / "file" / "t.json")
    assert tokens.knows(A, tokens.grant(A))
    assert "cannot be kept" in capsys.readouterr().err


def test_the_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/tmp/state")
    assert state_folder("") == Path("/tmp/state/spark-vtuber")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert state_folder("") == Path.home() / ".local/state/spark-vtuber"
    assert state_folder("~/here") == Path.home() / "here"
