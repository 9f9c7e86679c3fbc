"""The networks with a reference: how PyTorch builds them, and the inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

Shape = tuple[int, int, int, int]

MNIST: Shape = (4, 1, 32, 32)
CIFAR: Shape = (4, 3, 32, 32)
ALEXNET: Shape = (2, 3, 227, 227)
IMAGENET: Shape = (2, 3, 224, 224)
# The training steps of large networks.
SMALL: Shape = (2, 3, 64, 64)


@dataclass(frozen=True)
class Case:
    """A network and its inputs.

    `make` imports the library that has the network, so that the table can be read without it.
    `gain` multiplies the weights; 1.4 preserves the variance through ReLUs, 1 suffices where
    batch norms or residual connections do so. `step` is the shape of the images of a training step.
    """

    make: Callable[[], "nn.Module"]
    input: Shape
    gain: float = 1.4
    step: Shape | None = None


def own(name: str, *arguments) -> Callable[[], "nn.Module"]:
    """The constructor of a class of `networks.py`."""

    def make() -> "nn.Module":
        import networks

        return getattr(networks, name)(*arguments)

    return make


def torchvision(name: str, **options) -> Callable[[], "nn.Module"]:
    """The constructor of a network of torchvision."""

    def make() -> "nn.Module":
        from torchvision import models

        return models.get_model(name, weights=None, **options)

    return make


def timm(name: str) -> Callable[[], "nn.Module"]:
    """The constructor of a network of timm, without dropout."""

    def make() -> "nn.Module":
        from timm import create_model

        return create_model(name, pretrained=False, drop_rate=0.0)

    return make


def resnet50_v1() -> "nn.Module":
    """torchvision's ResNet-50 with the stride on the first 1x1 convolution of a stage."""
    network = torchvision("resnet50")()
    for stage in (network.layer2, network.layer3, network.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    return network


def table() -> dict[str, Case]:
    """The cases by name: the name of the variant in Receptive."""
    googlenet = {"aux_logits": False, "transform_input": False, "init_weights": False}
    cases = {
        "lenet5": Case(own("LeNet5"), MNIST, gain=1.0, step=MNIST),
        "tiny": Case(own("Tiny"), CIFAR, step=CIFAR),
        "lenet5-1998": Case(own("LeNet5Original"), MNIST, gain=1.0, step=MNIST),
        "alexnet": Case(own("AlexNet", 1), ALEXNET, step=ALEXNET),
        "alexnet-grouped": Case(own("AlexNet", 2), ALEXNET),
        "alexnet-torchvision": Case(torchvision("alexnet", dropout=0.0), IMAGENET),
        "googlenet": Case(torchvision("googlenet", dropout=0.0, **googlenet), IMAGENET, step=SMALL),
        "googlenet-paper": Case(own("GoogLeNet"), IMAGENET),
        "resnet50-v1": Case(resnet50_v1, IMAGENET, gain=1.0),
        "mobilenet-v1": Case(own("MobileNetV1", 1.0), IMAGENET, step=SMALL),
        "mobilenet-v1-timm": Case(timm("mobilenetv1_100"), IMAGENET),
        "mobilenet-v2": Case(torchvision("mobilenet_v2", dropout=0.0), IMAGENET, step=SMALL),
    }
    for layers in (11, 13, 16, 19):
        step = SMALL if layers == 11 else None
        for name in (f"vgg{layers}", f"vgg{layers}_bn"):
            make = torchvision(name, dropout=0.0)
            cases[name.replace("_", "-")] = Case(make, IMAGENET, step=step)
            step = None
    for layers in (18, 34, 50, 101, 152):
        step = SMALL if layers in (18, 50) else None
        cases[f"resnet{layers}"] = Case(torchvision(f"resnet{layers}"), IMAGENET, 1.0, step)
    for layers in (20, 32, 44, 56, 110):
        step = CIFAR if layers == 20 else None
        cases[f"resnet{layers}-cifar"] = Case(own("CifarResNet", layers), CIFAR, 1.0, step)
    for width in (0.25, 0.5, 0.75):
        cases[f"mobilenet-v1-{width}"] = Case(own("MobileNetV1", width), IMAGENET)
    return cases
