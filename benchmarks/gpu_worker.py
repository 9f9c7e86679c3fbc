"""Times inference of a torchvision network in PyTorch on a CUDA GPU:
`python gpu_worker.py NETWORK BATCH PRECISION SECONDS`.

PRECISION is `float32`, `tf32` (float32 with TF32 multiplications) or `float16`. Runs in both memory
layouts, contiguous and channels last, and prints a JSON line of the faster one: the median
milliseconds of a forward pass, and the runs and seconds of the warm-up. A pass ends when its logits
are in the CPU's memory, as in `receptive bench`.
"""

import json
import sys
import time

import torch
from torchvision import models

from worker import median_ms

# The constructor of each network, by its name in `receptive`.
NETWORKS = {
    "alexnet-torchvision": models.alexnet,
    "vgg16": models.vgg16,
    "resnet18": models.resnet18,
    "resnet50": models.resnet50,
    "resnet152": models.resnet152,
    "mobilenet-v2": models.mobilenet_v2,
}
# Passes before the measurement, in which cuDNN times its algorithms.
WARM_UP_RUNS = 10


def measure(network: str, batch: int, precision: str, seconds: float, layout: torch.memory_format):
    """The median milliseconds, and the seconds of the warm-up."""
    dtype = torch.float16 if precision == "float16" else torch.float32
    model = NETWORKS[network]().eval().to("cuda", dtype, memory_format=layout)
    images = torch.randn(batch, 3, 224, 224, device="cuda").to(dtype, memory_format=layout)

    def forward() -> None:
        model(images).float().cpu()

    with torch.inference_mode():
        start = time.perf_counter()
        for _ in range(WARM_UP_RUNS):
            forward()
        warm_up = time.perf_counter() - start
        return median_ms(forward, seconds), warm_up


def main() -> None:
    network, batch, precision, seconds = sys.argv[1:]
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    layouts = (torch.contiguous_format, torch.channels_last)
    found = [measure(network, int(batch), precision, float(seconds), layout) for layout in layouts]
    milliseconds, warm_up = min(found)
    line = {"median_ms": milliseconds, "warm_up": {"runs": WARM_UP_RUNS, "seconds": warm_up}}
    print(json.dumps(line))


if __name__ == "__main__":
    main()
