"""Where things lie in a bundle, and where its server sees it: all that a show asks of the builder."""

FOLDER = "adapters"
BUNDLE = "/bundle"  # in the container
