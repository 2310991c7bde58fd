#!/usr/bin/env bash
# Makes the engine bundle of this machine: ./build_engines.sh [plan|build|verify|vision|voice] [bundle=NAME] [key=value ...]
set -euo pipefail
cd "$(dirname "$0")"
exec python3 -m engines.bootstrap engines.build "$@"
