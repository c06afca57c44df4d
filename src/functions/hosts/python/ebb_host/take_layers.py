"""Receives a claim's layers and unpacks what is the function's own of them, each checked against its digest first."""

import asyncio
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
import zlib

from .parse_push import Refusal

# Beyond it a layer lies in a file meanwhile, and is unpacked on a thread.
SMALL = 1 << 20
# As for any image (images/unpack-layer.ts): far above honest ones, far below what fills a disk unnoticed.
MAX_BYTES = 32 << 30
MAX_ENTRIES = 2_000_000
# Directories of an image, and where they are unpacked to below the function's: it is all that may be written to.
PLACES = {"app": "", "deps": ".ebb-deps/"}
ZSTD = b"\x28\xb5\x2f\xfd"


class Budget:
    """What all layers of a claim may still unpack."""

    def __init__(self) -> None:
        self.bytes = MAX_BYTES
        self.entries = MAX_ENTRIES


async def take_layers(peer, layers: list, app_dir: str) -> bool:
    """
    False when the sender leaves half-way. Raises Refusal for layers that are not what they should be. What was unpacked
    until then is the caller's to remove.
    """
    budget = Budget()
    for index, layer in enumerate(layers):
        what = f"layer {index + 1} of the claim"
        small = layer["size"] <= SMALL
        # The file has no name: nobody else can open it, and it goes with the process.
        with io.BytesIO() if small else tempfile.TemporaryFile() as spool:
            if not await _receive(peer, layer, spool, what):
                return False
            spool.seek(0)
            if small:
                unpack(spool, what, app_dir, budget)
            else:
                await asyncio.get_running_loop().run_in_executor(None, unpack, spool, what, app_dir, budget)
    return True


async def _receive(peer, layer: dict, into, what: str) -> bool:
    digest = hashlib.sha256()
    left = layer["size"]
    async for piece in peer.pieces(left):
        digest.update(piece)
        into.write(piece)
        left -= len(piece)
    if left > 0:
        return False
    found = f"sha256:{digest.hexdigest()}"
    if found != layer["digest"]:
        raise Refusal("Damaged", f"{what} is {found}, not {layer['digest']}")
    return True


def in_place(path: str, app_dir: str) -> str:
    """Where a path of the function's image is here."""
    top, _, rest = path[1:].partition("/")
    return os.path.join(app_dir, PLACES[top] + rest).rstrip("/") if top in PLACES else path


def clear(directory: str) -> None:
    """Takes away all a claim brought."""
    for name in os.listdir(directory):
        _remove(os.path.join(directory, name))


def unpack(spool, what: str, app_dir: str, budget: Budget) -> None:
    """Raises Refusal Damaged. Nothing is written outside `app_dir`, by whatever names and links."""
    if spool.read(4) == ZSTD:
        raise Refusal("Damaged", f"{what} is compressed with zstd, which this host cannot read: push it plain or with gzip")
    spool.seek(0)
    try:
        with tarfile.open(fileobj=spool, mode="r|*") as tar:
            _Unpacking(tar, what, app_dir, budget).run()
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise Refusal("Damaged", f"{what} cannot be unpacked: {error}") from error


class _Unpacking:
    def __init__(self, tar: tarfile.TarFile, what: str, app_dir: str, budget: Budget) -> None:
        self._tar = tar
        self._what = what
        self._root = os.path.realpath(app_dir)
        self._budget = budget
        # What this layer wrote, and what is above it: its whiteouts spare these.
        self._written: set = set()
        # Dressed last: files in them need them writable.
        self._directories: dict = {}

    def run(self) -> None:
        for entry in self._tar:
            # The list of all entries, which a stream has no use for, would grow with them.
            self._tar.members = []
            self._spend(entry)
            name = self._name_of(entry.name)
            if name is not None:
                self._take(entry, name)
        for path, mode in self._directories.items():
            if os.path.isdir(path) and not os.path.islink(path):
                os.chmod(path, mode)

    def _spend(self, entry: tarfile.TarInfo) -> None:
        self._budget.entries -= 1
        self._budget.bytes -= entry.size
        if self._budget.entries < 0 or self._budget.bytes < 0:
            raise Refusal("Damaged", f'{self._what} goes beyond the size an image may have, at "{entry.name}"')

    def _name_of(self, text: str):
        """Relative to what is unpacked; None for what is elsewhere. Raises Refusal for names that climb out."""
        parts = [part for part in text.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise Refusal("Damaged", f'{self._what} has an entry outside its root: "{text}"')
        place = PLACES.get(parts[0]) if parts else None
        return None if place is None or len(parts) == 1 else place + "/".join(parts[1:])

    def _place(self, name: str) -> str:
        """Where it goes, its directory made. Raises Refusal when a link on the way leads out."""
        parent, _, base = name.rpartition("/")
        at = self._root
        for part in parent.split("/") if parent else ():
            at = os.path.realpath(os.path.join(at, part))
            if at != self._root and not at.startswith(self._root + os.sep):
                raise Refusal("Damaged", f'{self._what} has an entry outside its root, by a link: "{name}"')
            if not os.path.isdir(at):
                if os.path.lexists(at):
                    os.unlink(at)
                os.mkdir(at)
        return os.path.join(at, base)

    def _take(self, entry: tarfile.TarInfo, name: str) -> None:
        path = self._place(name)
        base = os.path.basename(path)
        if base == ".wh..wh..opq":
            self._hide(os.path.dirname(path))
        elif base.startswith(".wh."):
            hidden = base[4:]
            if hidden in ("", ".", ".."):
                raise Refusal("Damaged", f'{self._what} has an entry outside its root: "{name}"')
            lower = os.path.join(os.path.dirname(path), hidden)
            if lower not in self._written:
                _remove(lower)
        elif self._write(entry, path):
            while path not in self._written and path != self._root:
                self._written.add(path)
                path = os.path.dirname(path)

    def _write(self, entry: tarfile.TarInfo, path: str) -> bool:
        if entry.isdir():
            if os.path.islink(path) or not os.path.isdir(path):
                _remove(path)
                os.mkdir(path)
            self._directories[path] = entry.mode & 0o777 | 0o700
        elif entry.issym():
            self._check_link(entry, path)
            _remove(path)
            os.symlink(entry.linkname, path)
        elif entry.islnk():
            self._link(entry, path)
        elif entry.isreg():
            self._file(entry, path)
        else:
            # Devices and the like: nothing a function could have use for.
            return False
        return True

    def _check_link(self, entry: tarfile.TarInfo, path: str) -> None:
        if entry.linkname.startswith("/"):
            return
        target = os.path.normpath(os.path.join(os.path.dirname(path), entry.linkname))
        if target != self._root and not target.startswith(self._root + os.sep):
            raise Refusal("Damaged", f'{self._what} has a link outside its root: "{entry.name}" to "{entry.linkname}"')

    def _link(self, entry: tarfile.TarInfo, path: str) -> None:
        name = self._name_of(entry.linkname)
        target = self._place(name) if name else None
        if target is None or not os.path.lexists(target) or (os.path.isdir(target) and not os.path.islink(target)):
            raise Refusal("Damaged", f'{self._what} has a hard link to nothing: "{entry.name}" to "{entry.linkname}"')
        if target != path:
            _remove(path)
            os.link(target, path, follow_symlinks=False)

    def _file(self, entry: tarfile.TarInfo, path: str) -> None:
        _remove(path)
        # Never through something that is there: it could be a link, or the other name of a file.
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(fd, "wb") as file:
            shutil.copyfileobj(self._tar.extractfile(entry), file)
            file.flush()
            os.fchmod(fd, entry.mode & 0o777 | 0o400)
            os.utime(fd, (entry.mtime, entry.mtime))

    def _hide(self, directory: str) -> None:
        """Removes what lower layers put there."""
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            if path not in self._written:
                _remove(path)
            elif os.path.isdir(path) and not os.path.islink(path):
                self._hide(path)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
