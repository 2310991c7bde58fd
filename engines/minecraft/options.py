"""What the Minecraft body can be told on its command line."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit


class Auth(Enum):
    """How the server wants to know who she is: `offline` for one that asks nobody, `microsoft` for others."""

    offline = "offline"
    microsoft = "microsoft"


@dataclass(frozen=True)
class Options:
    """`python -m engines.minecraft key=value ...`; conf/minecraft/body.yaml says what each is for."""

    host: str = "127.0.0.1"  # it says here how it stands
    port: int = 8031
    games: str = "ws://127.0.0.1:8000"
    server: str = ""  # "" is a small world of our own
    server_port: int = 25565
    version: str = ""  # "" asks the server; our own world is OWN_VERSION
    username: str = "Spark"
    auth: Auth = Auth.offline
    idle: float = 8.0  # seconds with nothing to do, before she is asked what to do next; 0: never
    stuck: float = 20.0  # seconds on her way without a step forward, before she shakes herself loose
    patience: float = 60.0  # seconds without a word of the world's, before she is out of it
    seed: int = 1  # of our own world
    cook: float = 10.0  # seconds that a furnace of our own world takes for a thing
    truth: int = 0  # port where our own world tells what really happened; 0: it does not
    skills: str = ""  # folder of what she has learnt to do; "" is the one in the user's data folder
    embeddings: str = ""  # address of an OpenAI embeddings server that finds it again; "": by words
    embeddings_model: str = ""  # as that server calls it
    node: str = ""  # the program; "" is the package's or the system's
    nice: int = 10  # 0-19: how far body and world stand back where her words want the cores

    def __post_init__(self) -> None:
        if self.host not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError(
                f"option 'host': '{self.host}' is not this machine; a server elsewhere is minecraft.host"
            )
        if urlsplit(self.games).scheme not in ("ws", "wss"):
            raise ValueError(f"option 'games': '{self.games}' is not a ws:// address")
        if self.embeddings and urlsplit(self.embeddings).scheme not in ("http", "https"):
            raise ValueError(f"option 'embeddings': '{self.embeddings}' is not an http:// address")
        for name, least in (("port", 1), ("server_port", 1), ("truth", 0)):
            if not least <= getattr(self, name) <= 65535:
                raise ValueError(f"option '{name}': {getattr(self, name)} is not a port")
        if not (3 <= len(self.username) <= 16 and self.username.replace("_", "").isalnum()):
            raise ValueError("option 'username': must have 3 to 16 letters, digits and underscores")
        if self.version and not self.version.replace(".", "").isdigit():
            raise ValueError(f"option 'version': '{self.version}' is not one such as 1.20.4")
        bounds = (("idle", 0, 86_400), ("stuck", 2, 600), ("cook", 0.1, 60), ("nice", 0, 19))
        for name, low, most in (*bounds, ("patience", 6, 600)):  # it speaks every 4 s
            if not low <= getattr(self, name) <= most:
                raise ValueError(
                    f"option '{name}': must be between {low} and {most}, not {getattr(self, name)}"
                )


OWN_VERSION = "1.16.5"  # the one that flying-squid does best


def prepare(options: Options, say: Callable[[str], None]) -> None:
    """Fetch what the body is made of, where it is not there. Raises ModelError."""
    from engines.minecraft.node import find, install

    find(options.node)
    install(say)
