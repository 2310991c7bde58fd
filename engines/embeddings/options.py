"""What the embeddings server can be told on its command line."""

from dataclasses import dataclass
from pathlib import Path

from engines.options import check_least, check_local


@dataclass(frozen=True)
class Options:
    """`python -m engines.embeddings key=value ...`; conf/memory/milvus.yaml says what each is for."""

    host: str = "127.0.0.1"
    port: int = 8028
    model: str = "minilm"  # a name that fetch knows, or a folder with model.onnx and tokenizer.json
    threads: int = 1
    most_texts: int = 256  # in one request
    most_tokens: int = 128  # of a text; what follows is not read

    def __post_init__(self) -> None:
        check_local(self, lowest=0)
        check_least(self, 1, "threads", "most_texts")
        if not 8 <= self.most_tokens <= 512:
            raise ValueError("option 'most_tokens': must be 8 to 512")


def models(options: Options) -> list[str]:
    """What fetch must bring: nothing where the model is a folder of the user's own."""
    return [] if Path(options.model).is_dir() else [options.model]
