#!/usr/bin/env python3
"""Writes the explanations of pytorch-grad-cam and captum to explanations/NAME.json in this folder.

    python3 tests/reference/explain.py

Needs the packages of requirements.txt. The networks and images are those of generate.py, in float64.
"""

import json
from pathlib import Path

import torch
from captum.attr import IntegratedGradients
from pytorch_grad_cam import GradCAM
from torch import nn

import cases
import compute
from generate import SALT

FOLDER = Path(__file__).parent / "explanations"
# Rows and columns that are stored of a map of an image's size.
STORED = 16
# Images between baseline and image of integrated gradients.
STEPS = 12
# Rows and columns of the map of an occlusion.
PLACES = 7


def layers() -> dict[str, tuple[cases.Shape, callable]]:
    """The shape of the image, and the layer whose maps are explained, by network."""
    return {
        "lenet5": ((1, 1, 32, 32), None),
        "tiny": ((1, 3, 32, 32), None),
        "alexnet-torchvision": ((1, 3, 224, 224), lambda net: net.features[-1]),
        "googlenet": ((1, 3, 64, 64), lambda net: net.inception5b),
        "resnet18": ((1, 3, 64, 64), lambda net: net.layer4[-1]),
        "resnet20-cifar": ((1, 3, 32, 32), lambda net: net.layer3[-1]),
        "mobilenet-v2": ((1, 3, 64, 64), lambda net: net.features[-1]),
    }


def rounded(values: torch.Tensor) -> list[list[float]]:
    return [[float(f"{value:.8g}") for value in row] for row in values.tolist()]


def occlusion(network: nn.Module, image: torch.Tensor, target: int) -> torch.Tensor:
    """The decrease of the score when a window around each of PLACES x PLACES centres is 0."""
    size = image.shape[-1]
    window = -(-2 * size // PLACES)
    with torch.no_grad():
        whole = network(image)[0, target]
        result = torch.empty(PLACES, PLACES, dtype=torch.float64)
        for row in range(PLACES):
            for column in range(PLACES):
                covered = image.clone()
                spans = []
                for cell in (row, column):
                    centre = (2 * cell + 1) * size // PLACES
                    start = max(centre - window, 0) // 2
                    spans.append(slice(start, min((centre + window) // 2, size)))
                covered[:, :, spans[0], spans[1]] = 0
                result[row, column] = whole - network(covered)[0, target]
    return result


def explanation(name: str, shape: cases.Shape, layer) -> dict:
    case = cases.table()[name]
    network, _ = compute.build(case, SALT)
    network.eval()
    image = compute.images(SALT, shape)
    target = int(network(image).argmax())
    targets = [lambda scores: scores[target]]
    stride = shape[-1] // STORED
    result = {"input": list(shape), "class": target}
    if layer:
        with GradCAM(model=network, target_layers=[layer(network)]) as cam:
            scaled = torch.from_numpy(cam(input_tensor=image, targets=targets)[0])
            # The map before the library scales it to the image.
            maps = cam.activations_and_grads.activations[0].numpy()
            gradients = cam.activations_and_grads.gradients[0].numpy()
            weighted = cam.get_cam_image(image, None, targets, maps, gradients, False)
            result["grad_cam"] = rounded(torch.from_numpy(weighted[0]).clamp(min=0))
            result["grad_cam_scaled"] = rounded(scaled[::stride, ::stride])
    gradients = IntegratedGradients(network).attribute(
        image, target=target, n_steps=STEPS, method="riemann_middle"
    )
    result["integrated_gradients"] = rounded(gradients[0].sum(0)[::stride, ::stride])
    result["occlusion"] = rounded(occlusion(network, image, target))
    return result


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, (shape, layer) in layers().items():
        print(name)
        found = explanation(name, shape, layer)
        (FOLDER / f"{name}.json").write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
