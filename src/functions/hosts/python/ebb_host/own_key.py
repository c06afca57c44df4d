"""
A key and a certificate of its own for a waiting host. Python's library makes neither, and nothing else may be asked of an
image: so P-256 (SEC 1, FIPS 186-5) and the little of X.509 (RFC 5280) that a certificate needs which nobody vouches for.
Who claims looks at which certificate it is, not at what it says.
"""

import base64
import hashlib
import secrets

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_EC_KEY, _CURVE, _ECDSA = "2a8648ce3d0201", "2a8648ce3d030107", "2a8648ce3d040302"
_COMMON_NAME = "550403"
# The first moment there is, and "no well-defined expiration" (RFC 5280 §4.1.2.5): a pod's clock may be anything.
_ALWAYS = (b"19700101000000Z", b"99991231235959Z")


def make_pem() -> str:
    """The key and its certificate, as `SSLContext.load_cert_chain` reads them."""
    secret = _random()
    point = b"\x04" + b"".join(_bytes(n) for n in _times(secret))
    curve = _seq(_oid(_EC_KEY), _oid(_CURVE))
    name = _seq(_der(0x31, _seq(_oid(_COMMON_NAME), _der(0x0C, b"ebb-waiting-host"))))
    to_sign = _seq(
        _der(0xA0, _int(2)),
        _int(secrets.randbits(120)),
        _seq(_oid(_ECDSA)),
        name,
        _seq(*(_der(0x18, time) for time in _ALWAYS)),
        name,
        _seq(curve, _bits(point)),
    )
    certificate = _seq(to_sign, _seq(_oid(_ECDSA)), _bits(_sign(secret, to_sign)))
    ec_key = _seq(_int(1), _der(0x04, _bytes(secret)), _der(0xA1, _bits(point)))
    key = _seq(_int(0), curve, _der(0x04, ec_key))
    return _pem("PRIVATE KEY", key) + _pem("CERTIFICATE", certificate)


def _sign(secret: int, message: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    once = _random()
    r = _times(once)[0] % _N
    s = pow(once, -1, _N) * (digest + r * secret) % _N
    return _seq(_int(r), _int(s))


def _random() -> int:
    return secrets.randbelow(_N - 1) + 1


def _times(count: int) -> tuple:
    """`count` times the generator. Coordinates are Jacobian on the way: one inversion in all, 4 ms."""
    x, y, z = 0, 1, 0
    for bit in bin(count)[2:]:
        x, y, z = _double(x, y, z)
        if bit == "1":
            x, y, z = _add_generator(x, y, z)
    inverse = pow(z, -1, _P)
    return x * inverse**2 % _P, y * inverse**3 % _P


def _double(x: int, y: int, z: int) -> tuple:
    square = y * y % _P
    s = 4 * x * square % _P
    m = 3 * (x - z * z) * (x + z * z) % _P
    doubled = (m * m - 2 * s) % _P
    return doubled, (m * (s - doubled) - 8 * square * square) % _P, 2 * y * z % _P


def _add_generator(x: int, y: int, z: int) -> tuple:
    if z == 0:
        return *_G, 1
    square = z * z % _P
    h = (_G[0] * square - x) % _P
    r = (_G[1] * square * z - y) % _P
    h2 = h * h % _P
    h3 = h * h2 % _P
    sum_x = (r * r - h3 - 2 * x * h2) % _P
    return sum_x, (r * (x * h2 - sum_x) - y * h3) % _P, z * h % _P


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _seq(*parts: bytes) -> bytes:
    return _der(0x30, b"".join(parts))


def _oid(hexadecimal: str) -> bytes:
    return _der(0x06, bytes.fromhex(hexadecimal))


def _int(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _bits(content: bytes) -> bytes:
    return _der(0x03, b"\x00" + content)


def _bytes(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _pem(label: str, der: bytes) -> str:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n"
