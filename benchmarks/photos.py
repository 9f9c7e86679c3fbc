"""Makes JPEG photos of 1920x1080 from the sample photos: `photos.py FOLDER COUNT`.

A photo depends only on its number and the seed.
"""

import random
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

import numpy
from PIL import Image, ImageEnhance, ImageOps

SAMPLES = Path(__file__).resolve().parent.parent / "assets" / "photos"
SIZE = (1920, 1080)


def make(folder: Path, count: int, seed: int = 0) -> None:
    """Writes `count` photos to `folder`: random crops, mirrored at random, brightness varied, with grain.

    Photos that the folder contains are not made again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [number for number in range(count) if not (folder / name(number)).exists()]
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(write, repeat(folder), missing, repeat(seed), chunksize=16):
            pass


def name(number: int) -> str:
    return f"{number:06}.jpg"


def write(folder: Path, number: int, seed: int) -> None:
    """Writes the photo `number` of a seed."""
    draw = random.Random(seed * 1_000_003 + number)
    photo = Image.open(draw.choice(sorted(SAMPLES.iterdir()))).convert("RGB")
    width, height = photo.size
    # The largest crop with the sides' ratio, reduced at random.
    scale = min(width / SIZE[0], height / SIZE[1]) * draw.uniform(0.5, 1.0)
    size = (SIZE[0] * scale, SIZE[1] * scale)
    left = draw.uniform(0, width - size[0])
    top = draw.uniform(0, height - size[1])
    box = (left, top, left + size[0], top + size[1])
    photo = photo.resize(SIZE, Image.Resampling.BICUBIC, box=box)
    if draw.random() < 0.5:
        photo = ImageOps.mirror(photo)
    photo = ImageEnhance.Brightness(photo).enhance(draw.uniform(0.7, 1.3))
    # Grain, so that the files are as large as those of a camera.
    grain = numpy.random.default_rng([seed, number]).normal(0, 2.4, (SIZE[1], SIZE[0], 1))
    photo = Image.fromarray(numpy.uint8(numpy.clip(numpy.asarray(photo) + grain, 0, 255)))
    # A name that no reader takes for a whole photo, until it is one.
    part = folder / f".{name(number)}.part"
    photo.save(part, format="JPEG", quality=draw.choice([75, 85, 92]))
    part.rename(folder / name(number))


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
