"""Puts the voice behind the Riva wire: takes the port, loads and warms the model, then serves."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
from riva.client.proto import health_pb2_grpc, riva_tts_pb2_grpc

from engines.cache import locate
from engines.speech.options import Options
from engines.speech.options import Voice as Choice
from engines.speech.service import Health, Tts
from engines.speech.sound import Stop, Voice
from engines.speech.text import Word

WARM = ("Hey chat!", "Oh, I did not see you there; welcome in, and say hello to everybody.")
LARGEST_MESSAGE = 4 << 20  # bytes


class PortTaken(Exception):
    """Somebody listens there already; one line with the cure."""


def load(options: Options) -> Voice:
    """The voice, warm. Raises engines.cache.ModelError, FileNotFoundError, session.WrongModel."""
    own = Path(options.model) if options.model else None
    if own and not own.is_file():
        raise FileNotFoundError(f"option 'model': there is no file {own}")
    voice: Voice
    if options.voice is Choice.kokoro:
        from engines.speech.kokoro import Kokoro

        voice = Kokoro(own or locate("kokoro", "model.onnx"), options.threads, options.tail_ms / 1000)
    else:
        from engines.speech.piper import Piper

        if not own:
            locate("piper-joe", "voice.onnx.json")
        voice = Piper(own or locate("piper-joe", "voice.onnx"), options.threads, options.tail_ms / 1000)
    for text in WARM:
        for _ in voice.speak([Word(word) for word in text.split()], voice.styles[0], True, Stop()):
            pass
    gc.collect()
    return voice


async def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises PortTaken and what load() raises."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ending.set)
    server = grpc.aio.server(
        options=[
            (
                "grpc.so_reuseport",
                0,
            ),  # otherwise two copies would share the port, each with half of the calls
            ("grpc.max_receive_message_length", LARGEST_MESSAGE),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ],
        maximum_concurrent_rpcs=options.max_calls,
    )
    with _port(options):
        server.add_insecure_port(f"{options.host}:{options.port}")
    voice = await asyncio.to_thread(load, options)
    with ThreadPoolExecutor(options.workers, thread_name_prefix="voice") as workers:
        tts = Tts(voice, workers, options.max_characters)
        riva_tts_pb2_grpc.add_RivaSpeechSynthesisServicer_to_server(tts, server)
        health_pb2_grpc.add_HealthServicer_to_server(Health(), server)
        await server.start()
        sys.stderr.write(f"speech: {voice.name} is ready on {options.host}:{options.port}\n")
        await ending.wait()
        tts.end()
        await server.stop(grace=0.2)


@contextmanager
def _port(options: Options) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        where = f"{options.host}:{options.port}"
        raise PortTaken(f"speech: {where} is taken; stop what listens there or give port=NUMBER") from error
