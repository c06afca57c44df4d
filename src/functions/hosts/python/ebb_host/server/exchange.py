"""One request and its response."""

import asyncio

from .head import BadRequest
from .response import BadResponse, has_body, response_head

# More of a request's body than this is left in the socket until the function reads what is here.
HIGH_WATER = 256 * 1024


class ClientLeft(OSError):
    """The caller hung up; nobody reads the answer."""


class Exchange:
    """
    Given to the handler for each request. Everything here belongs to the loop's thread. The response is either
    `answer`ed whole or `start`ed, written and `end`ed.
    """

    __slots__ = (
        "connection",
        "loop",
        "head",
        "keep_alive",
        "chunked",
        "declared",
        "started",
        "finished",
        "left",
        "on_left",
        "task",
        "ident",
        "body_done",
        "_body",
        "buffered",
        "_waiter",
        "_sends_body",
    )

    def __init__(self, connection, head) -> None:
        self.connection = connection
        self.loop = connection.loop
        self.head = head
        self.keep_alive = head.keep_alive
        self.chunked = False
        # Bytes still to come when the function declared a content-length.
        self.declared = None
        self.started = False
        self.finished = False
        self.left = False
        # Called once when the caller hangs up before the response is finished.
        self.on_left = None
        # The application's, where it has one of its own.
        self.task = None
        # What its log lines carry, once somebody asks.
        self.ident = None
        self.body_done = True
        self._body = None
        self.buffered = 0
        self._waiter = None
        self._sends_body = True

    # The request's body.

    def expect_body(self) -> None:
        self.body_done = False
        self._body = []

    def received(self, content: bytes, done: bool) -> None:
        """From the connection: more of the body."""
        if content:
            self._body.append(content)
            self.buffered += len(content)
        self.body_done = done
        if self.buffered > HIGH_WATER:
            self.connection.pause()
        self._wake()

    async def read(self) -> bytes:
        """What has arrived of the body, b"" at its end. Raises ClientLeft."""
        while True:
            if self._body:
                content = self._body[0] if len(self._body) == 1 else b"".join(self._body)
                self._body.clear()
                if self.buffered > HIGH_WATER:
                    self.connection.resume()
                self.buffered = 0
                return content
            if self.body_done:
                return b""
            if self.left:
                raise ClientLeft("the caller hung up while sending")
            self.connection.ask_for_body()
            await self._wait()

    def take_whole(self):
        """The body when all of it is here already, else None."""
        if not self.body_done:
            return None
        content = b"".join(self._body) if self._body else b""
        self._body, self.buffered = None, 0
        return content

    async def read_all(self, limit: int) -> bytes:
        """The whole body. Raises BadRequest 413 beyond `limit` bytes, ClientLeft."""
        if self._body is None:
            return b""
        declared = self.head.length
        parts: list = []
        size = 0
        while declared <= limit:
            part = await self.read()
            if not part:
                return parts[0] if len(parts) == 1 else b"".join(parts)
            parts.append(part)
            size += len(part)
            if size > limit:
                break
        raise BadRequest(413, f"the body is larger than {limit} bytes")

    async def wait_left(self) -> None:
        """Returns when the caller has hung up or has the whole response."""
        while not self.left and not self.finished:
            await self._wait()

    def gone(self) -> None:
        """From the connection: the caller hung up."""
        self.left = True
        self._wake()
        if self.on_left is not None and not self.finished:
            self.on_left()

    async def _wait(self) -> None:
        if self._waiter is None:
            self._waiter = self.loop.create_future()
        await asyncio.shield(self._waiter)

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # The response.

    def answer(self, status: int, headers, body: bytes = b"") -> None:
        """The whole response at once. Raises BadResponse before anything is sent."""
        self.answer_head(response_head(self, status, headers, len(body)), status, body)

    def answer_head(self, head: bytes, status: int, body: bytes) -> None:
        if self.declared is not None and self.declared != len(body) and has_body(self.head.method, status):
            expected, self.declared = self.declared, None
            raise BadResponse(f"content-length says {expected}, the body has {len(body)} bytes")
        if body and has_body(self.head.method, status):
            head += body
        self.started = self.finished = True
        self.connection.write(head)
        self._finish()

    def start(self, status: int, headers) -> None:
        """The head goes out; the body follows in pieces. Raises BadResponse before anything is sent."""
        head = response_head(self, status, headers, None)
        self.started = True
        self._sends_body = has_body(self.head.method, status)
        self.connection.write(head)

    def write(self, data: bytes) -> None:
        """A piece of the body; `await drained()` after it keeps a slow caller from filling the memory."""
        if not data or not self._sends_body:
            return
        if self.left:
            raise ClientLeft("the caller hung up while receiving")
        if self.declared is not None:
            self.declared -= len(data)
            if self.declared < 0:
                raise BadResponse("the body is longer than its content-length")
        self.connection.write(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    async def drained(self) -> None:
        await self.connection.drained()

    def end(self) -> None:
        if self.finished:
            return
        if self._sends_body and self.declared:
            # A clean end would pass for a whole answer.
            self.cut()
            return
        self.finished = True
        if self.chunked and self._sends_body and not self.left:
            self.connection.write(b"0\r\n\r\n")
        self._finish()

    def cut(self) -> None:
        """Ends the connection so that the caller sees that something is missing."""
        self.finished = True
        self.connection.close()
        self._finish()

    def hand_over(self) -> None:
        """The connection speaks another protocol from here on."""
        self.started = self.finished = True
        self.connection.finished(self)

    def carried(self, job):
        """`job` as it is to run on a thread."""
        return job

    def _finish(self) -> None:
        self._wake()
        self._body = None
        self.connection.finished(self)
