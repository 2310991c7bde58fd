"""What a game says of her, as she would say it herself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.games.person import first_person, in_words

# Sentences as games write them, and as she may repeat them.
SAID = [
    ("You walked 34 blocks.", "I walked 34 blocks."),
    (
        "You are at x 3. You have: 2 dirt.\nIn your hand: nothing.",
        "I am at x 3. I have: 2 dirt.\nIn my hand: nothing.",
    ),
    ("Done: come. You stand beside Mika.", "Done: come. I stand beside Mika."),
    ("You could not craft it: you lack wood.", "I could not craft it: I lack wood."),
    ("A zombie hits you. You're hurt.", "A zombie hits me. I'm hurt."),
    ("You fell, and you weren't quick.", "I fell, and I wasn't quick."),
    ("It gives you 3 gold. Those near you are gone.", "It gives me 3 gold. Those near me are gone."),
    ("The win is yours; you've earned it yourself.", "The win is mine; I've earned it myself."),
    ("YOU ARE DEAD", "I AM DEAD"),
    ("You aren't hungry.", "I am not hungry."),
]
KEPT = [
    'Mika says in the game: "are you there? You fool."',
    "Mika says: you dig well, your hole is deep",
    "<Mika> you dig well",
    "“Your turn”, it reads.",
    "What do you do next?",
    "Thank you.",
    "It is yourth, or Youri.",
    "A golden cell.",
]


@pytest.mark.parametrize(("said", "hers"), SAID)
def test_what_she_did_is_told_as_she_would_tell_it(said: str, hers: str) -> None:
    assert first_person(said) == hers
    assert first_person(hers) == hers


@pytest.mark.parametrize("said", KEPT)
def test_what_others_say_and_what_is_asked_stays(said: str) -> None:
    assert first_person(said) == said


@given(
    st.text(),
    st.sampled_from(["You did ", "Your ", "you are ", 'x says: "', '"you"', "you?", "you\u2019re "]),
    st.text(),
)
def test_whatever_a_game_writes_does_not_break_it(before: str, word: str, after: str) -> None:
    text = before + word + after
    hers = first_person(text)
    assert len(hers) <= len(text) + 2 * text.lower().count("you")


@given(
    st.text(st.characters(exclude_characters='"\n')),
    st.sampled_from(["You heard ", "Near you: ", "Your ears: "]),
)
def test_quoted_chat_is_left_alone(words: str, before: str) -> None:
    assert first_person(f'{before}"{words}".').endswith(f'"{words}".')
    assert "you" not in first_person(before).lower()


@given(st.text())
def test_an_action_is_told_without_jsons_marks(text: str) -> None:
    assert in_words('dig_hole {"depth": 1}') == "dig hole depth 1"
    assert not set(in_words(text)) & set('{}[]":,_\n')
