"""The Triton wire over gRPC, with the stubs of NVIDIA's client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import grpc
from tritonclient.grpc.service_pb2 import (
    ModelConfigRequest,
    ModelInferRequest,
    ModelMetadataRequest,
    RepositoryIndexRequest,
)
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub

from engines.bench.errors import BenchFailed
from engines.bench.grpc_wire import channel, told
from engines.bench.triton import ABSENT, Slot, Tensor, datatype, encoded, slots

PART = "vision"


class GrpcWire:
    """KServe v2 over gRPC."""

    def __init__(self, address: str, within: float) -> None:
        self._address, self._within = address, within

    async def __aenter__(self) -> Self:
        self._channel = channel(self._address)
        self._stub = GRPCInferenceServiceStub(self._channel)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._channel.close(None)

    async def models(self) -> list[str]:
        """As the Wire says."""
        answer = await self._ask(self._stub.RepositoryIndex, RepositoryIndexRequest(ready=True))
        return [each.name for each in answer.models]

    async def inputs(self, model: str) -> list[Slot]:
        """As the Wire says."""
        metadata = await self._ask(self._stub.ModelMetadata, ModelMetadataRequest(name=model))
        try:
            config = (await self._ask(self._stub.ModelConfig, ModelConfigRequest(name=model))).config
            optional = [each.name for each in config.input if each.optional]
        except BenchFailed:
            optional = []  # KServe's own protocol has no such call; Triton has
        listed = [
            {"name": each.name, "datatype": each.datatype, "shape": each.shape} for each in metadata.inputs
        ]
        return slots(listed, optional)

    async def infer(self, model: str, tensors: Mapping[str, Tensor]) -> int:
        """As the Wire says."""
        return len((await self._ask(self._stub.ModelInfer, _request(model, tensors))).outputs)

    async def refused(self, tensors: Mapping[str, Tensor]) -> None:
        """As the Wire says."""
        try:
            await self._stub.ModelInfer(_request(ABSENT, tensors), timeout=self._within)
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNIMPLEMENTED):
                with told(PART, self._address, self._within):
                    raise

    async def _ask(self, call: Any, request: Any) -> Any:
        with told(PART, self._address, self._within):
            return await call(request, timeout=self._within)


def _request(model: str, tensors: Mapping[str, Tensor]) -> ModelInferRequest:
    request = ModelInferRequest(model_name=model, raw_input_contents=[encoded(t) for t in tensors.values()])
    for name, tensor in tensors.items():
        request.inputs.add(name=name, datatype=datatype(tensor), shape=tensor.shape)
    return request
