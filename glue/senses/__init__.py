"""WORLD -> EVENTS."""
