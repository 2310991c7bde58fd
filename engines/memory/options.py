"""What the memory server can be told on its command line."""

from dataclasses import dataclass
from pathlib import Path

from engines.folders import data
from engines.options import check_local


@dataclass(frozen=True)
class Options:
    """`python -m engines.memory key=value ...`; conf/memory/milvus.yaml says what each is for."""

    host: str = "127.0.0.1"
    port: int = 8027
    folder: str = ""  # where Milvus Lite keeps its index; empty: spark-vtuber/memory/index in the data folder

    def __post_init__(self) -> None:
        check_local(self, lowest=0)

    @property
    def place(self) -> Path:
        """The index's folder."""
        return Path(self.folder or data() / "memory/index").expanduser()
