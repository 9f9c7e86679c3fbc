"""Exports PyTorch modules as ONNX graphs without weights, and describes graphs."""

import warnings
from collections.abc import Callable
from io import BytesIO

import onnx
import timm
import torch
from torch import nn
from torchvision import models

OPSET = 17
Shape = tuple[int, int, int]


def lenet5() -> nn.Module:
    """Receptive's `lenet5`, which torchvision does not have."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(16, 120, 5), nn.Tanh(),
        nn.Flatten(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


def googlenet() -> nn.Module:
    return models.googlenet(aux_logits=False, init_weights=False)


def mobilenetv1() -> nn.Module:
    return timm.create_model("mobilenetv1_100")


# The constructor of each network, and the shape of an image.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], Shape]] = {
    "lenet5": (lenet5, (1, 32, 32)),
    "alexnet": (models.alexnet, (3, 224, 224)),
    "vgg16": (models.vgg16, (3, 224, 224)),
    "googlenet": (googlenet, (3, 224, 224)),
    "resnet18": (models.resnet18, (3, 224, 224)),
    "resnet50": (models.resnet50, (3, 224, 224)),
    "resnet152": (models.resnet152, (3, 224, 224)),
    "mobilenetv1": (mobilenetv1, (3, 224, 224)),
}


def export(name: str) -> onnx.ModelProto:
    """The network's graph in evaluation mode, without the values of the initializers.

    The exporter folds batch norms. It replaces an initializer that equals another one, such as the
    zero bias of a new batch norm, by an `Identity` node.
    """
    make, shape = NETWORKS[name]
    buffer = BytesIO()
    with warnings.catch_warnings():
        # The exporter that replaces this one needs onnxscript and does not fold batch norms.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            make().eval(),
            (torch.zeros(1, *shape),),
            buffer,
            dynamo=False,
            opset_version=OPSET,
            input_names=["x"],
            output_names=["y"],
            dynamic_axes={"x": {0: "N"}, "y": {0: "N"}},
        )
    model = onnx.load_from_string(buffer.getvalue())
    model.ClearField("producer_name")
    for initializer in model.graph.initializer:
        initializer.ClearField("raw_data")
    return model


def structure(model: onnx.ModelProto) -> dict[str, str]:
    """The parts of a graph by name, with their descriptions."""
    graph = model.graph
    parts = {"opsets": str([(opset.domain, opset.version) for opset in model.opset_import])}
    parts["order of nodes"] = str([node.name for node in graph.node])
    for kind, values in (("input", graph.input), ("output", graph.output)):
        for value in values:
            parts[f"{kind} {value.name}"] = str(value.type)
    for tensor in graph.initializer:
        parts[f"initializer {tensor.name}"] = f"{tensor.data_type} {list(tensor.dims)}"
    for node in graph.node:
        attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        tensors = f"{list(node.input)} -> {list(node.output)}"
        parts[f"node {node.name}"] = f"{node.op_type} {tensors} {sorted(attributes.items())}"
    return parts


def differences(found: onnx.ModelProto, committed: onnx.ModelProto) -> list[str]:
    """A line for each part of the committed graph that is missing, unexpected or different."""
    expected, present = structure(found), structure(committed)
    lines = [f"{part}: missing" for part in expected.keys() - present.keys()]
    lines += [f"{part}: unexpected" for part in present.keys() - expected.keys()]
    for part in expected.keys() & present.keys():
        if expected[part] != present[part]:
            lines.append(f"{part}: {present[part]}, expected {expected[part]}")
    return sorted(lines)
