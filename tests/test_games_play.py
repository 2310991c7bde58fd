"""The playing lane in virtual time: forces, priorities, retries, time-outs, bad days."""

import json
from collections.abc import AsyncIterator

import anyio
import anyio.lowlevel
import pytest
import trio.testing

from glue.errors import Refused, TooSlow, Unreachable
from glue.events import LineArrived
from glue.game_events import (
    ActionExplained,
    FloorClaimed,
    GameButton,
    GameChanged,
    GameFate,
    GameMessageClosed,
    Priority,
)
from glue.games.notes import MANY
from glue.games.rules import Rules
from glue.ports import Prompt, Role, Usage
from glue.safety.private import redact
from tests.games import PASS, PLACE, PLACES_4, Oracle, Seat

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def test_a_force_becomes_an_action_that_its_schema_allows() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        began = anyio.current_time()
        seat.forces(state="The board is empty.")
        action = await seat.action()
        assert action == {"command": "action", "id": "s-1", "name": "place", "data": '{"cell": 4}'}
        assert anyio.current_time() - began == pytest.approx(0.5)
        seat.judges()
        await anyio.sleep(1)
        assert seat.fates() == [(GameFate.ANSWERED, "")]
        assert seat.chosen()[0].by == "model" and seat.chosen()[0].took == pytest.approx(0.5)
        prompt = seat.llm.asked[0]
        assert "The board is empty.\nYour move.\nChoose one of: place, pass." in prompt.messages[-1].content
        assert [e.why for e in seat.events if isinstance(e, ActionExplained)] == ["The middle is best."]


async def test_many_choices_that_are_described_are_not_named_again() -> None:
    names = [f"pass_{number}" for number in range(MANY + 1)]
    actions = [{"name": name, "description": "Do nothing."} for name in names]
    async with Seat(rules=Rules(initiative=1.0)).playing() as seat:
        seat.begins(*actions)
        seat.forces(*names)
        await seat.action()
        seat.forces(*names[1:])
        await seat.action()
        seat.judges()
        await anyio.sleep(5)
    asked = [prompt.messages[-1].content for prompt in seat.llm.began]
    forms = [text.partition("Choose ")[2].partition(". Answer")[0] for text in asked]
    whole = "one thing that you can do"
    assert list(dict.fromkeys(forms)) == [whole, f"one of: {', '.join(names[1:])}", f"{whole}, or (wait)"]


async def test_one_choice_without_parameters_needs_no_thought() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.forces("pass")
        assert await seat.action() == {"command": "action", "id": "s-1", "name": "pass"}
        assert not seat.llm.asked and seat.chosen()[0].by == "only choice"


async def test_a_failed_force_is_tried_again_with_the_games_words_and_then_given_up() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.forces()
        tried = []
        for _ in range(9):
            action = await seat.action()
            tried.append((action["name"], action.get("data")))
            seat.judges(False, "That cell is taken.")
        await anyio.sleep(5)
        assert len(seat.sent) == 9 and {("place", '{"cell": 0}'), ("pass", None)} <= set(tried)
        assert 'That failed: place {"cell": 4}: That cell is taken.' in seat.llm.asked[1].messages[-1].content
        ((fate, why),) = seat.fates()
        assert fate is GameFate.GIVEN_UP and why.endswith(": That cell is taken.")


async def test_no_result_within_twenty_seconds_has_failed_and_a_late_one_is_dropped() -> None:
    async with Seat(rules=Rules(initiative=0, retries=0)).playing() as seat:
        seat.begins()
        seat.forces()
        first = await seat.action()
        await anyio.sleep(21)
        assert seat.judged()[0].took == pytest.approx(20)
        seat.judges(True, id=first["id"])
        seat.judges(True, id="nobody's")
        assert seat.fates("action/result") == [
            (GameFate.LATE, "its time was up"),
            (GameFate.UNKNOWN, "no action with this id waits for a result"),
        ]
        assert seat.fates()[0][0] is GameFate.GIVEN_UP


@pytest.mark.parametrize(("priority", "waits"), [("critical", 2.0), ("high", 2.0), ("medium", 20.0)])
async def test_a_force_in_a_hurry_does_not_wait_for_a_judgement_of_the_last(
    priority: str, waits: float
) -> None:
    async with Seat(Oracle(takes=0.0)).playing() as seat:
        seat.begins()
        seat.forces("place")
        first = await seat.action()
        await anyio.sleep(1)
        began = anyio.current_time()
        seat.forces("pass", priority=priority)
        await anyio.sleep(0.5)
        seat.says("context", message="It burns!")  # other messages do not put it off
        assert (await seat.action())["name"] == "pass"
        assert anyio.current_time() - began == pytest.approx(waits if waits < 20 else 19, abs=0.1)
        seat.judges(True, id=first["id"])
        seat.judges()
        assert [fate for fate, _ in seat.fates("action/result")] == [GameFate.LATE, GameFate.TAKEN]


async def test_a_judgement_that_comes_in_that_time_still_counts() -> None:
    async with Seat(Oracle(takes=0.0)).playing() as seat:
        seat.begins()
        seat.forces("place")
        await seat.action()
        seat.forces("pass", priority="critical")
        await anyio.sleep(1.5)
        seat.judges(True, "It stands.")
        assert (await seat.action())["name"] == "pass"
        assert seat.judged()[0].success and seat.judged()[0].took == pytest.approx(1.5)


async def test_a_game_that_never_judges_gets_three_actions_and_no_more() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.forces()
        await anyio.sleep(300)
        assert len(seat.sent) == 3 and seat.fates()[0][0] is GameFate.GIVEN_UP
        seat.forces("pass")
        await anyio.sleep(1)
        assert len(seat.sent) == 4


async def test_a_newer_force_replaces_the_one_in_thought() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.forces("place")
        await anyio.sleep(0.2)
        seat.forces("pass")
        assert (await seat.action())["name"] == "pass"
        assert seat.llm.closed == 1 and len(seat.sent) == 1
        seat.judges()
        await anyio.sleep(1)
        assert [fate for fate, _ in seat.fates()] == [GameFate.REPLACED, GameFate.ANSWERED]


async def test_a_newer_force_waits_for_the_judgement_of_what_was_sent() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.forces("place")
        await seat.action()
        seat.forces("pass")
        await anyio.sleep(1)
        assert len(seat.sent) == 1
        seat.judges(False, "no")
        assert (await seat.action())["name"] == "pass"  # the old one is not tried again


async def test_a_force_before_its_registration_waits_a_little() -> None:
    async with Seat().playing() as seat:
        seat.attach()
        seat.says("startup")
        seat.forces("place")
        await anyio.sleep(1)
        seat.says("actions/register", actions=[PLACE])
        assert (await seat.action())["name"] == "place"
        seat.judges()
        await anyio.lowlevel.checkpoint()
        seat.forces("nothing")
        await anyio.sleep(4)
        assert seat.fates()[-1] == (GameFate.REFUSED, "none of its actions is registered")


async def test_a_force_ends_when_its_actions_are_taken_back() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.forces("place")
        await anyio.sleep(0.2)
        seat.says("actions/unregister", action_names=["place", "unheard of"])
        await anyio.sleep(5)
        assert not seat.sent
        assert seat.fates() == [(GameFate.REPLACED, "its actions were taken back")]


async def test_a_move_that_is_taken_back_before_its_result_was_still_good() -> None:
    """What the protocol's authors recommend for moves that can be made once."""
    async with Seat().playing() as seat:
        seat.begins()
        seat.forces("place")
        await seat.action()
        seat.says("actions/unregister", action_names=["place"])
        seat.judges()
        await anyio.sleep(0.1)
        assert [fate for fate, _ in seat.fates()] == [GameFate.ANSWERED]


@pytest.mark.parametrize(
    ("priority", "claimed", "waits"),
    [("low", [], True), ("medium", [Priority.MEDIUM], True), ("high", [Priority.HIGH], False),
     ("critical", [Priority.CRITICAL], False)],
)  # fmt: skip
async def test_priorities_while_she_speaks(priority: str, claimed: list[Priority], waits: bool) -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.speaks()
        seat.forces(priority=priority)
        await anyio.sleep(3)
        assert bool(seat.sent) is not waits
        seat.hushes()
        await anyio.sleep(1)
        assert len(seat.sent) == 1
        assert [e.priority for e in seat.events if isinstance(e, FloorClaimed)] == claimed


async def test_a_game_in_a_hurry_lets_her_end_a_sentence_now_and_then() -> None:
    async with Seat(Oracle(takes=0.1), Rules(initiative=0.0, claims=5.0)).playing() as seat:
        seat.begins()
        for number in range(12):
            seat.speaks()  # she begins again, as often as she is cut
            seat.forces(priority="critical")
            await anyio.sleep(1)
            assert len(seat.actions()) == number + 1, "it gets its action at once all the same"
            seat.judges()
        claimed = [e.at for e in seat.events if isinstance(e, FloorClaimed)]
        assert [round(at - claimed[0]) for at in claimed] == [0, 5, 10]


async def test_silence_makes_every_priority_the_same() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.forces(priority="critical")
        await seat.action()
        assert not [e for e in seat.events if isinstance(e, FloorClaimed)]


async def test_ephemeral_context_is_forgotten() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        for ephemeral in (True, False, False):
            told = {"query": f"Is it {ephemeral}?", "state": f"{ephemeral} is a secret."}
            seat.says("actions/force", **told, action_names=["place"], ephemeral_context=ephemeral)
            await seat.action()
            seat.judges()
            await anyio.sleep(0.1)
        seat.forces()
        await seat.action()
        last = seat.llm.asked[-1].messages[-1].content
        assert last.count("False is a secret.\nIs it False?") == 1
        assert "Is it True?" not in last and "True is a secret." not in last


async def test_context_waits_for_a_result_and_comes_in_order() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.forces()
        await seat.action()
        seat.says("context", message="first", silent=True)
        seat.says("context", message="second", silent=True)
        assert seat.play.table.notes.lines == []
        seat.judges(True, "Placed.")
        await anyio.sleep(0.1)
        notes = seat.play.table.notes.lines
        assert notes == ['You did place {"cell": 4}. Placed.', "Your move.", "first", "second"]
        assert seat.fates("context") == [(GameFate.TAKEN, "")] * 2


async def test_many_contexts_that_wait_come_in_order_too() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.forces()
        await seat.action()
        for number in range(150):
            seat.says("context", message=f"{number:03}", silent=True)
        seat.judges()
        await anyio.sleep(0.1)
        told = [note for note in seat.play.table.notes.lines if note.isdigit()]
        assert told == [f"{number:03}" for number in range(150)]


async def test_she_may_speak_about_what_is_not_silent_but_not_about_everything() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.says("context", message="You won a coin.", silent=False)
        seat.says("context", message="You won another.", silent=False)
        seat.says("context", message="Nothing to see.", silent=True)
        await anyio.sleep(11)
        assert seat.mentioned() == ["I won a coin."]
        await anyio.sleep(2)
        assert seat.mentioned() == ["I won a coin.", "I won another."], "the newest, when the pause is over"
        await anyio.sleep(20)
        seat.says("context", message="A dragon!", silent=False)
        assert seat.mentioned()[2:] == ["A dragon!"]
        assert closed(seat) == [
            ("You won a coin.", GameFate.MENTIONED),
            ("Nothing to see.", GameFate.TAKEN),
            ("You won another.", GameFate.MENTIONED),
            ("A dragon!", GameFate.MENTIONED),
        ]


def closed(seat: Seat) -> list[tuple[str, GameFate]]:
    """What became of what the game told."""
    found = [each for each in seat.events if isinstance(each, GameMessageClosed)]
    return [(each.text, each.fate) for each in found if each.command == "context"]


@pytest.mark.parametrize("how", ["newer", "gone", "ended"])
async def test_what_waited_to_be_spoken_of_and_was_not_is_told_as_that(how: str) -> None:
    async with Seat().playing() as seat:
        await anyio.sleep(1)
        seat.begins()
        seat.says("context", message="You won a coin.", silent=False)
        seat.says("context", message="You won another.", silent=False)
        assert closed(seat) == [("You won a coin.", GameFate.MENTIONED)]
        if how == "newer":
            seat.says("context", message="A dragon!", silent=False)
        elif how == "gone":
            seat.play.press(GameButton.FORCE, "pass")
            await seat.action()
            seat.says("context", message="It waits for a judgement.", silent=False)
            seat.play.detach()
            await anyio.sleep(100)
            assert closed(seat).pop() == ("It waits for a judgement.", GameFate.TAKEN)
        else:
            seat.play.end()
            await anyio.sleep(1)
        assert closed(seat)[1] == ("You won another.", GameFate.TAKEN)


@pytest.mark.parametrize(
    "error", [Unreachable("llm", "gone"), TooSlow("llm", "late"), Refused("llm", "no such grammar")]
)
async def test_without_a_model_the_game_gets_a_sensible_action(error: Exception) -> None:
    assert isinstance(error, Unreachable | TooSlow | Refused)
    async with Seat(llm=Oracle([error])).playing() as seat:
        seat.begins(PLACE)
        seat.forces("place")
        action = await seat.action()
        assert json.loads(action["data"])["cell"] in (0, 4, 8)
        assert seat.chosen()[0].by == "fallback"


async def test_a_model_that_takes_too_long_does_not_keep_the_game_waiting() -> None:
    async with Seat(llm=Oracle(takes=500)).playing() as seat:
        seat.begins(PLACE)
        seat.forces("place")
        began = anyio.current_time()
        await seat.action()
        assert anyio.current_time() - began == pytest.approx(8)


@pytest.mark.parametrize(
    "nonsense",
    ["", "place", "{", "[]", '{"action": "jump"}', '{"action": "place", "data": {"cell": 5}}', "[" * 9999],
)
async def test_an_answer_that_does_not_do_is_asked_for_again(nonsense: str) -> None:
    async with Seat(llm=Oracle([nonsense, PLACES_4])).playing() as seat:
        seat.begins()
        seat.forces()
        assert (await seat.action())["data"] == '{"cell": 4}'
        assert seat.chosen()[0].by == "model" and len(seat.llm.asked) == 2


async def test_a_server_without_grammars_is_asked_for_a_name() -> None:
    async with Seat(llm=Oracle([Refused("llm", "grammar"), '{"action": "place"}'])).playing() as seat:
        seat.begins()
        seat.forces()
        action = await seat.action()
        assert action["name"] == "place" and json.loads(action["data"])["cell"] in (0, 4, 8)


async def test_what_may_not_leave_does_not() -> None:
    says = {
        "name": "say",
        "schema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    }
    rude, kind = (json.dumps({"text": text}) for text in ("badword", "hello"))
    seat = Seat(llm=Oracle([rude, kind]), clears=lambda text: "rude" if "badword" in text else "")
    async with seat.playing():
        seat.begins(says)
        seat.forces("say")
        assert (await seat.action())["data"] == '{"text": "hello"}'


async def test_what_leaves_is_mended_first_and_still_fits_its_schema() -> None:
    fields = {"text": {"type": "string"}, "place": {"enum": ["www.a.example", "here"]}}
    says = {"name": "say", "schema": {"type": "object", "properties": fields, "required": ["text", "place"]}}
    wrong, right = ({"text": "see www.a.example", "place": place} for place in ("www.a.example", "here"))
    seat = Seat(llm=Oracle([json.dumps(wrong), json.dumps(right)]), mends=lambda text: redact(text)[0])
    async with seat.playing():
        seat.begins(says)
        seat.forces("say")
        assert json.loads((await seat.action())["data"]) == {"text": "see a link", "place": "here"}


async def test_a_share_of_one_is_found_by_chance_too() -> None:
    share = {"type": "object", "properties": {"x": {"type": "number", "minimum": 0.2, "maximum": 0.8}}}
    pull = {"name": "pull", "description": "Pull.", "schema": share | {"required": ["x"]}}
    async with Seat(llm=Oracle([Unreachable("llm", "gone")])).playing() as seat:
        seat.begins(pull)
        seat.forces("pull")
        action = await seat.action()
        assert 0.2 <= json.loads(action["data"])["x"] <= 0.8


async def test_chance_leaves_words_alone_as_long_as_there_is_something_else() -> None:
    words = {"type": "object", "properties": {"steps": {"type": "array", "items": {"type": "string"}}}}
    writes = {"name": "write", "description": "Write.", "schema": words | {"required": ["steps"]}}
    async with Seat(llm=Oracle([Unreachable("llm", "gone")])).playing() as seat:
        seat.begins(writes, PASS, PLACE)
        for _ in range(12):
            seat.forces("write", "pass", "place")
            await seat.action()
            seat.judges()
            await anyio.sleep(0.1)
        assert {each["name"] for each in seat.actions()} == {"pass", "place"}
        seat.forces("write")
        assert (await seat.action())["name"] == "write"


async def test_a_schema_that_is_none_is_told_and_gets_an_empty_object() -> None:
    async with Seat(llm=Oracle(["{}"])).playing() as seat:
        seat.begins({"name": "odd", "schema": {"type": "object", "properties": {"a": {"type": "wonder"}}}})
        assert "its schema is none" in seat.fates("actions/register")[0][1]
        seat.forces("odd")
        assert (await seat.action())["data"] == "{}"


async def test_a_schema_that_nothing_fits_is_refused_in_the_log() -> None:
    never = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "not": {}}
    async with Seat(llm=Oracle(['{"a": 1}'])).playing() as seat:
        seat.begins({"name": "never", "schema": never})
        seat.forces("never")
        await anyio.sleep(10)
        assert seat.fates() == [(GameFate.REFUSED, "no parameters fit its schema: never")] and not seat.sent


async def test_what_nothing_fits_is_tried_without_standing_in_anybodys_way() -> None:
    never = {"properties": {"a": {"type": "integer"}}, "required": ["a"], "not": {}}
    turns = 0

    async def another() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    llm = Oracle([Unreachable("llm", "it is down")], takes=0.0)
    async with Seat(llm=llm).playing() as seat, anyio.create_task_group() as tg:
        seat.begins(*({"name": f"never{number}", "schema": never} for number in range(30)), PASS)
        tg.start_soon(another)
        seat.forces(*(f"never{number}" for number in range(30)))
        while not seat.fates():
            await anyio.lowlevel.checkpoint()
        assert seat.fates()[0][0] is GameFate.REFUSED and turns > 500
        tg.cancel_scope.cancel()


async def test_what_asks_for_too_much_is_refused_and_the_game_played_on() -> None:
    rows: dict[str, object] = {"const": 1}
    for _ in range(3):
        rows = {"type": "array", "items": rows, "minItems": 100}
    fill = {"name": "fill", "schema": {"properties": {"rows": rows}, "required": ["rows"]}}
    async with Seat(llm=Oracle(["{}"])).playing() as seat:
        seat.begins(fill, PASS)
        seat.forces("fill")
        await anyio.sleep(10)
        assert seat.fates() == [(GameFate.REFUSED, "no parameters fit its schema: fill")] and not seat.sent
        seat.forces("fill", "pass")
        assert (await seat.action())["name"] == "pass"


@pytest.mark.parametrize(
    "field",
    [{"type": "string", "minLength": 3.0}, {"type": "array", "minItems": 2.0}, {"maximum": float("inf")},
     {"type": "integer", "minimum": 10**400}, {"type": "number", "multipleOf": 0.5, "minimum": 10**400}],
)  # fmt: skip
async def test_a_sloppy_schema_costs_its_own_force_at_most(field: dict[str, object]) -> None:
    sloppy = {"type": "object", "properties": {"a": field}, "required": ["a"]}
    seat = Seat(
        llm=Oracle(["{}", f'{{"a": {10**400}}}', '{"a": 1e999}', "{}"]), rules=Rules(0.2, initiative=0)
    )
    async with seat.playing():
        seat.begins({"name": "sloppy", "schema": sloppy}, PASS)
        seat.forces("sloppy")
        await anyio.sleep(2)
        assert seat.sent or seat.fates()[0][0] is GameFate.REFUSED
        assert all("Infinity" not in action.get("data", "") for action in seat.sent)
        seat.forces("pass")
        await anyio.sleep(1)
        assert seat.sent[-1]["name"] == "pass"


async def test_a_game_whose_data_breaks_a_decision_still_gets_an_action() -> None:
    class Broken(Oracle):
        async def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[str | Usage]:
            yield f"{len(5)}"  # type: ignore[arg-type]

    async with Seat(llm=Broken()).playing() as seat:
        seat.begins()
        seat.forces("place")
        assert json.loads((await seat.action())["data"])["cell"] in (0, 4, 8)
        assert seat.chosen()[0].by == "fallback"


async def test_a_game_that_vanishes_in_the_middle_of_a_force_and_comes_back() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.says("context", message="You are ahead.", silent=True)
        seat.forces()
        await anyio.sleep(0.2)
        seat.play.detach()
        await anyio.sleep(5)
        assert not seat.sent and seat.fates() == [(GameFate.ABANDONED, "the game went")]
        seat.attach("again")
        seat.says("startup")
        assert not seat.play.table.actions
        seat.says("actions/register", actions=[PLACE])
        seat.forces("place")
        assert (await seat.action())["id"] == "again-1"
        assert "You are ahead." in seat.llm.asked[-1].messages[-1].content
        seat.play.detach()  # and now while an action is being judged
        await anyio.sleep(1)
        assert seat.judged()[-1].success is False


async def test_the_operator_vetoes_pauses_and_forces() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.play.press(GameButton.PAUSE, "")
        seat.forces()
        await anyio.sleep(30)
        assert not seat.sent
        seat.play.press(GameButton.RESUME, "")
        await anyio.sleep(0.2)
        seat.play.press(GameButton.VETO, "place")  # in the middle of the thought
        assert (await seat.action())["name"] == "pass"
        seat.judges()
        await anyio.sleep(1)
        seat.forces("place")
        await anyio.sleep(30)
        assert len(seat.sent) == 1  # all that it asks for is vetoed: it waits for the operator
        seat.play.press(GameButton.FORCE, 'place {"cell": 8}')
        action = await seat.action()
        assert action["data"] == '{"cell": 8}' and seat.chosen()[-1].by == "operator"
        seat.judges()
        await anyio.sleep(1)
        assert seat.fates()[-1][0] is GameFate.ANSWERED
        seat.play.press(GameButton.FORCE, 'place {"cell": 3}')
        seat.play.press(GameButton.FORCE, "fly")
        seat.play.press(GameButton.FORCE, "place {")
        assert [e.message for e in seat.judged()[-3:]] == [
            "not sent: $.cell: 3 is not one of [0, 4, 8]",
            "not sent: there is no such action",
            "not sent: the parameters are not JSON",
        ]
        pictures = [e for e in seat.events if isinstance(e, GameChanged)]
        assert pictures[-1].vetoed == ("place",) and "place(cell: 0 or 4 or 8)" in pictures[-1].actions


async def test_she_acts_unasked_when_something_new_came_or_waits() -> None:
    llm = Oracle(['{"action": "(wait)"}', '{"action": "pass"}'])
    async with Seat(llm=llm, rules=Rules(initiative=10)).playing() as seat:
        seat.begins()
        await anyio.sleep(11)
        assert len(llm.asked) == 1 and not seat.sent
        await anyio.sleep(60)
        assert len(llm.asked) == 1  # nothing new
        seat.says("context", message="The sun rises.", silent=False)
        await anyio.sleep(11)
        assert seat.sent[-1]["name"] == "pass" and seat.chosen()[0].by == "model"


async def test_a_force_comes_before_what_she_thinks_of_doing_unasked() -> None:
    async with Seat(llm=Oracle(takes=5), rules=Rules(initiative=10)).playing() as seat:
        seat.begins()
        await anyio.sleep(12)
        seat.forces("pass")
        began = anyio.current_time()
        await seat.action()
        assert anyio.current_time() == began and seat.llm.closed == 1


async def test_a_long_game_is_summed_up_and_its_prompt_stays_small() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        for number in range(400):
            seat.says("context", message=f"Move {number}: something happened that takes words.", silent=True)
            await anyio.sleep(1)
        seat.forces()
        await seat.action()
        content = seat.llm.asked[-1].messages[-1].content
        assert len(content) < 6000 and "Before: It is a draw so far." in content and "Move 399" in content


async def test_the_prompt_only_grows_until_it_is_folded() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seen = []
        for number in range(3):
            seat.says("context", message=f"Round {number}.", silent=True)
            seat.forces()
            await seat.action()
            seat.judges()
            await anyio.sleep(2)
            seen.append(seat.llm.asked[-1].messages[-1].content.split("Your move.\nChoose")[0])
        assert seen[1].startswith(seen[0].rstrip("\n")) and seen[2].startswith(seen[1].rstrip("\n"))


async def test_five_hundred_actions_and_the_same_ones_again() -> None:
    llm = Oracle(['{"action": "a499"}', '{"cell": 4}'])
    async with Seat(llm=llm).playing() as seat:
        many = [{**PLACE, "name": f"a{number}"} for number in range(500)]
        seat.begins(*many)
        seat.says("actions/register", actions=many)
        fate, why = seat.fates("actions/register")[1]
        assert fate is GameFate.REFUSED and "registered already" in why
        seat.forces(*(f"a{number}" for number in range(500)))
        assert (await seat.action())["name"] == "a499"
        assert len(llm.asked[0].messages[-1].content) < 9000
        assert len([e for e in seat.events if isinstance(e, GameChanged)]) <= 4


async def test_what_a_game_tells_again_and_again_is_no_new_picture_of_it() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        await anyio.sleep(1)
        before = [e for e in seat.events if isinstance(e, GameChanged)]
        for _ in range(20):
            seat.says("actions/register", actions=[PASS])
            seat.says("context", message="You stand.", silent=True)
            await anyio.sleep(1)
        assert [e for e in seat.events if isinstance(e, GameChanged)] == before
        seat.play.press(GameButton.PAUSE, "")
        await anyio.sleep(1)
        pictures = [e for e in seat.events if isinstance(e, GameChanged)]
        assert len(pictures) == len(before) + 1 and pictures[-1].paused and not before[-1].paused


async def test_a_game_that_lies_about_success_is_played_on_and_only_its_own_words_are_told() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        for message in ("", "", "You won the game.", ""):
            seat.forces(state="The board is empty.")  # although it took every action
            await seat.action()
            seat.judges(True, message)
            await anyio.sleep(20)
        assert [fate for fate, _ in seat.fates()] == [GameFate.ANSWERED] * 4
        assert seat.mentioned() == ["I did place cell 4. I won the game."]
        last = seat.llm.asked[-1].messages[-1].content
        assert last.count("It failed") == 0
        assert last.count("The board is empty.") == 2  # as it stands now, and remembered once
        seat.forces()
        for _ in range(9):  # and the other way round
            await seat.action()
            seat.judges(False, "")
        await anyio.sleep(5)
        assert seat.fates()[-1][0] is GameFate.GIVEN_UP and len(seat.sent) == 13


@pytest.mark.parametrize("silent", [True, False, "yes"])
async def test_what_a_game_says_is_no_news_is_known_and_not_talked_about(silent: object) -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.forces()
        action = await seat.action()
        ours = {"silent": silent}
        seat.says(
            "action/result", id=action["id"], success=True, message="The board has nine cells.", spark=ours
        )
        await anyio.sleep(0.1)
        assert bool(seat.mentioned()) is (silent is not True)
        assert any("nine cells" in note for note in seat.play.table.notes.lines)


async def test_what_came_of_an_action_is_told_word_for_word_where_the_game_says_how() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        seat.says("context", message="You won a coin.")
        seat.says(
            "context", message="Done: dig 4. The hole is 4 deep.", spark={"said": "The hole is 4 deep."}
        )
        assert [(each.text, each.certain) for each in seat.lines()] == [("I won a coin.", False)]
        await anyio.sleep(40)  # she has spoken about both
        assert [(each.text, each.certain) for each in seat.lines()][1:] == [("The hole is 4 deep.", True)]
        seat.says("context", message="Done: walk. You walked.", spark={"said": "You walked 3 blocks."})
        assert (seat.lines()[-1].text, seat.lines()[-1].certain) == ("I walked 3 blocks.", True)
        assert "Done: walk. You walked." in seat.play.table.notes.lines


async def test_she_speaks_ever_more_seldom_of_a_game_while_nobody_writes() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        began = anyio.current_time()
        for number in range(120):
            if number == 90:
                seat.play.table.mentions.reacted()
            seat.says("context", message=f"{number} passed.")
            await anyio.sleep(1)
        spoken = [round(e.at - began) for e in seat.events if isinstance(e, LineArrived)]
        assert spoken == [0, 12, 32, 72, 90, 102]


async def test_of_what_waits_only_what_is_still_news_is_told() -> None:
    async with Seat().playing() as seat:
        seat.begins()
        for text, wait in (("A.", 13), ("B.", 21), ("C.", 10), ("old.", 12), ("newer.", 3), ("newest.", 20)):
            seat.says("context", message=text)
            await anyio.sleep(wait)
        assert seat.mentioned() == ["A.", "B.", "C.", "newest."]
        seat.says("context", message="so late.")
        seat.play.detach()
        await anyio.sleep(100)
        assert seat.mentioned()[-1] == "newest.", "the game is gone"


async def test_two_games_with_the_same_names_do_not_meet() -> None:
    one, other = Seat(), Seat()
    async with one.playing(), other.playing():
        one.begins(PASS)
        other.begins(PASS)
        one.forces("pass")
        await one.action()
        assert not other.sent


async def test_a_force_of_no_action_and_the_end_of_the_show() -> None:
    seat = Seat()
    async with seat.playing():
        seat.begins()
        seat.says("actions/force", query="?", action_names=[])
        seat.play.press(GameButton.PAUSE, "")
        seat.forces()
        await anyio.sleep(1)
    assert seat.fates() == [
        (GameFate.REFUSED, "it names no action"), (GameFate.ABANDONED, "the show ended")]  # fmt: skip
