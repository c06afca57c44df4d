"""Keeps the compiled code of the function's own modules between starts, beside nothing of the function."""

import os
import sys
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)

_cache = [""]


class CachedLoader(SourceFileLoader):
    """As Python's own, with the compiled code under the cache directory."""

    def get_code(self, fullname):
        # Dependencies bring theirs along, so the prefix holds for this module only.
        before = sys.pycache_prefix, sys.dont_write_bytecode
        sys.pycache_prefix, sys.dont_write_bytecode = _cache[0], False
        try:
            return super().get_code(fullname)
        finally:
            sys.pycache_prefix, sys.dont_write_bytecode = before


def keep_compiled(below: str, cache: str) -> None:
    """For modules in the directory `below`; a cache that cannot be written is only not used."""
    _cache[0] = cache
    find = FileFinder.path_hook(
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (CachedLoader, SOURCE_SUFFIXES),
        (SourcelessFileLoader, BYTECODE_SUFFIXES),
    )

    def hook(path: str):
        if path != below and not path.startswith(below + os.sep):
            raise ImportError
        return find(path)

    sys.path_hooks.insert(0, hook)
    for path in [one for one in sys.path_importer_cache if one.startswith(below)]:
        del sys.path_importer_cache[path]
