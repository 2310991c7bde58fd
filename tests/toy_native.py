"""`python -m tests.toy_native FOLDER`: llama.cpp's server compiled from a source package of a few lines, that
package() has put into FOLDER. It stops in the middle as long as FOLDER/hangs is there."""

from __future__ import annotations

import io
import os
import sys
import tarfile
from pathlib import Path

from rich.console import Console

from engines.bars import Bars
from engines.bundle import native
from engines.cache import digest

NAME = native.PACKAGE.replace("-", "_").replace("==", "-")
LAMA = "vendor/llama.cpp"
MEANT = (*native.PACKAGE.split("=="), native.BEFORE)
FILES = {
    "pyproject.toml": """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
""",
    "backend.py": """import pathlib
def prepare_metadata_for_build_wheel(folder, settings=None):
    info = pathlib.Path(folder) / "x.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: @NAME\\nVersion: @VERSION\\n")
    return info.name
""",
    f"{LAMA}/CMakeLists.txt": """cmake_minimum_required(VERSION 3.14)
project(toy CXX)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
add_custom_command(OUTPUT counted.h COMMAND sh ${CMAKE_SOURCE_DIR}/counts.sh COMMAND cmake -E touch counted.h)
set(MMQ ggml/src/ggml-cpu/amx/mmq.cpp)
add_library(first OBJECT ${MMQ} ${CMAKE_BINARY_DIR}/counted.h)
add_custom_command(OUTPUT server.cpp DEPENDS first $<TARGET_OBJECTS:first>
  COMMAND sh ${CMAKE_SOURCE_DIR}/hangs.sh COMMAND cmake -E copy ${CMAKE_SOURCE_DIR}/main.cpp server.cpp)
add_executable(llama-server server.cpp $<TARGET_OBJECTS:first>)
""",
    f"{LAMA}/counts.sh": 'echo compiled >> "$TOY/compiled"\n',
    f"{LAMA}/hangs.sh": 'if [ -e "$TOY/hangs" ]; then sleep 600 & echo $$ $! > "$TOY/hangs"; wait; fi\n',
    f"{LAMA}/{native.TILES}": """static void _tile_loadconfig(const void *) {}
int tiles() {
    int tc = 200;
@BEFORE
    return tc;
}
""",
    f"{LAMA}/main.cpp": """#include <netinet/in.h>
#include <cstdlib>
#include <cstring>
#include <unistd.h>
int tiles();
int main(int count, char **words) {
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 1; i + 1 < count; i++)
        if (!strcmp(words[i], "--port")) at.sin_port = htons(atoi(words[i + 1]));
    int door = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (tiles() != 200 || bind(door, (sockaddr *)&at, sizeof at) || listen(door, 5)) return 1;
    for (;;) {
        int guest = accept(door, 0, 0);
        char asked[8192];
        const char said[] = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\n{}";
        long all = 0, got;
        while ((got = read(guest, asked + all, sizeof asked - 1 - all)) > 0) {
            asked[all += got] = 0;
            if (strstr(asked, "n_predict")) break;
        }
        if (write(guest, said, sizeof said - 1) < 0) return 1;
        close(guest);
    }
}
""",
}


def package(folder: Path) -> None:
    """Write the source package, as an index would have it."""
    with tarfile.open(folder / f"{NAME}.tar.gz", "w:gz") as archive:
        for name, text in FILES.items():
            for mark, meant in zip(("@NAME", "@VERSION", "@BEFORE"), MEANT, strict=True):
                text = text.replace(mark, meant)
            entry = tarfile.TarInfo(f"{NAME}/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))


def main() -> None:
    folder = Path(sys.argv[1])
    os.environ |= {"SPARK_MODELS": str(folder / "models"), "TOY": str(folder)}
    os.environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}
    native.SHA256 = digest(folder / f"{NAME}.tar.gz")
    (folder / "work").mkdir(exist_ok=True)
    try:
        native.run(folder / "work", 2, Bars(Console(stderr=True)))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
