"""One caller's connection: bytes in, exchanges one after the other, bytes out."""

import socket

from .body import ChunkedBody, CountedBody
from .head import MAX_HEAD, BadRequest, parse_head

READ = 64 * 1024
# Bytes of responses waiting for a slow caller before its function is held back.
HIGH_WATER = 256 * 1024
# An unread rest of a request's body up to this is thrown away and the connection kept.
MAX_DISCARD = 1024 * 1024
LINGER_S = 2.0


class Connection:
    """
    Reads straight from the socket when the loop says it is readable: asyncio's own transports would cost each request
    as much as all of this.
    """

    __slots__ = ("server", "loop", "sock", "fd", "peer", "upgraded", "closed", "exchange", "_input", "_body", "_paused", "_feeding", "_out", "_out_size", "_drain", "_ending", "continue_owed", "_discarded")

    def __init__(self, server, sock: socket.socket, peer) -> None:
        self.server = server
        self.loop = server.loop
        self.sock = sock
        self.fd = sock.fileno()
        self.peer = peer
        # Takes all bytes once the connection speaks another protocol.
        self.upgraded = None
        self.closed = False
        self.exchange = None
        self._input = b""
        self._body = None
        self._paused = False
        self._feeding = False
        self._out: list = []
        self._out_size = 0
        self._drain = None
        self._ending = False
        # The caller waits to be told before it sends the body.
        self.continue_owed = False
        self._discarded = 0
        self.loop.add_reader(self.fd, self._readable)

    # In.

    def _readable(self) -> None:
        try:
            data = self.sock.recv(READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.close()
        elif not self._ending:
            self.feed(data)

    def feed(self, data: bytes) -> None:
        if self.upgraded is not None:
            self.upgraded.received(data)
            return
        try:
            if self._body is not None:
                data = self._feed_body(data)
                if self._ending:
                    # Answered before its end: what follows is not understood any more.
                    return
            if data:
                self._input = self._input + data if self._input else data
                self._next()
        except BadRequest as error:
            self._refuse(error)
        except Exception:
            # Ours to repair, but not for a caller to wait for.
            self.close()
            raise

    def _next(self) -> None:
        """Begins requests from the input, as long as each is answered at once."""
        if self._feeding:
            return
        self._feeding = True
        try:
            while self.exchange is None and self._body is None and self._input and not self.closed:
                end = self._input.find(b"\r\n\r\n")
                if end < 0:
                    if len(self._input) > MAX_HEAD:
                        raise BadRequest(431, f"the request's headers are longer than {MAX_HEAD} bytes")
                    return
                if end > MAX_HEAD:
                    raise BadRequest(431, f"the request's headers are longer than {MAX_HEAD} bytes")
                text = self._input
                self._input = text[end + 4 :]
                self._begin(text[:end])
        finally:
            self._feeding = False
        if self.exchange is not None and len(self._input) > READ:
            self.pause()

    def _begin(self, text: bytes) -> None:
        # Some clients send an empty line after a body.
        head = parse_head(text if text[:2] != b"\r\n" else text.lstrip(b"\r\n"))
        exchange = self.exchange = self.server.make_exchange(self, head)
        if head.chunked or head.length:
            exchange.expect_body()
            self._body = ChunkedBody() if head.chunked else CountedBody(head.length)
            self.continue_owed = head.expects_continue
            if self._input:
                data, self._input = self._input, b""
                self._input = self._feed_body(data)
        self.server.begin(exchange)

    def _feed_body(self, data: bytes) -> bytes:
        content, rest, done = self._body.feed(data)
        self.continue_owed = False
        if done:
            self._body = None
        if self.exchange is not None:
            self.exchange.received(content, done)
        else:
            self._discarded += len(content)
            if self._discarded > MAX_DISCARD:
                self._end()
        return rest

    def ask_for_body(self) -> None:
        if self.continue_owed:
            self.continue_owed = False
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def pause(self) -> None:
        if not self._paused and not self.closed:
            self._paused = True
            self.loop.remove_reader(self.fd)

    def resume(self) -> None:
        if self._paused and not self.closed:
            self._paused = False
            self.loop.add_reader(self.fd, self._readable)

    def _refuse(self, error: BadRequest) -> None:
        """Answers what is no proper request; nothing after it can be understood."""
        exchange = self.exchange
        if exchange is not None:
            self.close()
            return
        body = f"{error}\n".encode()
        head = f"HTTP/1.1 {error.status} Bad Request\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.write(head.encode() + body)
        self._end()

    # Out.

    def write(self, data: bytes) -> None:
        if self.closed:
            return
        if not self._out:
            try:
                sent = self.sock.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                self.close()
                return
            if sent == len(data):
                return
            data = memoryview(data)[sent:]
            self.loop.add_writer(self.fd, self._writable)
        self._out.append(data)
        self._out_size += len(data)

    def _writable(self) -> None:
        try:
            while self._out:
                sent = self.sock.send(self._out[0])
                self._out_size -= sent
                if sent < len(self._out[0]):
                    self._out[0] = memoryview(self._out[0])[sent:]
                    break
                del self._out[0]
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close()
            return
        if not self._out:
            self.loop.remove_writer(self.fd)
            if self._ending:
                self._half_close()
        if self._out_size <= HIGH_WATER:
            self._wake()

    @property
    def unsent(self) -> int:
        return self._out_size

    async def drained(self) -> None:
        """Waits while too much is unsent."""
        if self._out_size > HIGH_WATER and not self.closed:
            if self._drain is None:
                self._drain = self.loop.create_future()
            await self._drain

    def _wake(self) -> None:
        waiter, self._drain = self._drain, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # End.

    def finished(self, exchange) -> None:
        """The response is written as far as the socket takes it; on to the next request."""
        self.exchange = None
        self.server.ended(exchange)
        if self.closed or self.upgraded is not None:
            return
        unsendable = self._body is not None and (self.continue_owed or exchange.head.length > MAX_DISCARD)
        if not exchange.keep_alive or unsendable:
            self._end()
            return
        self._discarded = 0
        self.resume()
        if self._input and not self._feeding:
            try:
                self._next()
            except BadRequest as error:
                self._refuse(error)

    def _end(self) -> None:
        """Closes once everything is sent; what still arrives is thrown away, lest it reset the response on its way."""
        if self.closed or self._ending:
            return
        self._ending = True
        self._input = b""
        self.resume()
        if not self._out:
            self._half_close()

    def _half_close(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()
            return
        self.loop.call_later(LINGER_S, self.close)

    def end_upgraded(self) -> None:
        self._end()

    def close_if_idle(self) -> None:
        if self.exchange is None and not self._input and self.upgraded is None:
            self._end()

    def close(self) -> None:
        """Ends the connection now; a request in flight learns that its caller is gone."""
        if self.closed:
            return
        self.closed = True
        if not self._paused:
            self.loop.remove_reader(self.fd)
        if self._out:
            self.loop.remove_writer(self.fd)
            self._out.clear()
            self._out_size = 0
        self.sock.close()
        self._wake()
        self.server.lost(self)
        if self.upgraded is not None:
            self.upgraded.lost()
        elif self.exchange is not None:
            self.exchange.gone()
