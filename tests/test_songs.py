"""The folder of songs: what can be sung, what is said of the rest, and that every sample of it comes."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.to_thread
import numpy as np
import pytest

from glue.errors import Refused, TooSlow
from glue.ports import Pcm, Speech
from glue.stage import song_sound
from glue.stage.song_sound import SONG, Reader, timed
from glue.stage.songs import MOST, Look, WavSongs, look
from glue.stage.stand import together
from tests.core import RATE
from tests.tunes import tone, write

pytestmark = pytest.mark.anyio
LRC = "[00:01.00]Daisy, Daisy\n[00:02.50]\n[00:03.00]give me your answer do\n"


def folder(tmp_path: Path, seconds: float = 4.0, rate: int = RATE) -> Path:
    """Daisy Bell, with all that may lie beside it; the accompaniment is longer by a second."""
    write(tmp_path / "Daisy Bell.wav", tone(seconds, 8000, rate), rate)
    write(tmp_path / "Daisy Bell.backing.wav", tone(seconds + 1, 4000, rate, 90.0), rate)
    (tmp_path / "Daisy Bell.lrc").write_text(LRC)
    return tmp_path


async def sung(songs: WavSongs, name: str, silent: frozenset[int] = frozenset()) -> list[list[Speech]]:
    """All of it, line by line."""
    song = songs.song(name)
    async with songs.sound(song) as sound:
        return [
            [speech async for speech in sound.line(number, number not in silent)]
            for number in range(len(song.lines))
        ]


def whole(lines: list[list[Speech]], of: Callable[[Speech], Pcm] = together) -> Pcm:
    return np.concatenate([of(speech) for line in lines for speech in line])


async def looked(path: Path, gain: float = 1.0) -> WavSongs:
    songs = WavSongs(str(path), RATE, gain)
    await songs.look()
    return songs


async def test_a_song_has_its_name_its_words_and_its_length(tmp_path: Path) -> None:
    songs = await looked(folder(tmp_path))
    assert songs.names() == ["Daisy Bell"] and songs.wrong() == ()
    song = songs.song("daisy BELL")
    assert song.lines == (
        "\u266a Daisy Bell \u266a",
        "\u266a Daisy, Daisy",
        "\u266a",
        "\u266a give me your answer do",
    )
    assert song.sung == {1, 3} and song.seconds == 5.0


async def test_every_sample_comes_and_vocals_and_accompaniment_meet_exactly(tmp_path: Path) -> None:
    lines = await sung(await looked(folder(tmp_path)), "Daisy Bell")
    assert [sum(each.pcm.size for each in line) / RATE for line in lines] == [1.0, 1.5, 0.5, 2.0]
    vocals, backing = tone(4.0, 8000), tone(5.0, 4000, hertz=90.0)
    vocals = np.concatenate([vocals, np.zeros(RATE, np.int16)])
    assert np.array_equal(whole(lines, lambda each: each.pcm), vocals)  # what moves the mouth
    assert np.array_equal(whole(lines), vocals + backing)
    assert all(
        each.beside is not None and each.beside.size == each.pcm.size for line in lines for each in line
    )


async def test_of_a_line_that_is_not_sung_the_accompaniment_goes_on(tmp_path: Path) -> None:
    lines = await sung(await looked(folder(tmp_path)), "Daisy Bell", frozenset({1}))
    assert [int(np.abs(each.pcm).max()) for each in lines[1]] == [0] * len(lines[1])
    backing = tone(5.0, 4000, hertz=90.0)[RATE : RATE * 5 // 2]
    assert np.array_equal(whole(lines[1:2]), backing)
    assert np.array_equal(whole(lines[2:3], lambda each: each.pcm), tone(4.0, 8000)[RATE * 5 // 2 : RATE * 3])


async def test_the_gain_holds_for_both_and_too_loud_is_clipped(tmp_path: Path) -> None:
    write(tmp_path / "Loud.wav", np.full(RATE, 30000))
    write(tmp_path / "Loud.backing.wav", np.full(RATE, 30000))
    assert set(whole(await sung(await looked(tmp_path, 0.5), "Loud")).tolist()) == {30000}
    assert set(whole(await sung(await looked(tmp_path, 1.0), "Loud")).tolist()) == {32767}


@pytest.mark.parametrize("rates", [(48_000, 48_000), (44_100, 44_100), (8_000, 48_000), (RATE, 44_100)])
async def test_whatever_their_rates_what_is_struck_together_is_heard_together(
    tmp_path: Path, rates: tuple[int, int]
) -> None:
    for name, rate in zip(("Click.wav", "Click.backing.wav"), rates, strict=True):
        sound = np.zeros((3 * rate, 2), np.int16)
        for second in (1, 2):
            sound[second * rate : second * rate + rate // 100] = 12_000
        write(tmp_path / name, sound, rate, channels=2)
    lines = await sung(await looked(tmp_path), "Click")
    for of in (lambda each: each.pcm, lambda each: each.beside):
        pcm = whole(lines, of)
        assert pcm.size == 3 * RATE
        loud = np.flatnonzero(np.abs(pcm.astype(int)) > 6_000)
        starts = loud[np.flatnonzero(np.diff(loud, prepend=-RATE) > RATE // 2)]
        assert np.abs(starts - np.array([RATE, 2 * RATE])).max() <= 8  # a third of a millisecond
        quiet = np.delete(pcm, np.flatnonzero(np.abs(pcm.astype(int)) > 600))
        assert quiet.size > 2.9 * RATE


def no_sound(path: Path) -> None:
    path.write_text("no sound at all")


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def an_mp3(path: Path) -> None:
    path.write_bytes(b"ID3\x03\x00\x00\x00" + bytes(4000))


def of_floats(path: Path) -> None:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 1, RATE, RATE * 4, 4, 32)
    head = b"RIFF" + struct.pack("<I", 40) + b"WAVE"
    path.write_bytes(head + form + struct.pack("<4sI", b"data", 4) + b"1234")


def silent(path: Path) -> None:
    write(path, np.zeros(0))


def too_long(path: Path) -> None:
    write(path, np.zeros(601 * 4_000), 4_000)


def huge(path: Path) -> None:
    with write(path, np.zeros(99)).open("r+b") as file:
        file.truncate(SONG.largest + 1)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


BAD = [
    (no_sound, "Bad.wav is no WAV file of whole numbers"),
    (nothing, "it ends too early"),
    (an_mp3, "Bad.wav is no WAV file of whole numbers"),
    (of_floats, "unknown format: 3"),
    (silent, "Bad.wav is empty"),
    (too_long, "Bad.wav lasts 601 s, and 600 s is the most"),
    (huge, "Bad.wav has more than 1024 MB"),
    (a_folder, "Bad.wav is no file"),
    (a_pipe, "Bad.wav is no file"),
]


@pytest.mark.parametrize(("make", "why"), BAD)
async def test_what_is_no_song_is_named_with_the_cure_and_the_others_are_sung(
    tmp_path: Path, make: Callable[[Path], None], why: str
) -> None:
    make(folder(tmp_path) / "Bad.wav")
    songs = await looked(tmp_path)
    assert songs.names() == ["Daisy Bell"]
    (wrong,) = songs.wrong()
    assert why in wrong and "cure: " in wrong and str(tmp_path) not in wrong
    with pytest.raises(Refused, match="there are: Daisy Bell"):
        songs.song("Bad")


@pytest.mark.parametrize(("make", "why"), BAD)
async def test_without_an_accompaniment_that_can_be_played_it_is_sung_alone(
    tmp_path: Path, make: Callable[[Path], None], why: str
) -> None:
    write(tmp_path / "Daisy.wav", tone(1.0, 8000))
    make(tmp_path / "Daisy.backing.wav")
    songs = await looked(tmp_path)
    (wrong,) = songs.wrong()
    assert "Daisy is sung without its accompaniment" in wrong
    assert why.replace("Bad.wav", "Daisy.backing.wav") in wrong
    assert np.array_equal(whole(await sung(songs, "Daisy")), tone(1.0, 8000))


@pytest.mark.parametrize("raw", [b"no times", b"\xff\xfe\x00", bytes(300_000)])
async def test_without_words_that_can_be_read_its_name_is_the_caption(tmp_path: Path, raw: bytes) -> None:
    (folder(tmp_path) / "Daisy Bell.lrc").write_bytes(raw)
    songs = await looked(tmp_path)
    assert songs.song("Daisy Bell").lines == ("\u266a Daisy Bell \u266a",)
    assert songs.song("Daisy Bell").sung == frozenset()
    (wrong,) = songs.wrong()
    assert wrong.startswith("Daisy Bell is sung without its words: Daisy Bell.lrc: ")


async def test_what_belongs_to_nothing_is_named(tmp_path: Path) -> None:
    write(tmp_path / "Daisy.backing.wav", tone(0.1, 1))
    (tmp_path / "Moon.LRC").write_text(LRC)
    (tmp_path / "Rain.mp3").write_bytes(b"ID3")
    (tmp_path / "cover.jpg").write_bytes(b"not named")
    write(tmp_path / "(sang) [it].wav", tone(0.1, 1))
    wrong = "\n".join((await looked(tmp_path)).wrong())
    for part in (
        "Daisy.backing.wav lies beside no Daisy.wav",
        "Moon.LRC lies beside",
        "Rain.mp3 is no WAV",
        "(sang)",
    ):
        assert part in wrong
    assert "cover" not in wrong and wrong.count("\n") == 3


async def test_a_folder_that_is_not_there_is_named_and_none_is_no_folder(tmp_path: Path) -> None:
    assert (
        look(str(tmp_path / "gone"), RATE)
        .wrong[0]
        .startswith(f"there is no folder '{tmp_path / 'gone'}'; cure")
    )
    songs = WavSongs("", RATE, 1.0)
    await songs.keep()  # and has nothing to do
    assert songs.names() == [] and songs.wrong() == ()
    with pytest.raises(Refused, match=r"cure: stage\.songs=FOLDER"):
        songs.song("Daisy")


def test_there_are_so_many_at_most(tmp_path: Path) -> None:
    for number in range(MOST + 2):
        write(tmp_path / f"Song {number:03}.wav", tone(0.01, 1))
    found = look(str(tmp_path), RATE)
    assert len(found.songs) == MOST and len(found.wrong) == 2


async def test_what_is_put_in_is_there_and_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    songs = await looked(folder(tmp_path))
    no_sound(tmp_path / "Bad.wav")
    await songs.look()
    write(tmp_path / "Moon.wav", tone(0.1, 1))
    await songs.look()
    assert songs.names() == ["Daisy Bell", "Moon"]
    assert [record.getMessage() for record in caplog.records] == [f"a song: {songs.wrong()[0]}"]

    def again(folder: str, rate: int) -> Look:
        raise AssertionError("nothing has changed")

    monkeypatch.setattr("glue.stage.songs.look", again)
    await songs.look()


async def test_what_the_filters_will_not_have_is_known_before_it_is_sung(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    songs = WavSongs(str(folder(tmp_path)), RATE, 1.0, lambda words: "too sweet" if "answer" in words else "")
    await songs.look()
    told = "Daisy Bell: the filters refuse '\u266a give me your answer do' (too sweet): not sung"
    assert songs.wrong() == (told,) and songs.names() == ["Daisy Bell"]
    assert [record.getMessage() for record in caplog.records] == [f"a song: {told}"]


async def test_a_name_is_never_a_path(tmp_path: Path) -> None:
    write(tmp_path / "secret.wav", tone(0.1, 1))
    songs = await looked(folder(tmp_path / "songs"))
    for name in ("../secret", "secret", "/etc/passwd", "Daisy Bell.wav", "Daisy Bell.backing", "", ".", "*"):
        with pytest.raises(Refused, match="no song is called"):
            songs.song(name)


async def test_a_song_of_minutes_costs_the_memory_of_a_second(tmp_path: Path) -> None:
    """Of ten minutes, 28 MB of samples, no piece that is kept is longer than what is read at a time."""
    write(tmp_path / "Long.wav", np.zeros(600 * RATE))
    reader = Reader(tmp_path / "Long.wav", RATE, 1.0)
    for _ in range(1200):
        assert reader.take(RATE // 2).size == RATE // 2
        assert reader._left.size <= RATE
    reader.close()


async def test_a_reply_that_is_cut_waits_for_no_disk_and_the_file_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, goes_on, really = threading.Event(), threading.Event(), Reader._more

    def slowly(self: Reader) -> np.ndarray:
        reads.set()
        goes_on.wait(20)
        return really(self)

    monkeypatch.setattr(Reader, "_more", slowly)
    songs = await looked(folder(tmp_path))
    sound = songs.sound(songs.song("Daisy Bell"))
    async with sound:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tg:

                async def cut() -> None:
                    await anyio.to_thread.run_sync(reads.wait)
                    scope.cancel()

                tg.start_soon(cut)
                async for _ in sound.line(0, True):
                    raise AssertionError("the disk has given nothing yet")
        assert scope.cancelled_caught
    files = [reader._file for reader in sound._readers]
    goes_on.set()
    with anyio.fail_after(20):
        while any(file.getfp() is not None for file in files):  # noqa: ASYNC110 - a thread closes it
            await anyio.sleep(0.01)


async def test_a_disk_that_hangs_ends_the_song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on, really = threading.Event(), Reader._more

    def never(self: Reader) -> np.ndarray:
        goes_on.wait(20)
        return really(self)

    monkeypatch.setattr(Reader, "_more", never)
    monkeypatch.setattr(song_sound, "WITHIN", 0.05)
    songs = await looked(folder(tmp_path))
    try:
        with pytest.raises(TooSlow, match="was not read"):
            await sung(songs, "Daisy Bell")
    finally:
        goes_on.set()


async def test_a_file_that_is_cut_short_while_she_sings_is_silent_from_there(tmp_path: Path) -> None:
    songs = await looked(folder(tmp_path, 60.0))
    song = songs.song("Daisy Bell")
    async with songs.sound(song) as sound:
        heard = [speech async for speech in sound.line(0, True)]
        with (tmp_path / "Daisy Bell.wav").open("r+b") as file:
            file.truncate(1000)
        heard += [speech async for speech in sound.line(1, True)]
    assert sum(each.pcm.size for each in heard) == RATE * 5 // 2


def test_words_are_sung_by_their_letters_and_not_across_an_interlude() -> None:
    words = timed("\u266a Daisy, Daisy", 2.2)
    assert [(word.text, round(word.start, 2), round(word.end, 2)) for word in words] == [
        ("Daisy,", 0.0, 1.2),
        ("Daisy", 1.2, 2.2),
    ]
    assert timed("\u266a Daisy, Daisy", 60.0)[-1].end == pytest.approx(11 * 0.2)
    assert timed("\u266a", 5.0) == ()
