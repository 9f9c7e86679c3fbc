#!/usr/bin/env python3
"""Checks the packages of the workspace, which `cargo package` wrote.

Every package that is published must contain its README and both licences of the code, as texts. A package with files of
other authors must contain their licence. No package contains tests, fixtures or snapshots, or is
larger than crates.io accepts.

Usage: check_packages.py FOLDER VERSION, with the folder of the `.crate` files. Prints each fault, and exits
with 1 if there is one.
"""

import glob
import os
import re
import sys
import tarfile

LIMIT = 10 * 2**20  # bytes of a `.crate` file

REQUIRED = ["Cargo.toml", "Cargo.lock", "README.md", "LICENSE-MIT", "LICENSE-APACHE"]

# Files of other authors, and the file beside them that states their licence.
FOREIGN = {
    "imagenet-1k.txt": "LICENSE-torchvision",
    "mobilenet_v2-f16.safetensors": "LICENSE-torchvision",
    "train-images-idx3-ubyte.gz": "../README.md",
}

UNWANTED = re.compile(r"(^|/)(tests?|snapshots|proptest-regressions|fixtures)(/|\.rs$)|\.snap$")


def faults(name, files, size):
    """The faults of the package `name` with the given files (name to first bytes) and size in bytes."""
    for required in REQUIRED:
        if required not in files:
            yield f"{name}: no {required}"
    for licence in ("LICENSE-MIT", "LICENSE-APACHE"):
        # A checkout without symbolic links has the path of the licence instead of its text.
        if licence in files and b"\n" not in files[licence]:
            yield f"{name}: {licence} is not the text of a licence"
    for file in files:
        if UNWANTED.search(file):
            yield f"{name}: {file} is not for users"
        folder, base = os.path.split(file)
        if base in FOREIGN:
            licence = os.path.normpath(os.path.join(folder, FOREIGN[base]))
            if licence not in files:
                yield f"{name}: {file} without its licence, {licence}"
    if size > LIMIT:
        yield f"{name}: {size} bytes, at most {LIMIT} are accepted"


def contents(path):
    """The files of a package, without the folder that contains all, and the first bytes of each."""
    with tarfile.open(path) as archive:
        return {
            member.name.partition("/")[2]: archive.extractfile(member).read(4096)
            for member in archive
            if member.isfile()
        }


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    folder, version = sys.argv[1:]
    paths = sorted(glob.glob(os.path.join(folder, f"*-{version}.crate")))
    found = [] if paths else [f"no packages of version {version} in {folder}"]
    for path in paths:
        size = os.path.getsize(path)
        files = contents(path)
        name = os.path.basename(path)
        published = b"\npublish = false" not in files.get("Cargo.toml", b"")
        print(f"{name}: {len(files)} files, {size} bytes{'' if published else ', not published'}")
        if published:
            found += faults(name, files, size)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
