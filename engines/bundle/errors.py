"""How building a bundle fails."""


class BundleError(Exception):
    """The bundle cannot be made, or is not whole; one line that names what is wrong, with the cure."""
