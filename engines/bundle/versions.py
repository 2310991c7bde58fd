"""The TensorRT-LLM versions whose serve config is known here, in their order."""

VERSIONS = ("1.2", "1.3", "1.4")


def since(version: str, first: str) -> bool:
    """Whether `version` is `first` or later."""
    return VERSIONS.index(version) >= VERSIONS.index(first)
