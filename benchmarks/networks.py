"""The networks that are timed."""

# Inference. The short name is that of `graphs/`; then the name in `receptive`, and the shape of an
# image.
INFERENCE = {
    "lenet5": ("lenet5", "1x32x32"),
    "alexnet": ("alexnet-torchvision", "3x224x224"),
    "vgg16": ("vgg16", "3x224x224"),
    "googlenet": ("googlenet", "3x224x224"),
    "resnet18": ("resnet18", "3x224x224"),
    "resnet50": ("resnet50", "3x224x224"),
    "resnet152": ("resnet152", "3x224x224"),
    "mobilenetv1": ("mobilenet-v1", "3x224x224"),
}
# A training step: the name in `receptive`, and the images of a step.
TRAINING = {
    "lenet5": 64,
    "alexnet-torchvision": 8,
    "vgg11": 2,
    "googlenet": 8,
    "resnet18": 8,
    "resnet50": 4,
    "mobilenet-v1": 8,
}
# The order of the rows of every table.
ORDER = [*INFERENCE, *(name for name in TRAINING if name not in INFERENCE)]
