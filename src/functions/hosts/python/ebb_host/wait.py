"""
The host in a pod that belongs to nobody until a claim brings it a function: `python3 /ebb/host/python wait`.
"""

import asyncio
import os
import platform
import signal
import socket
import ssl
import sys
import tempfile

from .claim_door import ClaimDoor, line_of
from .doors import Doors
from .own_key import make_pem
from .take_layers import clear, in_place
from .warm_up import warm_up

CA_VARIABLE = "EBB_CLAIM_CA"
USAGE = "usage: python3 /ebb/host/python wait [--port 8080] [--claim-port 9440] [--app /app] [--token FILE]"
_kept = ("entry", "model", "target", "signature", "cwd", "modulePaths", "loadTimeoutMs")
_not_yet = b"this host waits for a function\n"
_answer = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(_not_yet), _not_yet)
)
_request_s = 5.0


class Settings:
    """What `wait` is told. Ends the process with the usage for what cannot be meant."""

    def __init__(self, words: list, env) -> None:
        given = {
            "port": env.get("PORT") or "8080",
            "claim-port": "9440",
            "app": "/app",
            "token": "/var/run/secrets/ebb-host/token",
            "max-bytes": str(2**31),
            "stall-ms": "10000",
        }
        rest = list(words)
        while rest:
            name, equals, value = rest.pop(0).partition("=")
            if name[:2] != "--" or name[2:] not in given or (not equals and not rest):
                sys.exit(f"cannot read {name}\n{USAGE}")
            given[name[2:]] = value if equals else rest.pop(0)
        for name in ("port", "claim-port", "max-bytes", "stall-ms"):
            if not (given[name].isascii() and given[name].isdigit()):
                sys.exit(f'--{name} must be a whole number, not "{given[name]}"')
        self.ca = env.get(CA_VARIABLE)
        if not self.ca:
            sys.exit(f"{CA_VARIABLE} is to hold the certificates that vouch for claimers")
        self.port, self.claim_port = int(given["port"]), int(given["claim-port"])
        self.app_dir, self.token_file = given["app"], given["token"]
        self.max_bytes, self.stall_s = int(given["max-bytes"]), int(given["stall-ms"]) / 1000

    def token(self) -> str:
        """What tells a claimer which pod this is, as it is now: its keeper replaces it from time to time."""
        with open(self.token_file, encoding="ascii") as file:
            return file.read().strip()


class RemoteControl:
    """What a host says to ebb, said to its claimer: one last word. Nobody watches over the host but its kubelet."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        sock.setblocking(True)
        sock.settimeout(5)
        self._sock = sock

    def send(self, message: dict) -> None:
        sock, self._sock = self._sock, None
        if sock is None:
            return
        try:
            sock.sendall(line_of(message))
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The claimer is gone. The function is served: others may know of it.
            pass
        sock.close()

    def watch(self, loop) -> None:
        return

    def watch_in_thread(self) -> None:
        return


def wait(words: list):
    """Returns once claimed: who is to be told, the claim, the doors."""
    settings = Settings(words, os.environ)
    # Says at once, and in the pod's log, what each claimer would only find in vain.
    settings.token()
    context = secured(settings)
    own = {name: value for name, value in os.environ.items() if name != CA_VARIABLE}
    doors = Doors("0.0.0.0", settings.port, local=False)
    warm_up()
    clear(settings.app_dir)
    loop = asyncio.new_event_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, os._exit, 0)
    refusing = Refusing(loop, doors.tcp)
    door = ClaimDoor(loop, settings, context, platform.python_version())
    print(f"waiting for a function on port {settings.claim_port}", flush=True)
    claim, sock = loop.run_until_complete(door.taken)
    refusing.close()
    door.close()
    loop.run_until_complete(settle(loop))
    loop.close()
    return RemoteControl(sock), moved(claim, own, settings.app_dir), doors


async def settle(loop) -> None:
    """Nothing of the waiting remains: other claimers, callers that were refused, threads that unpacked."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await loop.shutdown_default_executor()


def secured(settings: Settings) -> ssl.SSLContext:
    """With a key that never leaves this process: nobody who comes into this container can be taken for this host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    # Nobody comes twice.
    context.num_tickets = 0
    context.load_verify_locations(cadata=settings.ca)
    with memory_file() as file:
        file.write(make_pem().encode())
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{file.fileno()}" if hasattr(os, "memfd_create") else file.name)
    return context


def memory_file():
    """A file on no disk, where the system has such; a key is read from files only."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("key"), "wb")
    return tempfile.NamedTemporaryFile()


def moved(claim: dict, own: dict, app_dir: str) -> dict:
    """The claim as it holds here: over the container's own environment, with the files where they were put."""
    kept = {name: claim[name] for name in _kept if name in claim}
    for name in ("entry", "cwd"):
        kept[name] = in_place(claim[name], app_dir)
    if "modulePaths" in claim:
        kept["modulePaths"] = [in_place(path, app_dir) for path in claim["modulePaths"]]
    return {**kept, "env": {**own, **claim["env"]}}


class Refusing:
    """Answers 503 where the function will be, and leaves the listener open for it."""

    def __init__(self, loop, listener: socket.socket) -> None:
        self._loop = loop
        self._listener = listener
        self._tasks: set = set()
        listener.setblocking(False)
        loop.add_reader(listener.fileno(), self._accept)

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        task = self._loop.create_task(self._refuse(sock))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _refuse(self, sock: socket.socket) -> None:
        with sock:
            try:
                await asyncio.wait_for(self._hear(sock), _request_s)
                await self._loop.sock_sendall(sock, _answer)
                sock.shutdown(socket.SHUT_WR)
                await asyncio.wait_for(self._hear(sock), _request_s)
            except (OSError, asyncio.TimeoutError):
                return

    async def _hear(self, sock: socket.socket) -> None:
        """To the end of the request's head, or of what is sent."""
        heard = b""
        while b"\r\n\r\n" not in heard and len(heard) < 1 << 16:
            piece = await self._loop.sock_recv(sock, 1 << 14)
            if not piece:
                return
            heard += piece

    def close(self) -> None:
        self._loop.remove_reader(self._listener.fileno())
