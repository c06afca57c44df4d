"""Takes one claim, ever, over mutually authenticated TLS; the wire is that of hosts/protocol.ts."""

import asyncio
import json
import socket
import ssl

from .parse_push import MAX_HEAD_BYTES, Refusal, parse_push
from .take_layers import clear, take_layers

CLAIMER = ((("commonName", "ebb-claimer"),),)
VERSION = 1
HANDSHAKE_S = 5.0
# Whoever was refused may still be sending; closed upon unread bytes, the connection would lose the refusal.
FAREWELL_S = 5.0
# Connections that may be open at once: a claimer keeps one.
MOST = 64
PIECE = 1 << 16


class Peer:
    """A TLS connection on the loop that waits; its socket is plain enough to outlive that loop."""

    def __init__(self, loop, sock: ssl.SSLSocket) -> None:
        self.sock = sock
        self.stall_s = None
        self._loop = loop
        self._rest = bytearray()

    async def line(self, most: int):
        """Up to a newline, without it; None when the sender leaves first. Raises Refusal TooLarge."""
        looked = 0
        while True:
            end = self._rest.find(b"\n", looked)
            if (len(self._rest) if end < 0 else end) > most:
                raise Refusal("TooLarge", f"the head of a claim may have {most} bytes")
            if end >= 0:
                line = bytes(self._rest[:end])
                del self._rest[: end + 1]
                return line
            looked = len(self._rest)
            piece = await self._recv()
            if not piece:
                return None
            self._rest += piece

    async def pieces(self, count: int):
        """The next `count` bytes, less when the sender leaves."""
        while count > 0:
            if self._rest:
                piece = bytes(self._rest[:count])
                del self._rest[: len(piece)]
            else:
                piece = await self._recv(min(count, PIECE))
                if not piece:
                    return
            count -= len(piece)
            yield piece

    async def handshake(self) -> None:
        self.stall_s = HANDSHAKE_S
        await self._when(self.sock.do_handshake)
        self.stall_s = None

    async def send(self, message: dict) -> None:
        rest = line_of(message)
        while rest:
            rest = rest[await self._when(self.sock.send, rest) :]

    def is_open(self) -> bool:
        """Whether the sender is still there: it has nothing more to say until it is answered."""
        try:
            return self.sock.recv(1) != b""
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False

    async def farewell(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)
        self.stall_s = FAREWELL_S
        end = self._loop.time() + FAREWELL_S
        while self._loop.time() < end and await self._recv():
            pass

    async def _recv(self, most: int = PIECE) -> bytes:
        return await self._when(self.sock.recv, most)

    async def _when(self, do, *args):
        """Does it as soon as the socket lets. Raises TimeoutError when it does not for `stall_s`."""
        while True:
            try:
                return do(*args)
            except (ssl.SSLWantReadError, BlockingIOError):
                await self._until(self._loop.add_reader, self._loop.remove_reader)
            except ssl.SSLWantWriteError:
                await self._until(self._loop.add_writer, self._loop.remove_writer)

    async def _until(self, add, remove) -> None:
        ready = self._loop.create_future()
        settle = lambda error=None: ready.done() or (ready.set_exception(error) if error else ready.set_result(None))  # noqa: E731
        late = self._loop.call_later(self.stall_s, settle, TimeoutError()) if self.stall_s is not None else None
        add(self.sock.fileno(), settle)
        try:
            await ready
        finally:
            remove(self.sock.fileno())
            if late is not None:
                late.cancel()


class ClaimDoor:
    """
    A claim is taken when all of it has arrived and is what its digests say; until then it may be refused or break off,
    and leaves nothing behind. While one is on its way others are refused, not kept waiting. `taken` is the claim and the
    connection of who made it.
    """

    def __init__(self, loop, settings, context: ssl.SSLContext, runtime: str) -> None:
        self.taken = loop.create_future()
        self._loop = loop
        self._settings = settings
        self._context = context
        self._runtime = runtime
        self._holder = None
        self._tasks: set = set()
        self._listener = listen(settings.claim_port)
        loop.add_reader(self._listener.fileno(), self._accept)

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        if len(self._tasks) >= MOST:
            sock.close()
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._meet(sock))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _meet(self, sock: socket.socket) -> None:
        try:
            sock = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            peer = Peer(self._loop, sock)
            await peer.handshake()
            if sock.getpeercert().get("subject") != CLAIMER:
                return
            # To nobody but a claimer: who stands between the two has the key of neither, and could use it as this host.
            token = self._settings.token()
            first = {"type": "waiting", "version": VERSION, "host": "python", "runtime": self._runtime, "token": token}
            await peer.send(first)
            try:
                claim = await self._receive(peer)
            except Refusal as refusal:
                await peer.send({"type": "refused", "reason": refusal.reason, "message": str(refusal)})
                await peer.farewell()
                return
            if claim is not None:
                await peer.send({"type": "taken"})
                self.taken.set_result((claim, peer.sock))
        except (OSError, asyncio.TimeoutError):
            # Not TLS, no certificate of ours, gone, or silent: nobody to talk to.
            return
        finally:
            if self._holder is None or self._holder.sock is not sock:
                sock.close()

    async def _receive(self, peer: Peer):
        """The claim, once its files lie where they belong; None when the sender leaves. Raises Refusal."""
        line = await peer.line(MAX_HEAD_BYTES)
        if line is None:
            return None
        push = self._acceptable(line)
        if self._holder is not None:
            raise Refusal("Taken", "another claim for this host came first")
        self._holder = peer
        whole = False
        try:
            peer.stall_s = self._settings.stall_s
            # The sender may be gone when all is here: what it would do with the host nobody knows.
            whole = await take_layers(peer, push["layers"], self._settings.app_dir) and peer.is_open()
        finally:
            if not whole:
                clear(self._settings.app_dir)
                self._holder = None
        return push["claim"] if whole else None

    def _acceptable(self, line: bytes) -> dict:
        push = parse_push(line)
        if push["host"] != "python":
            raise Refusal("WrongHost", f"this is a host for python, not for {push['host']}")
        here = ".".join(self._runtime.split(".")[:2])
        if push.get("runtime") not in (None, here):
            raise Refusal("WrongRuntime", f"this host runs Python {self._runtime}; the function is built for {push['runtime']}")
        size, most = sum(layer["size"] for layer in push["layers"]), self._settings.max_bytes
        if size > most:
            raise Refusal("TooLarge", f"the function's layers have {size} bytes, of {most} that this host takes")
        return push

    def close(self) -> None:
        """With all connections but the one whose claim was taken."""
        self._loop.remove_reader(self._listener.fileno())
        self._listener.close()
        for task in self._tasks:
            task.cancel()


def line_of(message: dict) -> bytes:
    return json.dumps(message).encode() + b"\n"


def listen(port: int) -> socket.socket:
    """On all addresses of the pod, of whichever kind they are."""
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    listener = socket.create_server(("", port), family=family, backlog=MOST, dualstack_ipv6=both)
    listener.setblocking(False)
    return listener
