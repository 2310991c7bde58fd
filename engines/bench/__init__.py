"""Measures servers on their own wires, ours and NVIDIA's alike: `python -m engines.bench help`."""
