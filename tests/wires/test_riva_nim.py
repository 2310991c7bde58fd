"""The Tts port's adapter against a strict speech NIM: emotions, what it refuses, sound that is cut short."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import numpy as np
import pytest
import riva.client
from hypothesis import given
from hypothesis import strategies as st
from riva.client.proto.riva_tts_pb2 import RivaSynthesisConfigResponse

from glue.closing import closing
from glue.errors import ConfigError, Refused
from glue.ports import Speech, Timed
from glue.stage.mood import mood_of
from glue.voice.riva_ask import UNSPEAKABLE, spoken, voices
from glue.voice.riva_meta import later
from glue.voice.riva_tts import RivaTts
from tests.wires.nim_peer import LETTERS, MODEL, Nim, serving

pytestmark = pytest.mark.anyio
RATE = 24000
ARIA, SOFIA = f"{MODEL}.EN-US.Aria", f"{MODEL}.EN-US.Sofia"
EMOTIONS = {"happy": "Happy", "sad": "Sad", "angry": "Angry"}
EXTRAS = {"dictionary": {"Spark": "spark"}, "configuration": {"k": "v"}, "word_times": True}


@asynccontextmanager
async def against(nim: Nim, **options: Any) -> AsyncIterator[RivaTts]:
    options = {"word_times": False, "first_chunk_s": 30.0, "stall_s": 30.0} | options
    async with (
        serving(nim) as address,
        RivaTts(address, RATE, emotions=EMOTIONS, mood=mood_of, **options) as tts,
    ):
        yield tts


async def seconds(tts: RivaTts, text: str, voice: str = ARIA) -> float:
    async with closing(tts.speak(text, voice)) as chunks:
        return sum([len(chunk.pcm) async for chunk in chunks]) / RATE


async def test_rivas_own_client_passes_against_the_peer() -> None:
    async with serving(Nim()) as address:

        def foreign() -> bytes:
            auth = riva.client.Auth(uri=address)
            service = riva.client.SpeechSynthesisService(auth)
            config = service.stub.GetRivaSynthesisConfig(
                riva.client.proto.riva_tts_pb2.RivaSynthesisConfigRequest()
            )
            assert ARIA in voices(config)
            parts = service.synthesize_online("Hello there.", ARIA, "en-US", sample_rate_hz=RATE)
            sound = b"".join(part.audio for part in parts)
            auth.channel.close()
            return sound

        assert len(await anyio.to_thread.run_sync(foreign)) > RATE


async def test_a_mood_is_a_voice_of_its_own_where_the_speaker_has_it() -> None:
    nim = Nim()
    async with against(nim) as tts:
        for text in ("Hahaha, again!", "I am so sad today.", "Ugh, how dare you.", "It is Monday."):
            assert await seconds(tts, text) > 0.3
        await seconds(tts, "Hahaha, again!", SOFIA)
    asked = [request.voice_name for request in nim.asked]
    assert asked == [f"{ARIA}.Happy", f"{ARIA}.Sad", ARIA, ARIA, SOFIA]
    assert nim.configs == 1


async def test_without_a_list_of_voices_she_speaks_plainly() -> None:
    nim = Nim(silent=True)
    async with against(nim) as tts:
        for _ in range(2):
            assert await seconds(tts, "Hahaha, again!") > 0.3
    assert [request.voice_name for request in nim.asked] == [ARIA, ARIA] and nim.configs == 1


async def test_a_server_that_lists_no_voice_yet_is_asked_again() -> None:
    nim = Nim(loading=1)
    async with against(nim) as tts:
        for _ in range(3):
            assert await seconds(tts, "Hahaha, again!") > 0.3
    happy = f"{ARIA}.Happy"
    assert [request.voice_name for request in nim.asked] == [ARIA, happy, happy] and nim.configs == 2


async def test_an_emotion_that_is_listed_and_refused_is_tried_once() -> None:
    nim = Nim(hidden=[f"{ARIA}.Happy"])
    async with against(nim) as tts:
        for _ in range(2):
            assert await seconds(tts, "Hahaha, again!") > 0.3
    assert [request.voice_name for request in nim.asked] == [f"{ARIA}.Happy", ARIA, ARIA]


@pytest.mark.parametrize(
    "refuses",
    [
        ("custom_dictionary",),
        ("custom_configuration",),
        ("enable_word_time_offsets",),
        ("custom_dictionary", "enable_word_time_offsets"),
        ("custom_dictionary", "custom_configuration", "enable_word_time_offsets"),
    ],
)
async def test_what_a_server_refuses_is_left_out_and_only_that(refuses: tuple[str, ...]) -> None:
    nim = Nim(refuses)
    fields = ("custom_dictionary", "custom_configuration", "enable_word_time_offsets")
    async with against(nim, **EXTRAS) as tts:
        for _ in range(4):
            assert await seconds(tts, "Spark is here.") > 0.3
        calls = len(nim.asked)
        assert await seconds(tts, "Spark is here.") > 0.3
    assert len(nim.asked) == calls + 1  # it has learnt
    assert {field for field in fields if not getattr(nim.asked[-1], field)} == set(refuses)


async def test_a_voice_that_is_not_there_is_still_refused_in_the_servers_words() -> None:
    nim = Nim()
    async with against(nim, **EXTRAS) as tts:
        with pytest.raises(Refused, match="Voice Nobody"):
            await seconds(tts, "Hello.", "Nobody")
        assert await seconds(tts, "Spark is here.") > 0.3
    assert nim.asked[-1].custom_dictionary and nim.asked[-1].enable_word_time_offsets  # nothing was learnt


async def test_what_is_cut_short_is_asked_again_once() -> None:
    word, clause = "Hi!", "This clause has a good number of letters in it."
    nim = Nim(partial={word: 1, clause: 1})
    async with against(nim, hold_s=0.4, shortest_s=0.2) as tts:
        assert await seconds(tts, word) >= 0.35
        assert await seconds(tts, clause) > 2
    assert len(nim.asked) == 4
    nim = Nim(partial={word: 2})
    async with against(nim, hold_s=0.4, shortest_s=0.2) as tts:
        with pytest.raises(Refused, match=r"only 0\.09 s"):
            await seconds(tts, word)
    assert len(nim.asked) == 2


CLAUSE = "The old harbour was full of little boats and every one of them had somebody asleep inside it"
WHOLE = sum(map(str.isalnum, CLAUSE)) / LETTERS  # seconds


@pytest.mark.parametrize("share", [0.3, 0.5])
async def test_of_a_clause_that_breaks_off_the_words_behind_are_asked_for(share: float) -> None:
    nim = Nim(cut={CLAUSE: share})
    async with against(nim, hold_s=0.4, shortest_s=0.2, whole=0.6) as tts:
        took = await seconds(tts, CLAUSE)
        assert await seconds(tts, "And the reply goes on.") > 1
    rest = nim.asked[1].text
    assert CLAUSE.endswith(f" {rest}") and len(nim.asked) == 3
    word = max(map(len, CLAUSE.split())) / LETTERS
    assert WHOLE <= took + 0.01 and took < WHOLE + word, "no word is lost, and at most one said twice"


async def test_a_clause_that_lacks_little_is_left_as_it_is() -> None:
    nim = Nim(cut={CLAUSE: 0.8})
    async with against(nim, hold_s=0.4, shortest_s=0.2, whole=0.6) as tts:
        assert await seconds(tts, CLAUSE) == pytest.approx(0.8 * WHOLE, rel=0.01)
    assert len(nim.asked) == 1


async def test_what_breaks_off_twice_is_spoken_as_far_as_it_goes() -> None:
    nim = Nim(cut={CLAUSE: 0.3})
    async with against(nim, hold_s=0.4, shortest_s=0.2, whole=0.6) as tts:
        async with closing(tts.speak(CLAUSE, ARIA)) as chunks:
            first = len((await anext(chunks)).pcm)
            behind = CLAUSE.split()
            nim.cut |= {" ".join(behind[at:]): 0.4 for at in range(1, len(behind))}
            took = (first + sum([len(chunk.pcm) async for chunk in chunks])) / RATE
    assert len(nim.asked) == 2 and 0.5 * WHOLE < took < 0.7 * WHOLE


@pytest.mark.parametrize("known", [False, True])
async def test_a_slow_voice_is_known_by_what_it_said(known: bool) -> None:
    """Half of its sound is as much as the whole of a voice of the pace that the config gives."""
    nim = Nim(letters=7.0)
    async with against(nim, hold_s=0.4, shortest_s=0.2, whole=0.6) as tts:
        for _ in range(5 * known):
            await seconds(tts, "The first clauses of an evening are whole.")
        nim.cut[CLAUSE], asked = 0.5, len(nim.asked)
        took = await seconds(tts, CLAUSE)
    assert len(nim.asked) == asked + 1 + known
    assert (took > 1.99 * WHOLE) is known


@pytest.mark.parametrize("broken", [0, 30])
async def test_what_breaks_off_teaches_no_pace(broken: int) -> None:
    """However many clauses were given once in part: the next is missed as before."""
    clauses = [f"{number} {CLAUSE}" for number in range(broken)]
    nim = Nim(cut=dict.fromkeys(clauses, 0.35) | {CLAUSE: 0.5})
    async with against(nim, hold_s=0.4, shortest_s=0.2, whole=0.6) as tts:
        for clause in clauses:
            await seconds(tts, clause)
        asked = len(nim.asked)
        assert await seconds(tts, CLAUSE) >= WHOLE - 0.01
    assert len(nim.asked) == asked + 2


async def test_a_voice_that_is_quicker_than_given_is_known_when_its_second_tries_are_as_short() -> None:
    nim = Nim(letters=60.0)
    async with against(nim, hold_s=0.1, shortest_s=0.05, whole=0.6) as tts:
        for _ in range(8):
            await seconds(tts, CLAUSE)
        asked = len(nim.asked)
        assert await seconds(tts, CLAUSE) == pytest.approx(WHOLE * LETTERS / 60, rel=0.02)
    assert len(nim.asked) == asked + 1


@pytest.mark.parametrize("wrong", [{"pace": 0.0}, {"whole": 1.5}, {"whole": -0.1}])
async def test_a_pace_that_is_none_is_refused_at_the_start(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="pace is above 0"):
        RivaTts("127.0.0.1:1", RATE, **wrong)  # type: ignore[arg-type]  # only numbers here


async def test_the_rest_has_the_mood_of_its_clause() -> None:
    clause = f"Hahaha! {CLAUSE}"
    nim = Nim(cut={clause: 0.4})
    async with against(nim, hold_s=0.4, shortest_s=0.2, whole=0.6) as tts:
        await seconds(tts, clause)
    assert [request.voice_name for request in nim.asked] == [f"{ARIA}.Happy"] * 2


async def test_the_rests_timings_follow_the_sound_before_it() -> None:
    speech = Speech(np.zeros(9, np.int16), (Timed("a", 0.1, 0.2),), (Timed("all", 0.1, 0.3),))
    moved = later(speech, 2.0)
    assert moved.phonemes == (Timed("a", 2.1, 2.2),) and moved.words == (Timed("all", 2.1, 2.3),)
    assert later(speech, 0.0) is speech


async def test_what_magpie_chokes_on_is_never_sent() -> None:
    nim = Nim()
    async with against(nim) as tts:
        assert await seconds(tts, "*waves* {hello} <b>you</b> all") > 0.3
    assert nim.asked[-1].text == "waves hello b you /b all"


async def test_what_is_in_another_script_is_sent_in_letters_that_the_voice_reads() -> None:
    nim = Nim()
    async with against(nim) as tts:
        assert await seconds(tts, "Привет, Katya!") > 0.2
    assert nim.asked[-1].text == "Privet, Katya!"


@given(st.text())
def test_a_clause_is_one_line_without_those(text: str) -> None:
    said = spoken(text, "en-US")
    assert not set(said) & set(map(chr, UNSPEAKABLE)) and said == " ".join(said.split())


@given(st.lists(st.dictionaries(st.sampled_from(["voice_name", "subvoices", "x"]), st.text()), max_size=3))
def test_whatever_a_config_says_gives_names(parameters: list[dict[str, str]]) -> None:
    config = RivaSynthesisConfigResponse()
    for each in parameters:
        config.model_config.add(parameters=each)
    assert all(voices(config))
