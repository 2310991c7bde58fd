"""Asks the pacing proxy (engines/pace) what pace it kept: the figures of a paced show need it."""

import logging

import anyio
import httpx
from pydantic import TypeAdapter, ValidationError

from glue.measured import PaceKept

WITHIN = 3.0  # seconds
ROUTES = TypeAdapter(dict[str, dict[str, dict[str, float | str | None]]])

log = logging.getLogger(__name__)


async def kept(address: str) -> list[PaceKept]:
    """One event a route; none, and a warning, where it does not answer."""
    try:
        async with httpx.AsyncClient(timeout=WITHIN, trust_env=False) as client:
            said = (await client.get(f"{address}/pace")).raise_for_status().json()
        routes = {
            name: {part: route[part] for part in ("stated", "kept")} for name, route in said["routes"].items()
        }
        return [
            _event(name, route, int(said["faster"])) for name, route in ROUTES.validate_python(routes).items()
        ]
    except (httpx.HTTPError, ValidationError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("the pacing proxy at %s did not say what it kept: %s", address, type(error).__name__)
        return []


def _event(name: str, route: dict[str, dict[str, float | str | None]], faster: int) -> PaceKept:
    stated, did = route["stated"], route["kept"]
    return TypeAdapter(PaceKept).validate_python(
        {
            "at": anyio.current_time(),
            "route": name,
            "model": stated["model"],
            "stated": stated["decode"],
            "kept": did["decode"],
            "stated_first_ms": stated["first_token_ms"],
            "kept_first_ms": did["first_token_ms"],
            "behind_ms": did["behind_ms"],
            "faster": faster,
        }
    )
