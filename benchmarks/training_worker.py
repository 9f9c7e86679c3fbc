"""Times a training step in PyTorch: `python training_worker.py MODEL BATCH THREADS SECONDS LAYOUT`.

A step is a forward pass, a backward pass, and an update by PyTorch's fused SGD with momentum and
weight decay. Prints a JSON line with the median milliseconds. LAYOUT is `contiguous` or
`channels_last`.
"""

import json
import sys

import torch
from torch import nn
from torchvision import models

from worker import image, median_ms

# The weight of GoogLeNet's auxiliary losses (Going Deeper with Convolutions, section 5).
AUXILIARY = 0.3


def lenet5() -> nn.Module:
    """Receptive's `lenet5`, which torchvision does not have."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(16, 120, 5), nn.Tanh(),
        nn.Flatten(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


def conv_norm_relu(
    inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1
) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def mobilenet_v1() -> nn.Module:
    """MobileNet of width 1 (MobileNets, table 1), which torchvision does not have."""
    rows = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
    rows += [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
    layers, width = conv_norm_relu(3, 32, 3, 2), 32
    for outputs, stride in rows:
        layers += conv_norm_relu(width, width, 3, stride, groups=width)
        layers += conv_norm_relu(width, outputs, 1, 1)
        width = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 1000))


# The constructor of each network, and the shape of an image.
NETWORKS = {
    "lenet5": (lenet5, [1, 32, 32]),
    "alexnet-torchvision": (models.alexnet, [3, 224, 224]),
    "vgg11": (lambda: models.vgg11(init_weights=False), [3, 224, 224]),
    "googlenet": (lambda: models.googlenet(init_weights=False), [3, 224, 224]),
    "resnet18": (models.resnet18, [3, 224, 224]),
    "resnet50": (models.resnet50, [3, 224, 224]),
    "mobilenet-v1": (mobilenet_v1, [3, 224, 224]),
}


def main() -> None:
    name, batch, threads, seconds, layout = sys.argv[1:]
    torch.set_num_threads(int(threads))
    make, shape = NETWORKS[name]
    network = make().train()
    images = torch.from_numpy(image([int(batch), *shape]))
    if layout == "channels_last":
        network = network.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    classes = 10 if name == "lenet5" else 1000
    labels = torch.arange(int(batch)) % classes
    options = {"momentum": 0.9, "weight_decay": 1e-4, "fused": True}
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, **options)
    cross_entropy = nn.CrossEntropyLoss()

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        output = network(images)
        if isinstance(output, tuple):
            main_loss, *auxiliary = [cross_entropy(logits, labels) for logits in output]
            loss = main_loss + AUXILIARY * sum(auxiliary)
        else:
            loss = cross_entropy(output, labels)
        loss.backward()
        optimizer.step()

    step()
    step()
    print(json.dumps({"median_ms": round(median_ms(step, float(seconds)), 4)}))


if __name__ == "__main__":
    main()
