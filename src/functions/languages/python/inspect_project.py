"""
Looks at a project before it is built, without running it: `python3 inspect_project.py '{"folder": …}'` writes one JSON
object: the files that belong to it, syntax errors and, when the names of the `installed` modules are given, imports that
nothing provides. With `alone`, one file's name, the project is that file and what it imports from beside it.
"""

import ast
import json
import os
import re
import sys

SKIPPED = {".git", "__pycache__", ".venv", "venv", "node_modules", ".func", ".ebb", "tests", "test"}
SHIMS = {"functions_framework", "cloudevents", "ebb_host"}
# Part of the standard library before 3.10 could say so itself.
STANDARD = set(getattr(sys, "stdlib_module_names", ())) | set(sys.builtin_module_names)


def main() -> None:
    asked = json.loads(sys.argv[1])
    folder, alone = asked["folder"], asked.get("alone")
    modules = set(asked["installed"]) if "installed" in asked else None
    project = read_project(folder)
    errors, missing, files = [], [], []
    pending = [os.path.join(folder, alone)] if alone else list(sources(folder))
    for file in pending:
        name = os.path.relpath(file, folder)
        files.append(name)
        with open(file, "rb") as source:
            text = source.read()
        try:
            tree = compile(text, name, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
            compile(tree, name, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            errors.append(syntax_error(name, error))
            continue
        if alone:
            pending += [one for one in local_imports(tree, folder) if one not in pending]
        if modules is not None and STANDARD:
            missing += missing_imports(tree, name, modules | local_names(folder, file))
    json.dump({"files": files, "errors": errors, "missing": missing, **project}, sys.stdout)


def sources(folder: str):
    for at, directories, files in os.walk(folder):
        directories[:] = sorted(name for name in directories if name not in SKIPPED)
        yield from (os.path.join(at, name) for name in sorted(files) if name.endswith(".py"))


def syntax_error(name: str, error) -> str:
    if not isinstance(error, SyntaxError):
        return f"{name}:1: {error}"
    place = f"{name}:{error.lineno or 1}" + (f":{error.offset}" if error.offset else "")
    mark = f"\n  {error.text.rstrip()}\n  {' ' * max(0, (error.offset or 1) - 1)}^" if error.text else ""
    return f"{place}: {type(error).__name__}: {error.msg}{mark}"


def local_names(folder: str, file: str) -> set:
    """What an import in `file` finds in the project: beside it and at the top."""
    names = set()
    for place in {folder, os.path.dirname(file)}:
        for name in os.listdir(place):
            names.add(name[:-3] if name.endswith(".py") else name.partition(".")[0])
    return names


def local_imports(tree, folder: str):
    """Files of the folder that an import anywhere in the module means; of packages all."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        else:
            continue
        for name in names:
            place = os.path.join(folder, name.partition(".")[0])
            if os.path.isfile(place + ".py"):
                yield place + ".py"
            elif os.path.isfile(os.path.join(place, "__init__.py")):
                yield from sources(place)


def missing_imports(tree, name: str, known: set) -> list:
    """Imports that are run when the module is: not those in functions, nor where their failing is caught."""
    found = []
    for node in top_statements(tree.body):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            modules = [node.module]
        else:
            continue
        for module in modules:
            top = module.partition(".")[0]
            if top not in known and top not in STANDARD and top not in SHIMS:
                found.append({"place": f"{name}:{node.lineno}", "module": top})
    return found


def top_statements(body):
    for node in body:
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.dump(node.test):
            yield from top_statements(node.body)
            yield from top_statements(node.orelse)
        elif isinstance(node, ast.With):
            yield from top_statements(node.body)
        elif isinstance(node, ast.ClassDef):
            yield from top_statements(node.body)


def read_project(folder: str) -> dict:
    """`requires-python` and the dependencies of pyproject.toml."""
    file = os.path.join(folder, "pyproject.toml")
    if not os.path.exists(file):
        return {}
    toml = toml_module()
    if toml is None:
        return {"problem": "pyproject.toml: reading it needs Python 3.11, or pip, on this machine"}
    try:
        with open(file, "rb") as source:
            project = toml.load(source).get("project", {})
    except toml.TOMLDecodeError as error:
        return {"problem": f"pyproject.toml: {error}"}
    wanted = project.get("requires-python")
    found = {"dependencies": project.get("dependencies", []), "dynamic": project.get("dynamic", [])}
    if isinstance(wanted, str) and not fits(wanted, sys.version_info[:3]):
        version = ".".join(map(str, sys.version_info[:3]))
        found["problem"] = (
            f'pyproject.toml: requires-python is "{wanted}", and the Python here is {version} ({sys.executable}): '
            "install one that fits and put it first on PATH, or change requires-python"
        )
    return found


def toml_module():
    try:
        import tomllib

        return tomllib
    except ImportError:
        try:
            from pip._vendor import tomli

            return tomli
        except ImportError:
            return None


def fits(wanted: str, version: tuple) -> bool:
    """PEP 440 comparisons of release numbers."""
    return all(fits_one(part.strip(), version) for part in wanted.split(",") if part.strip())


def fits_one(part: str, version: tuple) -> bool:
    match = re.fullmatch(r"(~=|==|!=|<=|>=|<|>)\s*(\d+(?:\.\d+)*)(\.\*)?(?:[a-z]+\d*)?", part)
    if match is None:
        return True
    how, numbers, star = match.groups()
    given = tuple(map(int, numbers.split(".")))
    cut = version[: len(given)]
    if how == "~=":
        return version >= given and version[: len(given) - 1] == given[:-1]
    if how in ("==", "!="):
        same = cut == given if star else version[:3] == (given + (0, 0, 0))[:3]
        return same == (how == "==")
    whole = (given + (0, 0, 0))[:3]
    return {"<=": version <= whole, ">=": version >= whole, "<": version < whole, ">": version > whole}[how]


main()
