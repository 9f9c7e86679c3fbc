"""The content of every test image, and the comparison of two images."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageSequence
from PIL.Image import Resampling, Transpose

# The photo, which is part of the project, and the rectangle of it that becomes `photo.png`.
SOURCE = Path(__file__).parents[3] / "assets" / "photos" / "coffee.png"
RECTANGLE = (150, 90, 450, 320)
# Length of the shorter side after the resize, and length of both sides after the crop.
SIZES = ((20, 17), (70, 48), (30, 36), (31, 36))
# The tag of the orientation in EXIF, and the value of an image that is displayed a quarter turn
# clockwise.
ORIENTATION, QUARTER_TURN = 0x0112, 6
# The largest difference of a sample between two versions of a lossy encoder.
LOSSY_TOLERANCE = 2


def encoded(image: Image.Image, format: str, **options) -> bytes:
    """The file that Pillow writes."""
    buffer = BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png(image: Image.Image) -> bytes:
    return encoded(image, "PNG", optimize=True)


def resized(image: Image.Image, shorter: int, crop: int, filter: Resampling) -> Image.Image:
    """The image after torchvision's `Resize(shorter)` and `CenterCrop(crop)`."""
    width, height = (int(shorter * side / min(image.size)) for side in image.size)
    left, top = centre_crop_start(width, crop), centre_crop_start(height, crop)
    image = image.resize((width, height), filter)
    # Pixels outside the image are black.
    return image.crop((left, top, left + crop, top + crop))


def centre_crop_start(length: int, crop: int) -> int:
    """The first pixel of torchvision's `CenterCrop(crop)`, negative for the padding of a smaller image."""
    return round((length - crop) / 2) if length >= crop else -((crop - length) // 2)


def preprocessed(photo: Image.Image) -> dict[str, bytes]:
    """`photo.png` after each resize and crop."""
    files = {}
    for filter in (Resampling.BILINEAR, Resampling.BICUBIC):
        for shorter, crop in SIZES:
            name = f"{filter.name.lower()}-{shorter}-{crop}.png"
            files[name] = png(resized(photo, shorter, crop, filter))
    shorter, crop = SIZES[0]
    grey = resized(photo.convert("L"), shorter, crop, Resampling.BILINEAR)
    files[f"grey-bilinear-{shorter}-{crop}.png"] = png(grey)
    return files


def png_16(image: Image.Image) -> bytes:
    """A PNG with 16 bits a sample, which Pillow writes for grey images alone.

    The high byte of a sample is the image's. The low byte is `29 * position mod 256`, where the
    samples of the image are numbered from 0.
    """
    bands = image.getbands()
    numbers = samples(image)
    wide = bytearray()
    for position, sample in enumerate(numbers):
        wide += bytes([sample, 29 * position % 256])
    stride = 2 * len(bands) * image.width
    rows = [wide[start : start + stride] for start in range(0, len(wide), stride)]
    # No filter, no interlacing.
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[len(bands)]
    header = struct.pack(">IIBBBBB", *image.size, 16, colour_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def formats(rgb: Image.Image) -> dict[str, bytes]:
    """The image in every format and colour type."""
    grey = rgb.convert("L")
    ramp = Image.new("L", rgb.size)
    ramp.putdata([15 * x for _ in range(rgb.height) for x in range(rgb.width)])
    rgba = Image.merge("RGBA", (*rgb.split(), ramp))
    grey_alpha = Image.merge("LA", (grey, ramp))
    palette = rgb.quantize(11)
    mirror = Transpose.FLIP_LEFT_RIGHT
    animation = {"save_all": True, "append_images": [rgb.transpose(mirror)]}
    palette_animation = {"save_all": True, "append_images": [palette.transpose(mirror)]}
    return {
        "animated.gif": encoded(palette, "GIF", duration=50, loop=0, **palette_animation),
        "animated.webp": encoded(rgb, "WEBP", lossless=True, **animation),
        "baseline.jpg": encoded(rgb, "JPEG", quality=90, subsampling=0),
        "bilevel.png": encoded(rgb.convert("1"), "PNG"),
        "cmyk.jpg": encoded(rgb.convert("CMYK"), "JPEG", quality=90),
        "grey-16.png": png_16(grey),
        "grey-alpha-16.png": png_16(grey_alpha),
        "grey-alpha.png": encoded(grey_alpha, "PNG"),
        "grey.bmp": encoded(grey, "BMP"),
        "grey.jpg": encoded(grey, "JPEG", quality=90),
        "grey.png": encoded(grey, "PNG"),
        "lossless-alpha.webp": encoded(rgba, "WEBP", lossless=True, exact=True),
        "lossless.webp": encoded(rgb, "WEBP", lossless=True),
        "lossy.webp": encoded(rgb, "WEBP", quality=90),
        "palette-transparent.png": encoded(palette, "PNG", transparency=3),
        "palette.bmp": encoded(palette, "BMP"),
        "palette.gif": encoded(palette, "GIF"),
        "palette.png": encoded(palette, "PNG"),
        "progressive.jpg": encoded(rgb, "JPEG", quality=90, subsampling=0, progressive=True),
        "rgb-16.png": png_16(rgb),
        "rgb.bmp": encoded(rgb, "BMP"),
        "rgb.png": encoded(rgb, "PNG"),
        "rgba-16.png": png_16(rgba),
        "rgba.bmp": encoded(rgba, "BMP"),
        "rgba.png": encoded(rgba, "PNG"),
        "subsampled.jpg": encoded(rgb, "JPEG", quality=90, subsampling=2),
        "transparent.gif": encoded(palette, "GIF", transparency=3),
    }


def decoded(name: str, content: bytes) -> bytes:
    """The PNG of the first frame's colours, without alpha."""
    image = Image.open(BytesIO(content))
    if image.mode == "I;16":
        # Pillow's conversion clips samples of 16 bits instead of scaling them.
        high = [sample >> 8 for sample in image.get_flattened_data()]
        image = Image.new("L", image.size)
        image.putdata(high)
    return png(image.convert("RGB"))


def quarters() -> dict[str, bytes]:
    """An image of four colours with an EXIF orientation."""
    image = Image.new("RGB", (32, 16))
    for index, colour in enumerate(("red", "lime", "blue", "white")):
        left, top = index % 2 * 16, index // 2 * 8
        image.paste(colour, (left, top, left + 16, top + 8))
    exif = Image.Exif()
    exif[ORIENTATION] = QUARTER_TURN
    return {
        "quarters.jpg": encoded(image, "JPEG", exif=exif, quality=95, subsampling=0),
        "quarters.png": encoded(image, "PNG", exif=exif),
        "quarters.webp": encoded(image, "WEBP", exif=exif, lossless=True),
    }


def files() -> dict[str, bytes]:
    """The content of every image of this folder, by path."""
    photo = Image.open(SOURCE).convert("RGB").crop(RECTANGLE)
    photo = photo.resize((61, 47), Resampling.LANCZOS)
    result = {"photo.png": png(photo), **preprocessed(photo), **quarters()}
    for name, content in formats(photo.resize((18, 14), Resampling.BOX)).items():
        result[f"encoded/{name}"] = content
        result[f"decoded/{name.replace('.', '-')}.png"] = decoded(name, content)
    return result


def differences(found: bytes, committed: bytes) -> list[str]:
    """A line for each difference in what the files show, of the committed file from the other.

    The bytes may differ: another version of a library may compress otherwise. The samples of lossy
    formats may differ by LOSSY_TOLERANCE.
    """
    images = [Image.open(BytesIO(content)) for content in (found, committed)]
    for what in (attributes, frame_count):
        if what(images[0]) != what(images[1]):
            return [f"{what(images[1])}, expected {what(images[0])}"]
    lossy = images[0].format == "JPEG" or found[12:16] == b"VP8 "
    lines = []
    for number, pair in enumerate(zip(*map(ImageSequence.Iterator, images), strict=True)):
        difference = sample_difference(*pair)
        if difference > (LOSSY_TOLERANCE if lossy else 0):
            lines.append(f"frame {number}: samples differ by {difference}")
    return lines


def attributes(image: Image.Image) -> str:
    orientation = image.getexif().get(ORIENTATION, 1)
    return f"{image.format} {image.mode} {image.size}, orientation {orientation}"


def frame_count(image: Image.Image) -> str:
    return f"{getattr(image, 'n_frames', 1)} frames"


def sample_difference(a: Image.Image, b: Image.Image) -> int:
    """The largest difference of two samples, of all bands and of the alpha of palettes."""
    if a.mode != "I;16":
        a, b = a.convert("RGBA"), b.convert("RGBA")
    return max(abs(x - y) for x, y in zip(samples(a), samples(b), strict=True))


def samples(image: Image.Image) -> list[int]:
    pixels = image.get_flattened_data()
    return [
        sample for pixel in pixels for sample in (pixel if len(image.getbands()) > 1 else [pixel])
    ]
