"""Accepts connections, begins requests, and drains."""

import asyncio
import socket
import sys

from .connection import Connection
from .exchange import Exchange

ACCEPT_AT_ONCE = 64


class Server:
    """
    Serves `handle(exchange)` on listening sockets. `handle` is called on the loop's thread for each request and must
    not raise; it answers the exchange at once or later.
    """

    def __init__(self, loop, listeners: list, handle, make_exchange=Exchange) -> None:
        self.loop = loop
        self.begin = self._begin
        self.in_flight = 0
        self.draining = False
        self.make_exchange = make_exchange
        self._handle = handle
        self._listeners = listeners
        self._connections: set = set()
        self._drained = None

    def start(self) -> None:
        for listener in self._listeners:
            listener.setblocking(False)
            self.loop.add_reader(listener.fileno(), self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(ACCEPT_AT_ONCE):
            try:
                sock, peer = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                # Out of descriptors: without a pause the loop would spin on the waiting connection.
                print(f"cannot take connections for a moment: {error}", file=sys.stderr)
                self.loop.remove_reader(listener.fileno())
                self.loop.call_later(0.1, self._listen_again, listener)
                return
            sock.setblocking(False)
            if listener.family == socket.AF_INET:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            else:
                # To the function it looks like any connection of this machine.
                peer = ("127.0.0.1", 0)
            self.adopt(sock, peer)

    def adopt(self, sock: socket.socket, peer) -> None:
        """Serves a connection that does not block."""
        self._connections.add(Connection(self, sock, peer))

    def _listen_again(self, listener: socket.socket) -> None:
        if not self.draining:
            self.loop.add_reader(listener.fileno(), self._accept, listener)

    def _begin(self, exchange) -> None:
        self.in_flight += 1
        if self.draining:
            exchange.keep_alive = False
        self._handle(exchange)

    def ended(self, exchange) -> None:
        self.in_flight -= 1
        if self.in_flight == 0:
            self._check_drained()

    def lost(self, connection) -> None:
        self._connections.discard(connection)

    def hold(self) -> None:
        """Something that must be finished before the process may end, such as an open WebSocket."""
        self.in_flight += 1

    def release(self) -> None:
        self.ended(None)

    async def drain(self) -> None:
        """Takes no more connections, lets requests in flight finish. A second call waits for the same end."""
        if not self.draining:
            for listener in self._listeners:
                self._accept(listener)
                self.loop.remove_reader(listener.fileno())
                listener.close()
            self.draining = True
            self._drained = self.loop.create_future()
            for connection in list(self._connections):
                if connection.exchange is not None:
                    connection.exchange.keep_alive = False
                connection.close_if_idle()
            self._check_drained()
        if not self._drained.done():
            await asyncio.shield(self._drained)
        # The last responses may still be on their way into slow sockets.
        while any(connection.unsent for connection in self._connections):
            await asyncio.sleep(0.01)

    def _check_drained(self) -> None:
        if self._drained is not None and self.in_flight == 0 and not self._drained.done():
            self._drained.set_result(None)
