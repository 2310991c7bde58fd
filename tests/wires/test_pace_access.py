"""Who may use the pacing proxy, which knows the engine's key: programs of this machine, and no page."""

from __future__ import annotations

import anyio
import httpx
import pytest
from anyio.abc import SocketStream

from engines.llm_key import VARIABLE
from engines.port import unused
from tests.test_openai_llm import server
from tests.wires.paced import begin, until_paces

WHOLE = b'{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(WHOLE)
PATHS = ("/main/v1/completions", "/main/tokenize", "/pace")
PAGES = ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"})


@pytest.mark.anyio
async def test_a_page_gets_nothing_from_the_engine_and_programs_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "a key")
    asked, port = list[None](), unused()

    async def answer(client: SocketStream) -> None:
        asked.append(None)
        await client.send(HEAD + WHOLE)

    async def sends(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> int:
        """As a browser does it without asking first."""
        plain = {"Content-Type": "text/plain", **headers}
        if path == "/pace":
            return (await client.get(path, headers=headers)).status_code
        return (await client.post(path, content='{"prompt": "a"}', headers=plain)).status_code

    async with server(answer) as upstream:
        process = begin(port, upstream)
        try:
            await until_paces(port)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                with anyio.fail_after(60):
                    asked.clear()
                    seen = [await sends(client, path, headers) for path in PATHS for headers in PAGES]
                    assert seen == [403] * 9 and not asked
                    assert [await sends(client, path, {}) for path in PATHS] == [200] * 3 and len(asked) == 2
        finally:
            process.terminate()
            process.communicate(timeout=20)
