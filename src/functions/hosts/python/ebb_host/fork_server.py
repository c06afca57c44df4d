"""
One Python that is up, from which hosts are forked: a fork takes 2 ms where a start takes 60, and shares its memory. It runs
no function's code and has no threads, so that nothing of anybody is in a fork.
"""

import gc
import json
import os
import select
import signal
import socket

from .rehearse import rehearse
from .warm_up import warm_up


def serve_forks(fd: int) -> int:
    """
    Forks a host for each `{"fork": id, "door", "warm"}` that arrives on `fd`; tells `{"forked": id, "pid"}` and, when it has ended,
    `{"exited": id, "code"}` (negative: by that signal). Returns in the fork only, with the descriptor of its own socket
    to ebb. Ends with ebb.
    """
    warm_up()
    # What is here stays: the collector need not touch, and so copy, it in each fork.
    gc.collect()
    gc.freeze()
    ebb = socket.socket(fileno=fd)
    wake_in, wake_out = os.pipe()
    os.set_blocking(wake_out, False)
    os.set_blocking(wake_in, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_out)
    children: dict = {}
    _tell(ebb, {"type": "idle"})
    text = b""
    while True:
        readable, _, _ = select.select([ebb, wake_in], [], [])
        if wake_in in readable:
            os.read(wake_in, 4096)
            _reap(ebb, children)
        if ebb not in readable:
            continue
        data = ebb.recv(65536)
        if not data:
            os._exit(0)
        *lines, text = (text + data).split(b"\n")
        for line in lines:
            asked = json.loads(line)
            pid = os.fork()
            if pid == 0:
                os.close(wake_in)
                return _become_host(ebb, wake_out, asked)
            children[pid] = asked["fork"]
            _tell(ebb, {"forked": asked["fork"], "pid": pid})


def _tell(ebb: socket.socket, message: dict) -> None:
    try:
        ebb.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        os._exit(0)


def _reap(ebb: socket.socket, children: dict) -> None:
    while children:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid in children:
            _tell(ebb, {"exited": children.pop(pid), "code": os.waitstatus_to_exitcode(status)})


def _become_host(ebb: socket.socket, wake_out: int, asked: dict) -> int:
    """A session of its own, and sockets of its own to ebb: one to talk, two for what it prints."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(wake_out)
    os.setsid()
    ebb.close()
    control = _connect(asked, b"c")
    for number, channel in ((1, b"o"), (2, b"e")):
        sock = _connect(asked, channel)
        os.dup2(sock.fileno(), number)
        sock.close()
    if asked["warm"]:
        # It will wait: time enough to copy the pages that a claim writes to.
        rehearse()
    return control.detach()


def _connect(asked: dict, channel: bytes) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(asked["door"])
        sock.sendall(asked["fork"].encode() + channel)
    except OSError:
        # ebb is gone.
        os._exit(0)
    return sock
