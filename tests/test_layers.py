"""The import rule: events <- ports <- {senses, mind, voice, stage, games}; those do not meet."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SIDES = ("senses", "mind", "voice", "stage", "games", "memory")
EVENTS = {
    "glue.events",
    "glue.broadcast_events",
    "glue.chat_events",
    "glue.desk_events",
    "glue.game_events",
    "glue.measured_events",
    "glue.memory_events",
    "glue.safety_events",
    "glue.sight_events",
    "glue.song_events",
}  # the union, and the files that it is made of
FLOOR = EVENTS | {
    "glue.errors",
    "glue.ports",
    "glue.desk_ports",
    "glue.memory_ports",
    "glue.song_ports",
    "glue.news",
    "glue.redacted",
    "glue.romanised",
    "glue.closing",
    "glue.folders",
    "glue.settings",
    "glue.spread",
    "glue.sse",
    "glue.template_marks",
}
DECIDING = "banter called decisions director floods glance interest listening meant renewed".split()
DECIDING += ["patience", "shares", "thanks", "waiting"]
DIRECTOR = EVENTS | {"glue.settings", "glue.news", *(f"glue.{part}" for part in DECIDING)} - {"glue.director"}
REPLYING = ["ahead", "singing", "waterfall"]  # parts of a turn
TURN = FLOOR | {"glue.gate", "glue.cues", "glue.member", *(f"glue.{part}" for part in REPLYING)}
SAFETY = EVENTS | {"glue.errors", "glue.folders", "glue.settings"}  # the filters know no port: none waits
EXAM = SAFETY | {"glue.gate", "glue.spread"}


@cache
def nodes(path: Path) -> list[ast.AST]:
    """A file, parsed."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imports(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def ours(path: Path, top: str) -> set[str]:
    found = (p.relative_to(ROOT).with_suffix("").as_posix() for p in ROOT.glob(f"{top}/**/*.py"))
    modules = {name.replace("/", ".") for name in found}
    packages = {m.removesuffix(".__init__") for m in modules}
    return imports(path) & (modules | packages)


ENGINES = frozenset("llm speech avatar vision memory embeddings pace asr chess minecraft".split())


def files(under: str) -> list[Path]:
    every = (ROOT / under).rglob("*.py")
    found = sorted(path for path in every if "bundles" not in path.parts)  # a build's sources are not ours
    assert found
    return found


def test_glue_does_not_import_engines() -> None:
    for path in files("glue"):
        assert not [m for m in imports(path) if m.split(".")[0] in ("engines", "launch", "tests")], path


def test_engines_do_not_import_glue_nor_one_another() -> None:
    for path in files("engines"):
        found = imports(path)
        assert not [m for m in found if m.split(".")[0] in ("glue", "launch", "tests")], path
        here = path.relative_to(ROOT / "engines").parts
        if here[0] in ENGINES:  # what builds, checks and measures them knows them all
            others = ENGINES - {here[0]}
            assert not [m for m in found if m.startswith("engines.") and m.split(".")[1] in others], path


@pytest.mark.parametrize("side", SIDES)
def test_sides_do_not_import_one_another(side: str) -> None:
    for path in files(f"glue/{side}"):
        if path.name.startswith("bench") or path.name == "__main__.py":
            continue  # a command of its own, not part of the flow
        beyond = {m for m in ours(path, "glue") if not m.startswith(f"glue.{side}")} - FLOOR
        assert not beyond, f"{path.relative_to(ROOT)} imports {beyond}"


def test_director_and_turn_know_only_what_is_pure() -> None:
    for part in DECIDING:
        assert ours(ROOT / f"glue/{part}.py", "glue") <= DIRECTOR
    for part in ("turn", *REPLYING):
        assert ours(ROOT / f"glue/{part}.py", "glue") <= TURN
    assert ours(ROOT / "glue/events.py", "glue") == EVENTS - {"glue.events"}
    for part in EVENTS - {"glue.events"}:
        assert ours(ROOT / f"{part.replace('.', '/')}.py", "glue") == set()
    assert ours(ROOT / "glue/ports.py", "glue") == {"glue.events"}


def test_the_filters_know_nothing_of_the_world() -> None:
    for path in files("glue/safety"):
        allowed = EXAM if path.stem == "exam" else SAFETY
        assert {m for m in ours(path, "glue") if not m.startswith("glue.safety")} <= allowed, path


def test_only_the_composition_root_names_adapters() -> None:
    """Adapters come from YAML; nothing in the flow imports one to build it."""
    flow = [
        p
        for p in (ROOT / "glue").glob("*.py")
        if p.name
        not in (
            "app.py",
            "make.py",
            "checks.py",
            "offer.py",
            "parts.py",
            "set_up.py",
            "exams.py",
            "controls.py",
        )
    ]
    for path in flow:
        assert not [m for m in ours(path, "glue") if m.split(".")[1] in SIDES], path


def test_files_and_functions_stay_small() -> None:
    for path in files("glue") + files("engines"):
        assert path.read_text(encoding="utf-8").count("\n") <= 300, path
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 50, (path, node.name)
