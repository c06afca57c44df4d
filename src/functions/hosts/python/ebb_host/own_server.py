"""Programs that listen on PORT themselves: run as `python3 entry.py` would run them, in a process that is up already."""

import os
import runpy
import signal
import socket
import sys
import threading
import time

from .failure import LoadFailure, describe, report
from .main import end, failing

# Servers that listen without Python's socket module (uvloop) are found by asking for a connection.
LOOK_EVERY_S = 0.025
# A program may open another port first; after this long it is not going to open the right one.
ELSEWHERE_S = 3.0


def run_program(control, claim: dict, doors, started: float) -> None:
    """Never returns normally: the process ends with the program."""
    port = doors.port
    if doors.tcp.getsockname()[0] == "0.0.0.0":
        open_loopback(port)
    doors.close()
    watch = ListenWatch(control, port, started)
    seconds = claim["loadTimeoutMs"] / 1000
    signal.signal(signal.SIGALRM, lambda *_: failing(control)(watch.timeout(seconds)))
    control.watch_in_thread()
    if os.getpid() == 1 and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        # The kernel keeps from a container's first process whatever it has no handler for.
        signal.signal(signal.SIGTERM, end_on_term)
    try:
        runpy.run_path(claim["entry"], run_name="__main__")
    except SystemExit as error:
        end(error.code)
    except BaseException as error:
        if not watch.ready:
            raise
        report(describe(error))
        sys.stdout.flush()
        end(1)
    watch.program_ended()
    for thread in threading.enumerate():
        # As the interpreter itself would before it ends.
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    end(0)


def end_on_term(number: int, _frame) -> None:
    """For programs that have no handler of their own: `finally` blocks run, and the status is as if TERM had ended it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise SystemExit(128 + number)


def open_loopback(port: int) -> None:
    """In a container nobody comes by loopback, which many servers bind to unless told: there they get all addresses."""
    bind = socket.socket.bind

    def bind_openly(sock, address):
        if isinstance(address, tuple) and address[1] == port and is_loopback(address[0]):
            address = ("::" if sock.family == socket.AF_INET6 else "0.0.0.0", *address[1:])
        return bind(sock, address)

    socket.socket.bind = bind_openly


def is_loopback(host) -> bool:
    return isinstance(host, str) and (host in ("localhost", "::1") or host.startswith("127."))


class ListenWatch:
    """Says `ready` when somebody listens on the port."""

    def __init__(self, control, port: int, started: float) -> None:
        self.ready = False
        self._control = control
        self._port = port
        self._started = started
        self._others: set = set()
        self._elsewhere_since: float | None = None
        self._lock = threading.Lock()
        self._listen = socket.socket.listen
        watch = self

        def listen(sock, *args):
            result = watch._listen(sock, *args)
            watch._seen(sock)
            return result

        socket.socket.listen = listen
        threading.Thread(target=self._look, name="ebb-listen", daemon=True).start()

    def _seen(self, sock: socket.socket) -> None:
        name = sock.getsockname()
        if not isinstance(name, tuple):
            return
        if name[1] == self._port:
            self._found()
        else:
            self._others.add(name[1])
            self._elsewhere_since = self._elsewhere_since or time.monotonic()

    def _look(self) -> None:
        while not self.ready:
            time.sleep(LOOK_EVERY_S)
            with socket.socket() as probe:
                if not self.ready and probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    self._found()
            since = self._elsewhere_since
            if not self.ready and since is not None and time.monotonic() - since > ELSEWHERE_S:
                failing(self._control)(self._port_ignored())

    def _found(self) -> None:
        with self._lock:
            if self.ready:
                return
            self.ready = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        socket.socket.listen = self._listen
        took = (time.perf_counter() - self._started) * 1000
        self._control.send({"type": "ready", "port": self._port, "loadMs": took})

    def program_ended(self) -> None:
        """The program came to its end; threads it left may still serve."""
        if self.ready or any(not t.daemon for t in threading.enumerate() if t is not threading.main_thread()):
            return
        failing(self._control)(LoadFailure("NeverListens", "the program ended without listening on PORT"))

    def timeout(self, seconds: float) -> LoadFailure:
        if self._others:
            return self._port_ignored()
        return LoadFailure("NeverListens", f"the program did not listen on PORT ({self._port}) within {seconds:g} s")

    def _port_ignored(self) -> LoadFailure:
        ports = ", ".join(map(str, sorted(self._others)))
        return LoadFailure("PortIgnored", f"the program listens on port {ports} instead of PORT ({self._port})")
