#!/usr/bin/env python3
"""Writes the images of this folder with Pillow, from a photo of the project.

    python3 layers/tests/images/generate.py            writes the images
    python3 layers/tests/images/generate.py --check    exits with 1 where an image differs

Needs the package of requirements.txt. `--out FOLDER` reads and writes another folder.
"""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
SUFFIXES = {".png", ".jpg", ".webp", ".gif", ".bmp"}


def write(files: dict[str, bytes], folder: Path) -> int:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return 0


def check(files: dict[str, bytes], folder: Path) -> int:
    """Prints the files that are missing, unexpected or different. Returns the exit status."""
    from fixtures import differences

    present = [path for path in folder.rglob("*") if path.suffix in SUFFIXES]
    names = {path.relative_to(folder).as_posix() for path in present}
    lines = [f"{name}: unexpected" for name in sorted(names - files.keys())]
    lines += [f"{name}: missing" for name in sorted(files.keys() - names)]
    other_bytes = 0
    for name in sorted(files.keys() & names):
        committed = (folder / name).read_bytes()
        if committed != files[name]:
            other_bytes += 1
            lines += [f"{name}: {line}" for line in differences(files[name], committed)]
    for line in lines:
        print(line)
    equal = len(files.keys() & names) - other_bytes
    print(f"{equal} of {len(files)} files are equal byte for byte", file=sys.stderr)
    return 1 if lines else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--out", type=Path, default=HERE, metavar="FOLDER")
    options = parser.parse_args()
    try:
        import fixtures

        run = check if options.check else write
        return run(fixtures.files(), options.out)
    except ImportError as error:
        print(f"error: {error}; install the packages of {REQUIREMENTS}", file=sys.stderr)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
