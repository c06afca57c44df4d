"""Takes over the environment, directory, user and modules of the function; nothing of the host's own remains visible."""

import os
import site
import sys

from .failure import LoadFailure
from .warm_up import load_all

_host_dir = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STANDARD = getattr(sys, "stdlib_module_names", frozenset())
_standard = os.path.dirname(os.path.abspath(os.__file__))


def become(claim: dict, port: int) -> None:
    """Raises LoadFailure UserNotAllowed."""
    os.environ.clear()
    os.environ.update(claim["env"])
    os.environ["PORT"] = str(port)
    os.chdir(claim["cwd"])
    _set_path(claim)
    _set_user(claim.get("user"))
    sys.argv = [claim["entry"]]
    # An image's files are shared and read-only.
    sys.dont_write_bytecode = True
    if claim.get("compileCache") is not None:
        from .compile_cache import keep_compiled

        keep_compiled(claim["cwd"], os.path.join(claim["compileCache"], "python"))


def _set_path(claim: dict) -> None:
    """As for `python3 entry.py`: its directory first, then PYTHONPATH, the standard library, dependencies; shims last."""
    shadowed = _shadowed(claim["cwd"])
    if shadowed:
        # The host itself means the standard ones: all it may need is loaded before.
        load_all()
    given = [part for part in claim["env"].get("PYTHONPATH", "").split(os.pathsep) if part]
    standard = [part for part in sys.path if part != _host_dir]
    sys.path[:] = [claim["cwd"], *given, *standard]
    for directory in claim.get("modulePaths", ()):
        _check_tag(directory)
        # With its .pth files, as an installed site-packages.
        site.addsitedir(directory)
    sys.path.append(os.path.join(_host_dir, "shims"))
    _forget(shadowed)


def _check_tag(directory: str) -> None:
    """Compiled modules fit one version of Python; ebb's build notes which."""
    try:
        with open(os.path.join(directory, "ebb-python-tag"), encoding="utf-8") as file:
            wanted = file.read().strip()
    except OSError:
        return
    tag = sys.implementation.cache_tag
    if not wanted.startswith(tag + "-"):
        raise LoadFailure(
            "ImportFailed",
            f"the function's dependencies were installed for {wanted.partition('-linux')[0]}, and the Python here is {tag} "
            f"({sys.executable}): build it again with this Python first on PATH, or run it where the other one is",
        )


def _shadowed(directory: str) -> set:
    return {name[:-3] if name.endswith(".py") else name for name in os.listdir(directory)} & STANDARD


def _forget(shadowed: set) -> None:
    """
    A module of the function may have the name of one of the standard library that the host has loaded already; the
    function means its own.
    """
    for name in shadowed & sys.modules.keys():
        file = getattr(sys.modules[name], "__file__", None)
        if file is not None and os.path.abspath(file).startswith(_standard) and name != "encodings":
            for loaded in [one for one in sys.modules if one == name or one.startswith(name + ".")]:
                del sys.modules[loaded]


def _set_user(user) -> None:
    if user is None:
        return
    try:
        os.setgroups([user["gid"]])
        os.setgid(user["gid"])
        os.setuid(user["uid"])
    except OSError as error:
        raise LoadFailure("UserNotAllowed", f"cannot become user {user['uid']}: {error}") from error


def install_builtins() -> None:
    """`exit` and `quit`, which the site module would have made."""
    site.setquit()


def line_buffered() -> None:
    """print() is in the log when its line is complete, not when a buffer is full."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)
