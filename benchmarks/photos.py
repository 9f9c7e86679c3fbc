"""Makes JPEG photos of 1920x1080 from the sample photos, the same for a seed on every machine."""

import random
from pathlib import Path

import numpy
from PIL import Image, ImageEnhance, ImageOps

SAMPLES = Path(__file__).resolve().parent.parent / "assets" / "photos"
SIZE = (1920, 1080)


def make(folder: Path, count: int, seed: int = 0) -> None:
    """Writes `count` photos to `folder`: random crops, mirrored at random, brightness varied.

    Photos that the folder contains are not made again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    samples = [Image.open(path).convert("RGB") for path in sorted(SAMPLES.iterdir())]
    for number in range(count):
        path = folder / f"{number:06}.jpg"
        if path.exists():
            continue
        draw = random.Random(seed * 1_000_003 + number)
        photo = draw.choice(samples)
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
        photo.save(path, quality=draw.choice([75, 85, 92]))
