"""The socket of `--control`: who may speak, one thread, lines of bounded length."""

import hmac
import ipaddress
import json
import logging
import re
import selectors
import socket
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from eav_live.control.desk import Desk, refusal
from eav_offline.common.errors import InputRefused

log = logging.getLogger(__name__)

MOST_CLIENTS = 8
MOST_LINE = 4096  # bytes
_MOST_UNREAD = 256_000  # bytes of answers that a client leaves unread
_LEAST_TOKEN = 16  # letters
_STOP_SECONDS = 1.0
# A web page can make a browser send such a request here, with lines of its own in it.
_HTTP = re.compile(rb" HTTP/\d|^(Host|Origin|Content-Type):", re.IGNORECASE)
_MAKE_ONE = 'python -c "import secrets; print(secrets.token_hex())"'
_TOKEN_FIRST = "first say: token SECRET, of the file of --control-token"


@dataclass(frozen=True)
class Address:
    """Where to listen. loopback: whether only this computer can speak there."""

    host: str
    port: int
    loopback: bool


def read_address(text: str) -> Address:
    """`127.0.0.1:22345`, `[::1]:22345`, `localhost:0` (a free port). InputRefused."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and re.fullmatch(r"\d{1,5}", port, re.ASCII)):
        raise InputRefused(f"--control {text}: give ADDRESS:PORT, as 127.0.0.1:22345")
    try:
        at = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise InputRefused(
            f"--control {text}: {host} is no address of this computer in digits"
        ) from None
    if int(port) > 65535:
        raise InputRefused(f"--control {text}: ports go up to 65535")
    return Address(str(at), int(port), at.is_loopback)


def read_token(file: Path | None, address: Address) -> str | None:
    """The secret that clients are to say; None if they need none. InputRefused."""
    if file is None:
        if not address.loopback:
            raise InputRefused(
                f"--control {address.host}: other computers can speak there; give "
                "--control-token FILE too, or 127.0.0.1"
            )
        return None
    try:
        token = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise InputRefused(
            f"--control-token {file}: there is no such file; make it: "
            f"{_MAKE_ONE} > {file}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(f"--control-token {file} cannot be read: {error}") from error
    if sys.platform != "win32" and file.stat().st_mode & 0o077:
        log.warning(
            "--control-token %s: other users of this computer may read it; "
            "chmod 600 %s keeps it from them",
            file,
            file,
        )
    if len(token) < _LEAST_TOKEN or len(token.split()) != 1:
        raise InputRefused(
            f"--control-token {file}: give one word of {_LEAST_TOKEN} letters or more, "
            f"as `{_MAKE_ONE}` prints it"
        )
    return token


@dataclass
class _Client:
    connection: socket.socket
    trusted: bool
    came_in: bytearray = field(default_factory=bytearray)
    to_go: bytearray = field(default_factory=bytearray)
    leaving: bool = False  # once its answer is out


class ControlServer:
    """Listens from `start` to `stop`; raises InputRefused if the port is taken.

    desk: does what the lines ask. token: what a client has to say first.
    """

    def __init__(self, address: Address, desk: Desk, token: str | None = None) -> None:
        self._desk, self._token = desk, token
        self._clients: dict[socket.socket, _Client] = {}
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._listener.bind((address.host, address.port))
            self._listener.listen(MOST_CLIENTS)
        except OSError as error:
            self._listener.close()
            raise InputRefused(
                f"--control {address.host}:{address.port} cannot be listened on "
                f"({error.strerror}); choose another port"
            ) from error
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._waker, self._wakes = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wakes, selectors.EVENT_READ)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Begin to listen. Returns at once."""
        self._thread.start()
        host = self._listener.getsockname()[0]
        log.info("Remote control listens on %s:%d", host, self.port)

    def stop(self) -> None:
        """Close all connections. May be called twice."""
        if self._stopping:
            return
        self._stopping = True
        self._waker.send(b"x")
        if self._thread.ident is None:  # never started
            self._close()
        else:
            self._thread.join(_STOP_SECONDS)
        self._waker.close()

    def _run(self) -> None:
        try:
            while not self._stopping:
                for key, events in self._selector.select():
                    self._see_to(key.fileobj, events)
        except Exception:  # the thread's last line of defense
            log.exception("The remote control stopped")
        finally:
            self._close()

    def _close(self) -> None:
        for client in list(self._clients.values()):
            self._drop(client)
        self._selector.close()
        self._listener.close()
        self._wakes.close()

    def _see_to(self, which: object, events: int) -> None:
        if which is self._listener:
            self._accept()
        client = self._clients.get(which)  # type: ignore[call-overload]
        if client is None:
            return
        try:
            if events & selectors.EVENT_READ:
                self._read(client)
            self._send(client)
        except OSError:  # it has gone
            self._drop(client)

    def _accept(self) -> None:
        try:
            connection, peer = self._listener.accept()
        except OSError:
            return
        if len(self._clients) >= MOST_CLIENTS and not self._make_room():
            log.warning("Remote control: %s was turned away, too many talk", peer[0])
            connection.close()
            return
        connection.setblocking(False)
        log.info("Remote control: %s talks", peer[0])
        self._clients[connection] = _Client(connection, trusted=self._token is None)
        self._selector.register(connection, selectors.EVENT_READ)

    def _make_room(self) -> bool:
        """Drop who holds a place longest without having said the token."""
        strangers = [c for c in self._clients.values() if not c.trusted]
        if strangers:
            self._drop(strangers[0])
        return bool(strangers)

    def _read(self, client: _Client) -> None:
        data = client.connection.recv(MOST_LINE)
        came = self._desk.now
        if not data:
            self._drop(client)
            return
        client.came_in += data
        while not client.leaving:
            line, end, rest = client.came_in.partition(b"\n")
            if len(line) > MOST_LINE:
                why = f"a line has at most {MOST_LINE} bytes; good-bye"
                self._say_good_bye(client, refusal(why, as_json=False))
            if not end or client.leaving:
                return
            client.came_in = rest
            if line.strip():
                self._take(client, bytes(line), came)

    def _take(self, client: _Client, line: bytes, came: float) -> None:
        if _HTTP.search(line):
            self._say_good_bye(client, refusal("this is no web server", False))
        elif not client.trusted:
            self._check(client, line)
        elif line.startswith(b"token "):
            self._answer(client, "OK")  # none is needed, or it was said
        else:
            self._answer(client, self._desk.answer(line, came))

    def _check(self, client: _Client, line: bytes) -> None:
        assert self._token is not None
        said = _token_of(line)
        client.trusted = hmac.compare_digest(said, self._token.encode())
        if client.trusted:
            as_json = line.lstrip().startswith(b"{")
            self._answer(client, json.dumps({"ok": True}) if as_json else "OK")
            return
        log.warning("Remote control: a client without the token was turned away")
        self._say_good_bye(client, refusal(_TOKEN_FIRST, False))

    def _answer(self, client: _Client, answer: str) -> None:
        client.to_go += answer.encode() + b"\n"
        client.leaving |= len(client.to_go) > _MOST_UNREAD

    def _say_good_bye(self, client: _Client, answer: str) -> None:
        self._answer(client, answer)
        client.leaving = True

    def _send(self, client: _Client) -> None:
        if client.connection not in self._clients:
            return
        try:
            while client.to_go:
                del client.to_go[: client.connection.send(client.to_go)]
        except BlockingIOError:
            pass
        if client.leaving:
            self._drop(client)
            return
        wanted = selectors.EVENT_READ
        wanted |= selectors.EVENT_WRITE if client.to_go else 0
        self._selector.modify(client.connection, wanted)

    def _drop(self, client: _Client) -> None:
        if self._clients.pop(client.connection, None) is not None:
            self._selector.unregister(client.connection)
            client.connection.close()


def _token_of(line: bytes) -> bytes:
    """What a line says as the token, in words or as JSON; empty if nothing."""
    word, _, said = line.strip().partition(b" ")
    if word == b"token":
        return said.strip()
    try:
        found = json.loads(line)
        if found.get("do") == "token":
            return str(found.get("text", "")).encode()
    except (ValueError, AttributeError, RecursionError):
        pass
    return b""
