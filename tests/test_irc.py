"""IRC's lines: what is written is read again, and nothing that anybody sends breaks the reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.senses.irc import Garbled, Message, lines, parse

WORD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=" \r\n"), min_size=1).filter(
    lambda text: text[0] not in ":@"
)
TAG = st.text(st.characters(min_codepoint=45, max_codepoint=122, exclude_characters=";="), min_size=1)
NICK = WORD.filter(lambda text: "!" not in text)
ESCAPES = str.maketrans({";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"})


def written(message: Message) -> str:
    tags = ";".join(f"{key}={value.translate(ESCAPES)}" for key, value in message.tags.items())
    words = [f"@{tags}" if tags else "", f":{message.nick}!u@host" if message.nick else "", message.command]
    return " ".join([*filter(None, words), *message.params[:-1], *(f":{p}" for p in message.params[-1:])])


@given(
    st.sampled_from(["PRIVMSG", "USERNOTICE", "001"]),
    st.lists(WORD, max_size=3),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")),
    st.just("") | NICK,
    st.dictionaries(TAG, st.text(st.characters(exclude_categories=["Cs"]))),
)
def test_what_is_written_is_read(
    command: str, first: list[str], last: str, nick: str, tags: dict[str, str]
) -> None:
    message = Message(command, (*first, last), nick, tags)
    assert parse(written(message)) == message


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "replace")))
def test_any_text_is_read_or_refused(text: str) -> None:
    for line in lines(text):
        try:
            assert isinstance(parse(line), Message)
        except Garbled as error:
            assert str(error)


@given(st.binary())
def test_any_frame_is_cut_into_lines(frame: bytes) -> None:
    assert not any(set(line) & {"\r", "\n"} or not line for line in lines(frame))


@pytest.mark.parametrize(
    ("value", "read"),
    [(r"a\sb", "a b"), (r"\:\\\r\n", ";\\\r\n"), (r"\b", "b"), ("end\\", "end"), ("", ""), (r"\\s", r"\s")],
)
def test_tag_values_are_unescaped(value: str, read: str) -> None:
    assert parse(f"@k={value};flag PING").tags == {"k": read, "flag": ""}


@pytest.mark.parametrize("line", ["", " ", "@", "@a=b", ":only", "12 x", "PING" + " a" * 40, "PRIV-MSG x"])
def test_what_is_no_message_is_refused(line: str) -> None:
    with pytest.raises(Garbled):
        parse(line)


def test_a_line_as_twitch_sends_it() -> None:
    raw = "@badges=vip/1;display-name=Mi\\ska;id=1 :mika!mika@m.tmi.twitch.tv PRIVMSG #spark :hi :) there"
    message = parse(raw)
    assert (message.command, message.nick, message.text) == ("PRIVMSG", "mika", "hi :) there")
    assert message.tags["display-name"] == "Mi ka"
