"""Whether a compiled server works on this CPU: it loads the bundle's model and reads some words.

That it starts says too little: a wide instruction that was compiled wrongly dies at the first matrix.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import httpx

from engines import port
from engines.bundle.errors import BundleError
from engines.options import die_with_parent

WORDS = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
WITHIN = 120.0  # seconds: a large model is read from a slow disk


def attempt(server: Path, model: Path, log: Path) -> None:
    """Raises BundleError with what went wrong and the cure."""
    where = port.unused()
    words = [str(server), "--model", str(model), "--host", "127.0.0.1", "--port", str(where)]
    words += ["--ctx-size", "256", "--parallel", "1", "--threads", "2", "--no-ui", "--load-mode", "none"]
    try:
        with log.open("ab") as stream:
            child = subprocess.Popen(words, stdout=stream, stderr=stream, preexec_fn=die_with_parent)
        try:
            why = _asked(child, f"http://127.0.0.1:{where}")
        finally:
            child.kill()
            child.wait()
    except OSError as error:
        why = str(error)
    if why:
        raise BundleError(f"{server.name} does not run here ({why}; log: {log}); cure: native=false")


def _asked(child: subprocess.Popen[bytes], address: str) -> str:
    """Read WORDS and write two tokens; what was wrong, or ""."""
    until = time.monotonic() + WITHIN
    why = f"no answer within {WITHIN:.0f} s"
    body = {"prompt": WORDS, "n_predict": 2}
    with httpx.Client(base_url=address, timeout=WITHIN, trust_env=False) as client:  # past the proxy, if any
        while time.monotonic() < until:
            try:
                answer = client.post("/completion", json=body)
            except httpx.HTTPError as error:
                if child.poll() is not None:
                    return f"it ended with {child.returncode} at its first words"
                why = str(error)
            else:
                if answer.status_code == httpx.codes.OK:
                    return ""
                why = f"it answers {answer.status_code}"  # 503 while it loads
            time.sleep(0.2)
    return why
