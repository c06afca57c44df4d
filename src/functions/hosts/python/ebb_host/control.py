"""What the host and ebb say to each other over file descriptor 3: one JSON object per line (hosts/protocol.ts)."""

import json
import os
import socket
import threading


class Control:
    """The socket to ebb. Blocking: before the claim there is nothing else to do, after it hardly anything is said."""

    def __init__(self, fd: int) -> None:
        self._sock = socket.socket(fileno=fd)
        self._sock.setblocking(True)
        self._sock.set_inheritable(False)

    def send(self, message: dict) -> None:
        try:
            self._sock.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            # ebb is gone, and with it everybody who would call the function.
            os._exit(0)

    def wait_for_claim(self) -> dict:
        text = b""
        while not text.endswith(b"\n"):
            data = self._sock.recv(1024 * 1024)
            if not data:
                os._exit(0)
            text += data
        return json.loads(text)

    def watch(self, loop) -> None:
        """Ends the process when ebb does."""
        loop.add_reader(self._sock.fileno(), self._check)

    def watch_in_thread(self) -> None:
        """The same for programs that have the main thread for themselves."""
        threading.Thread(target=self._watch, name="ebb-control", daemon=True).start()

    def _watch(self) -> None:
        while True:
            self._check()

    def _check(self) -> None:
        try:
            if self._sock.recv(4096):
                return
        except OSError:
            pass
        os._exit(0)


class NoControl:
    """Without an ebb to talk to: the host is the command of an ordinary container, and says to the log what it has to."""

    def send(self, message: dict) -> None:
        if message["type"] == "ready":
            print(f"listening on port {message['port']}", flush=True)

    def watch(self, loop) -> None:
        return

    def watch_in_thread(self) -> None:
        return
