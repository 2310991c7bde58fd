"""DECISION -> TEXT."""
