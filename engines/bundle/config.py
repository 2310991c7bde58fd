"""The typed config of a build: conf/build.yaml with one of conf/bundle, checked before anything is done.

The parts are not frozen: OmegaConf takes a frozen part as read-only and cannot fill it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from engines.bundle.dims import DIMS
from engines.bundle.versions import VERSIONS


class Kind(Enum):
    """What serves the bundle."""

    llamacpp = "llamacpp"
    trtllm = "trtllm"


class Step(Enum):
    """What the command line asks for."""

    plan = "plan"
    build = "build"
    verify = "verify"


class Mode(Enum):
    """How a persona gets into the model."""

    lora = "lora"
    merged = "merged"
    prompt = "prompt"


class Quantise(Enum):
    """Who makes NVFP4."""

    never = "never"
    stream = "stream"
    modelopt = "modelopt"


class Drafting(Enum):
    """Who guesses the next tokens."""

    never = "never"
    eagle3 = "eagle3"
    draft_target = "draft_target"


@dataclass
class Adapters:
    """The personas' PEFT adapters: folders, or "" for none. `base` is another name of what they fit."""

    mode: Mode = Mode.lora
    main: str = ""
    evil: str = ""
    max_rank: int = 32
    base: str = ""

    @property
    def given(self) -> dict[str, str]:
        """Character: folder, of those that are given and used."""
        both = {"main": self.main, "evil": self.evil}
        return {who: path for who, path in both.items() if path} if self.mode is not Mode.prompt else {}


@dataclass
class Draft:
    """Speculative decoding: `source` is a repository or a folder, `length` tokens are guessed at once."""

    kind: Drafting = Drafting.never
    source: str = ""
    revision: str = "main"
    dims: str = ""
    length: int = 3


@dataclass
class Serve:
    """How trtllm-serve runs."""

    version: str = "1.3"
    port: int = 8355
    kv_tokens: int = 32768
    kv_dtype: str = "fp8"
    batches: list[int] = field(default_factory=lambda: [1, 2, 4])
    sequence: int = 8192
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.version not in VERSIONS:
            raise ValueError(f"serve.version: '{self.version}' is none of {', '.join(VERSIONS)}")
        if self.kv_tokens < self.sequence:
            raise ValueError(f"serve.kv_tokens: must hold a sequence, {self.sequence} tokens, at least")


@dataclass
class Beside:
    """What else lives in the same memory while she is on stage, GB."""

    asr: float = 0.0
    tts: float = 0.0
    vision: float = 0.0
    milvus: float = 0.0
    rest: float = 0.0
    graphs: float = 0.0


@dataclass(frozen=True)
class Config:
    """One build; conf/bundle/*.yaml says what each key is for."""

    name: str
    what: str
    kind: Kind
    dims: str
    step: Step = Step.build
    source: str = ""
    revision: str = "main"
    seed: int = 0
    models: list[str] = field(default_factory=list)
    quantise: Quantise = Quantise.never
    recipe: str = "general/ptq/nvfp4_weight_only-kv_fp8_cast"
    calibration: str = ""
    native: bool = False
    threads: int = 2
    slots: int = 3
    context: int = 3072
    adapters: Adapters = field(default_factory=Adapters)
    opener: str = "never"
    draft: Draft = field(default_factory=Draft)
    serve: Serve = field(default_factory=Serve)
    beside: Beside = field(default_factory=Beside)
    limit: float = 120.0
    network: float = 500.0
    hub: str = "https://huggingface.co"
    root: str = ""

    def __post_init__(self) -> None:
        for key, name in (("dims", self.dims), ("draft.dims", self.draft.dims)):
            if name and name not in DIMS:
                raise ValueError(f"{key}: no dimensions '{name}'; there are: {', '.join(DIMS)}")
        if self.native and self.kind is not Kind.llamacpp:
            raise ValueError(
                f"native: only llama.cpp is compiled; {self.name} is served by {self.kind.value}"
            )
        if self.kind is Kind.llamacpp and self.adapters.mode is Mode.merged:
            raise ValueError("adapters: a GGUF model is not merged; cure: adapters=lora or adapters=prompt")
        if self.draft.kind is not Drafting.never and not (self.draft.source and self.draft.dims):
            raise ValueError("draft.source, draft.dims: must be given when draft.kind is not never")
