"""What the parts on gRPC share: a channel of a client's own, and errors as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from engines.bench.errors import BenchFailed, Lacking
from engines.own_channel import OWN

LARGEST = 64 << 20  # bytes of a message: gRPC's own 4 MB are 95 s of sound, or one picture of 1200x1200
OPTIONS = [
    *OWN,  # or several clients would share one connection
    ("grpc.max_receive_message_length", LARGEST),
    ("grpc.max_send_message_length", LARGEST),
]
LOOK_SECONDS = 5.0


def channel(address: str) -> grpc.aio.Channel:
    """A connection of a client's own."""
    return grpc.aio.insecure_channel(address, options=OPTIONS)


@contextmanager
def told(part: str, address: str, within: float) -> Iterator[None]:
    """Raises BenchFailed, or Lacking, for what gRPC raises."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise failure(part, address, within, error.code().name, error.details() or "") from error
    except grpc.aio.UsageError as error:  # an answer came before the request was over
        raise BenchFailed(f"{part} at {address}: {error}") from error


def failure(part: str, address: str, within: float, code: str, details: str) -> BenchFailed:
    """A status as the line for people."""
    words = " ".join(details.split())[:160]
    if code == "UNIMPLEMENTED":
        return Lacking(f"{part} at {address}: the server has none on this wire ({words or code})")
    if code == "DEADLINE_EXCEEDED":
        return BenchFailed(f"{part} at {address}: no whole answer within {within:g} s")
    if "protocol is restricted" in words:
        return BenchFailed(f"{part} at {address}: it keeps its list of models to itself; cure: models=[NAME]")
    if "onnection refused" in words or "DNS resolution failed" in words:
        return BenchFailed(
            f"{part}: nobody answers at {address}; cure: start it, or url.{part}=ADDRESS of another"
        )
    return BenchFailed(f"{part} at {address}: {code}: {words or 'no reason given'}")
