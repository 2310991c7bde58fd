"""Every line once, whoever brings it; two wires that tell of one deed are heard once."""

from hypothesis import given
from hypothesis import strategies as st

from glue.senses.ledger import Ledger


@given(st.lists(st.integers(0, 30)))
def test_each_line_passes_once(ids: list[int]) -> None:
    ledger = Ledger()
    passed = [id for id in ids if ledger.first(str(id))]
    assert passed == list(dict.fromkeys(ids))


def test_it_forgets_the_oldest() -> None:
    ledger = Ledger(kept=3)
    assert all(ledger.first(str(n), "mika") for n in range(5))
    assert ledger.of("mika") == ("2", "3", "4") == ledger.everybody()
    assert "4" in ledger and "0" not in ledger


@given(st.lists(st.tuples(st.sampled_from(["irc", "eventsub"]), st.sampled_from("ab")), max_size=40))
def test_what_two_wires_tell_is_heard_as_often_as_it_happened(told: list[tuple[str, str]]) -> None:
    ledger = Ledger()
    heard = [deed for n, (wire, deed) in enumerate(told) if not ledger.told(wire, (deed,), str(n), 1.0)]
    for deed in "ab":
        each = [sum(d == deed and w == wire for w, d in told) for wire in ("irc", "eventsub")]
        assert max(each) <= heard.count(deed) <= sum(each)


def test_one_wire_alone_is_always_heard_and_pairs_grow_old() -> None:
    ledger = Ledger()
    assert not any(ledger.told("irc", ("sub", "mika"), f"i{n}", float(n)) for n in range(5))
    assert ledger.told("eventsub", ("sub", "mika"), "e", 5.0)
    assert not ledger.told("eventsub", ("sub", "mika"), "later", 500.0)
    assert ledger.with_twins(["i0"]) == ("i0", "e") and ledger.with_twins(["e", "i1"]) == ("e", "i1", "i0")
