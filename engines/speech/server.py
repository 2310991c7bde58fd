"""Puts the voice behind the Riva wire: takes the port, loads and warms the model, then serves."""

from __future__ import annotations

import asyncio
import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from riva.client.proto import health_pb2_grpc, riva_tts_pb2_grpc

from engines.cache import locate
from engines.riva import Health, bound, ended
from engines.speech.options import Options
from engines.speech.options import Voice as Choice
from engines.speech.service import SERVICE, Tts
from engines.speech.sound import Stop, Voice
from engines.speech.text import Word

WARM = ("Hey chat!", "Oh, I did not see you there; welcome in, and say hello to everybody.")


def load(options: Options) -> Voice:
    """The voice, warm. Raises engines.cache.ModelError, FileNotFoundError, session.WrongModel."""
    own = Path(options.model) if options.model else None
    if own and not own.is_file():
        raise FileNotFoundError(f"option 'model': there is no file {own}; cure: speech.engine.model=PATH")
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
    ending = ended()
    server = bound("speech", options.host, options.port, options.max_calls)
    voice = await asyncio.to_thread(load, options)
    with ThreadPoolExecutor(options.workers, thread_name_prefix="voice") as workers:
        pace = (options.first_chunk_ms / 1000, options.real_time_factor)
        tts = Tts(voice, workers, options.max_characters, pace)
        riva_tts_pb2_grpc.add_RivaSpeechSynthesisServicer_to_server(tts, server)
        health_pb2_grpc.add_HealthServicer_to_server(Health([SERVICE]), server)
        await server.start()
        sys.stderr.write(f"speech: {voice.name} is ready on {options.host}:{options.port}\n")
        await ending.wait()
        tts.end()
        await server.stop(grace=0.2)
