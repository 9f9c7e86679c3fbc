"""Makes the engines ready: a virtual environment with the pinned packages, and the Rust programs."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from process import Failed, run

HERE = Path(__file__).resolve().parent
PINS = HERE / "requirements.txt"

TITLES = {
    "receptive": "Receptive",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
    "ncnn": "ncnn",
    "pytorch": "PyTorch",
    "rten": "RTen",
    "tract": "tract",
}
PACKAGES = {
    "onnxruntime": ["onnxruntime"],
    "openvino": ["openvino"],
    "ncnn": ["ncnn"],
    "pytorch": ["torch", "torchvision", "onnx2torch"],
}


@dataclass
class Engine:
    name: str
    version: str
    # A command that starts the engine and does nothing: what else it takes is appended.
    start: list
    # Which of the forms of models.py it reads, as a file name's suffix.
    suffix: str = ".onnx"

    @property
    def title(self) -> str:
        return f"{TITLES[self.name]} {self.version}"


def environment(folder: Path) -> Path:
    """The Python of a virtual environment that can fill graphs with weights."""
    python = folder / "bin" / "python"
    if not python.exists():
        run([sys.executable, "-m", "venv", folder])
    pip(python, "numpy", "onnx")
    return python


def pip(python: Path, *arguments: str) -> None:
    run([python, "-m", "pip", "install", "--quiet", "--constraint", PINS, *arguments])


def python_engine(name: str, python: Path) -> Engine:
    pip(python, *PACKAGES[name])
    if name == "ncnn":
        # The converter is one program: the PyTorch that its package asks for is not used.
        pip(python, "--no-deps", "pnnx")
    pin = re.search(rf"^{PACKAGES[name][0]}==(.+)$", PINS.read_text(), re.MULTILINE)
    suffix = {"ncnn": ".param", "pytorch": ".pt"}.get(name, ".onnx")
    # -P: no module beside the script can stand in for an engine's own.
    return Engine(name, pin[1], [python, "-P", HERE / "worker.py", name], suffix)


def rust_engine(name: str, target: Path) -> Engine:
    manifest = HERE / "peers" / "Cargo.toml"
    arguments = ["--features", name, "--bin", name, "--target-dir", target]
    pin = re.search(rf'^{name}.* version = "=([^"]+)"', manifest.read_text(), re.MULTILINE)
    return Engine(name, pin[1], [cargo_build(name, manifest, *arguments)])


def receptive(program: Path | None) -> Engine:
    manifest = HERE.parent / "Cargo.toml"
    program = program or cargo_build("receptive", manifest, "--package", "receptive")
    return Engine("receptive", run([program, "--version"]).split()[-1], [program, "--version"])


def cargo_build(name: str, manifest: Path, *arguments: str | Path) -> Path:
    command = ["cargo", "build", "--release", "--locked", "--manifest-path", manifest]
    command += ["--message-format", "json-render-diagnostics", *arguments]
    try:
        built = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    except OSError as error:
        raise Failed(f"cargo: {error.strerror}") from error
    if built.returncode < 0:
        raise Failed(f"cargo build ended by signal {-built.returncode}")
    if built.returncode:
        raise Failed("cargo build failed, as said above")
    for message in map(json.loads, built.stdout.splitlines()):
        if message.get("executable") and message["target"]["name"] == name:
            return Path(message["executable"])
    raise Failed(f"cargo built no program {name}")
