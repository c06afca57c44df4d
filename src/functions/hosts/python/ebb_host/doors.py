"""Where requests come in: a port, and beside it a socket of the Unix domain that costs the kernel a third less."""

import os
import secrets
import socket
import sys

BACKLOG = 4096


class Doors:
    """Open from the start, so that a claim finds them open."""

    def __init__(self, host: str, port: int, local: bool) -> None:
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((host, port))
        self.tcp.listen(BACKLOG)
        self.port = self.tcp.getsockname()[1]
        self.unix = self.path = None
        if local and sys.platform == "linux":
            # In the abstract namespace, where no file stays behind.
            self.path = f"\0ebb-host-{os.getpid()}-{secrets.token_hex(8)}"
            self.unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.unix.bind(self.path)
            self.unix.listen(BACKLOG)

    def listeners(self) -> list:
        return [one for one in (self.tcp, self.unix) if one is not None]

    def close(self) -> None:
        """The function listens itself."""
        for listener in self.listeners():
            listener.close()
