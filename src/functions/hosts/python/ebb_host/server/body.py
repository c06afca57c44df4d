"""Request bodies on the wire: counted or chunked (RFC 9112 §6–7)."""

from .head import BadRequest, MAX_HEAD


class CountedBody:
    """`content-length` bytes."""

    __slots__ = ("left",)

    def __init__(self, length: int):
        self.left = length

    def feed(self, data: bytes) -> tuple:
        """Gives (content, rest, done): the body's part of `data` and what follows it."""
        size = len(data)
        if size < self.left:
            self.left -= size
            return data, b"", False
        if size == self.left:
            self.left = 0
            return data, b"", True
        cut, self.left = self.left, 0
        return data[:cut], data[cut:], True


class ChunkedBody:
    """Chunks until one of size 0; extensions are skipped and trailers dropped."""

    __slots__ = ("_text", "_left", "_trailers")

    def __init__(self) -> None:
        self._text = b""
        # Of the current chunk with its line break; 0 while a size line is awaited.
        self._left = 0
        self._trailers = False

    def feed(self, data: bytes) -> tuple:
        """As CountedBody.feed. Raises BadRequest."""
        text = self._text + data if self._text else data
        parts: list = []
        at = 0
        while True:
            if self._left:
                at = self._take(text, at, parts)
                if self._left:
                    break
            end = text.find(b"\r\n", at)
            if end < 0:
                if len(text) - at > MAX_HEAD:
                    raise BadRequest(400, "a chunk's size line is too long")
                break
            line, at = text[at:end], end + 2
            if self._trailers:
                if not line:
                    return b"".join(parts), text[at:], True
                continue
            self._left = _chunk_size(line) + 2
            if self._left == 2:
                self._left, self._trailers = 0, True
        self._text = text[at:]
        return b"".join(parts), b"", False

    def _take(self, text: bytes, at: int, parts: list) -> int:
        """Moves what there is of the current chunk; its closing line break counts as its last two bytes."""
        content = min(self._left - 2, len(text) - at)
        if content > 0:
            parts.append(text[at : at + content])
            at += content
            self._left -= content
        if self._left <= 2 and len(text) - at >= 2:
            if text[at : at + 2] != b"\r\n":
                raise BadRequest(400, "a chunk is longer than it says")
            self._left = 0
            at += 2
        return at


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip(b" \t")
    if not digits or len(digits) > 15 or digits.strip(b"0123456789abcdefABCDEF"):
        raise BadRequest(400, "a chunk's size is no hexadecimal number")
    return int(digits, 16)
