"""NeMo in an environment of its own: a voice learns from recordings, off line, never on the serving path."""
