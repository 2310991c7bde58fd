"""twitchAPI, unmodified, as a client of a Twitch-like server: writes to chat, prints five events, then ends.

`python -m tests.wires.twitch_client HTTP_ADDRESS WEBSOCKET_ADDRESS`. A process of its own, because its socket
runs in a thread whose event loop it never closes.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from twitchAPI.eventsub.websocket import EventSubWebsocket
from twitchAPI.twitch import Twitch
from twitchAPI.type import AuthScope


async def use(http: str, socket_url: str) -> None:
    api = Twitch("client", authenticate_app=False, base_url=f"{http}/helix/", auth_base_url=f"{http}/oauth2/")
    api.auto_refresh_auth = False
    scopes = [AuthScope.MODERATOR_READ_FOLLOWERS, AuthScope.CHANNEL_READ_SUBSCRIPTIONS]
    scopes += [AuthScope.BITS_READ, AuthScope.CHANNEL_READ_REDEMPTIONS, AuthScope.USER_WRITE_CHAT]
    await api.set_user_authentication("good", scopes, validate=True)
    heard: list[str] = []
    loop, all_told = asyncio.get_running_loop(), asyncio.Event()

    async def note(event: Any) -> None:
        told = event.event
        who = getattr(told, "user_name", None) or told.from_broadcaster_user_name
        more = [getattr(told, name, "") for name in ("bits", "viewers", "user_input")]
        heard.append(" ".join(map(str, filter(None, [event.subscription.type, who, *more]))))
        if len(heard) == 5:
            loop.call_soon_threadsafe(all_told.set)

    socket = EventSubWebsocket(api, connection_url=socket_url, subscription_url=f"{http}/helix/")
    socket.start()  # type: ignore[no-untyped-call]  # half of it is typed
    await socket.listen_channel_follow_v2("1001", "1001", note)
    await socket.listen_channel_subscribe("1001", note)
    await socket.listen_channel_raid(note, to_broadcaster_user_id="1001")
    await socket.listen_channel_cheer("1001", note)
    await socket.listen_channel_points_custom_reward_redemption_add("1001", note)
    sent = await api.send_chat_message("1001", "1001", "hello, chat")
    before = [f"sent {sent.is_sent} {bool(sent.message_id)}"]
    await asyncio.wait_for(all_told.wait(), 60)
    sys.stdout.write("\n".join([*before, *heard]) + "\n")
    await socket.stop()  # type: ignore[no-untyped-call]  # as above
    await api.close()  # type: ignore[no-untyped-call]  # as above


if __name__ == "__main__":
    asyncio.run(use(*sys.argv[1:]))
