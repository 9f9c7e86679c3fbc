#!/usr/bin/env python3
"""Writes PyTorch's outputs for the reference networks to NAME.json in this folder.

    python3 tests/reference/generate.py [NAME ...]            all networks without names
    python3 tests/reference/generate.py --check [NAME ...]    exits with 1 where a file differs

Needs the packages of requirements.txt. `--out FOLDER` reads and writes another folder.
"""

import argparse
import json
import sys
from pathlib import Path

import cases
from comparison import differences

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
# The salt of the formula.
SALT = "public"


class Failed(Exception):
    """The command cannot be completed; the message says why."""


def read(path: Path) -> dict:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Failed(f"{path.name}: {error}") from error


def check(found: dict, path: Path) -> bool:
    """Compares a computed reference with its file and prints the differences."""
    lines = differences(found, read(path))
    for line in lines:
        print(f"{path.name}: {line}")
    return not lines


def selected(names: list[str]) -> dict[str, cases.Case]:
    """The cases with these names; all cases if there are no names."""
    table = cases.table()
    unknown = [name for name in names if name not in table]
    if unknown:
        known = ", ".join(sorted(table))
        raise Failed(f"unknown network {unknown[0]!r}, expected one of {known}")
    return {name: table[name] for name in names or sorted(table)}


def run(names: list[str], folder: Path, checking: bool) -> int:
    """Writes or checks the references. Returns the exit status."""
    chosen = selected(names)
    try:
        import compute
    except ImportError as error:
        raise Failed(f"{error}; install the packages of {REQUIREMENTS}") from error
    equal = True
    for name, case in chosen.items():
        print(f"{name} ...", file=sys.stderr)
        path = folder / f"{name}.json"
        found = compute.reference(name, case, SALT)
        if checking:
            equal &= check(found, path)
        else:
            path.write_text(json.dumps(found) + "\n")
    return 0 if equal else 1


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="a network (default: all)")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--out", type=Path, default=HERE, metavar="FOLDER")
    options = parser.parse_args(arguments)
    try:
        return run(options.names, options.out, options.check)
    except (Failed, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
