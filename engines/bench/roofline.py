"""What the machine could do at the most with this model, and how much of that is reached.

Decoding reads all weights for each token: bandwidth / bytes. Prefilling multiplies each token with all of
them: operations / (2 x parameters); attention's own part is left out (Williams et al., Roofline, 2009). How
many operations there are in the weights' own format is not measured: float32's are too few for a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from engines.bench import machine
from engines.bench.dialects import Server
from engines.bench.machine import Speed
from engines.bench.options import Options
from engines.bench.rows import Row
from engines.bench.weights import Weights, of

HERE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Roof:
    """One bound: `most` tokens a second, `reached` of them by one client (None: not measured)."""

    what: str
    most: float
    reached: float | None
    why: str

    @property
    def share(self) -> float | None:
        """Percent."""
        return None if self.reached is None else 100 * self.reached / self.most

    def line(self) -> str:
        """For people."""
        said = f"{self.what}: {self.why} = at most {self.most:.1f} tok/s"
        if self.reached is None:
            return said
        return f"{said}, {1000 / self.most:.1f} ms a token; {self.reached:.1f} reached, {self.share:.0f} %"


def weights(server: Server, options: Options) -> Weights | None:
    """What is known of the model's size. Raises BenchFailed for files that are none."""
    if options.weights:
        return of(Path(options.weights).expanduser())
    if server.weights:
        # With an embedding apart from the output layer this is a little too much: weights=FILE knows better.
        return Weights(server.weights, server.parameters, "as the server tells")
    return None


def roofs(
    server: Server, options: Options, rows: Sequence[Row], say: Callable[[str], None], cpu: bool = False
) -> tuple[list[Roof], str]:
    """The bounds, and why there are none. `cpu`: the server computes there, whatever else this machine has.
    Raises BenchFailed."""
    found = weights(server, options)
    if found is None:
        return [], "the server does not tell its model's size; cure: weights=FILE_OR_FOLDER"
    here = (urlsplit(server.url).hostname or "") in HERE
    gpu = "" if cpu or not here else machine.gpu_name()
    if not options.bandwidth_gbs and (why := _unknown(here, gpu)):
        return [], f"{why}; cure: bandwidth_gbs=NUMBER (a DGX Spark: 273)"
    say("llm: the machine's memory")
    bandwidth = (
        Speed(options.bandwidth_gbs * 1e9, "stated") if options.bandwidth_gbs else machine.bandwidth(gpu)
    )
    made = [_decode(found, bandwidth, rows)]
    if found.parameters and options.tflops:
        made.append(_prefill(found, Speed(options.tflops * 1e12, "stated"), rows))
    return made, ""


def _unknown(here: bool, gpu: str) -> str:
    """Why the memory that holds the weights cannot be known or measured from here; "" where it can."""
    if not here:
        return "the server is another machine"
    return f"the memory of {gpu} is not known" if gpu and gpu not in machine.STATED else ""


def _decode(found: Weights, speed: Speed, rows: Sequence[Row]) -> Roof:
    why = (
        f"{found.read / 1e6:.0f} MB a token ({found.source}) at {speed.rate / 1e9:.1f} GB/s ({speed.source})"
    )
    return Roof("decode", speed.rate / found.read, _reached(rows, "decode"), why)


def _prefill(found: Weights, speed: Speed, rows: Sequence[Row]) -> Roof:
    work = 2 * found.parameters
    why = f"{work / 1e9:.2f} GFLOP a token at {speed.rate / 1e9:.0f} GFLOP/s ({speed.source})"
    return Roof("prefill", speed.rate / work, _reached(rows, "prefill"), why)


def _reached(rows: Sequence[Row], what: str) -> float | None:
    """The best case's median, of one client."""
    medians = [each.at(50) for each in rows if each.what == what and each.clients == 1]
    return max(medians, default=None)
