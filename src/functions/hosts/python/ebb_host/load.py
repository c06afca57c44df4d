"""Imports the function's entry file as the module its owner takes it for."""

import importlib
import importlib.util
import os
import sys

from .failure import LoadFailure


def load_module(entry: str, cwd: str):
    """
    `/app/function/func.py` below `/app` is imported as `function.func`, `/app/my-func.py` under a name of its own.
    Whatever the module raises passes through.
    """
    if not os.path.isfile(entry):
        raise LoadFailure("ImportFailed", f"the entry file {entry} does not exist")
    name = module_name(entry, cwd)
    if name is not None:
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location("function_entry", entry)
    module = importlib.util.module_from_spec(spec)
    sys.modules["function_entry"] = module
    # Modules beside it are found as for any script.
    sys.path.insert(0, os.path.dirname(entry))
    spec.loader.exec_module(module)
    return module


def module_name(entry: str, cwd: str):
    """The dotted name under which an import from `cwd` finds `entry`, or None when there is none."""
    path = os.path.relpath(entry, cwd)
    if not path.endswith(".py") or path.startswith(".."):
        return None
    parts = path[:-3].split(os.sep)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None


def find_target(module, target: str):
    """`app`, `make.app` or, with the module's own name before it, `module:app`. Raises LoadFailure."""
    value = module
    for part in target.rpartition(":")[2].split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            raise LoadFailure("NoHandler", f"{module.__name__} has no {target!r}: it defines {_defined(module)}") from None
    return value


def _defined(module) -> str:
    names = [name for name, value in vars(module).items() if not name.startswith("_") and callable(value)]
    return ", ".join(names[:12]) if names else "nothing that can be called"
