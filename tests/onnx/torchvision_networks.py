"""Networks of torchvision with random weights, as ONNX files that PyTorch exports."""

import contextlib
import io
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch import nn
from torchvision.models.resnet import Bottleneck

SEED = 1


@dataclass(frozen=True)
class Export:
    """An ONNX file of a network."""

    network: str
    # Height and width, and the number of images.
    size: int = 224
    batch: int = 1
    # The version of the operators.
    opset: int = 17
    # PyTorch's newer exporter, which records the module by torch.export instead of tracing it.
    dynamo: bool = False
    # Whether the file leaves the batch open.
    dynamic: bool = False

    @property
    def name(self) -> str:
        exporter = ", dynamo" if self.dynamo else ""
        batch = ", open batch" if self.dynamic else ""
        return f"{self.network}, {self.size}x{self.size}, opset {self.opset}{exporter}{batch}"


class Output(nn.Module):
    """The result `out` of a segmentation network."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x)["out"]


def network(name: str, x: torch.Tensor) -> nn.Module:
    """A network of torchvision with random weights, for inference."""
    torch.manual_seed(SEED)
    options = {"weights": None}
    if name == "googlenet":
        options |= {"aux_logits": False, "init_weights": False}
    is_segmentation = name in torchvision.models.list_models(torchvision.models.segmentation)
    if is_segmentation:
        options |= {"weights_backbone": None, "num_classes": 21}
    module = torchvision.models.get_model(name, **options)
    module = Output(module) if is_segmentation else module
    randomize(module, x)
    return module.eval()


def randomize(module: nn.Module, x: torch.Tensor) -> None:
    """Fills the weights, so that activations stay near 1.

    The statistics of batch norms are those of the input, which is propagated once, with random deviations.
    """
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.normal_(layer.weight, 0, (2 / layer.weight[0].numel()) ** 0.5)
                if layer.bias is not None:
                    nn.init.normal_(layer.bias, 0, 0.1)
            elif isinstance(layer, nn.BatchNorm2d | nn.LayerNorm):
                # Some torchvision networks fill these with 0 or 1.
                nn.init.normal_(layer.weight, 1, 0.1)
                nn.init.normal_(layer.bias, 0, 0.1)
            if getattr(layer, "layer_scale", None) is not None:
                nn.init.normal_(layer.layer_scale, 0.3, 0.1)
        for layer in module.modules():
            if isinstance(layer, Bottleneck):
                # With branches as large as their inputs, rounding errors double every few blocks.
                nn.init.normal_(layer.bn3.weight, 0.3, 0.1)
        module.eval()
        norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
        for norm in norms:
            norm.train()
            # The statistics become those of this batch.
            norm.momentum = 1.0
        if norms:
            # Several images: at the end of a network, an image has one value in each channel.
            module(torch.cat([x, *(torch.randn_like(x) for _ in range(3))]))
        for norm in norms:
            norm.running_mean += 0.1 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
            norm.running_var *= 0.75 + 0.5 * torch.rand_like(norm.running_var)
            # A channel that hardly varies would be scaled up with its rounding errors.
            norm.running_var.clamp_(min=0.2 * norm.running_var.mean())


def image(export: Export) -> np.ndarray:
    """The input of the network."""
    rng = np.random.default_rng(SEED)
    shape = (export.batch, 3, export.size, export.size)
    return rng.standard_normal(shape).astype(np.float32)


def write(export: Export, path: Path) -> None:
    """Writes the ONNX file, whose input is `x` and whose output is `y`."""
    x = torch.from_numpy(image(export))
    options: dict = {"opset_version": export.opset, "input_names": ["x"], "output_names": ["y"]}
    if export.dynamo:
        options |= {"dynamo": True, "external_data": False, "verbose": False}
        # torch.export takes a length of 1 for fixed.
        x = torch.cat([x, x]) if export.dynamic else x
        options |= {"dynamic_shapes": ({0: torch.export.Dim("N")},)} if export.dynamic else {}
    else:
        options |= {"dynamo": False}
        options |= {"dynamic_axes": {"x": {0: "N"}, "y": {0: "N"}}} if export.dynamic else {}
    module = network(export.network, x)
    # The exporters print progress, and warn of versions to come.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (x,), path, **options)
