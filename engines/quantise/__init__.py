"""ModelOpt in an environment of its own: torch is larger than everything else here together."""
