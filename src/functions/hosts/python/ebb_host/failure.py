"""Why a function cannot be loaded, and what its owner is told."""

import importlib
import os
import sys
import traceback

_importlib = importlib.__file__
_here = os.path.dirname(os.path.abspath(__file__)) + os.sep


class LoadFailure(Exception):
    """`reason` is one of protocol.ts's; the message is for the function's owner."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


def describe(error: BaseException) -> str:
    """The error as Python prints it, without the frames of the host and of the import machinery."""
    chain = traceback.TracebackException(type(error), error, error.__traceback__)
    seen: set = set()
    pending = [chain]
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        kept = [frame for frame in one.stack if not _is_ours(frame.filename)]
        one.stack[:] = kept
        pending += [one.__cause__, one.__context__, *(getattr(one, "exceptions", None) or ())]
    return "".join(chain.format()).rstrip("\n")


def _is_ours(filename: str) -> bool:
    return filename.startswith((_here, "<frozen importlib", "<frozen runpy")) or filename == _importlib


def report(text: str) -> None:
    """One message to the log, whole."""
    try:
        sys.stdout.flush()
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        # The function closed its own streams: there is nobody to tell.
        return
