"""The chat adapter on a foreign IRC server, Debian's inspircd, over TCP and TLS; another one writes there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import ByteStream

from engines.port import unused
from glue.errors import ConfigError
from glue.senses.irc import Message
from glue.senses.twitch import Twitch
from glue.senses.twitch_irc import TwitchIrc
from tests.need import need_program
from tests.obs_peer import running
from tests.waiting import eventually
from tests.wires.twitch_show import supervised

pytestmark = pytest.mark.anyio
CONFIG = """
<server name="irc.local" description="Test" network="Test" id="1AA">
<admin name="Nobody" nick="nobody" email="nobody@localhost">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect allow="*" timeout="60" pingfreq="{ping}" recvq="8192" localmax="20" globalmax="20"
         resolvehostnames="no">
<pid file="{folder}/pid">
<log method="file" type="*" level="default" target="{folder}/log">
<files motd="">
{modules}
"""
TLS = """
<module name="ssl_gnutls">
<sslprofile name="own" provider="gnutls" certfile="{folder}/cert.pem" keyfile="{folder}/key.pem">
<bind address="127.0.0.1" port="{port}" type="clients" sslprofile="own">
"""
TAGGED = '<module name="cap"><module name="ircv3_ctctags"><module name="ircv3_msgid">'


@contextmanager
def inspircd(folder: Path, port: int, modules: str = "", ping: int = 60) -> Iterator[None]:
    program = need_program("inspircd", "sudo apt install inspircd")
    config = folder / "inspircd.conf"
    config.write_text(CONFIG.format(port=port, folder=folder, modules=modules, ping=ping))
    argv: list[str | Path] = [program, "--nofork", "--nolog", "--config", config]
    # it leaves its core there
    with running([*argv, "--runasroot"] if os.getuid() == 0 else argv, cwd=folder):
        yield


@asynccontextmanager
async def somebody(port: int, nick: str) -> AsyncIterator[ByteStream]:
    """A client of its own, in the channel."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(f"NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n".encode())
        seen = b""
        with anyio.fail_after(20):
            while b" 366 " not in seen:
                seen += await stream.receive()
                if b" 001 " in seen and b"JOIN" not in seen:
                    await stream.send(b"JOIN #spark\r\n")
        yield stream


def chat(port: int, **more: Any) -> Twitch:
    return Twitch("spark", irc=f"irc://127.0.0.1:{port}", timeout_s=20.0, **more)


@pytest.mark.parametrize("modules", ["", TAGGED], ids=["plain", "tags"])
async def test_a_line_is_heard_once_and_private_ones_are_not(tmp_path: Path, modules: str) -> None:
    port = unused()
    with inspircd(tmp_path, port, modules):
        async with supervised(chat(port)) as heard:
            await entered(port)
            async with somebody(port, "mika") as mika:
                names = await whois(mika)
                (reader,) = [name for name in names if name.startswith("justinfan")]
                await mika.send(f"PRIVMSG {reader} :for you alone\r\n".encode())
                await mika.send("PRIVMSG #Spark :hé :) Spark\r\n".encode())
                await mika.send(b"NOTICE #spark :authentication failed\r\n")  # says a viewer
                await mika.send(b"PRIVMSG #spark :no text \xff\xfe\r\n")
                await mika.send(b"PRIVMSG #spark :\x01ACTION waves\x01\r\nPRIVMSG #spark :bye\r\n")
                await eventually(lambda: heard.texts[-1:] == ["bye"])
    assert not heard.down()[1:], "the server was not there yet, and then it was"
    assert heard.texts[:1] == ["hé :) Spark"] and heard.texts[2:] == ["waves", "bye"]
    assert {line.author for line in heard.lines} == {"mika"}
    assert len({line.id for line in heard.lines}) == 4


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """One that nobody signed, for 127.0.0.1, with its key beside it."""
    words = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=irc.local -addext subjectAltName=IP:127.0.0.1"
    )
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    program = need_program("openssl", "sudo apt install openssl")
    subprocess.run([program, *words.split(), *files], check=True, capture_output=True)
    return tmp_path / "cert.pem"


async def test_over_tls_its_own_certificate_is_trusted_where_the_config_names_it(
    tmp_path: Path, certificate: Path
) -> None:
    port, tls = unused(), unused()
    address = f"ircs://127.0.0.1:{tls}"
    with inspircd(tmp_path, port, TLS.format(folder=tmp_path, port=tls)):
        async with supervised(
            Twitch("spark", irc=address, timeout_s=20.0, ca_file=str(certificate))
        ) as heard:
            await entered(port)
            async with somebody(port, "mika") as mika:
                await mika.send(b"PRIVMSG #spark :over TLS\r\n")
                await eventually(lambda: heard.texts == ["over TLS"])
        async with supervised(Twitch("spark", irc=address, timeout_s=20.0)) as heard:
            await eventually(lambda: heard.down())
        assert "certificate" in heard.down()[0] and "cure: chat.twitch.ca_file=FILE" in heard.down()[0]
        async with supervised(Twitch("spark", irc=f"ircs://127.0.0.1:{port}", timeout_s=1.0)) as heard:
            await eventually(lambda: heard.down())
        assert "cannot be reached" in heard.down()[0]


async def test_one_that_hangs_up_on_the_handshake_is_tried_again() -> None:
    async def hang_up(stream: ByteStream) -> None:
        await stream.aclose()

    async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener:
        async with anyio.create_task_group() as tg:
            tg.start_soon(listener.serve, hang_up)
            port = listener.extra(anyio.abc.SocketAttribute.local_port)
            async with supervised(Twitch("spark", irc=f"ircs://127.0.0.1:{port}", timeout_s=2.0)) as heard:
                await eventually(lambda: heard.down())
            tg.cancel_scope.cancel()
    assert "cannot be reached" in heard.down()[0]


@pytest.mark.parametrize("text", [None, "no certificate"])
async def test_a_file_without_a_certificate_is_refused_at_the_start(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "cert.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match=r"ca_file: .* has no certificate in PEM"):
        async with Twitch("spark", ca_file=str(file)):
            pass


async def test_it_stays_through_pings_and_comes_back_to_a_server_that_was_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, came, answer = unused(), list[str](), TwitchIrc._answer

    async def noted(reader: TwitchIrc, line: Any, message: Message, handover: Any) -> None:
        came.append(message.command)
        await answer(reader, line, message, handover)

    monkeypatch.setattr(TwitchIrc, "_answer", noted)
    async with supervised(chat(port)) as heard:
        with inspircd(tmp_path, port, ping=4):
            await entered(port)
            # who does not answer the first one gets no second one
            await eventually(lambda: came.count("PING") >= 2, 60)
            async with somebody(port, "mika") as mika:
                await mika.send(b"PRIVMSG #spark :before\r\n")
                await eventually(lambda: heard.texts[-1:] == ["before"])
            down = len(heard.down())
        await eventually(lambda: len(heard.down()) > down)
        with inspircd(tmp_path, port):
            await entered(port)
            async with somebody(port, "bo") as bo:
                await bo.send(b"PRIVMSG #spark :after\r\n")
                await eventually(lambda: heard.texts == ["before", "after"])
    assert down <= 1, "it was only away before the server was there"


async def entered(port: int) -> None:
    """Wait until our reader is in the channel, as another one there sees it."""
    with anyio.fail_after(30):
        while True:
            try:
                async with somebody(port, f"look{os.urandom(3).hex()}") as stream:
                    if any(name.startswith("justinfan") for name in await whois(stream)):
                        return
            except (OSError, anyio.BrokenResourceError, anyio.EndOfStream):
                pass  # the server is not up yet
            await anyio.sleep(0.1)


async def whois(stream: ByteStream) -> list[str]:
    """Who is in the channel."""
    await stream.send(b"NAMES #spark\r\n")
    seen = b""
    while b" 366 " not in seen:
        seen += await stream.receive()
    names = seen.partition(b" 353 ")[2].partition(b" :")[2].partition(b"\r\n")[0].decode()
    return names.replace("@", "").split()
