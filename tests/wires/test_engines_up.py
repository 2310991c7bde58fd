"""`python -m engines up`: three engines, a foreign client of each wire on the addresses that it prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
import pyvts
import riva.client

from engines.llm_key import VARIABLE
from engines.port import unused
from tests.need import need_models

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
NAMES = ("llm", "speech", "avatar")


@pytest.fixture
def addresses(tmp_path: Path) -> Iterator[dict[str, str]]:
    need_models("smollm2", "piper-joe")
    kept = {key: value for key, value in os.environ.items() if key != VARIABLE}
    log = tmp_path / "up.log"  # a pipe that nobody reads would fill up
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [
                *(sys.executable, "-m", "engines", "up", *NAMES, "llm=smollm2"),
                *(f"{name}.engine.port={unused()}" for name in NAMES),
            ],
            cwd=ROOT,
            env=kept | {"XDG_STATE_HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as up,
    ):
        try:
            assert up.stdout
            told = up.stdout.readline()
            assert told, log.read_text()
            yield json.loads(told)
            up.send_signal(signal.SIGINT)
            assert up.wait(30) == 0
        finally:
            up.kill()  # where it did not end; or the way out would wait for it for ever


async def test_foreign_clients_are_served_at_the_printed_addresses(
    addresses: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(addresses) == set(NAMES)
    async with openai.AsyncOpenAI(base_url=f"{addresses['llm']}/v1", api_key="none", max_retries=0) as client:
        answer = await client.chat.completions.create(
            model="smollm2",
            messages=[{"role": "user", "content": "Say hello."}],
            max_tokens=8,
            temperature=0,
        )
        assert answer.choices[0].message.content
    auth = riva.client.Auth(uri=addresses["speech"])
    spoken = riva.client.SpeechSynthesisService(auth).synthesize("Hello there.", sample_rate_hz=24000)
    assert len(spoken.audio) > 24000
    auth.channel.close()
    host, _, port = addresses["avatar"].removeprefix("ws://").partition(":")
    me = {"plugin_name": "Py Plugin", "developer": "Somebody"}
    me |= {"authentication_token_path": str(tmp_path / "token.txt")}
    api = {"version": "1.0", "name": "VTubeStudioPublicAPI", "host": host, "port": int(port)}
    studio = pyvts.vts(plugin_info=me, vts_api_info=api)
    await studio.connect()
    await studio.request_authenticate_token()
    assert await studio.request_authenticate() is True
    moved = await studio.request(studio.vts_request.requestMoveModel(0.1, 0))
    assert moved["messageType"] == "MoveModelResponse"
    await studio.close()
    capsys.readouterr()  # it prints
