"""Threads for functions that block: as many as were ever busy at once, kept for the next request."""

import os
import threading
from queue import SimpleQueue

DEFAULT_THREADS = 64


class Threads:
    """Runs callables that take care of their own errors, each on a thread, first come first served."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._work: SimpleQueue = SimpleQueue()
        # Jobs that wait or run.
        self._open = 0
        self._count = 0
        self._lock = threading.Lock()

    def run(self, job) -> None:
        with self._lock:
            self._open += 1
            if self._open > self._count and self._count < self._limit:
                self._count += 1
                threading.Thread(target=self._loop, name=f"request-{self._count}", daemon=True).start()
        self._work.put(job)

    def _loop(self) -> None:
        while True:
            self._work.get()()
            with self._lock:
                self._open -= 1


def thread_limit() -> int:
    """EBB_THREADS: how many requests of a blocking function run at once."""
    text = os.environ.get("EBB_THREADS", "")
    return int(text) if text.isdigit() and int(text) > 0 else DEFAULT_THREADS
