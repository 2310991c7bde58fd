"""TEXT -> SOUND."""
