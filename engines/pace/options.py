"""What the pacing proxy can be told on its command line."""

from dataclasses import dataclass, field

from engines.options import check_least, check_local


@dataclass  # not frozen: OmegaConf cannot fill in a frozen one inside another
class Pace:
    """How fast a model is on the machine stood in for; conf/pace/model/*.yaml has each with its source."""

    model: str = ""  # its name, for the report
    first_token_ms: float = 100.0  # the least: one pass over the weights
    prefill: float = 1000.0  # prompt tokens a second that are not in the cache
    decode: float = 10.0  # answer tokens a second, alone on the machine
    step: float = 1.0  # tokens that come together: over 1 where a draft is verified
    linger_ms: float = 0.0  # how long a hang-up stays unnoticed and keeps its share of the machine

    def __post_init__(self) -> None:
        if (
            min(self.prefill, self.decode) <= 0
            or self.step < 1
            or min(self.first_token_ms, self.linger_ms) < 0
        ):
            raise ValueError(
                "option 'routes': speeds are above 0, 'step' is 1 or more, times are not negative"
            )


@dataclass(frozen=True)
class Options:
    """`python -m engines.pace key=value ...`; conf/pace/*.yaml says what each is for."""

    host: str = "127.0.0.1"
    port: int = 8025
    upstream: str = "http://127.0.0.1:8021"  # llama.cpp's server
    routes: dict[str, Pace] = field(default_factory=dict)  # http://HOST:PORT/NAME is that model's server
    kept: int = 2000  # requests that are remembered for the report

    def __post_init__(self) -> None:
        check_local(self)
        if not self.routes:
            raise ValueError("option 'routes': names no model; cure: pace=llama31-70b-nvfp4")
        if not self.upstream.startswith("http"):
            raise ValueError(f"option 'upstream': '{self.upstream}' is not an address: http://127.0.0.1:8021")
        check_least(self, 1, "kept")
