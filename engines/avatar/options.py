"""What the puppet's server can be told on its command line."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from engines.options import check_least, check_local


class Discovery(Enum):
    """Whether it tells the network every two seconds where it is, as VTube Studio does (UDP)."""

    never = "never"
    always = "always"


@dataclass(frozen=True)
class Options:
    """`python -m engines.avatar key=value ...`; conf/avatar/puppet.yaml says what each is for."""

    host: str = "127.0.0.1"
    port: int = 8023
    model: str = "Spark"  # loaded at the start
    discovery: Discovery = Discovery.never
    max_frame: int = 1 << 20  # bytes of a WebSocket message; over it: the connection is closed (1009)
    page: str = ""  # folder of the page that draws her; "" is our own
    state_folder: str = ""  # for the plugins' tokens; "" is the user's state folder

    def __post_init__(self) -> None:
        check_local(self, lowest=0, because="every plugin is let in")
        if self.model not in MODELS:
            raise ValueError(f"option 'model': no '{self.model}'; the models are: {', '.join(MODELS)}")
        if self.page and not (Path(self.page) / "index.html").is_file():
            raise ValueError(f"option 'page': there is no index.html in {self.page}")
        check_least(self, 1024, "max_frame")


MODELS = ("Spark", "Spark Evil")
