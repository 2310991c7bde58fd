"""The bundle's own llama.cpp server, compiled for this CPU: our options as its command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from engines.llm.options import Options, batch
from engines.llm.params import origin, prefixes
from engines.llm_key import key


def arguments(server: Path, options: Options, model: Path) -> list[str]:
    """What params() says, in the words of llama-server; the reasons stand there."""
    words = ["--model", str(model), "--alias", options.model]
    words += ["--host", options.host, "--port", str(options.port)]
    words += ["--parallel", str(options.slots), "--ctx-size", str(options.slots * options.context)]
    size = str(batch(options))
    words += ["--batch-size", size, "--ubatch-size", size]
    words += ["--threads", str(options.threads), "--threads-batch", str(options.threads_batch)]
    words += ["--threads-http", str(options.slots + 3), "--cache-ram", "0", "--slot-prompt-similarity", "0"]
    words += [
        "--ctx-checkpoints",
        "0",
        "--flash-attn",
        "on" if options.flash else "off",
        "--no-ui",
        "--slots",
    ]
    words += ["--cors-origins", origin(options), "--log-verbosity", "1"]
    words += ["--load-mode", "mmap" if options.mmap else "none"]
    adapters = [Path(adapter).expanduser() for adapter in options.adapters.values()]
    for adapter in adapters:
        words += ["--lora", str(adapter)]
    if adapters:
        words.append("--lora-init-without-apply")  # a request that names none is the base model's
    if folder := prefixes(options, [server, model, *adapters]):
        words += ["--slot-save-path", f"{folder}/"]
    return words


def become(server: Path, options: Options, model: Path) -> NoReturn:
    """Be the server from here on: the same process, so that whoever ends us ends it.

    Ends with exit 1 and the cure where it does not start here (a bundle of another machine)."""
    os.environ.setdefault("GOMP_SPINCOUNT", str(options.spin))
    try:
        tried = subprocess.run([server, "--version"], capture_output=True, timeout=20, check=False).returncode
        if tried == 0:
            sys.stderr.write(f"http://{options.host}:{options.port} serves {model.name}, native\n")
            sys.stderr.flush()
            os.environ.pop("LLAMA_API_KEY", None)  # somebody else's: our clients do not know it
            os.environ |= {"LLAMA_API_KEY": key()} if key() else {}
            os.execv(server, [str(server), *arguments(server, options, model)])
    except (OSError, subprocess.TimeoutExpired):
        pass
    sys.stderr.write(
        f"{server} does not start on this machine; cure: ./build_engines.sh bundle={options.model}"
        " native=true, or llm.engine.bundle=none\n"
    )
    raise SystemExit(1)
