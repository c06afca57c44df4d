"""WebSockets for ASGI applications (RFC 6455): the handshake, frames, and the messages they become."""

import asyncio
import base64
import hashlib

from ..answer_error import answer_error, answer_text
from ..server.tasks import start_task

_guid = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_MESSAGE = 16 * 1024 * 1024
_control = 8
_text, _binary, _close, _ping, _pong = 1, 2, 8, 9, 10


class ProtocolError(Exception):
    """The caller broke the protocol; `code` goes into the close frame."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code


def start_websocket(app, exchange, scope: dict) -> None:
    fields = dict(exchange.head.headers)
    key = fields.get(b"sec-websocket-key", b"")
    if exchange.head.method != "GET" or fields.get(b"sec-websocket-version") != b"13" or not key:
        answer_text(exchange, 400, "not a WebSocket handshake of version 13\n", (b"sec-websocket-version", b"13"))
        return
    offered = fields.get(b"sec-websocket-protocol", b"").decode("latin-1")
    scope["subprotocols"] = [name.strip() for name in offered.split(",") if name.strip()]
    scope["scheme"] = "wss" if scope["scheme"] == "https" else "ws"
    del scope["method"]
    socket = Socket(exchange, key)
    start_task(exchange.loop, socket.run(app, scope))


class Socket:
    """One WebSocket: the connection's bytes go here once it is open."""

    def __init__(self, exchange, key: bytes) -> None:
        self._exchange = exchange
        self._connection = exchange.connection
        self._key = key
        self._messages: asyncio.Queue = asyncio.Queue()
        self._messages.put_nowait({"type": "websocket.connect"})
        self._input = b""
        self._parts: list = []
        self._kind = 0
        self._open = False
        self._closed = False

    async def run(self, app, scope: dict) -> None:
        try:
            await app(scope, self._messages.get, self.send)
        except Exception as error:
            # What frameworks raise when the caller has left is no failure.
            if not (self._closed and type(error).__name__ == "WebSocketDisconnect"):
                answer_error(self._exchange, error)
            self._close(1011)
            return
        if not self._open and not self._exchange.finished:
            answer_text(self._exchange, 403, "the application refused the WebSocket\n")
        self._close(1000)

    async def send(self, message: dict) -> None:
        kind = message["type"]
        if kind == "websocket.accept" and not self._open:
            self._accept(message)
        elif kind == "websocket.send" and self._open:
            text = message.get("text")
            self._frame(_text, text.encode()) if text is not None else self._frame(_binary, message["bytes"])
            await self._connection.drained()
        elif kind == "websocket.close":
            if not self._open:
                answer_text(self._exchange, 403, "the application refused the WebSocket\n")
            else:
                self._close(message.get("code", 1000), message.get("reason") or "")
        else:
            raise RuntimeError(f"unexpected message {kind!r}")

    def _accept(self, message: dict) -> None:
        accepted = base64.b64encode(hashlib.sha1(self._key + _guid).digest())
        lines = [
            b"HTTP/1.1 101 Switching Protocols",
            b"upgrade: websocket",
            b"connection: Upgrade",
            b"sec-websocket-accept: " + accepted,
        ]
        if message.get("subprotocol"):
            lines.append(b"sec-websocket-protocol: " + message["subprotocol"].encode("latin-1"))
        lines += [b"%b: %b" % (name, value) for name, value in message.get("headers", ())]
        self._open = True
        server = self._connection.server
        server.hold()
        self._connection.upgraded = self
        self._connection.write(b"\r\n".join(lines) + b"\r\n\r\n")
        self._exchange.hand_over()

    # From the connection.

    def received(self, data: bytes) -> None:
        self._input += data
        try:
            while not self._closed and self._take_frame():
                pass
        except ProtocolError as error:
            self._close(error.code, str(error))

    def lost(self) -> None:
        if not self._closed:
            self._ended(1006)

    def _take_frame(self) -> bool:
        text = self._input
        if len(text) < 6:
            return False
        final, opcode = text[0] & 0x80, text[0] & 0x0F
        if text[0] & 0x70 or not text[1] & 0x80:
            raise ProtocolError(1002, "reserved bits set, or a frame without mask")
        size, at = text[1] & 0x7F, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(text[2 : 2 + width], "big"), 2 + width
        if size > MAX_MESSAGE:
            raise ProtocolError(1009, "message too large")
        if len(text) < at + 4 + size:
            return False
        content = _unmask(text[at + 4 : at + 4 + size], text[at : at + 4])
        self._input = text[at + 4 + size :]
        if opcode >= _control:
            self._control_frame(opcode, content)
        else:
            self._data_frame(opcode, content, bool(final))
        return True

    def _data_frame(self, opcode: int, content: bytes, final: bool) -> None:
        if (opcode == 0) != bool(self._kind) or opcode > _binary:
            raise ProtocolError(1002, "a frame out of order")
        self._kind = self._kind or opcode
        self._parts.append(content)
        if sum(map(len, self._parts)) > MAX_MESSAGE:
            raise ProtocolError(1009, "message too large")
        if not final:
            return
        whole, kind = b"".join(self._parts), self._kind
        self._parts, self._kind = [], 0
        message: dict = {"type": "websocket.receive"}
        if kind == _text:
            try:
                message["text"] = whole.decode()
            except UnicodeDecodeError:
                raise ProtocolError(1007, "text that is not UTF-8") from None
        else:
            message["bytes"] = whole
        self._messages.put_nowait(message)

    def _control_frame(self, opcode: int, content: bytes) -> None:
        if opcode == _ping:
            self._frame(_pong, content)
        elif opcode == _close:
            code = int.from_bytes(content[:2], "big") if len(content) >= 2 else 1005
            self._frame(_close, content[:2])
            self._ended(code, content[2:].decode(errors="replace"))

    # To the connection.

    def _frame(self, opcode: int, content: bytes) -> None:
        size = len(content)
        if size < 126:
            head = bytes((0x80 | opcode, size))
        elif size < 65536:
            head = bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big")
        else:
            head = bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big")
        self._connection.write(head + content)

    def _close(self, code: int, reason: str = "") -> None:
        if self._open and not self._closed:
            self._frame(_close, code.to_bytes(2, "big") + reason.encode()[:120])
            self._ended(code, reason)

    def _ended(self, code: int, reason: str = "") -> None:
        self._closed = True
        self._messages.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self._connection.end_upgraded()
        self._connection.server.release()


def _unmask(content: bytes, mask: bytes) -> bytes:
    size = len(content)
    whole = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(content, "big") ^ int.from_bytes(whole, "big")).to_bytes(size, "big")
