"""Is the server on this port ready? `python -m engines.vision.server.ready 8026`: the health check."""

from __future__ import annotations

import sys

from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

WITHIN = 3.0  # seconds; less than the health check allows


def main() -> None:
    """Exit 0 when Triton says that it and all its models are ready, else 1."""
    try:
        with InferenceServerClient(f"127.0.0.1:{sys.argv[1]}") as client:
            ready = client.is_server_ready(client_timeout=WITHIN)
    except InferenceServerException as error:
        sys.exit(str(error))
    sys.exit(not ready)


if __name__ == "__main__":
    main()
