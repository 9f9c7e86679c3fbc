"""PyTorch modules of the networks that torchvision and timm lack, by the papers' tables.

The names of the submodules are those of Receptive's state dicts.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d, pad

import bitmaps

# The maps of S2 that each map of C3 reads (LeCun et al. 1998, Table I, by column).
C3_CONNECTIONS = [
    *([0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [0, 4, 5], [0, 1, 5]),
    *([0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5], [0, 3, 4, 5], [0, 1, 4, 5], [0, 1, 2, 5]),
    *([0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5]),
    [0, 1, 2, 3, 4, 5],
]

# Columns of Table 1 (Szegedy et al. 2014) for each Inception module: #1x1, #3x3 reduce, #3x3,
# #5x5 reduce, #5x5, pool proj.
INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}

# Output channels and stride of each depthwise separable block (Howard et al. 2017, Table 1). The
# table prints a stride of 2 for the last one, whose sizes require 1.
SEPARABLE_BLOCKS = [
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *[(512, 1)] * 5,
    *((1024, 2), (1024, 1)),
]


def local_response_norm() -> nn.LocalResponseNorm:
    """AlexNet's section 3.3: k = 2, n = 5, alpha = 1e-4, beta = 0.75.

    The paper multiplies the sum over the n channels by alpha, PyTorch their mean.
    """
    return nn.LocalResponseNorm(size=5, alpha=5 * 1e-4, beta=0.75, k=2.0)


class LeNet5(nn.Module):
    """LeNet-5 as usually taught: dense C3, mean pools, fully connected output."""

    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5)
        self.c3 = nn.Conv2d(6, 16, 5)
        self.c5 = nn.Conv2d(16, 120, 5)
        self.f6 = nn.Linear(120, 84)
        self.output = nn.Linear(84, 10)

    def forward(self, images: Tensor) -> Tensor:
        s2 = avg_pool2d(self.c1(images).tanh(), 2)
        s4 = avg_pool2d(self.c3(s2).tanh(), 2)
        c5 = self.c5(s4).tanh().flatten(1)
        return self.output(self.f6(c5).tanh())


class Subsampling(nn.Module):
    """The mean of 2x2 windows with a trainable coefficient and bias for each map."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.ones(maps))
        self.bias = nn.Parameter(torch.zeros(maps))

    def forward(self, x: Tensor) -> Tensor:
        return avg_pool2d(x, 2) * self.coefficient[:, None, None] + self.bias[:, None, None]


class PartialConv(nn.Module):
    """A 5x5 convolution whose output maps each read some of the input maps."""

    def __init__(self, connections: list[list[int]]) -> None:
        super().__init__()
        self.connections = connections
        self.maps = nn.ModuleList(nn.Conv2d(len(read), 1, 5) for read in connections)

    def forward(self, x: Tensor) -> Tensor:
        pairs = zip(self.maps, self.connections, strict=True)
        return torch.cat([conv(x[:, read]) for conv, read in pairs], 1)


class LeNet5Original(nn.Module):
    """LeNet-5 of LeCun et al. 1998, section II.B. The scores are the negated penalties."""

    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5)
        self.s2 = Subsampling(6)
        self.c3 = PartialConv(C3_CONNECTIONS)
        self.s4 = Subsampling(16)
        self.c5 = nn.Conv2d(16, 120, 5)
        self.f6 = nn.Linear(120, 84)
        self.register_buffer("centers", torch.tensor(bitmaps.codes()), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        s2 = self.squash(self.s2(self.squash(self.c1(images))))
        s4 = self.squash(self.s4(self.squash(self.c3(s2))))
        c5 = self.squash(self.c5(s4)).flatten(1)
        f6 = self.squash(self.f6(c5))
        return -(f6[:, None] - self.centers).square().sum(2)

    @staticmethod
    def squash(x: Tensor) -> Tensor:
        """Equation 6, with A = 1.7159 and S = 2/3."""
        return 1.7159 * torch.tanh(2 / 3 * x)


class AlexNet(nn.Module):
    """AlexNet in one tower or two; each pool precedes its normalization."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=groups)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=groups)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=groups)
        self.fc6 = nn.Linear(256 * 6 * 6, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, 1000)
        self.norm = local_response_norm()

    def forward(self, images: Tensor) -> Tensor:
        x = self.norm(max_pool2d(self.conv1(images).relu(), 3, 2))
        x = self.norm(max_pool2d(self.conv2(x).relu(), 3, 2))
        x = self.conv5(self.conv4(self.conv3(x).relu()).relu()).relu()
        x = max_pool2d(x, 3, 2).flatten(1)
        return self.fc8(self.fc7(self.fc6(x).relu()).relu())


class Inception(nn.Module):
    """An Inception module (figure 2b) with the columns of Table 1."""

    def __init__(self, inputs: int, columns: tuple[int, ...]) -> None:
        super().__init__()
        conv1x1, reduce3x3, conv3x3, reduce5x5, conv5x5, pool_proj = columns
        self.conv1x1 = nn.Conv2d(inputs, conv1x1, 1)
        self.reduce3x3 = nn.Conv2d(inputs, reduce3x3, 1)
        self.conv3x3 = nn.Conv2d(reduce3x3, conv3x3, 3, padding=1)
        self.reduce5x5 = nn.Conv2d(inputs, reduce5x5, 1)
        self.conv5x5 = nn.Conv2d(reduce5x5, conv5x5, 5, padding=2)
        self.pool_proj = nn.Conv2d(inputs, pool_proj, 1)
        self.outputs = conv1x1 + conv3x3 + conv5x5 + pool_proj

    def forward(self, x: Tensor) -> Tensor:
        branches = [
            self.conv1x1(x),
            self.conv3x3(self.reduce3x3(x).relu()),
            self.conv5x5(self.reduce5x5(x).relu()),
            self.pool_proj(max_pool2d(x, 3, stride=1, padding=1)),
        ]
        return torch.cat(branches, 1).relu()


class GoogLeNet(nn.Module):
    """GoogLeNet by Table 1 of Szegedy et al. 2014, without the auxiliary heads."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3)
        self.conv2_reduce = nn.Conv2d(64, 64, 1)
        self.conv2 = nn.Conv2d(64, 192, 3, padding=1)
        channels = 192
        for name, columns in INCEPTION.items():
            module = Inception(channels, columns)
            self.add_module(f"inception{name}", module)
            channels = module.outputs
        self.fc = nn.Linear(channels, 1000)
        self.norm = local_response_norm()

    def forward(self, images: Tensor) -> Tensor:
        x = self.norm(self.pool(self.conv1(images).relu()))
        x = self.pool(self.norm(self.conv2(self.conv2_reduce(x).relu()).relu()))
        for name in INCEPTION:
            x = self.get_submodule(f"inception{name}")(x)
            if name in ("3b", "4e"):
                x = self.pool(x)
        return self.fc(x.mean((2, 3)))

    @staticmethod
    def pool(x: Tensor) -> Tensor:
        return max_pool2d(x, 3, 2, ceil_mode=True)


class CifarBlock(nn.Module):
    """Two 3x3 convolutions and an identity shortcut that pads new channels (option A)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride = stride
        self.new_channels = outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        residual = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        every = slice(None, None, self.stride)
        shortcut = pad(x[:, :, every, every], (0, 0, 0, 0, 0, self.new_channels))
        return (residual + shortcut).relu()


class CifarResNet(nn.Module):
    """The CIFAR-10 network of He et al. 2015, section 4.2, with 6n+2 layers."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        blocks = (depth - 2) // 6
        self.layer1 = self.stage(16, 16, blocks)
        self.layer2 = self.stage(16, 32, blocks)
        self.layer3 = self.stage(32, 64, blocks)
        self.fc = nn.Linear(64, 10)

    @staticmethod
    def stage(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
        first = CifarBlock(inputs, outputs, stride=outputs // inputs)
        rest = [CifarBlock(outputs, outputs, stride=1) for _ in range(blocks - 1)]
        return nn.Sequential(first, *rest)

    def forward(self, images: Tensor) -> Tensor:
        x = self.bn1(self.conv1(images)).relu()
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


class MobileNetV1(nn.Module):
    """MobileNet by Table 1 of Howard et al. 2017 with a width multiplier, and ReLU."""

    def __init__(self, width: float) -> None:
        super().__init__()
        channels = int(32 * width)
        self.stem = nn.Conv2d(3, channels, 3, stride=2, padding=1, bias=False)
        self.stem_bn = nn.BatchNorm2d(channels)
        self.blocks = nn.ModuleList()
        for full_width, stride in SEPARABLE_BLOCKS:
            outputs = int(full_width * width)
            self.blocks.append(self.separable(channels, outputs, stride))
            channels = outputs
        self.fc = nn.Linear(channels, 1000)

    @staticmethod
    def separable(inputs: int, outputs: int, stride: int) -> nn.Sequential:
        depthwise = nn.Conv2d(inputs, inputs, 3, stride, padding=1, groups=inputs, bias=False)
        layers = [
            ("depthwise", depthwise),
            ("depthwise_bn", nn.BatchNorm2d(inputs)),
            ("depthwise_relu", nn.ReLU()),
            ("pointwise", nn.Conv2d(inputs, outputs, 1, bias=False)),
            ("pointwise_bn", nn.BatchNorm2d(outputs)),
            ("pointwise_relu", nn.ReLU()),
        ]
        return nn.Sequential(OrderedDict(layers))

    def forward(self, images: Tensor) -> Tensor:
        x = self.stem_bn(self.stem(images)).relu()
        for block in self.blocks:
            x = block(x)
        return self.fc(x.mean((2, 3)))


class Tiny(nn.Module):
    """The network of `tests/src/tiny.rs`: a convolution with batch norm, and a fire module."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            OrderedDict(conv=nn.Conv2d(3, 16, 3, padding=1, bias=False), bn=nn.BatchNorm2d(16))
        )
        self.squeeze = nn.Sequential(OrderedDict(conv=nn.Conv2d(16, 8, 1)))
        self.expand1x1 = nn.Sequential(OrderedDict(conv=nn.Conv2d(8, 16, 1)))
        self.expand3x3 = nn.Sequential(OrderedDict(conv=nn.Conv2d(8, 16, 3, padding=1)))
        self.classifier = nn.Linear(32, 10)

    def forward(self, images: Tensor) -> Tensor:
        x = self.squeeze(max_pool2d(self.stem(images).relu(), 2)).relu()
        x = torch.cat([self.expand1x1(x), self.expand3x3(x)], 1).relu()
        return self.classifier(x.mean((2, 3)))
