"""What a model weighs, from its published dimensions: nothing here is typed in as a size.

Bytes throughout. NVFP4 is half a byte a weight and a byte of scale for every 16; embeddings, the output
layer and norms stay bf16 (ModelOpt's recipes leave them out).
"""

from __future__ import annotations

from dataclasses import dataclass

BF16 = 2.0
NVFP4 = 0.5 + 1 / 16
DRAFT_VOCAB = 32_000  # words of an EAGLE-3 head


@dataclass(frozen=True, slots=True)
class Dims:
    """An architecture of Llama's kind. `tied`: the output layer is the embedding; `bias`: q, k, v have it."""

    layers: int
    hidden: int
    inner: int
    heads: int
    kv_heads: int
    head: int
    vocab: int
    tied: bool = False
    bias: bool = False

    @property
    def linears(self) -> list[tuple[int, int]]:
        """(in, out) of the seven linear layers of a block, in the order q, k, v, o, gate, up, down."""
        wide, narrow = self.heads * self.head, self.kv_heads * self.head
        attention = [(self.hidden, wide), (self.hidden, narrow), (self.hidden, narrow), (wide, self.hidden)]
        return [*attention, (self.hidden, self.inner), (self.hidden, self.inner), (self.inner, self.hidden)]

    @property
    def in_blocks(self) -> int:
        """Weights of all linear layers: what is quantised."""
        return self.layers * sum(a * b for a, b in self.linears)

    @property
    def outside(self) -> int:
        """Weights that stay bf16: embedding, output layer, norms and biases."""
        tables = self.vocab * self.hidden * (1 if self.tied else 2)
        biases = self.layers * (self.heads + 2 * self.kv_heads) * self.head if self.bias else 0
        return tables + (2 * self.layers + 1) * self.hidden + biases

    @property
    def parameters(self) -> int:
        """All weights."""
        return self.in_blocks + self.outside

    @property
    def bf16(self) -> float:
        """The checkpoint as published."""
        return self.parameters * BF16

    @property
    def nvfp4(self) -> float:
        """The quantised checkpoint."""
        return self.in_blocks * NVFP4 + self.outside * BF16

    def lora(self, rank: int) -> float:
        """A bf16 adapter of this rank on all seven linear layers."""
        return self.layers * sum(rank * (a + b) for a, b in self.linears) * BF16

    def kv(self, tokens: int, width: float) -> float:
        """The KV cache of so many tokens; `width` is bytes a value (FP8: 1, f16: 2)."""
        return 2 * self.layers * self.kv_heads * self.head * tokens * width

    def eagle3(self) -> float:
        """An EAGLE-3 head in bf16: three hidden states joined, a block that reads two, an output layer.

        Shapes: Li et al., EAGLE-3 (2025)."""
        first = 3 * self.hidden * self.hidden
        block = sum(a * b for a, b in self.linears) + sum(self.hidden * b for _, b in self.linears[:3])
        return (first + block + DRAFT_VOCAB * self.hidden + 4 * self.hidden) * BF16

    def config(self) -> dict[str, object]:
        """What the checkpoint's config.json says of it: for bases that are only there as GGUF files."""
        return {
            "model_type": "qwen2" if self.bias else "llama",
            "num_hidden_layers": self.layers,
            "hidden_size": self.hidden,
            "intermediate_size": self.inner,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head,
            "vocab_size": self.vocab,
            "tie_word_embeddings": self.tied,
        }

    def differing(self, config: dict[str, object]) -> list[str]:
        """Where a checkpoint's config.json says other dimensions, a phrase each."""
        heads = config.get("num_attention_heads")
        said = {
            "num_hidden_layers": self.layers,
            "hidden_size": self.hidden,
            "intermediate_size": self.inner,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "vocab_size": self.vocab,
        }
        found = {key: config.get(key, heads if key == "num_key_value_heads" else None) for key in said}
        return [f"{key} is {found[key]} and not {said[key]}" for key in said if found[key] != said[key]]


DIMS = {
    "llama31-70b": Dims(80, 8192, 28672, 64, 8, 128, 128_256),  # Llama 3.1 and 3.3
    "llama31-8b": Dims(32, 4096, 14336, 32, 8, 128, 128_256),
    "qwen25-32b": Dims(64, 5120, 27648, 40, 8, 128, 152_064, bias=True),
    "qwen25-1.5b": Dims(28, 1536, 8960, 12, 2, 128, 151_936, tied=True, bias=True),
    "smollm2-135m": Dims(30, 576, 1536, 9, 3, 64, 49_152, tied=True),
    "tiny-llama": Dims(2, 128, 256, 4, 2, 32, 512),
}
