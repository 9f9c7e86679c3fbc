#!/usr/bin/env python3
"""Compares the networks of ONNX's `light` tests with ONNX Runtime.

    python3 tests/onnx/light.py RUN_ONNX [NAME ...]            all networks without names

RUN_ONNX is the program `run_onnx` of the crate `receptive-tests`. Every weight of a network is a node
ConstantOfShape, so all weights of a layer are equal. Each network runs as it is, and with random weights. Needs
the packages of requirements.txt.
"""

import sys
import tempfile
from math import prod
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend import test

from program import NETWORK_LIMIT, Program, check

FOLDER = Path(test.__file__).parent / "data" / "light"


def image(model: onnx.ModelProto) -> np.ndarray:
    """The input: a permuted cycle of 101 values from -1 to 1."""
    constants = {tensor.name for tensor in model.graph.initializer}
    (value,) = (value for value in model.graph.input if value.name not in constants)
    shape = [length.dim_value for length in value.type.tensor_type.shape.dim]
    return (np.arange(prod(shape)) * 37 % 101 / 50 - 1).astype(np.float32).reshape(shape)


def fill(model: onnx.ModelProto) -> None:
    """Replaces the nodes ConstantOfShape by random weights, scaled to keep activations in range."""
    # Since this version of files, initializers are not inputs.
    model.ir_version = 4
    graph = model.graph
    rng = np.random.default_rng(0)
    shapes = {tensor.name: numpy_helper.to_array(tensor).tolist() for tensor in graph.initializer}
    gains = gains_of(graph)
    for node in [node for node in graph.node if node.op_type == "ConstantOfShape"]:
        (source,), (name,) = node.input, node.output
        shape = shapes[source]
        if name in gains:
            weights = gains[name] * rng.uniform(0.7, 1.25, shape)
        elif len(shape) > 1:
            weights = rng.standard_normal(shape) * (2 / prod(shape[1:])) ** 0.5
        else:
            weights = rng.standard_normal(shape) * 0.1
        graph.initializer.append(numpy_helper.from_array(weights.astype(np.float32), name))
        graph.node.remove(node)
        for unused in (graph.initializer, graph.input):
            unused.remove(next(value for value in unused if value.name == source))


def gains_of(graph: onnx.GraphProto) -> dict[str, float]:
    """The positive weights, and their mean: scales and variances of batch norms, and factors after these."""
    gains = {}
    added = {name for node in graph.node if node.op_type == "Sum" for name in node.input}
    reshaped = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Unsqueeze"}
    for node in graph.node:
        if node.op_type == "BatchNormalization":
            # With branches as large as their inputs, every residual block would double the variance.
            gains[node.input[1]] = 0.3 if node.output[0] in added else 1.0
            gains[node.input[4]] = 1.0
        elif node.op_type == "Mul":
            factor = node.input[1]
            while factor in reshaped:
                factor = reshaped[factor]
            gains[factor] = 1.0
    return gains


def main() -> int:
    path, names = sys.argv[1], sys.argv[2:]
    files = [FOLDER / f"light_{name}.onnx" for name in names] or sorted(FOLDER.glob("*.onnx"))
    wrong = 0
    with Program(path) as program:
        for file in files:
            for weights in ("constant", "random"):
                model = onnx.load(file)
                x = image(model)
                if weights == "random":
                    fill(model)
                with tempfile.TemporaryDirectory() as folder:
                    onnx.save(model, Path(folder) / "model.onnx")
                    result = check(program, Path(folder), x, NETWORK_LIMIT)
                wrong += result.startswith("error")
                print(f"{file.stem}, {weights} weights: {result}", flush=True)
    if wrong:
        print(f"{wrong} networks fail or differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
