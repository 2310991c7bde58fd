"""Child processes: started, watched, restarted, and gone for certain. Every test runs real ones."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import anyio
import psutil
import pytest

from engines import bootstrap, child, keeper, port, process, program
from engines.port import PortTaken, unused
from engines.process import Spec, StartFailed, running
from engines.speech import probe as voice
from engines.speech.options import Options as SpeechOptions
from tests.toy_engine import probe
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
Seen = list[tuple[str, str, str]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"  # trio forks in threads of its own, and Linux ties a child's life to its thread's


def toy(way: str = "good", name: str = "toy") -> Spec:
    port = unused()
    argv = (sys.executable, "-m", "tests.toy_engine", str(port), way)
    return Spec(name, argv, f"127.0.0.1:{port}", "127.0.0.1", port, probe(port), f"{name}.engine.port")


def left(spec: Spec) -> list[psutil.Process]:
    """What still runs of an engine: its process, or a child that it left behind."""
    marks = (str(spec.port), f"import time; time.sleep(1{spec.port})")
    return [
        each
        for each in psutil.process_iter(["cmdline", "status"])
        if any(mark in (each.info["cmdline"] or []) for mark in marks)
        and each.info["status"] != psutil.STATUS_ZOMBIE
    ]


def teller(seen: Seen) -> keeper.Notify:
    return lambda name, state, why: seen.append((name, state, why))


async def test_one_whose_start_was_given_up_is_started_again(tmp_path: Path) -> None:
    seen: Seen = []
    pids: dict[str, int] = {}
    kept = keeper.Keeper(toy(), tmp_path / "toy.log", teller(seen), pids, 10.0)
    async with anyio.create_task_group() as tg:
        tg.start_soon(kept.keep)
        await eventually(lambda: pids)
        tg.cancel_scope.cancel()
    await kept.down()
    assert [(state, why) for _, state, why in seen][:2] == [("down", "it is gone"), ("starting", "")]


async def test_engines_run_inside_the_block_and_not_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "GENTLE_SECONDS", 30.0)
    seen: Seen = []
    one, two = toy(name="one"), toy(name="two")
    async with running([one, two], tmp_path, teller(seen)) as engines:
        assert engines.addresses == {"one": one.address, "two": two.address}
        assert sorted(engines.pids) == ["one", "two"]
        assert all(psutil.pid_exists(pid) for pid in engines.pids.values())
        for pid in engines.pids.values():
            assert psutil.Process(pid).environ()["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"
        began = anyio.current_time()
    assert anyio.current_time() - began < child.GENTLE_SECONDS, "they were asked, and killed"
    assert not left(one) and not left(two) and not engines.pids
    assert [(name, state) for name, state, _ in sorted(seen)] == [
        ("one", "starting"),
        ("one", "up"),
        ("two", "starting"),
        ("two", "up"),
    ]
    assert "toy: listening" in (tmp_path / "one.log").read_text()


async def test_a_taken_port_is_one_line_with_a_free_one(tmp_path: Path) -> None:
    good, spec = toy(name="good"), toy()
    with socket.create_server(("127.0.0.1", spec.port)):
        with pytest.raises(StartFailed) as caught:
            async with running([good, spec], tmp_path):
                pytest.fail("it started")
    line = str(caught.value)
    assert (
        line.startswith(f"toy: port {spec.port} is taken by ")
        and f"cure: toy.engine.port={spec.port + 10}" in line
    )
    assert not (tmp_path / "good.log").exists()  # every port is looked at before anything starts


async def test_a_port_that_is_about_to_be_left_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 30.0)
    spec = toy()
    server = socket.create_server(("127.0.0.1", spec.port))
    async with anyio.create_task_group() as tg:

        async def leave() -> None:
            await anyio.sleep(0.3)
            server.close()

        tg.start_soon(leave)
        async with running([spec], tmp_path) as engines:
            assert engines.pids


async def test_an_early_exit_is_told_at_once_with_its_last_words(tmp_path: Path) -> None:
    good, bad = toy(name="good"), toy("exits", "bad")
    began = anyio.current_time()
    with pytest.raises(
        StartFailed, match=r"bad stopped while starting: exit 1: toy: the model is damaged; cure"
    ):
        async with running([good, bad], tmp_path):
            pytest.fail("it started")
    assert anyio.current_time() - began < 60, "it was waited for as long as one that loads"
    assert not left(good) and not left(bad)


async def test_a_cure_of_an_earlier_start_is_not_told_again(tmp_path: Path) -> None:
    (tmp_path / "toy.log").write_text("toy: the port is taken; cure: another\n")
    (tmp_path / "been").touch()
    with pytest.raises(StartFailed, match=r"exit 1: toy: once was enough \(log"):
        async with running([toy(f"once:{tmp_path / 'been'}")], tmp_path):
            pytest.fail("it started")


async def test_one_that_never_answers_is_given_up(tmp_path: Path) -> None:
    spec = toy("silent")
    with pytest.raises(
        StartFailed, match=r"toy did not answer within 1 s: nobody listens \(log: .*toy.log\)"
    ):
        async with running([spec], tmp_path, within=1.0):
            pytest.fail("it started")
    assert not left(spec)


async def test_of_two_copies_started_at_once_one_gets_all_ports(tmp_path: Path) -> None:
    """Each listing them in another order; nobody listens yet when both look."""
    specs, refused, up = [toy(), toy(name="other")], list[str](), list[str]()

    async def copy(own: list[Spec]) -> None:
        try:
            async with running(own, tmp_path, within=30):
                up.append(own[0].name)
                await eventually(lambda: refused)
        except StartFailed as error:
            refused.append(str(error))

    async with anyio.create_task_group() as tg:
        tg.start_soon(copy, specs)
        tg.start_soon(copy, specs[::-1])
    assert len(up) == 1
    first = min(specs, key=lambda spec: spec.port)
    assert refused[0].startswith(f"{first.name}: port {first.port} is taken")
    assert f"cure: {first.port_key}=" in refused[0]


async def test_another_ones_answer_does_not_count(tmp_path: Path) -> None:
    """Of two copies started in the same moment, the second must not take the first's engine for its own."""
    spec = toy("silent")
    async with anyio.create_task_group() as tg:

        async def squat() -> None:
            await eventually(lambda: left(spec))
            stranger = (sys.executable, "-m", "tests.toy_engine", str(spec.port), "good")
            async with await anyio.open_process(stranger, stdout=None, stderr=None):
                await anyio.sleep_forever()

        tg.start_soon(squat)
        with pytest.raises(StartFailed, match="did not answer"):
            async with running([spec], tmp_path, within=2.0):
                pytest.fail("it took a stranger for its engine")
        tg.cancel_scope.cancel()


async def test_a_killed_engine_comes_back(tmp_path: Path) -> None:
    seen: Seen = []
    spec = toy()
    async with running([spec], tmp_path, teller(seen)) as engines:
        first = engines.pids["toy"]
        psutil.Process(first).kill()
        await eventually(lambda: engines.pids.get("toy", first) != first)
        assert [state for _, state, _ in seen] == ["starting", "up", "down", "starting", "up"]
        assert seen[2][2] == "killed by SIGKILL"
    assert not left(spec)


async def test_one_is_restarted_on_request_and_another_left_alone(tmp_path: Path) -> None:
    seen: Seen = []
    one, two = toy(name="one"), toy(name="two")
    async with running([one, two], tmp_path, teller(seen)) as engines:
        before = dict(engines.pids)
        assert engines.restart("one") and not engines.restart("three")
        await eventually(lambda: engines.pids.get("one", before["one"]) != before["one"], 60)
        assert engines.pids["two"] == before["two"]
        assert ("one", "down", "a restart was asked for") in seen
        again = engines.pids["one"]
        assert engines.restart("one") and engines.restart("one")  # two consoles at once: one restart
        await eventually(lambda: engines.pids.get("one", again) != again, 60)
    assert [state for name, state, _ in seen if name == "one"].count("down") == 2


@pytest.mark.parametrize(
    ("longest", "expected"),
    [(1000.0, (0.1, 0.2, 0.4, 0.8)), (0.1, (0.1,) * 10)],
    ids=["each twice as long", "until the longest"],
)
async def test_restarts_back_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, longest: float, expected: Sequence[float]
) -> None:
    monkeypatch.setattr(keeper, "BACK_OFF", (0.1, longest))
    pauses: list[float] = []
    spec, down = toy(f"once:{tmp_path / 'flag'}"), 0.0

    def notify(name: str, state: str, why: str) -> None:
        nonlocal down
        if state == "down":
            down = anyio.current_time()
        elif state == "starting" and down:
            pauses.append(anyio.current_time() - down)

    async with running([spec], tmp_path, notify) as engines:
        psutil.Process(engines.pids["toy"]).kill()
        await eventually(lambda: len(pauses) >= len(expected), 60)  # ten that doubled would take 102 s
        assert not engines.pids
    assert all(took > 0.99 * least for took, least in zip(pauses, expected, strict=False)), pauses


async def test_one_that_hangs_is_restarted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "WATCH_SECONDS", 0.05)
    monkeypatch.setattr(keeper, "PROBE_SECONDS", 0.1)
    seen: Seen = []
    flag = tmp_path / "flag"
    spec = toy(f"hangs:{flag}")
    async with running([spec], tmp_path, teller(seen)) as engines:
        first = engines.pids["toy"]
        flag.touch()
        await eventually(lambda: "toy" not in engines.pids)
        flag.unlink()
        await eventually(lambda: engines.pids.get("toy", first) != first)
    assert ("toy", "down", "no answer 4 times: no answer within 0 s") in seen


def test_whoever_is_asked_to_end_has_less_time_than_is_promised_from_ctrl_c_on() -> None:
    """The rest of the three seconds is ours; the tests of it change these or wait longer."""
    assert max(child.GENTLE_SECONDS, bootstrap.ENDING_SECONDS, program.ASKED_SECONDS) <= 2


@pytest.mark.parametrize("way", ["stubborn", "parent"])
async def test_whoever_ignores_sigterm_is_killed_with_all_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(child, "GENTLE_SECONDS", 0.2)
    told, send = list[signal.Signals](), child.Child._signal

    def seen(self: child.Child, number: signal.Signals) -> None:
        told.append(number)
        send(self, number)

    monkeypatch.setattr(child.Child, "_signal", seen)
    spec, other = toy(way), toy(way, "other")
    async with running([spec, other], tmp_path):
        pass
    assert told == [signal.SIGTERM] * 2 + [signal.SIGKILL] * 2, "one is not waited for behind the other"
    await eventually(lambda: not left(spec) and not left(other))


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.3])
async def test_a_cancelled_start_leaves_nothing(tmp_path: Path, seconds: float) -> None:
    spec = toy("silent")
    with anyio.move_on_after(seconds) as scope:
        async with running([spec], tmp_path):
            pytest.fail("it started")
    assert scope.cancelled_caught
    assert not left(spec)


async def test_what_goes_wrong_in_the_block_comes_out_as_it_is(tmp_path: Path) -> None:
    spec = toy()
    with pytest.raises(LookupError, match="ours"):
        async with running([spec], tmp_path):
            raise LookupError("ours")
    assert not left(spec)


PARENT = """
import anyio, sys
from pathlib import Path
from engines.process import running
from tests.test_process import toy
async def main():
    spec = toy(sys.argv[2])
    async with running([spec], Path(sys.argv[1])):
        sys.stdout.write(str(spec.port) + chr(10)); sys.stdout.flush()
        await anyio.sleep_forever()
anyio.run(main)
"""


async def test_a_killed_parent_leaves_no_engine(tmp_path: Path) -> None:
    words = [sys.executable, "-c", PARENT, str(tmp_path), "good"]
    async with await anyio.open_process(words, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout
        port = int((await parent.stdout.receive()).decode())
        spec = Spec("toy", (), "", "127.0.0.1", port, probe(port))
        assert left(spec)
        parent.send_signal(signal.SIGKILL)
        await parent.wait()
        await eventually(lambda: not left(spec))


def deaf(tmp_path: Path) -> Spec:
    """An engine that takes connections and never answers; it is asked as a voice is."""
    port = unused()
    code = (
        "import socket, sys, time\n"
        f"server = socket.create_server(('127.0.0.1', {port}))\n"
        f"open({str(tmp_path / 'up')!r}, 'a').write('up ')\n"
        "time.sleep(1000)"
    )
    ready = partial(voice.ready, SpeechOptions(port=port))
    return Spec(
        "speech",
        (sys.executable, "-c", code),
        f"127.0.0.1:{port}",
        "127.0.0.1",
        port,
        ready,
        "speech.engine.port",
    )


async def test_one_on_grpc_that_dies_while_it_loads_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The probe is under way then: gRPC's own CancelledError ended every engine, and the show with exit 0."""
    monkeypatch.setattr(keeper, "BACK_OFF", (0.05, 0.05))
    seen: Seen = []
    kept = keeper.Keeper(deaf(tmp_path), tmp_path / "log", teller(seen), {}, 30.0)
    async with anyio.create_task_group() as tg:
        tg.start_soon(kept.keep)
        await eventually(lambda: (tmp_path / "up").exists())
        for _ in range(3):
            before = len(seen)
            await eventually(lambda: kept._child is not None)
            await anyio.sleep(0.3)  # into the middle of a probe: it takes 1.5 s
            kept._child._signal(signal.SIGKILL)  # type: ignore[union-attr]
            await eventually(lambda before=before: ("speech", "starting", "") in seen[before:])  # type: ignore[misc]
        seen.append(("test", "up", "reached its end"))
        tg.cancel_scope.cancel()
    await kept.down()
    assert seen[-1][0] == "test" and "killed by SIGKILL" in seen[-3][2]


async def test_a_restart_that_cannot_fork_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: Seen = []
    failures = iter([OSError(12, "Cannot allocate memory")])

    async def short(argv: Sequence[str], log: Path) -> child.Child:
        if error := next(failures, None):
            raise error
        return await child.start(argv, log)

    monkeypatch.setattr(keeper, "start", short)
    kept = keeper.Keeper(toy(), tmp_path / "toy.log", teller(seen), {}, 10.0)
    async with anyio.create_task_group() as tg:
        tg.start_soon(kept.keep)
        await eventually(lambda: ("toy", "up") in [each[:2] for each in seen])
        tg.cancel_scope.cancel()
    await kept.down()
    assert ("toy", "down", "toy cannot be started: Cannot allocate memory") in seen


def test_ports_for_later_are_free_and_others_each_time_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len({unused() for _ in range(20)}) == 20
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(port, "FIRST", taken.getsockname()[1])
        monkeypatch.setattr(port, "MANY", 1)
        with pytest.raises(PortTaken, match="cure"):
            unused()
