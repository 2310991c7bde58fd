"""A wrong key or type in the YAML of an adapter is refused with the key and the choices."""

import pytest

from glue.errors import ConfigError
from glue.make import check, make


class Voice:
    """An adapter for these tests."""

    def __init__(
        self, address: str, timeout: float = 2.0, tags: list[str] | None = None, *, run_dir: str
    ) -> None:
        self.given = (address, timeout, tags, run_dir)


OFFER = {"run_dir": "runs/x", "unasked": 1}


@pytest.fixture(autouse=True)
def _ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the adapter above pass for one of ours."""
    import sys

    monkeypatch.setitem(sys.modules, "glue.voice.test_make", sys.modules[__name__])


def section(**values: object) -> dict[str, object]:
    return {"_target_": "glue.voice.test_make.Voice", "address": "127.0.0.1:1", **values}


def test_it_builds_with_what_is_offered_by_name() -> None:
    voice = make("speech.adapter", section(timeout=3, tags=["a"]), OFFER)
    assert voice.given == ("127.0.0.1:1", 3.0, ["a"], "runs/x")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"timeot": 3}, "speech.adapter.timeot: no such option; did you mean 'timeout'? The options are: "),
        ({"timeout": "soon"}, "speech.adapter.timeout: input should be a valid number"),
        ({"timeout": True}, "speech.adapter.timeout: input should be a valid number"),
        ({"tags": "a"}, "speech.adapter.tags: input should be a valid list"),
        ({"address": None}, "speech.adapter.address: input should be a valid string"),
        ({"_target_": "os.system"}, "speech.adapter._target_: 'os.system' is not an adapter of ours"),
        ({"_target_": "glue.voice.nothing.Voice"}, "speech.adapter._target_: there is no"),
        ({"_target_": "glue.voice.test_make.Nothing"}, "speech.adapter._target_: there is no"),
        ({"_target_": None}, "is not an adapter of ours"),
    ],
)
def test_what_cannot_run_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=None) as caught:
        check("speech.adapter", section(**values), OFFER)
    assert message in str(caught.value)


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(ConfigError, match=r"speech.adapter.address: is missing; Voice needs it"):
        check("speech.adapter", {"_target_": "glue.voice.test_make.Voice"}, OFFER)
