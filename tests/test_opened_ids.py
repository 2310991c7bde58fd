"""The opener's tokens: handed to the main model where they are the spoken words in its vocabulary, too."""

from __future__ import annotations

import json
from collections.abc import Sequence

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.closing import closing
from glue.errors import Unreachable
from glue.mind.opened_llm import OpenedLlm
from glue.mind.opening import Opening
from glue.ports import Opened, Sampled
from glue.settings import When
from glue.sse import read
from tests.test_opened_llm import OPENING, PROMPT, SMALL, Model, anyio_backend, said, slow

__all__ = ["anyio_backend"]

pytestmark = pytest.mark.anyio


async def test_tokens_are_handed_on_where_both_models_have_the_same() -> None:
    main, small = slow(), Model()
    async with OpenedLlm(main, small, When.always) as llm:
        async with closing(llm.stream(PROMPT)) as pieces:
            opened = [piece async for piece in pieces if isinstance(piece, Opened)]
    (asked,) = [prompt for prompt, _ in main.asked]
    assert opened == [Opened(OPENING, len(asked.opening_ids))]
    assert "".join(SMALL[id] for id in asked.opening_ids) == asked.opening == OPENING
    assert not asked.tell_ids


class Mute(Model):
    """Breaks when it is asked to read."""

    async def read(self, ids: Sequence[int]) -> str:
        raise Unreachable("llm", "gone")


class Lost(Model):
    """Takes half a minute to read."""

    async def read(self, ids: Sequence[int]) -> str:
        await anyio.sleep(30)
        return await super().read(ids)


@pytest.mark.parametrize(
    ("main", "small"),
    [
        (slow(vocabulary=("A", *SMALL)), Model()),  # another vocabulary
        (slow(vocabulary=()), Model()),  # it cannot say
        (Mute(), Model()),
        (Lost(), Model()),
        (slow(), Model(vocabulary=SMALL[2:])),  # the first word's token was not told
        (slow(), Model(words=(" ", *SMALL), vocabulary=(*SMALL, " "))),  # what was said begins otherwise
        (slow(), Model(words=("Oh Mi", "ka you are a tra"), vocabulary=("Oh Mi", "ka you are a tra"))),
    ],
)
async def test_text_is_handed_on_where_tokens_are_not_the_very_words(main: Model, small: Model) -> None:
    async with OpenedLlm(main, small, When.always) as llm:
        began = anyio.current_time()
        text, opened, _ = await said(llm)
    (asked,) = [prompt for prompt, _ in main.asked]
    assert asked.opening == opened != "" and asked.opening_ids == ()
    assert text.startswith(opened) and anyio.current_time() - began < 2


@given(st.lists(st.text(alphabet="ab. !,'\n", min_size=1, max_size=4), max_size=30), st.integers(0, 30))
def test_an_openings_tokens_are_all_of_its_text_or_none(pieces: list[str], untold: int) -> None:
    opening = Opening()
    for id, piece in enumerate(pieces):
        opening.feed(piece if id == untold else Sampled(piece, [id]))
    opening.end()
    assert "".join(pieces[id] for id in opening.ids) in ("", opening.text)
    plain = "".join(pieces) == " ".join("".join(pieces).split())
    if plain and untold >= len(pieces) and "".join(pieces).endswith("."):
        assert opening.ids == tuple(range(len(pieces)))


@pytest.mark.parametrize(
    ("tokens", "ids"),
    [
        ([{"id": 7, "bytes": [104, 105]}], (7,)),
        ([{"id": 7, "bytes": [104]}, {"id": 8, "bytes": [105]}], (7, 8)),
        ([{"id": 8, "bytes": [105]}], None),  # the last one of several
        ([{"id": "x", "bytes": [104, 105]}], None),
        ([{"bytes": [104, 105]}], None),
        ([{"id": 7, "bytes": [999]}], None),
        ([{"id": 7, "bytes": "hi"}], None),
        ("hi", None),
        ([7], None),
    ],
)
def test_a_piece_is_its_tokens_or_plain_text(tokens: object, ids: tuple[int, ...] | None) -> None:
    told = {"choices": [{"delta": {"content": "hi"}, "logprobs": {"content": tokens}}]}
    chunk = read(f"data: {json.dumps(told)}")
    assert chunk is not None and chunk.text == "hi"
    assert (chunk.text.ids if isinstance(chunk.text, Sampled) else None) == ids
