"""The doctor on the servers: each one's own wire, asked once, in a bounded time."""

from __future__ import annotations

import json
import struct
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any, cast
from urllib.parse import urlsplit

import anyio
import grpc
import httpx
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from riva.client.proto.riva_asr_pb2 import RivaSpeechRecognitionConfigRequest
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub
from riva.client.proto.riva_tts_pb2 import RivaSynthesisConfigRequest
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from engines.own_channel import OWN

WITHIN = 3.0  # seconds for each server, whatever it does
SLACK = 0.5  # gRPC gives up first: a call of its that is cancelled as its time ends raises CancelledError
LONGEST = 1_000_000  # bytes of an answer
API_STATE = {
    "apiName": "VTubeStudioPublicAPI",
    "apiVersion": "1.0",
    "requestID": "doctor",
    "messageType": "APIStateRequest",
    "data": {},
}


class Nobody(Exception):
    """Nobody listens there."""


class Wrong(Exception):
    """Somebody does, and this is no answer of the wire's; `str()` says what came."""


async def models(section: Mapping[str, Any], key: str = "llm.adapter.key") -> str:
    """The models that an OpenAI-compatible server lists; `key` is where the config has its key.

    Raises Nobody, Wrong."""
    headers = {"Authorization": f"Bearer {section['key']}"} if section.get("key") else {}
    try:
        async with (
            httpx.AsyncClient(timeout=None, trust_env=False, headers=headers) as client,
            client.stream("GET", f"{section['url']}/v1/models") as answer,
        ):
            content = b""
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > LONGEST:
                    raise Wrong("an endless answer: no server of the OpenAI wire")
    except httpx.ConnectError as error:
        raise Nobody(str(error) or "no connection") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Wrong(f"no HTTP: {error or type(error).__name__}") from error
    if answer.status_code in (401, 403):
        raise Wrong(f"HTTP {answer.status_code}: the server wants a key; {key}")
    if answer.status_code != httpx.codes.OK:
        raise Wrong(f"HTTP {answer.status_code}: {_short(content)}")
    try:
        listed = json.loads(content)["data"]
        names = [str(each["id"]) for each in listed]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Wrong(f"no list of models: {_short(content)}") from error
    if not names:
        raise Wrong("it lists no model")
    return ", ".join(names)


async def vectors(section: Mapping[str, Any]) -> str:
    """The models of an embeddings server. Raises Nobody, Wrong."""
    return await models({"url": section["embeddings"], "key": section.get("key")}, "memory.adapter.key")


async def milvus(section: Mapping[str, Any]) -> str:
    """A Milvus's version, asked without its own client, which is an extra. Raises Nobody, Wrong."""
    token = str(section.get("token") or "")
    metadata = [("authorization", b64encode(token.encode()).decode())] if token else []

    def ask(channel: grpc.aio.Channel) -> Awaitable[Any]:
        version = channel.unary_unary("/milvus.proto.milvus.MilvusService/GetVersion", None, None)
        return cast(Awaitable[Any], version(b"", timeout=WITHIN, metadata=metadata))

    answer = await _grpc(urlsplit(str(section["uri"])).netloc, ask)
    if answer is None:
        return "it is busy"
    try:
        found = UnknownFieldSet(Empty.FromString(answer))
        fields = {found[at].field_number: found[at].data for at in range(len(found))}
        return f"Milvus {fields[2].decode()}"  # 1 is its status
    except (DecodeError, KeyError, AttributeError, ValueError) as error:
        raise Wrong("it does not tell its version") from error


async def voices(section: Mapping[str, Any]) -> str:
    """How many models of voices a Riva server has. Raises Nobody, Wrong."""

    def ask(channel: grpc.aio.Channel) -> Awaitable[Any]:
        asked = RivaSpeechSynthesisStub(channel).GetRivaSynthesisConfig
        return cast(Awaitable[Any], asked(RivaSynthesisConfigRequest(), timeout=WITHIN))

    return await _riva(str(section["address"]), "voice", ask)


async def hearing(section: Mapping[str, Any]) -> str:
    """How many models of recognition a Riva server has. Raises Nobody, Wrong."""

    def ask(channel: grpc.aio.Channel) -> Awaitable[Any]:
        asked = RivaSpeechRecognitionStub(channel).GetRivaSpeechRecognitionConfig
        return cast(Awaitable[Any], asked(RivaSpeechRecognitionConfigRequest(), timeout=WITHIN))

    return await _riva(str(section["address"]), "recognition", ask)


async def _riva(address: str, what: str, ask: Callable[[grpc.aio.Channel], Awaitable[Any]]) -> str:
    config = await _grpc(address, ask)
    if config is None:
        return "all its streams are in use"
    if not config.model_config:
        raise Wrong(f"it has no {what}")
    return f"{what}: {len(config.model_config)} models"


async def _grpc(address: str, ask: Callable[[grpc.aio.Channel], Awaitable[Any]]) -> Any:
    """One call's answer, None where the server is too busy. Raises Nobody, Wrong."""
    async with grpc.aio.insecure_channel(address, options=OWN) as channel:
        try:
            return await ask(channel)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                return None
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise TimeoutError from error
            said = error.details() or ""
            if "onnection refused" in said:
                raise Nobody("connection refused") from error
            raise Wrong(f"{error.code().name}: {said[:120]}") from error


async def avatar(section: Mapping[str, Any]) -> str:
    """Whether a VTube Studio's API is active. Raises Nobody, Wrong."""
    async with _websocket(str(section["address"]), "VTube Studio's API") as socket:
        await socket.send(json.dumps(API_STATE))
        data = json.loads(await socket.recv())["data"]
        active = data["active"] is True
    if not active:
        raise Wrong("its API is not active: allow plugins in VTube Studio's settings")
    return f"VTube Studio {data.get('vTubeStudioVersion', '')}".strip()


async def obs(section: Mapping[str, Any]) -> str:
    """An OBS's version; it is told who asks, as obs-websocket's protocol 5 wants. Raises Nobody, Wrong."""
    async with _websocket(str(section["address"]), "obs-websocket 5") as socket:
        hello = json.loads(await socket.recv())["d"]
        seen = f"obs-websocket {hello['obsWebSocketVersion']}"
        identity: dict[str, object] = {"rpcVersion": 1}
        if "authentication" in hello:
            identity |= {"authentication": _proof(str(section["password"]), **hello["authentication"])}
        await socket.send(json.dumps({"op": 1, "d": identity}))
        try:
            await socket.recv()
        except ConnectionClosed as error:
            raise Wrong(f"{seen} refuses OBS_PASSWORD") from error
    return seen


def _proof(password: str, challenge: str, salt: str) -> str:
    secret = b64encode(sha256((password + salt).encode()).digest())
    return b64encode(sha256(secret + challenge.encode()).digest()).decode()


@asynccontextmanager
async def _websocket(address: str, what: str) -> AsyncIterator[ClientConnection]:
    """A connection to `what`. Raises Nobody, Wrong."""
    try:
        async with connect(address, proxy=None, compression=None, close_timeout=0.1) as socket:
            yield socket
    except OSError as error:
        raise Nobody(error.strerror or "no connection") from error
    except (WebSocketException, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Wrong(f"not {what}: {str(error) or type(error).__name__}"[:160]) from error


async def eyes(section: Mapping[str, Any]) -> str:
    """A vision server's models and what each really runs on. Raises Nobody, Wrong."""
    from tritonclient.grpc.service_pb2 import ModelInferRequest
    from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub
    from tritonclient.utils import deserialize_bytes_tensor

    request = ModelInferRequest(model_name="about", raw_input_contents=[b"\x01\x00\x00\x00?"])
    request.inputs.add(name="ask", datatype="BYTES", shape=[1])

    def ask(channel: grpc.aio.Channel) -> Awaitable[Any]:
        infer = GRPCInferenceServiceStub(channel).ModelInfer
        return cast(Awaitable[Any], infer(request, timeout=WITHIN))

    answer = await _grpc(str(section["address"]), ask)
    if answer is None:
        return "it is busy"
    try:
        names, providers = (deserialize_bytes_tensor(raw) for raw in answer.raw_output_contents[:2])
    except (ValueError, struct.error) as error:
        raise Wrong("it does not tell what it runs on") from error
    return ", ".join(f"{a.decode()} on {b.decode()}" for a, b in zip(names, providers, strict=False))


# The wires: the group of the config, the key of its adapters that has the address, and how it is asked.
WIRES: Mapping[str, tuple[str, str, Callable[[Mapping[str, Any]], Awaitable[str]]]] = {
    "llm": ("llm", "url", models),
    "speech": ("speech", "address", voices),
    "asr": ("asr", "address", hearing),
    "vision": ("vision", "address", eyes),
    "memory": ("memory", "uri", milvus),
    "embeddings": ("memory", "embeddings", vectors),
    "avatar": ("avatar", "address", avatar),
    "broadcast": ("broadcast", "address", obs),
}


def port(address: str) -> int | None:
    """The port of an address of this machine; None for another machine's."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        here = parts.hostname in ("127.0.0.1", "localhost", "::1")
        return parts.port if here else None
    except ValueError:
        return None


def ask(name: str, section: Mapping[str, Any]) -> str:
    """One server's own words and its latency, on a wire of WIRES. Raises Nobody, Wrong in WITHIN seconds."""
    wire = WIRES[name][2]

    async def bounded() -> str:
        with anyio.fail_after(WITHIN + SLACK):
            return await wire(section)

    began = time.perf_counter()
    try:
        seen = anyio.run(bounded)
    except TimeoutError as error:
        raise Wrong(f"no answer within {WITHIN:g} s") from error
    return f"{seen}, {(time.perf_counter() - began) * 1e3:.0f} ms"


def _short(content: bytes) -> str:
    return repr(content[:80].decode(errors="replace"))
