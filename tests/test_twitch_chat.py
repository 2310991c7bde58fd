"""What Twitch's messages become: lines, deeds, removals; hostile ones are data."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.chat_events import Deed, LinesRemoved
from glue.events import ChatLine, Event, Fate, LineArrived, Source
from glue.senses.cheers import words
from glue.senses.clean import clean
from glue.senses.irc import Garbled, Message, parse
from glue.senses.ledger import Ledger
from glue.senses.twitch_chat import Chat, key
from glue.senses.twitch_news import News, read, reward_id
from glue.senses.twitch_news import count as number
from glue.senses.twitch_news import parse as news_of


def chat() -> Chat:
    return Chat(Ledger(), {"nightbot"}, count(1))


def heard(chat: Chat, raw: str, at: float = 1.0) -> Event | None:
    return chat.read(parse(raw), at)


def line(event: Event | None) -> ChatLine:
    assert isinstance(event, LineArrived)
    return event.line


def said(text: str, id: str = "1", login: str = "mika", more: str = "") -> str:
    tags = f"@display-name={login.title()};id={id};user-id=u-{login}{more}"
    return f"{tags} :{login}!{login}@{login}.tmi.twitch.tv PRIVMSG #spark :{text}"


def notice(kind: str, more: str = "", text: str = "", id: str = "1") -> str:
    tags = f"@display-name=Mika;login=mika;msg-id={kind};id={id};user-id=u-mika{more}"
    return f"{tags} :tmi.twitch.tv USERNOTICE #spark{f' :{text}' if text else ''}"


def test_a_line() -> None:
    assert line(heard(chat(), said("hi Spark"))) == ChatLine(
        "twitch-1", "Mika", "hi Spark", Source.TWITCH, author_id="u-mika"
    )


def test_a_line_that_comes_twice_is_heard_once() -> None:
    c = chat()
    assert heard(c, said("hi")) and not heard(c, said("hi"))


def test_bots_and_wordless_lines_are_let_pass_by() -> None:
    c = chat()
    assert not heard(c, said("buy now", login="nightbot")) and not heard(c, said("\u200b", id="2"))


def test_an_action_is_a_line() -> None:
    assert line(heard(chat(), said("\x01ACTION waves\x01"))).text == "waves"


@pytest.mark.parametrize(
    ("tags", "supports"),
    [
        (";badges=subscriber/12,sub-gifter/5;subscriber=1", True),
        (";badges=founder/0;subscriber=0", True),
        (";badges=moderator/1", True),
        (";badges=vip/1", True),
        (";badges=broadcaster/1,glhf-pledge/1", True),
        (";mod=1", True),
        (";badges=premium/1,no_audio/1;mod=0;subscriber=0", False),
        (";badges=", False),
    ],
)
def test_who_supports_the_channel_by_the_badge(tags: str, supports: bool) -> None:
    assert line(heard(chat(), said("hi", more=tags))).supporter is supports


@pytest.mark.parametrize(
    ("raw", "deed", "text"),
    [
        (said("Cheer100 wow", more=";bits=100"), Deed.BITS, "cheered 100 bits, saying: wow"),
        (said("Cheer100", more=";bits=100"), Deed.BITS, "cheered 100 bits"),
        (notice("sub"), Deed.SUB, "subscribed"),
        (
            notice("resub", ";msg-param-cumulative-months=7", "love you"),
            Deed.SUB,
            "subscribed, 7 months now, saying: love you",
        ),
        (notice("primepaidupgrade"), Deed.SUB, "subscribed"),
        (notice("subgift", ";msg-param-recipient-display-name=Bo"), Deed.GIFT, "gave Bo a subscription"),
        (
            notice("submysterygift", ";msg-param-mass-gift-count=50"),
            Deed.GIFT,
            "gave 50 subscriptions to others",
        ),
        (notice("raid", ";msg-param-viewerCount=500"), Deed.RAID, "raided the stream with 500 viewers"),
        (notice("raid", ";msg-param-viewerCount=many"), Deed.RAID, "raided the stream"),
    ],
)
def test_deeds(raw: str, deed: Deed, text: str) -> None:
    told = line(heard(chat(), raw))
    assert (told.author, told.deed, told.text, told.supporter) == ("Mika", deed, text, True)
    assert told.viewer == "twitch:u-mika"


@pytest.mark.parametrize(
    "kind", ["announcement", "bitsbadgetier", "viewermilestone", "unraid", "", "sharedchatnotice"]
)
def test_what_nobody_is_thanked_for(kind: str) -> None:
    assert heard(chat(), notice(kind, text="hello")) is None


def test_fifty_gifts_are_one_deed() -> None:
    c = chat()
    bulk = ";msg-param-community-gift-id=9;msg-param-origin-id=o"
    events = [heard(c, notice("submysterygift", ";msg-param-mass-gift-count=50;msg-param-origin-id=o"))]
    events += [heard(c, notice("subgift", bulk, id=f"g{n}")) for n in range(25)]
    events += [heard(c, notice("subgift", ";msg-param-origin-id=o", id=f"h{n}")) for n in range(25)]
    assert len([event for event in events if event]) == 1


def test_gifts_that_do_not_say_which_hide_no_other_deed() -> None:
    """Whatever did not say so either, a raid or a subscription, was one of them from then on."""
    c = chat()
    heard(c, notice("submysterygift", ";msg-param-mass-gift-count=5"))
    assert line(heard(c, notice("raid", ";msg-param-viewerCount=500", id="2"))).deed is Deed.RAID
    assert line(heard(c, notice("resub", id="3"))).deed is Deed.SUB


def test_a_deleted_line_and_a_banned_viewers_lines_are_named() -> None:
    c = chat()
    for id, login in [("1", "mika"), ("2", "troll"), ("3", "troll")]:
        heard(c, said("hello", id, login))
    assert heard(c, "@target-msg-id=1 :tmi.twitch.tv CLEARMSG #spark :x", 2.0) == LinesRemoved(
        2.0, ("twitch-1",)
    )
    gone = heard(c, "@target-user-id=u-troll :tmi.twitch.tv CLEARCHAT #spark :troll", 3.0)
    assert gone == LinesRemoved(3.0, ("twitch-2", "twitch-3"), "twitch:u-troll")
    unseen = heard(c, "@target-user-id=u-old :tmi.twitch.tv CLEARCHAT #spark :old", 3.0)
    assert unseen == LinesRemoved(3.0, (), "twitch:u-old"), "whose lines are too old to be known here"
    assert heard(c, ":tmi.twitch.tv CLEARCHAT #spark :nobody", 3.0) is None
    everything = heard(c, ":tmi.twitch.tv CLEARCHAT #spark", 4.0)
    assert isinstance(everything, LinesRemoved) and len(everything.line_ids) == 3


def test_a_removal_that_overtakes_its_line_holds() -> None:
    c = chat()
    heard(c, "@target-msg-id=1 :tmi.twitch.tv CLEARMSG #spark :x")
    assert heard(c, said("bad words")) is None


@given(
    st.text(),
    st.text(),
    st.dictionaries(st.sampled_from(["id", "display-name", "bits", "msg-id"]), st.text()),
)
def test_hostile_words_are_data(text: str, nick: str, tags: dict[str, str]) -> None:
    c = chat()
    for command in ("PRIVMSG", "USERNOTICE", "CLEARMSG", "CLEARCHAT", "NOTICE"):
        event = c.read(Message(command, ("#spark", text), nick, tags), 1.0)
        if isinstance(event, LineArrived):
            for word in (event.line.text, event.line.author, event.line.id):
                assert word and clean(word).text == word


def news(kind: str, event: dict[str, object]) -> News:
    return News("notification", "m1", {}, kind, event)


USER = {"user_id": "1002", "user_login": "mika", "user_name": "Mika"}
RAIDER = {f"from_broadcaster_{key}": value for key, value in USER.items()} | {"viewers": 9}
RESUB = {"cumulative_months": 3, "message": {"text": "yo"}}
REWARD = {"reward": {"title": "Hydrate"}, "user_input": "now"}
POINTS = "channel.channel_points_custom_reward_redemption.add"


@pytest.mark.parametrize(
    ("kind", "event", "deed", "text"),
    [
        ("channel.follow", USER, Deed.FOLLOW, "followed the channel"),
        ("channel.subscribe", USER | {"is_gift": False}, Deed.SUB, "subscribed"),
        ("channel.subscription.message", USER | RESUB, Deed.SUB, "subscribed, 3 months now, saying: yo"),
        ("channel.subscription.gift", USER | {"total": 5}, Deed.GIFT, "gave 5 subscriptions to others"),
        ("channel.cheer", USER | {"bits": 7, "message": "hi"}, Deed.BITS, "cheered 7 bits, saying: hi"),
        ("channel.cheer", USER | {"bits": 7, "message": "uni7"}, Deed.BITS, "cheered 7 bits"),
        ("channel.raid", RAIDER, Deed.RAID, "raided the stream with 9 viewers"),
        (POINTS, USER | REWARD, Deed.POINTS, "spent channel points on 'Hydrate', saying: now"),
    ],
)
def test_eventsub_deeds(kind: str, event: dict[str, object], deed: Deed, text: str) -> None:
    told = read(news(kind, event))
    assert told is not None
    assert (told[0].author, told[0].deed, told[0].text, told[1]) == ("Mika", deed, text, "mika")
    assert told[0].viewer == "twitch:1002"


@pytest.mark.parametrize(
    ("told", "bits", "left"),
    [
        ("Cheer100 what is 4Head50 your favourite train?", 150, "what is your favourite train?"),
        ("mychannel42 hi", 42, "hi"),  # a token of the channel's own
        ("Cheer100 is gpt4 a friend, or r2d2?", 100, "is gpt4 a friend, or r2d2?"),
        ("cheer1 cheer1", 5, ""),
        ("i live at 100 Cheerful-street100", 100, "i live at 100 Cheerful-street100"),
    ],
)
def test_a_cheers_words_are_what_is_left_beside_its_tokens(told: str, bits: int, left: str) -> None:
    assert words(told, bits) == left


def test_what_points_bought_is_one_deed_and_the_next_reward_another() -> None:
    c = chat()
    told = line(heard(c, said("now!", more=";custom-reward-id=r1")))
    assert (told.deed, told.text) == (Deed.POINTS, "spent channel points, saying: now!")
    assert not told.supporter
    reward: dict[str, object] = {"reward": {"id": "r1", "title": "Hydrate"}, "user_input": "now!"}
    bought = news(POINTS, {**USER, **reward})
    assert reward_id(bought) == "r1"
    assert c.ledger.told("eventsub", key(Deed.POINTS, "mika", "r1"), "e1", 2.0)
    assert not c.ledger.told("eventsub", key(Deed.POINTS, "mika", "r2"), "e2", 2.0)


def test_a_gifts_receiver_is_not_thanked_and_the_unnamed_are() -> None:
    assert read(news("channel.subscribe", USER | {"is_gift": True})) is None
    told = read(news("channel.cheer", {"is_anonymous": True, "user_name": None, "bits": 5}))
    assert told is not None and told[0].author == told[0].viewer == "somebody unnamed"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["user_name", "reward", "title", "bits"]), inner)
    ),
)


@given(
    st.sampled_from(["channel.cheer", "channel.follow", "channel.raid", "channel.subscription.gift", "x"]),
    JSON,
)
def test_any_event_is_read_or_let_pass(kind: str, event: object) -> None:
    told = read(news(kind, event if isinstance(event, dict) else {}))
    assert told is None or told[0].text


@given(st.text() | st.binary())
def test_any_frame_is_read_or_refused(frame: str | bytes) -> None:
    with pytest.raises(Garbled):
        news_of(frame)


def test_numbers_are_numbers() -> None:
    assert [number(value) for value in (3, True, -1, "3", None, 10**12)] == [3, 0, 0, 0, 0, 0]
    assert Fate.REMOVED.value == "removed"
