"""What a test puts on PATH as `docker`: it answers as Docker Compose documents, and keeps the calls.

No Docker engine is at hand where these tests run, so that the starter was never seen with a real one.
Its folder holds calls.txt (a line a call), states.json (service: state and health, look for look), log.txt
(what every container logged), SERVICE.label (the bundle that it was started with), told.json (the SPARK_
variables of the last `up`), peers.json (SERVICE: argv and port of what `up` starts in a container's place,
its number in SERVICE.pid; it is healthy when its port answers) and, for a command that shall fail or hang, a
file named for it (pull, build, up, version, info, logs) with what it says. Those words are of Docker 28's
client where it could be asked.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SEALS = {  # as in compose.yaml
    "trtllm": "SPARK_BUNDLE_SEAL",
    "opener": "SPARK_OPENER_BUNDLE_SEAL",
    "vision": "SPARK_VISION_SEAL",
}


def peers() -> dict[str, dict[str, Any]]:
    """What stands in for containers."""
    path = HERE / "peers.json"
    found: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
    return found


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as asked:
        asked.settimeout(1)
        return asked.connect_ex(("127.0.0.1", port)) == 0


def run(name: str, argv: list[str]) -> None:
    """A container outlives whoever started it."""
    with (HERE / "log.txt").open("a") as log:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (HERE / f"{name}.pid").write_text(str(process.pid))


def look(services: dict[str, list[str]]) -> None:
    """`docker compose ps`."""
    for name, seen in services.items():
        state, health = seen[0].split("/")
        if state == "running" and name in peers():
            health = "healthy" if answers(peers()[name]["port"]) else "starting"
        if state == "garbage":
            sys.stdout.write("garbage\n")
        elif state != "absent":
            label = HERE / f"{name}.label"
            bundle = f",spark.bundle={label.read_text()}" if label.exists() else ""
            row = {
                "Service": name,
                "Labels": f"org.example.words=one, two{bundle},com.docker.compose.oneoff=False",
                "State": state,
                "Health": health,
                "ExitCode": 137 * (state == "exited"),
            }
            sys.stdout.write(json.dumps(row) + "\n")
        if state == "running" and len(seen) > 1:
            seen.pop(0)


def troubled(command: str) -> bool:
    """Whether it fails, or hangs, here."""
    trouble = HERE / command
    if not trouble.exists():
        return False
    text = trouble.read_text()
    if text == "hangs":
        subprocess.run(["sleep", "61.5"], check=False)  # as docker waits for its plugin
    sys.stderr.write(text + "\n")
    return True


def pull() -> None:
    """`docker compose pull`: slow, where a file says so."""
    for count in range(3 if (HERE / "slow").exists() else 0):
        sys.stderr.write(f"layer {count} Downloading\n")
        sys.stderr.flush()
        time.sleep(0.05)


def up(services: dict[str, list[str]], names: list[str]) -> None:
    """`docker compose up`: what comes next becomes true."""
    told = {name: value for name, value in os.environ.items() if name.startswith("SPARK_")}
    (HERE / "told.json").write_text(json.dumps(told))
    for name in names:
        if name in services:
            services[name].pop(0)
        if name in peers():
            run(name, peers()[name]["argv"])
        if name in SEALS:
            (HERE / f"{name}.label").write_text(os.environ.get(SEALS[name], ""))


def main() -> int:
    """One command."""
    words = [
        word for word in sys.argv[1:] if word not in ("compose", "-f") and not word.endswith("compose.yaml")
    ]
    with (HERE / "calls.txt").open("a") as calls:
        calls.write(" ".join(words) + "\n")
    if troubled(words[0]):
        return 1
    states, log = HERE / "states.json", HERE / "log.txt"
    services: dict[str, list[str]] = json.loads(states.read_text())
    match words[0]:
        case "version":
            sys.stdout.write("2.29.7\n")
        case "logs":
            sys.stdout.write(log.read_text() if log.exists() else "")
        case "pull":
            pull()
        case "ps":
            look(services)
        case "up":
            up(services, words[1:])
    states.write_text(json.dumps(services))
    return 0


if __name__ == "__main__":
    sys.exit(main())
