"""Writes a model file with random weights: `python models.py GRAPH TARGET SHAPE`.

The suffix of TARGET is the format. `.onnx` is GRAPH with random weights. `.param` (with `.bin`, for
ncnn) and `.pt` (for PyTorch) are conversions of the `.onnx` file of the same name and folder.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper


def random_weights(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """He's normal initialization, which keeps activations in range; small positive biases."""
    if len(shape) > 1:
        weights = rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
    else:
        weights = np.abs(rng.standard_normal(shape)) * 0.1
    return weights.astype(np.float32)


def fill(graph: onnx.GraphProto) -> None:
    """Fills every initializer, and removes the `Identity` nodes.

    The graphs' exporter writes an `Identity` node where two layers share an initializer.
    """
    rng = np.random.default_rng(0)
    for initializer in graph.initializer:
        weights = random_weights(tuple(initializer.dims), rng)
        initializer.CopyFrom(numpy_helper.from_array(weights, initializer.name))
    shared = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "Identity"}
    nodes = [n for n in graph.node if n.op_type != "Identity"]
    for node in nodes:
        node.input[:] = [shared.get(name, name) for name in node.input]
    del graph.node[:]
    graph.node.extend(nodes)


def to_onnx(source: Path, target: Path) -> None:
    model = onnx.load(source)
    fill(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, target)


def to_ncnn(source: Path, target: Path, shape: str) -> None:
    import pnnx

    link = target.with_name("model.onnx")
    link.symlink_to(source.absolute())
    size = shape.replace("x", ",")
    subprocess.run([pnnx.EXEC_PATH, link, f"inputshape=[{size}]", "fp16=0"], check=True)
    link.with_suffix(".ncnn.bin").replace(target.with_suffix(".bin"))
    link.with_suffix(".ncnn.param").replace(target)


def to_pytorch(source: Path, target: Path) -> None:
    import onnx2torch
    import torch

    module = onnx2torch.convert(source).eval()
    torch.save(module.to(memory_format=torch.channels_last), target)


def main() -> None:
    graph, target, shape = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    filled = target.with_suffix(".onnx")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        partial = Path(scratch) / target.name
        if target == filled:
            to_onnx(graph, partial)
        elif target.suffix == ".param":
            to_ncnn(filled, partial, shape)
        else:
            to_pytorch(filled, partial)
        # TARGET is moved last: its presence means that the other files are complete.
        for path in sorted(partial.parent.glob(partial.stem + ".*"), key=lambda p: p == partial):
            path.replace(target.with_name(path.name))


if __name__ == "__main__":
    main()
