"""`python -m tests.toy_fetch ADDRESS SIZE SHA256 [LIMIT]`: the fetch command on a toy model, killable.

LIMIT, in bytes, is the largest file that the process may write. Nothing ends by a silence of its source."""

from __future__ import annotations

import resource
import sys

from engines import download, fetch
from engines.manifest import MODELS
from engines.model import File, Model, Url


def main() -> None:
    address, size, sha256, *limit = sys.argv[1:]
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit[0]), int(limit[0])))
    file = File("model.bin", int(size), sha256, (Url(address),))
    MODELS["toy"] = Model("toy", "a toy", "none", (file,))
    download.STALL_SECONDS = 100.0
    sys.argv = ["fetch", "toy"]
    fetch.main()


if __name__ == "__main__":
    main()
