"""Embeds a folder of photos by torchvision's MobileNetV2 in a DataLoader: `pipeline_worker.py FOLDER WORKERS`.

Prints the number of photos, as a check. The weights are random: none are downloaded.
"""

import sys
from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.models import mobilenet_v2
from torchvision.transforms import v2

BATCH = 32
TRANSFORM = v2.Compose(
    [
        v2.Resize(256),
        v2.CenterCrop(224),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
)


class Photos(Dataset):
    """The photos of a folder, prepared for the network."""

    def __init__(self, folder: Path) -> None:
        self.paths = sorted(folder.iterdir())

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        return TRANSFORM(Image.open(self.paths[index]).convert("RGB"))


def main() -> None:
    folder, workers = Path(sys.argv[1]), int(sys.argv[2])
    network = mobilenet_v2(weights=None).eval()
    network.classifier = torch.nn.Identity()
    count = 0
    with torch.inference_mode():
        for batch in DataLoader(Photos(folder), batch_size=BATCH, num_workers=workers):
            count += len(network(batch))
    print(count)


if __name__ == "__main__":
    main()
