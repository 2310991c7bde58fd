"""A server of OpenAI's wire that decides and speaks by rules, for shows in which no model is to be judged.

A decision is that of `script` whose words stand last in what she is asked, or to wait. What she says is what
the prompt told her: what she has in a game now, or what happened there.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FACT = re.compile(r"\(You remember: In \w+ now: .*?(I have: [^.]+\.)")
HAPPENED = re.compile(r"\(You play \w+\. Tell chat [^:]+: (.+)\)")
WAIT = {"action": "(wait)"}


@contextmanager
def scripted(script: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """Its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("application/json", b'{"data": []}')

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            last = str(asked["messages"][-1]["content"])
            decides = "response_format" in asked
            text = json.dumps(_decision(script, last)) if decides else _speech(last)
            chunks = [{"choices": [{"index": 0, "delta": {"content": f"{word} "}}]} for word in text.split()]
            rows = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
            self._answer("text/event-stream", "".join([*rows, "data: [DONE]\n\n"]).encode())

        def _answer(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _decision(script: Mapping[str, dict[str, Any]], asked: str) -> dict[str, Any]:
    latest = max(script, key=asked.rfind)
    return script[latest] if latest in asked else WAIT


def _speech(asked: str) -> str:
    known = FACT.search(asked) or HAPPENED.search(asked)
    return known[1] if known else "All right, here we go."
