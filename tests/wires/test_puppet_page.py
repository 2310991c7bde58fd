"""The puppet's page in a real browser: she is drawn, follows plugins, and lives on without them."""

from __future__ import annotations

import asyncio
import io
import itertools
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageStat
from playwright.async_api import Browser, Frame, Page, ViewportSize

from tests.conftest import Start
from tests.wires.puppet_client import Plugin, plugin

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
SPEECH = 400  # milliseconds of a shut mouth that are still speech
SIZE: ViewportSize = {"width": 1280, "height": 720}
CANVAS = "document.getElementById('avatar')"
# Whether she has faded in, and does not fade.
THERE = f"{CANVAS}.getAnimations().every((each) => each.playState === 'finished')"
THERE += f" && getComputedStyle({CANVAS}).opacity === '1'"


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes into the user's own tokens."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@asynccontextmanager
async def shown(browser: Browser, address: str, query: str = "") -> AsyncIterator[Page]:
    """Her page, drawing. What it complains about fails the test."""
    async with await browser.new_page(viewport=SIZE) as page:
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
        await page.goto(address.replace("ws://", "http://") + "/" + query)
        await until(page, f"() => spark.frames > 20 && {THERE}")
        yield page
        assert wrong == []


async def until(page: Page | Frame, script: str, arg: object = None, within: float = 60.0) -> Any:
    """Ask until the answer is true. (wait_for_function needs eval, which the page forbids.)"""
    async with asyncio.timeout(within):
        while not (answer := await page.evaluate(script, arg)):  # noqa: ASYNC110  # it is in another process
            await asyncio.sleep(0.03)
    return answer


async def picture(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(await page.screenshot(omit_background=True))).convert("RGBA")


def brightness(drawn: Image.Image) -> float:
    """Of her, 0 to 255."""
    return float(ImageStat.Stat(drawn.convert("L"), drawn.getchannel("A")).mean[0])


async def hold(there: Plugin, seconds: float, **values: float) -> None:
    """Inject the same for so long."""
    async with there.holding(**values):
        await asyncio.sleep(seconds)


# How far the mouth is open in a frame that shows all these values, some frames after the first that did.
SHOWS = """([values, since]) => Object.entries(values).every(([name, value]) =>
    Math.abs(spark.params[name] - value) < 0.02) && spark.frames >= since && [spark.frames, spark.mouth()]"""


async def drawn(page: Page, there: Plugin, frames: int, **values: float) -> float:
    """Inject the same until it was drawn so often; how far her mouth was open in the last of these."""
    async with there.holding(**values):
        first, _ = await until(page, SHOWS, [values, 0])
        _, mouth = await until(page, SHOWS, [values, first + frames])
    return float(mouth)


async def mouths(page: Page) -> list[float]:
    """How far it was open in each frame since this was last asked."""
    return list(await page.evaluate("() => spark.mouthAt.splice(0).map(([, height]) => height)"))


async def test_she_is_there_and_nothing_else(puppet: str, browser: Browser) -> None:
    async with shown(browser, puppet) as page:
        she = await picture(page)
        alpha = she.getchannel("A")
        assert [alpha.getpixel(at) for at in ((2, 2), (1277, 2), (2, 717), (1277, 717))] == [0, 0, 0, 0]
        assert alpha.getpixel((640, 300)) == 255
        covered = sum(alpha.histogram()[128:]) / (1280 * 720)
        assert 0.15 < covered < 0.5
        colours = she.crop((500, 100, 780, 700)).convert("RGB").getcolors(1 << 20)
        assert colours is not None and len(colours) > 1000, "shaded, not flat"


async def test_the_mouth_opens_at_once_and_shuts(puppet: str, browser: Browser) -> None:
    async with plugin(puppet) as there:
        async with shown(browser, puppet) as page:
            heights = {}
            for vowel in "AIUEO":
                voices = {f"Voice{v}": float(v == vowel) for v in "AIUEO"}
                heights[vowel] = await drawn(page, there, 3, MouthOpen=0.9, **voices)
            assert heights["A"] > heights["E"] > heights["I"] > 5 < heights["U"] < heights["O"]
            assert await drawn(page, there, 3, MouthOpen=0, VoiceA=1, VoiceO=0) < 1
            await mouths(page)
            await drawn(page, there, 10, MouthOpen=1)
            opened = await mouths(page)
            between = [height for height in opened if 1 < height < 0.9 * max(opened)]
            assert len(between) <= 1, "one frame of smoothing at most"
            await until(page, "() => spark.mouth() < 1")  # nobody injects any more


async def test_her_two_looks(start: Start, browser: Browser) -> None:
    async with start(avatar={}) as engines, plugin(engines.addresses["avatar"]) as there:
        address = engines.addresses["avatar"]
        async with shown(browser, address) as page:
            bright = brightness(await picture(page))
            models = (await there.ask("AvailableModels"))["availableModels"]
            evil = next(m["modelID"] for m in models if m["modelName"] == "Spark Evil")
            await there.ask("ModelLoad", modelID=evil)
            await until(page, f"() => spark.look() === 'evil' && {THERE}")
            dark = brightness(await picture(page))
            assert bright > dark + 60
        async with shown(browser, address, "?who=main") as page:
            assert await page.evaluate("() => spark.look()") == "main"


async def test_expressions_are_drawn_and_fade(puppet: str, browser: Browser) -> None:
    async with plugin(puppet) as there:
        async with shown(browser, puppet) as page:
            faces = {}
            states = (await there.ask("ExpressionState", details=False))["expressions"]
            assert len(states) >= 6
            for number, file in enumerate(state["file"] for state in states):
                shows = {"expressionFile": file, "fadeTime": 0}
                await there.ask("ExpressionActivation", active=True, **shows)
                still = {f"FaceAngle{axis}": 0.0 for axis in "XYZ"}
                # nothing shows where the mouse is, but it comes behind the expression
                await drawn(page, there, 2, MousePositionX=(number + 1) / 20)
                async with there.holding(**still):
                    faces[file] = (await picture(page)).crop((540, 180, 740, 460)).tobytes()
                await there.ask("ExpressionActivation", active=False, **shows)
            assert len(set(faces.values())) == len(states)
            await mouths(page)
            opens = {"expressionFile": "surprised.exp3.json", "active": True, "fadeTime": 2}
            await there.ask("ExpressionActivation", **opens)
            wide = "spark.mouth() > 10 && spark.mouth() < 1.01 * spark.mouthAt.at(-20)?.[1]"
            await until(page, f"() => {wide}")
            opened = await mouths(page)
            assert sum(1 < height < 0.9 * max(opened) for height in opened) >= 5, "it comes step by step"
            await there.ask("ExpressionActivation", **opens | {"active": False})


async def test_a_plugin_moves_her_about(start: Start, browser: Browser) -> None:
    """VTube Studio's window is -1 to 1, y upwards; what is drawn is where the wire says that she is."""
    async with start(avatar={}) as engines, plugin(engines.addresses["avatar"]) as there:
        async with shown(browser, engines.addresses["avatar"]) as page:
            place = {"positionX": 0.5, "positionY": -0.25, "rotation": 10, "size": 10}
            await there.ask("MoveModel", timeInSeconds=0.2, valuesAreRelativeToModel=False, **place)
            place_drawn = f"const {{a, b, e, f}} = new DOMMatrix(getComputedStyle({CANVAS}).transform)"
            there_yet = "Math.abs(e - 320) < 1 && Math.abs(f - 90) < 1"
            turned, larger = await until(
                page, f"() => {{ {place_drawn}; return {there_yet} && [b / a, Math.hypot(a, b)]; }}"
            )
            assert turned == pytest.approx(math.tan(math.radians(10)), abs=0.01) and larger > 1.1
            said = (await there.ask("CurrentModel"))["modelPosition"]
            assert said == pytest.approx(place)


async def test_a_mood_does_not_hold_the_mouth_open_while_she_speaks(puppet: str, browser: Browser) -> None:
    async with plugin(puppet) as there:
        async with shown(browser, puppet) as page:
            opens = {"expressionFile": "surprised.exp3.json", "active": True, "fadeTime": 0.0}
            await there.ask("ExpressionActivation", **opens)
            await until(page, "() => spark.mouth() > 10")
            judged = 0
            for _ in range(20):  # of which a busy machine draws some so late that it is no speech any more
                began = await page.evaluate("() => performance.now()")
                await drawn(page, there, 2, MouthOpen=0.9, VoiceA=1)
                await drawn(page, there, 2, MouthOpen=0, VoiceA=0)
                at, height = await page.evaluate("() => spark.mouthAt.at(-1)")
                if at < began + SPEECH:
                    assert height < 3, "between two syllables"
                    judged += 1
            assert judged >= 3, "too few were drawn in time"
            await until(page, "() => spark.mouth() > 10")  # and surprised again when she has spoken
            await there.ask("ExpressionActivation", **opens | {"active": False})


# What she does by herself since a moment; whether all of it was seen.
WATCH = """() => { window.seen = []; const watch = () => {
    const now = ["FaceAngleX", "EyeOpenLeft", "breath"].map((name) => spark.params[name]);
    seen.push([...now, performance.now() / 1000]);
    requestAnimationFrame(watch); }; watch(); }"""
LIVES = """(since) => {
    const [angles, lids, breaths] = [0, 1, 2].map((at) => seen.slice(since).map((each) => each[at]));
    const span = (values) => Math.max(...values) - Math.min(...values);
    return Math.abs(angles.at(-1)) < 16 && span(angles.slice(-60)) > 0.05 // back, and not frozen
        && Math.min(...lids) < 0.3 && Math.max(...lids) > 0.7 && span(breaths) > 0.5;
}"""


async def test_she_lives_by_herself_and_never_snaps(puppet: str, browser: Browser) -> None:
    async with plugin(puppet) as there:
        async with shown(browser, puppet) as page:
            await page.evaluate(WATCH)
            async with there.holding(FaceAngleX=25):
                await until(page, "() => spark.params.FaceAngleX > 15")
            turned = await page.evaluate("() => seen.length")
            await until(page, LIVES, turned)  # a blink comes after 9 s at most
            seen = await page.evaluate("() => seen")
        frames = itertools.pairwise((angle, at) for angle, _, _, at in seen[turned:])
        # few frames on a busy machine
        assert all(abs(b - a) < 5 + 100 * (then - at) for (a, at), (b, then) in frames)


async def test_she_is_drawn_often_enough(puppet: str, browser: Browser) -> None:
    """30 frames a second without a graphics card: some half a second of them, for tests share the machine."""
    async with shown(browser, puppet) as page:
        await until(page, "() => spark.mouthAt.some(([at], i) => spark.mouthAt[i + 15]?.[0] - at <= 500)")


async def test_it_finds_the_server_again(start: Start, browser: Browser, port: int) -> None:
    """She goes on by herself while the server is away, and follows the next one."""
    async with await browser.new_page() as page:
        async with start(avatar={"port": port}) as engines:
            await page.goto(f"http://127.0.0.1:{port}/")
            await until(page, "() => spark.frames > 20")
            assert engines.pids
        before = await page.evaluate("() => spark.frames")
        await until(page, f"() => spark.frames > {before + 20}")
        async with start(avatar={"port": port}) as engines, plugin(engines.addresses["avatar"]) as again:
            await until(page, "() => spark.look() === 'main'")
            async with again.holding(MouthOpen=1, VoiceA=1):
                await until(page, "() => spark.mouth() >= 10")


@asynccontextmanager
async def served(body: str) -> AsyncIterator[str]:
    """A page of another server on this machine, as the console is. (Chromium knows one that is made up.)"""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n{body}".encode()
        )
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_another_page_may_embed_her(puppet: str, browser: Browser) -> None:
    """From another port of this machine, with what is behind her shining through."""
    style = "position:fixed;inset:0;width:100%;height:100%;border:0"
    url = puppet.replace("ws://", "http://") + "/"
    frame = f'<iframe src="{url}" style="{style}"></iframe>'
    async with served(f'<body style="margin:0;background:rgb(12, 200, 34)">{frame}</body>') as around:
        async with await browser.new_page(viewport=SIZE) as page:
            await page.goto(around)
            await until(page.frames[1], "() => window.spark?.frames > 40")
            both = await picture(page)
    assert both.getpixel((5, 5)) == (12, 200, 34, 255)
    assert both.getpixel((640, 300)) != (12, 200, 34, 255)
