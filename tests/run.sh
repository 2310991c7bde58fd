#!/usr/bin/env bash
# Sets up what the tests need, then lints, checks types and tests. Arguments go to pytest.
# With CI=true whatever is missing is a failure; elsewhere those tests skip and say what to install.
set -euo pipefail
cd "$(dirname "$0")/.."
# Images of Python set it. Each of the hundreds of processes here would compile all that it imports: two of the
# four seconds of a show's start.
unset PYTHONDONTWRITEBYTECODE

say() { printf '\n== %s\n' "$*"; }

lacking() { # the Debian packages that are not here
  python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
  command -v chromium chromium-browser google-chrome >/dev/null || echo chromium
  command -v g++ >/dev/null || echo g++
  command -v cmake >/dev/null || echo cmake
  command -v ninja >/dev/null || echo ninja-build
  command -v Xvfb >/dev/null || echo xvfb
  PATH=$PATH:/usr/games command -v stockfish >/dev/null || echo stockfish
  command -v obs >/dev/null || echo obs-studio obs-plugins fonts-dejavu-core
  command -v pulseaudio >/dev/null || echo pulseaudio
  command -v ffmpeg >/dev/null || echo ffmpeg
  PATH=$PATH:/usr/sbin command -v inspircd >/dev/null || echo inspircd
  docker-compose version >/dev/null 2>&1 || docker compose version >/dev/null 2>&1 || compose
  ldconfig -p 2>/dev/null | grep -q 'libportaudio\.so\.2' || echo libportaudio2
}

compose() { # what apt calls Docker Compose: Ubuntu has docker-compose-v2, Debian docker-compose
  apt-cache policy docker-compose-v2 2>/dev/null | grep -q 'Candidate: [^(]' &&
    echo docker-compose-v2 || echo docker-compose
}

install() { # as root, or with a sudo that asks nothing
  local as=()
  command -v apt-get >/dev/null || return 1
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || return 1
    as=(sudo -n)
  fi
  "${as[@]}" apt-get update -qq
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >/dev/null
}

mapfile -t parts < <(lacking | tr ' ' '\n')
if [ "${#parts[@]}" -gt 0 ]; then
  say "Debian parts: ${parts[*]}"
  install "${parts[@]}" </dev/null || echo "cannot install them here; cure: sudo apt install ${parts[*]}"
fi

say "Python packages"
uv=$(python3 -m engines.bootstrap --uv)
"$uv" sync --frozen --all-extras --inexact --quiet
python=${UV_PROJECT_ENVIRONMENT:-.venv}/bin/python

check() { # with all that is installed, so that every package's types are known
  "$python" -m ruff check . && "$python" -m ruff format --check . && "$python" -m mypy
}

checked=$(mktemp)
set -m # in a group of its own, which ends with this script
check >"$checked" 2>&1 </dev/null &
checking=$!
set +m
trap 'kill -- "-$checking" 2>/dev/null || true; rm -f "$checked"' EXIT

say "models; lint and types beside them"
"$python" -m engines.fetch qwen-1.5b smollm2 piper-joe kokoro whisper-tiny.en whisper-base nudenet ppocr minilm </dev/null ||
  [ "${CI:-}" != true ]

"$python" -m engines.build vision detect=false caption=false </dev/null ||
  [ "${CI:-}" != true ]

"$python" -m engines.minecraft.node </dev/null ||
  [ "${CI:-}" != true ]

say "lint and types"
wrong=0
wait "$checking" || wrong=$?
trap - EXIT
cat "$checked"
rm -f "$checked"
[ "$wrong" = 0 ] || exit "$wrong"

pytest() { "$python" -m pytest --durations=15 --durations-min=5 "$@" </dev/null; }

if [ "$#" -gt 0 ]; then
  say "tests: $*"
  pytest "$@"
  exit
fi
failed=0
say "tests of the core, one process a core"
pytest tests --ignore=tests/wires --ignore=tests/shows --numprocesses=auto || failed=$?
say "tests with real servers, two files at a time"
pytest tests/wires tests/shows -m "not alone" --numprocesses=auto --maxprocesses=2 --dist=loadfile \
  --no-loadscope-reorder || failed=$?
say "tests that measure, or look at what all share, one after the other"
mapfile -t files < <(grep -l 'mark\.alone' tests/wires/test_*.py tests/shows/test_*.py) # collecting all takes long
pytest "${files[@]}" -m alone || failed=$?
exit "$failed"
