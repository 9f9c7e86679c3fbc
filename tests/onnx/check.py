#!/usr/bin/env python3
"""Compares the exported reference networks in ONNX Runtime with PyTorch's logits.

    python3 tests/onnx/check.py EXPORT RECEPTIVE [NAME ...]            all networks without names

EXPORT is the program `export_reference` of the crate `receptive-tests`, RECEPTIVE the command line. Needs the packages of requirements.txt.
"""

import json
import subprocess
import sys
import tempfile
from math import prod
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

HERE = Path(__file__).resolve().parent
REFERENCES = HERE.parent / "reference"
sys.path.insert(0, str(REFERENCES))
import formula  # noqa: E402

# Largest error of a logit, relative to the largest one.
TOLERANCE = 1e-5
# Number and seed of the random networks.
RANDOM_NETWORKS, SEED = 1298, 1
# The versions of the operators that are checked: all networks with the first, small ones with the others.
OPSETS = (17, 13, 18, 21, 23)
SMALL = ("googlenet-paper", "lenet5", "lenet5-1998", "mobilenet-v1-0.25", "resnet20-cifar", "tiny")


def images(reference: dict) -> np.ndarray:
    shape = reference["input"]
    index = np.arange(prod(shape), dtype=np.uint64)
    values = formula.value(reference["salt"], "input", index)
    return values.astype(np.float32).reshape(shape)


def check(path: Path, reference: dict) -> float:
    """The error of ONNX Runtime's logits. Checks the file, and that the weights have their names and shapes."""
    model = onnx.load(path)
    onnx.checker.check_model(path, full_check=True)
    shapes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    for name, shape in reference["state"].items():
        assert shapes.get(name) == shape, f"{name}: {shapes.get(name)}, expected {shape}"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape[0] == "batch"
    inputs = images(reference)
    (logits,) = session.run(["logits"], {"input": inputs})
    expected = np.array(reference["logits"])
    # The batch is dynamic.
    (first,) = session.run(["logits"], {"input": inputs[:1]})
    assert np.abs(first - logits[:1]).max() <= TOLERANCE * np.abs(expected).max()
    return np.abs(logits - expected).max() / np.abs(expected).max()


def check_pixels(receptive: str, folder: str) -> None:
    """Compares a file that takes pixels with one that takes normalized planes."""
    paths = [Path(folder) / f"{kind}.onnx" for kind in ("planes", "pixels")]
    for path, options in zip(paths, ([], ["--with-preprocessing"])):
        command = [receptive, "export", "mobilenet-v2", "-o", path, *options]
        subprocess.run(command, check=True)
        onnx.checker.check_model(path, full_check=True)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    metadata = {entry.key: entry.value for entry in onnx.load(paths[0]).metadata_props}
    preprocessing = json.loads(metadata["preprocessing"])
    planes = (pixels / 255 - preprocessing["mean"]) / preprocessing["std"]
    planes = planes.transpose(0, 3, 1, 2).astype(np.float32)
    inputs = [planes, pixels]
    sessions = [onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]) for path in paths]
    expected, found = (
        session.run(["logits"], {"input": values})[0] for session, values in zip(sessions, inputs)
    )
    assert np.abs(found - expected).max() <= TOLERANCE * np.abs(expected).max()
    print("mobilenet-v2 takes pixels")


def check_random(export: str, folder: str) -> int:
    """Compares random networks with Burn. Returns the number of those that differ."""
    program = Path(export).with_name("export_random")
    subprocess.run([program, str(SEED), str(RANDOM_NETWORKS), folder], check=True)
    wrong = 0
    for number in range(RANDOM_NETWORKS):
        path = Path(folder) / f"{number}.onnx"
        case = json.loads(path.with_suffix(".json").read_text())
        inputs = np.array(case["input"], np.float32).reshape(case["input_shape"])
        expected = np.array(case["output"]).reshape(case["output_shape"])
        error = ""
        try:
            onnx.checker.check_model(path, full_check=True)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            (found,) = session.run(None, {"input": inputs})
        # The packages have their own errors for each fault of a file.
        except Exception as fault:
            error = str(fault)
        else:
            if found.shape != expected.shape:
                error = f"shape {found.shape}, expected {expected.shape}"
            elif np.abs(found - expected).max() > TOLERANCE * max(1, np.abs(expected).max()):
                error = f"difference {np.abs(found - expected).max():.1e}"
        if not error:
            continue
        wrong += 1
        print(f"random network {number}, {case['operation']}: {error}")
    print(f"{RANDOM_NETWORKS} random networks")
    return wrong


def main() -> int:
    export, receptive, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    names = names or sorted(path.stem for path in REFERENCES.glob("*.json"))
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        check_pixels(receptive, folder)
        wrong += check_random(export, folder)
        for name in names:
            reference = json.loads((REFERENCES / f"{name}.json").read_text())
            for opset in OPSETS if name in SMALL else OPSETS[:1]:
                subprocess.run([export, str(opset), folder, name], check=True)
                path = Path(folder) / f"{name}.onnx"
                error = check(path, reference)
                size = path.stat().st_size / 2**20
                path.unlink()
                wrong += not error <= TOLERANCE
                print(f"{name}, opset {opset}: {error:.1e} of the largest logit, {size:.1f} MiB", flush=True)
    if wrong:
        print(f"{wrong} files differ by more than {TOLERANCE:g}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
