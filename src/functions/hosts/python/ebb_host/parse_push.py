"""Reads the line that begins a claim; says what is wrong with it, by field (hosts/parse-push.ts)."""

import json
import re

# A claim's head is a claim's head: an environment of some megabytes, no code.
MAX_HEAD_BYTES = 8 << 20
VERSION = 1
MODELS = frozenset(
    "auto fetch node-http server cloudevents knative functions-framework lambda lambda-runtime asgi wsgi stdio".split()
)
_digest = re.compile(r"sha256:[0-9a-f]{64}")


class Refusal(Exception):
    """What stands in the way of a claim; `reason` is one of protocol.ts's PushRefusal."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def parse_push(line: bytes) -> dict:
    """Raises Refusal Malformed or WrongVersion."""
    try:
        push = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Refusal("Malformed", f"the first line is no JSON: {error}") from None
    if not isinstance(push, dict) or push.get("type") != "claim":
        raise Refusal("Malformed", 'the first line is no message of type "claim"')
    if push.get("version") != VERSION:
        raise Refusal("WrongVersion", f"this host takes claims of version {VERSION}, not {json.dumps(push.get('version'))}")
    wrong = _wrong_field(push)
    if wrong is not None:
        raise Refusal("Malformed", f"{wrong} is missing or not what it should be")
    return push


def _wrong_field(push: dict):
    if push.get("host") not in ("node", "python"):
        return "host"
    if "runtime" in push and not isinstance(push["runtime"], str):
        return "runtime"
    layers = push.get("layers")
    if not isinstance(layers, list) or not all(map(_is_layer, layers)):
        return "layers"
    claim = push.get("claim")
    return _wrong_claim_field(claim) if isinstance(claim, dict) else "claim"


def _wrong_claim_field(claim: dict):
    for name in ("entry", "cwd"):
        if not _is_path(claim.get(name)):
            return f"claim.{name}"
    for name in ("target", "signature"):
        if name in claim and not isinstance(claim[name], str):
            return f"claim.{name}"
    if claim.get("model") not in MODELS:
        return "claim.model"
    env = claim.get("env")
    if not isinstance(env, dict) or not all(isinstance(value, str) for value in env.values()):
        return "claim.env"
    if "modulePaths" in claim and not _is_strings(claim["modulePaths"]):
        return "claim.modulePaths"
    timeout = claim.get("loadTimeoutMs")
    return None if isinstance(timeout, (int, float)) and timeout > 0 else "claim.loadTimeoutMs"


def _is_path(value) -> bool:
    return isinstance(value, str) and value.startswith("/") and ".." not in value.split("/")


def _is_strings(value) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_layer(value) -> bool:
    if not isinstance(value, dict):
        return False
    digest, size = value.get("digest"), value.get("size")
    return isinstance(digest, str) and _digest.fullmatch(digest) is not None and type(size) is int and size >= 0
