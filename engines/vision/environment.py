"""Where the vision server's own environment is: PyTriton needs numpy 1, the rest of the project numpy 2."""

from __future__ import annotations

from pathlib import Path

from engines.environment import Environment
from engines.vision.options import Device

HERE = Path(__file__).parent


def environment(device: Device) -> Environment:
    """One a device: the ONNX Runtimes for CPU and GPU own the same folder and must never meet."""
    suffix = "" if device is Device.cpu else "-cuda"
    return Environment(
        f"vision{suffix}",
        HERE / f"requirements{suffix}.txt",
        f"SPARK_VISION{suffix.upper().replace('-', '_')}_ENV",
    )
