"""Installs the engines: a virtual environment with the pinned packages, and the Rust programs."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from process import Failed, run

HERE = Path(__file__).resolve().parent
PINS = HERE / "requirements.txt"

# The titles of the engines, in the order of the tables' columns.
TITLES = {
    "receptive": "Receptive",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
    "ncnn": "ncnn",
    "pytorch": "PyTorch",
    "rten": "RTen",
    "tract": "tract",
    # A second memory layout of a PyTorch training step.
    "pytorch-channels-last": "PyTorch, channels last",
}
# The engines of inference.
INFERENCE = [name for name in TITLES if name != "pytorch-channels-last"]
PACKAGES = {
    "onnxruntime": ["onnxruntime"],
    "openvino": ["openvino"],
    "ncnn": ["ncnn"],
    "pytorch": ["torch", "torchvision", "onnx2torch"],
}


@dataclass
class Engine:
    """An installed engine."""

    name: str
    version: str
    # A command that starts the engine and exits. The arguments of a measurement are appended.
    start: list
    # The suffix of the model file that the engine reads (one of the suffixes of models.py).
    suffix: str = ".onnx"

    @property
    def title(self) -> str:
        return f"{TITLES[self.name]} {self.version}"


def cache_folder() -> Path:
    """The folder of the virtual environment, the models and the builds."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "receptive" / "benchmarks"


def environment(folder: Path) -> Path:
    """Returns the Python of a virtual environment with NumPy and onnx; creates it if needed."""
    python = folder / "bin" / "python"
    if not python.exists():
        run([sys.executable, "-m", "venv", folder])
    pip(python, "numpy", "onnx")
    return python


def pip(python: Path, *arguments: str) -> None:
    """Installs packages in the versions of requirements.txt."""
    run([python, "-m", "pip", "install", "--quiet", "--constraint", PINS, *arguments])


def python_engine(name: str, python: Path) -> Engine:
    """Installs an engine that is a Python package."""
    pip(python, *PACKAGES[name])
    if name == "ncnn":
        # pnnx's package depends on PyTorch, but its converter is one executable without PyTorch.
        pip(python, "--no-deps", "pnnx")
    suffix = {"ncnn": ".param", "pytorch": ".pt"}.get(name, ".onnx")
    # -P keeps this folder out of the module search path: its modules must not shadow an engine's.
    start = [python, "-P", HERE / "worker.py", name]
    return Engine(name, pinned(PACKAGES[name][0]), start, suffix)


def pinned(package: str) -> str:
    """The version of a package in requirements.txt."""
    return first_group(rf"^{package}==(.+)$", PINS)


def first_group(pattern: str, path: Path) -> str:
    """The first group of the pattern's first match in a file."""
    found = re.search(pattern, path.read_text(), re.MULTILINE)
    if found is None:
        raise Failed(f"{path.name} has no line that matches {pattern}")
    return found[1]


def rust_engine(name: str, target: Path) -> Engine:
    """Builds a program of `peers/`."""
    manifest = HERE / "peers" / "Cargo.toml"
    arguments: list[str | Path] = ["--features", name, "--bin", name, "--target-dir", target]
    version = first_group(rf'^{name}.* version = "=([^"]+)"', manifest)
    return Engine(name, version, [cargo_build(name, manifest, *arguments)])


def receptive(program: Path | None) -> Engine:
    """Receptive's command line: the given program, or a build of this checkout."""
    program = program or build_receptive(HERE.parent)
    return Engine("receptive", run([program, "--version"]).split()[-1], [program, "--version"])


def build_receptive(root: Path, *arguments: str | Path) -> Path:
    """Builds the command line of a checkout in release mode and returns the program's path."""
    return cargo_build("receptive", root / "Cargo.toml", "--package", "receptive", *arguments)


def cargo_build(name: str, manifest: Path, *arguments: str | Path) -> Path:
    """Builds a program in release mode and returns its path."""
    command: list[str | Path] = [
        "cargo",
        "build",
        "--release",
        "--locked",
        "--manifest-path",
        manifest,
    ]
    command += ["--message-format", "json-render-diagnostics", *arguments]
    try:
        built = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    except OSError as error:
        raise Failed(f"cargo: {error.strerror}") from error
    if built.returncode < 0:
        raise Failed(f"cargo build ended by signal {-built.returncode}")
    if built.returncode:
        raise Failed("cargo build failed with the errors above")
    for message in map(json.loads, built.stdout.splitlines()):
        if message.get("executable") and message["target"]["name"] == name:
            return Path(message["executable"])
    raise Failed(f"cargo build wrote no program {name}")
