"""Whatever listens on an engine's port and is no engine: its probe says so, and an adapter names it."""

from __future__ import annotations

import importlib

import anyio
import pytest

from engines.keeper import NotReady
from engines.pace.options import Pace
from glue.closing import closing
from glue.errors import PortError
from glue.voice.riva_tts import RivaTts
from tests import bad_server

pytestmark = pytest.mark.anyio
MORE = {"pace": {"routes": {"main": Pace()}}}  # options without a default
WAYS = [way for way in bad_server.WAYS if way not in ("good", "endless")]


@pytest.mark.parametrize("way", [*WAYS, "good"])
@pytest.mark.parametrize("engine", ["llm", "speech", "asr", "avatar", "pace"])
async def test_a_probe_is_not_fooled(engine: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if (engine, way) == ("llm", "good"):
        return
    probe = importlib.import_module(f"engines.{engine}.probe")
    monkeypatch.setattr(probe, "WITHIN", 0.4)
    with bad_server.serving(way) as port:
        options = probe.Options(port=port, **MORE.get(engine, {}))
        with anyio.fail_after(60), pytest.raises(NotReady) as caught:
            await probe.ready(options)
    assert f"127.0.0.1:{port}" in str(caught.value)


@pytest.mark.parametrize("way", WAYS)
async def test_a_voice_that_is_no_riva_server_is_named(way: str) -> None:
    with bad_server.serving(way) as port:
        async with RivaTts(f"127.0.0.1:{port}", 24000, first_chunk_s=0.6, stall_s=0.6) as tts:
            with anyio.fail_after(60), pytest.raises(PortError) as caught:
                async with closing(tts.speak("Hello there.", "Any")) as chunks:
                    async for _ in chunks:
                        pass
    assert "\n" not in str(caught.value)
