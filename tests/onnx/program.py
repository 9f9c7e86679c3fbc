"""Runs cases (a model and its input) in the program `run_onnx`, and compares tensors.

The program reads paths of folders, one a line. A folder has `model.onnx` and `input.npy`. The program
writes `output_0.npy`, `output_1.npy` and so on beside them, and prints `ok` or `error: MESSAGE`.
"""

import select
import subprocess
from pathlib import Path
from typing import Self

import numpy as np
import onnx
import onnxruntime

# Seconds for a case of a few nodes, and for a network: the time of a hang, not of a slow machine.
LIMIT, NETWORK_LIMIT = 30, 300
# The largest error of an output, relative to its largest absolute value.
TOLERANCE = 1e-4


class Failed(Exception):
    """A case has no outputs; the message is the program's."""


class Program:
    """A running `run_onnx`, which is started again after it crashed or was stopped."""

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process:
            self.end()

    def run(self, folder: Path, limit: float = LIMIT) -> list[np.ndarray]:
        """The outputs of the model in the folder.

        Raises Failed for an error, a crash, and a case that takes more than `limit` seconds.
        """
        for old in folder.glob("output_*.npy"):
            old.unlink()
        if self.process is None:
            # Unbuffered, so that `select` sees every byte that was not read.
            self.process = subprocess.Popen(
                [self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        answer = self.answer(f"{folder}\n".encode(), limit)
        if answer != "ok":
            raise Failed(answer)
        count = len(list(folder.glob("output_*.npy")))
        return [np.load(folder / f"output_{index}.npy") for index in range(count)]

    def answer(self, request: bytes, limit: float) -> str:
        """The program's line for the request; the end of a program that ends."""
        process = self.process
        try:
            process.stdin.write(request)
        except BrokenPipeError:
            line = b""
        else:
            readable, _, _ = select.select([process.stdout], [], [], limit)
            if not readable:
                process.kill()
                self.end()
                return f"no answer in {limit:g} s"
            line = process.stdout.readline()
        if not line:
            return f"the program ended with status {self.end()}"
        return line.decode().strip()

    def end(self) -> int:
        """Waits for the end of the process. Returns its status."""
        process, self.process = self.process, None
        process.stdin.close()
        process.stdout.close()
        return process.wait()


def write_case(folder: Path, model: onnx.ModelProto, x: np.ndarray) -> None:
    """Writes a case as the program reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")
    np.save(folder / "input.npy", x)


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest absolute error over the largest absolute value.

    NaN and infinity must be at the same places. The shapes are equal.
    """
    if not found.size:
        return 0.0
    finite = np.isfinite(expected)
    if not np.array_equal(found[~finite], expected[~finite], equal_nan=True):
        return float("inf")
    if not finite.any():
        return 0.0
    found, expected = found[finite].astype(np.float64), expected[finite].astype(np.float64)
    error = np.abs(found - expected).max()
    largest = np.abs(expected).max()
    return float(error / largest if largest else error)


def mismatch(found: list[np.ndarray], expected: list[np.ndarray], tolerance: float = TOLERANCE) -> str:
    """Describes the first output that differs; empty where all outputs agree."""
    if len(found) != len(expected):
        return f"{len(found)} outputs, expected {len(expected)}"
    for index, (one, other) in enumerate(zip(found, expected, strict=True)):
        if one.shape != other.shape:
            return f"output {index} has the shape {one.shape}, expected {other.shape}"
        error = relative_error(one, other)
        # A NaN of an output whose expected value is finite gives a NaN.
        if not error <= tolerance:
            return f"output {index} differs by {error:.1e} of its largest value"
    return ""


def check(program: Program, folder: Path, x: np.ndarray, limit: float = LIMIT) -> str:
    """Runs the model in the folder, and compares it with ONNX Runtime.

    Writes the input. Returns a description of the model and its largest error, or of a fault, which begins
    with `error:`.
    """
    path = folder / "model.onnx"
    np.save(folder / "input.npy", x)
    options = onnxruntime.SessionOptions()
    # Without warnings, of unused initializers.
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    expected = session.run(None, {session.get_inputs()[0].name: x})
    try:
        found = program.run(folder, limit)
    except Failed as fault:
        return f"error: {fault}"
    if fault := mismatch(found, expected):
        return f"error: {fault}"
    error = max(relative_error(one, other) for one, other in zip(found, expected, strict=True))
    nodes = len(onnx.load(path).graph.node)
    return f"{nodes} nodes, {path.stat().st_size / 2**20:.1f} MiB, error {error:.1e} of the largest output"
