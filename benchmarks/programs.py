"""Finds or builds the `receptive` programs that `outputs.py` and `versus.py` compare."""

import os
import shutil
import tempfile
from pathlib import Path

import install
from process import Failed, run
from results import ROOT, git


def program(argument: str) -> Path:
    """The program of a path, or a release build of a git revision.

    Raises Failed for an argument that is neither, and for a build that fails.
    """
    path = Path(argument)
    if path.is_file() and os.access(path, os.X_OK):
        return path.resolve()
    commit = git(ROOT, "rev-parse", "--short=12", "--verify", "--quiet", f"{argument}^{{commit}}")
    if not commit:
        raise Failed(f"{argument} is neither a program nor a git revision")
    return built(commit)


def built(commit: str, root: Path = ROOT) -> Path:
    """A release build of a commit of the repository, from the cache folder if the build exists."""
    folder = install.cache_folder() / "programs"
    target = folder / commit
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        checkout = Path(scratch) / "receptive"
        run(["git", "-C", root, "worktree", "add", "--detach", checkout, commit])
        try:
            # One build folder for all commits: dependencies are compiled once.
            binary = install.build_receptive(checkout, "--target-dir", folder / "target")
            shutil.copy2(binary, target)
        finally:
            run(["git", "-C", root, "worktree", "remove", "--force", checkout])
    return target
