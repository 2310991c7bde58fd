"""The avatar's adapter on good days, against the puppet, and on bad ones."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import anyio
import numpy as np
import pytest

from glue.errors import Refused, TooSlow, Unreachable
from glue.events import Event, PartDegraded, PartRecovered
from glue.parts import Parts
from glue.stage import vtube_studio
from glue.stage.face import Face
from glue.stage.mood import Mood
from glue.stage.performer import Performer
from glue.stage.vts_token import TokenFile
from glue.stage.vtube_studio import VTubeStudio
from glue.supervise import Patience, supervise
from tests.waiting import eventually
from tests.wires.avatar_show import showing
from tests.wires.vts_scripted import TOKEN, studio

pytestmark = pytest.mark.anyio
POSE = {"FaceAngleX": 5.0, "MouthOpen": 0.5}


@pytest.fixture
def avatar(tmp_path: Path) -> Callable[..., VTubeStudio]:
    def made(port: int | str, **options: object) -> VTubeStudio:
        kept = {"token_folder": str(tmp_path), "timeout_s": 10.0, "allow_s": 10.0} | options
        return VTubeStudio(f"ws://127.0.0.1:{port}", **kept)  # type: ignore[arg-type]  # checked by its YAML

    return made


Made = Callable[..., VTubeStudio]


async def test_it_asks_once_keeps_the_token_and_poses(avatar: Made, tmp_path: Path) -> None:
    async with studio() as there:
        for _ in range(2):
            adapter = avatar(there.port)
            adapter.pose(POSE)
            before = len(there.injections())
            async with showing(adapter):
                await there.until(before + 2)
        assert there.kinds().count("AuthenticationTokenRequest") == 1
        assert there.injected == POSE
    kept = TokenFile(f"ws://127.0.0.1:{there.port}", str(tmp_path))
    assert kept.read() == TOKEN


async def test_a_stale_token_is_replaced(avatar: Made, tmp_path: Path) -> None:
    async with studio() as there:
        (tmp_path / f"vtube-studio-127.0.0.1-{there.port}.token").write_text("stale")
        adapter = avatar(there.port)
        adapter.pose(POSE)
        async with showing(adapter):
            await there.until(1)
        assert there.kinds().count("AuthenticationRequest") == 2


async def test_a_still_face_is_sent_again_before_it_is_forgotten(avatar: Made) -> None:
    """Which it is after a second. A machine that stands still only lengthens a gap."""
    async with studio() as there:
        adapter = avatar(there.port)
        adapter.pose(POSE)
        async with showing(adapter):
            await there.until(6)
        gaps = np.diff(there.injections())
        assert 0.3 < gaps.min() < 0.5, gaps


async def test_a_slow_server_gets_the_newest_pose_and_no_queue(avatar: Made) -> None:
    async with studio(takes=0.1) as there:
        adapter = avatar(there.port)
        began = anyio.current_time()
        async with showing(adapter):
            for n in range(60):
                adapter.pose({"MouthOpen": n / 60})
                await asyncio.sleep(1 / 60)
            await eventually(lambda: there.injected.get("MouthOpen") == round(59 / 60, 4))
        assert there.at_once == 1
        assert len(there.injections()) <= 3 + (anyio.current_time() - began) / there.takes


async def test_unknown_parameters_are_left_out_and_told_once(
    avatar: Made, caplog: pytest.LogCaptureFixture
) -> None:
    async with studio(unknown=frozenset({"VoiceA", "MouthX"})) as there:
        adapter = avatar(there.port)
        adapter.pose(POSE | {"VoiceA": 1.0, "MouthX": 0.1})
        async with showing(adapter) as told:
            await eventually(lambda: there.injected == POSE)
            await there.until(9)
            for socket in list(there.sockets):
                await socket.close()
            await there.until(len(there.injections()) + 8)
        assert len([r for r in caplog.records if r.msg == "parameter left out"]) == 2
        assert len([e for e in told if isinstance(e, PartDegraded)]) == 1


async def test_a_pop_up_that_waits_for_a_click_is_told_and_nothing_else_is(
    avatar: Made, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vtube_studio, "REMIND_S", 0.1)
    async with studio(pops_up=(clicked := asyncio.Event())) as there:
        adapter = avatar(there.port, allow_s=60.0)
        adapter.pose(POSE)
        async with showing(adapter):
            try:
                await eventually(lambda: "press Allow" in caplog.text)
            finally:
                clicked.set()
            await there.until(1)
    caplog.clear()
    monkeypatch.setattr(vtube_studio, "REMIND_S", 20.0)  # longer than this machine takes to answer
    async with studio() as there:
        adapter = avatar(there.port)
        adapter.pose(POSE)
        async with showing(adapter):
            await there.until(1)
    assert "press Allow" not in caplog.text


async def test_deny_is_final_for_now_and_says_the_cure(avatar: Made) -> None:
    async with studio(denies=True) as there:
        adapter = avatar(there.port)
        for _ in range(2):
            with pytest.raises(Refused, match="press Allow"):
                await adapter.run()
        assert there.kinds().count("AuthenticationTokenRequest") == 1


async def test_expressions_by_name(avatar: Made) -> None:
    async with studio() as there:
        adapter = avatar(there.port)
        with pytest.raises(Unreachable):
            await adapter.express("happy", True)
        adapter.pose(POSE)
        async with showing(adapter):
            await there.until(1)
            await adapter.express("happy", True)
            with pytest.raises(Refused, match=r"Happy\.exp3\.json"):
                await adapter.express("bored", True)
        sent = [data for _, kind, data in there.asked if kind == "ExpressionActivationRequest"]
        assert sent == [{"expressionFile": "Happy.exp3.json", "active": True, "fadeTime": 0.3}]


async def test_a_server_that_never_answers_is_given_up(avatar: Made) -> None:
    async with studio(hangs=True) as there:
        with anyio.fail_after(30), pytest.raises(TooSlow):
            await avatar(there.port, timeout_s=0.3).run()


async def test_nobody_there_is_unreachable(avatar: Made, port: int) -> None:
    for where in (port, "x"):  # a typo is an outage of the avatar, and no end of the show
        with pytest.raises(Unreachable, match="cannot be reached"):
            await avatar(where).run()


async def test_noise_between_answers_is_let_pass(avatar: Made) -> None:
    event = {"messageType": "ModelOutlineEvent", "requestID": "spark3", "data": {}}
    late = {"messageType": "APIStateResponse", "requestID": "nobody", "data": {}}
    noise = ("", "not json", b"\xff\x00", "[]", "null", json.dumps(event), json.dumps(late))
    async with studio(noise=noise) as there:
        adapter = avatar(there.port)
        adapter.pose(POSE)
        async with showing(adapter) as told:
            await there.until(3)
            assert there.injected == POSE
        assert not told


async def test_a_giant_frame_breaks_the_line_and_nothing_else(avatar: Made) -> None:
    async with studio() as there:
        adapter = avatar(there.port)
        adapter.pose(POSE)
        async with showing(adapter) as told:
            await there.until(1)
            there.noise = ("x" * (5 << 20),)
            await eventually(lambda: any(isinstance(e, PartDegraded) for e in told))
            there.noise = ()
            await eventually(lambda: any(isinstance(e, PartRecovered) for e in told))


async def test_a_broken_line_is_mended(avatar: Made) -> None:
    async with studio() as there:
        adapter = avatar(there.port)
        adapter.pose(POSE)
        async with showing(adapter) as told:
            await there.until(1)
            for socket in there.sockets:
                socket.transport.abort()
            await eventually(lambda: told)
            await there.until(len(there.injections()) + 2)
            await eventually(lambda: isinstance(told[-1], PartRecovered))
    assert isinstance(told[0], PartDegraded)


async def test_the_operators_mood_is_shown_again_by_an_avatar_that_was_restarted(avatar: Made) -> None:
    def switched() -> list[bool]:
        return [data["active"] for _, kind, data in there.asked if kind == "ExpressionActivationRequest"]

    async with studio() as there, anyio.create_task_group() as tg:
        adapter, told = avatar(there.port), list[Event]()
        performer = Performer("main", adapter, lambda: 0.0, told.append, Face(Random(1)), 24_000)
        parts = Parts(performers=[performer])
        patience = Patience(first=0.05, most=0.2, settled=0.2)
        tg.start_soon(partial(supervise, "avatar", partial(parts.pose, adapter.run), told.append, patience))
        tg.start_soon(performer.run)
        performer.settle(Mood.LAUGH)
        await eventually(lambda: switched() == [True])
        for socket in there.sockets:
            socket.transport.abort()
        await eventually(lambda: PartRecovered in map(type, told))
        await eventually(lambda: switched()[1:])
        assert all(switched())
        tg.cancel_scope.cancel()


async def test_it_comes_back_when_a_killed_server_does(avatar: Made, port: int) -> None:
    command = [sys.executable, "-m", "tests.wires.vts_scripted", str(port)]
    adapter = avatar(port)
    adapter.pose(POSE)
    async with showing(adapter) as told:
        for _ in range(2):
            process = await asyncio.create_subprocess_exec(*command, cwd=Path(__file__).parents[2])
            await eventually(lambda: told and isinstance(told[-1], PartRecovered))
            process.kill()
            await process.wait()
            await eventually(lambda: isinstance(told[-1], PartDegraded))
