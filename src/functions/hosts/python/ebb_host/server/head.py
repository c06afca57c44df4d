"""Request heads (RFC 9112 §2–6): bytes in, checked parts out."""

import re
from http import HTTPStatus

MAX_HEAD = 64 * 1024

_token = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_framing = frozenset((b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade"))

# Callers repeat themselves: most header lines of a request were in the one before. Lines that decide about framing and
# lines with credentials are parsed every time.
_known: dict = {}
_MAX_KNOWN = 512
_private = frozenset((b"cookie", b"authorization", b"proxy-authorization"))
_methods = {name: name.decode() for name in (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS")}


class BadRequest(Exception):
    """The request cannot be taken; `status` says why in HTTP's words."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Head:
    """What a request says before its body. Header names are lower case; names and values are bytes."""

    __slots__ = ("method", "target", "headers", "http11", "keep_alive", "length", "chunked", "expects_continue", "upgrade")


def parse_head(text: bytes) -> Head:
    """`text` ends before the empty line. Raises BadRequest."""
    lines = text.split(b"\r\n")
    breaks = len(lines) - 1
    if text.count(b"\n") != breaks or text.count(b"\r") != breaks or b"\0" in text:
        raise BadRequest(400, "a line break or NUL inside a header")
    head = Head()
    try:
        method, head.target, version = lines[0].split(b" ")
    except ValueError:
        raise BadRequest(400, "the request line is not 'METHOD target HTTP/1.1'") from None
    known = _methods.get(method)
    if known is None:
        if not _token(method):
            raise BadRequest(400, "the method is no token")
        known = method.decode()
    head.method = known
    if version == b"HTTP/1.1":
        head.http11 = head.keep_alive = True
    elif version == b"HTTP/1.0":
        head.http11 = head.keep_alive = False
    else:
        raise BadRequest(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
    head.length = 0
    head.chunked = head.expects_continue = False
    head.upgrade = b""
    framing: list = []
    get = _known.get
    head.headers = [get(line) or _parse_line(line, framing) for line in lines[1:]]
    if framing:
        _apply(head, framing)
    return head


def _parse_line(line: bytes, framing: list) -> tuple:
    name, colon, value = line.partition(b":")
    if not colon or not _token(name):
        raise BadRequest(400, "a header line without a proper name")
    pair = (name.lower(), value.strip(b" \t"))
    if pair[0] in _framing:
        framing.append(pair)
    elif len(line) < 256 and pair[0] not in _private:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        _known[line] = pair
    return pair


def _apply(head: Head, framing: list) -> None:
    length = None
    for name, value in framing:
        if name == b"content-length":
            if not value.isdigit() or len(value) > 18 or (length is not None and int(value) != length):
                raise BadRequest(400, "content-length is no number, or there are two")
            length = int(value)
        elif name == b"transfer-encoding":
            if value.lower() != b"chunked" or head.chunked:
                raise BadRequest(501, "of transfer codings only chunked is known")
            head.chunked = True
        elif name == b"connection":
            options = value.lower()
            if b"close" in options:
                head.keep_alive = False
            elif b"keep-alive" in options:
                head.keep_alive = True
        elif name == b"expect":
            if value.lower() != b"100-continue":
                raise BadRequest(417, "of expectations only 100-continue is known")
            head.expects_continue = head.http11
        else:
            head.upgrade = value.lower()
    if head.chunked:
        if length is not None:
            raise BadRequest(400, "both content-length and transfer-encoding: which end is meant?")
        if not head.http11:
            raise BadRequest(400, "chunked in HTTP/1.0")
    elif length is not None:
        head.length = length


def reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
