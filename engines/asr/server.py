"""Puts the ears behind the Riva wire: takes the port, loads and warms the model, then serves."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from riva.client.proto import health_pb2_grpc, riva_asr_pb2_grpc

from engines.asr.detector import RATE, Detector
from engines.asr.options import Options
from engines.asr.service import SERVICE, Asr
from engines.asr.whisper import Whisper
from engines.cache import locate
from engines.riva import Health, bound, ended


def load(options: Options) -> Whisper:
    """The model, warm. Raises engines.cache.ModelError, WrongModel."""
    own = Path(options.model)
    whisper = Whisper(own if own.is_dir() else locate(options.model, "model.bin").parent, options.threads)
    whisper.hear(np.zeros(RATE, np.float32), "en")
    return whisper


async def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises PortTaken and what load() raises."""
    ending = ended()
    server = bound("asr", options.host, options.port, options.max_calls)
    whisper = await asyncio.to_thread(load, options)
    with ThreadPoolExecutor(1, thread_name_prefix="ears") as worker:
        asr = Asr(whisper, Detector(), worker, options)
        riva_asr_pb2_grpc.add_RivaSpeechRecognitionServicer_to_server(asr, server)
        health_pb2_grpc.add_HealthServicer_to_server(Health([SERVICE]), server)
        await server.start()
        sys.stderr.write(f"asr: {whisper.name} is ready on {options.host}:{options.port}\n")
        await ending.wait()
        asr.end()
        await server.stop(grace=0.2)
