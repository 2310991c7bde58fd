"""The chat that a calibrating recipe runs through the model: ours, the owner's, and what is no chat."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engines.bundle import calibration, weights, words
from engines.bundle.config import Quantise
from engines.bundle.errors import BundleError
from engines.bundle.hashes import Hashes


def test_the_shipped_lines_are_all_there_with_their_authors() -> None:
    path = calibration.file("")
    rows = [json.loads(row) for row in path.read_text().splitlines()]
    found = "\n".join(calibration.chats(path)).splitlines()
    assert found == [f"{row['author']}: {row['text']}" for row in rows]
    assert len(found) > 80
    assert all(chat.count("\n") == calibration.TOGETHER - 1 for chat in calibration.chats(path)[:-1])


def test_lines_of_the_owner(tmp_path: Path) -> None:
    plain, rows = tmp_path / "mine.txt", tmp_path / "mine.jsonl"
    plain.write_text("hello\n\n  \nwhat is this?\n")
    rows.write_text('{"text": "hello"}\n\n{"author": "me", "text": "again"}\n')
    assert calibration.chats(calibration.file(str(plain))) == ["hello\nwhat is this?"]
    assert calibration.chats(calibration.file(str(rows))) == ["hello\nme: again"]


@pytest.mark.parametrize(
    ("name", "content", "words_"),
    [
        ("a.txt", b"\n \n", "a.txt holds no line; cure: a text file"),
        ("a.jsonl", b"", "a.jsonl holds no line"),
        ("a.jsonl", b'{"text": "hello"}\nhello\n', "a.jsonl:2 has no `text`"),
        ("a.jsonl", b'{"author": "me"}\n', "a.jsonl:1 has no `text`"),
        ("a.jsonl", b'{"text": 3}\n', "a.jsonl:1 has no `text`"),
        ("a.jsonl", b'["hello"]\n', "a.jsonl:1 has no `text`"),
        ("a.txt", b"\xff\xfe\x00", "no text in UTF-8"),
    ],
)
def test_what_is_no_chat_is_named(tmp_path: Path, name: str, content: bytes, words_: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BundleError, match=words_):
        calibration.chats(tmp_path / name)


def test_a_bundle_is_another_with_other_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And only where ModelOpt reads them."""
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path))
    lines = tmp_path / "mine.txt"
    lines.write_text("hello\n")

    def inputs(who: Quantise) -> object:
        tiny = replace(words.read("tiny-llama"), calibration=str(lines), quantise=who)
        return weights.inputs(tiny, Hashes())

    modelopt, streamed = inputs(Quantise.modelopt), inputs(Quantise.stream)
    lines.write_text("hello again\n")
    assert inputs(Quantise.modelopt) != modelopt
    lines.unlink()
    assert inputs(Quantise.stream) == streamed
    with pytest.raises(BundleError, match=r"mine.txt: there is no such file; cure: a text file"):
        inputs(Quantise.modelopt)
