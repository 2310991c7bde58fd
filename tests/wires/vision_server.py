"""The vision engine as a child process, for tests; and a peer of its wire that misbehaves."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import psutil
from tritonclient.grpc import InferenceServerClient, service_pb2
from tritonclient.grpc.service_pb2_grpc import (
    GRPCInferenceServiceServicer,
    add_GRPCInferenceServiceServicer_to_server,
)
from tritonclient.utils import InferenceServerException

from engines.options import words
from engines.port import unused
from engines.vision.environment import environment
from engines.vision.options import Device
from tests.need import need, need_models
from tests.waiting import wait

ROOT = Path(__file__).parent.parent.parent


class Running:
    """An engine that was started. `log` is what it said on stderr."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.address = f"127.0.0.1:{port}"
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def family(self) -> list[psutil.Process]:
        """It and all that it started."""
        leader = psutil.Process(self.process.pid)
        return [leader, *leader.children(recursive=True)]

    def wait_ready(self) -> None:
        with InferenceServerClient(self.address) as client:
            wait(lambda: self.process.poll() is not None or _ready(client))
        assert self.process.poll() is None, self.log


def _ready(client: InferenceServerClient) -> bool:
    try:
        return bool(client.is_model_ready("about"))
    except InferenceServerException:
        return False


@contextmanager
def engine(folder: Path, environ: dict[str, str] | None = None, **options: object) -> Iterator[Running]:
    """Start it, not ready yet; ended after the block, whatever happens."""
    need(
        environment(Device.cpu).made,
        "the vision environment",
        "./build_engines.sh vision detect=false caption=false",
    )
    need_models("nudenet", "ppocr")
    port = unused()
    log = folder / "vision.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "engines.vision", *words({"port": port, **options})],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env=os.environ | (environ or {}),
        )
    try:
        yield Running(process, port, log)
    finally:
        process.terminate()
        process.wait(30)


class Peer(GRPCInferenceServiceServicer):  # type: ignore[misc]  # generated without types
    """Answers every question with `answer`; `silent`: not before it is `over`."""

    def __init__(self) -> None:
        self.answer = service_pb2.ModelInferResponse()
        self.silent = False
        self.over = threading.Event()

    def ModelInfer(self, request: Any, context: Any) -> Any:
        if self.silent:
            self.over.wait()
        return self.answer


@contextmanager
def peer() -> Iterator[tuple[Peer, str]]:
    """A server of the wire that says what its test wants, and its address."""
    server = grpc.server(ThreadPoolExecutor(2))
    servicer = Peer()
    add_GRPCInferenceServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield servicer, f"127.0.0.1:{port}"
    finally:
        servicer.over.set()
        server.stop(0).wait()
