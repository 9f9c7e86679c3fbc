#!/usr/bin/env python3
"""Exports the graphs of this folder from PyTorch modules.

    python3 benchmarks/graphs/generate.py [NAME ...]            all graphs without names
    python3 benchmarks/graphs/generate.py --check [NAME ...]    exits with 1 where a graph differs

Needs the packages of requirements.txt. `--out FOLDER` reads and writes another folder.
"""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"


class Failed(Exception):
    """The command cannot be completed; the message says why."""


def run(names: list[str], folder: Path, checking: bool) -> int:
    """Writes or checks the graphs. Returns the exit status."""
    try:
        import onnx
        from google.protobuf.message import DecodeError

        import export
    except ImportError as error:
        raise Failed(f"{error}; install the packages of {REQUIREMENTS}") from error
    unknown = [name for name in names if name not in export.NETWORKS]
    if unknown:
        known = ", ".join(export.NETWORKS)
        raise Failed(f"unknown network {unknown[0]!r}, expected one of {known}")
    equal = True
    for name in names or export.NETWORKS:
        path = folder / f"{name}.onnx"
        model = export.export(name)
        if not checking:
            path.write_bytes(model.SerializeToString(deterministic=True))
            continue
        try:
            committed = onnx.load(path)
        except DecodeError as error:
            raise Failed(f"{path.name} is not an ONNX file: {error}") from error
        for line in export.differences(model, committed):
            equal = False
            print(f"{path.name}: {line}")
    return 0 if equal else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="a network (default: all)")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--out", type=Path, default=HERE, metavar="FOLDER")
    options = parser.parse_args()
    try:
        return run(options.names, options.out, options.check)
    except (Failed, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
