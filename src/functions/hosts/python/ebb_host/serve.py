"""The host as the command of an ordinary container: `python3 /ebb/host/python serve ENTRY …`."""

import os
import sys

_names = {
    "model": "EBB_MODEL",
    "target": "EBB_TARGET",
    "signature": "EBB_SIGNATURE",
    "modules": "EBB_MODULES",
    "load-timeout": "EBB_LOAD_TIMEOUT",
}
_usage = (
    "usage: python3 /ebb/host/python serve ENTRY [--model MODEL] [--target NAME] [--signature KIND] "
    "[--modules DIR[:DIR]] [--load-timeout SECONDS]; PORT says where (8080)"
)


def claim_from(words: list) -> dict:
    """Flags first, then environment. Ends the process with the usage for what cannot be meant."""
    given: dict = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            given["entry"] = word
            continue
        name, equals, value = word[2:].partition("=")
        if name not in _names or (not equals and not rest):
            sys.exit(f"cannot read {word}\n{_usage}")
        given[name] = value if equals else rest.pop(0)
    get = lambda name: given.get(name) or os.environ.get(_names[name]) or None  # noqa: E731
    entry = given.get("entry") or os.environ.get("EBB_ENTRY")
    if not entry:
        sys.exit(f"no entry file is given\n{_usage}")
    claim = {
        "entry": os.path.abspath(entry),
        "model": get("model") or "auto",
        "env": dict(os.environ),
        "cwd": os.getcwd(),
        "loadTimeoutMs": float(get("load-timeout") or 60) * 1000,
        "modulePaths": [part for part in (get("modules") or "").split(":") if part],
    }
    for name in ("target", "signature"):
        if get(name) is not None:
            claim[name] = get(name)
    return claim
