#!/usr/bin/env python3
"""Compares networks that PyTorch exports with ONNX Runtime.

    python3 tests/onnx/exports.py RUN_ONNX [NAME ...]                all networks of torchvision without names
    python3 tests/onnx/exports.py --write FOLDER NAME ...            writes FOLDER/NAME.onnx of 224x224 pixels

RUN_ONNX is the program `run_onnx` of the crate `receptive-tests`. The weights are random, from a fixed seed.
Needs the packages of requirements.txt and of torch.txt.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from program import NETWORK_LIMIT, Program, check
from torchvision_networks import Export, image, write

# The networks, and height and width where 128 do not suffice: AlexNet and VGG divide their last maps evenly.
NETWORKS = {
    "alexnet": 224, "vgg11": 224, "googlenet": 128, "resnet18": 128, "resnet50": 128, "mobilenet_v2": 128,
    "mobilenet_v3_small": 128, "mobilenet_v3_large": 128, "efficientnet_b0": 128, "shufflenet_v2_x1_0": 128,
    "squeezenet1_1": 128, "densenet121": 128, "regnet_y_400mf": 128, "convnext_tiny": 96, "mnasnet1_0": 128,
    "lraspp_mobilenet_v3_large": 128, "fcn_resnet50": 96,
}  # fmt: skip
# Exported with other versions of the operators too, with an open batch, and by both exporters.
SMALL = ("resnet18", "mobilenet_v3_small", "shufflenet_v2_x1_0", "squeezenet1_1", "lraspp_mobilenet_v3_large")
OPSETS = (11, 13, 20)
SMALL_SIZE = 96
# The newer exporter writes at least this version.
DYNAMO_OPSET = 18


def exports(names: list[str]) -> Iterator[Export]:
    """The files of the named networks."""
    for name in names:
        yield Export(name, NETWORKS[name])
    for name in names:
        if name not in SMALL:
            continue
        for opset in OPSETS:
            yield Export(name, SMALL_SIZE, opset=opset)
        yield Export(name, SMALL_SIZE, batch=2, dynamic=True)
        yield Export(name, SMALL_SIZE, batch=2, opset=DYNAMO_OPSET, dynamo=True, dynamic=True)


def main() -> int:
    if sys.argv[1] == "--write":
        for name in sys.argv[3:]:
            write(Export(name), Path(sys.argv[2]) / f"{name}.onnx")
        return 0
    path, names = sys.argv[1], sys.argv[2:] or list(NETWORKS)
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch, Program(path) as program:
        for index, export in enumerate(exports(names)):
            folder = Path(scratch) / str(index)
            folder.mkdir()
            write(export, folder / "model.onnx")
            result = check(program, folder, image(export), NETWORK_LIMIT)
            wrong += result.startswith("error")
            print(f"{export.name}: {result}", flush=True)
            shutil.rmtree(folder)
    if wrong:
        print(f"{wrong} files fail or differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
