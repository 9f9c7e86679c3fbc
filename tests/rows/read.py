"""Reads the files of results of `receptive classify` and `receptive embed` by the libraries that people use.

Usage: read.py RECEPTIVE, a program with the feature parquet. Needs numpy, pandas and pyarrow.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import pandas
import pyarrow
import pyarrow.parquet

ROOT = Path(__file__).resolve().parent.parent.parent
PHOTOS = sorted((ROOT / "assets" / "photos").iterdir())
# The second image cannot be decoded.
IMAGES = [str(PHOTOS[0]), "no-such-photo.jpg", *map(str, PHOTOS[1:])]


def rows(program: str, command: str, file: Path, *images: str) -> Path:
    """Runs a command on the images, of which one fails."""
    arguments = [program, command, *(images or IMAGES), "--output", file]
    done = subprocess.run(arguments, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1, done.stderr
    return file


def check_classes(program: str, folder: Path) -> None:
    lines = rows(program, "classify", folder / "rows.jsonl").read_text().splitlines()
    expected = [json.loads(line) for line in lines]
    assert [row["path"] for row in expected] == IMAGES

    parquet = rows(program, "classify", folder / "rows.parquet")
    table = pyarrow.parquet.read_table(parquet)
    types = {
        "path": pyarrow.string(),
        "index": pyarrow.int32(),
        "label": pyarrow.string(),
        "probability": pyarrow.float32(),
        "top_indices": pyarrow.list_(pyarrow.int32()),
        "top_labels": pyarrow.list_(pyarrow.string()),
        "top_probabilities": pyarrow.list_(pyarrow.float32()),
        "inverted": pyarrow.bool_(),
        "error": pyarrow.string(),
    }
    found = {field.name: field.type for field in table.schema}
    assert list(found) == list(types), found
    for name, expected_type in types.items():
        kind = found[name]
        if pyarrow.types.is_list(expected_type):
            assert kind.value_type == expected_type.value_type, (name, kind)
        else:
            assert kind == expected_type, (name, kind)
    for row, found in zip(expected, table.to_pylist(), strict=True):
        for name in types:
            value = row.get(name)
            if name == "probability" and value is not None:
                assert numpy.float32(value) == numpy.float32(found[name])
            elif name == "top_probabilities" and value is not None:
                assert numpy.array_equal(numpy.float32(value), numpy.float32(found[name]))
            else:
                assert value == found[name], (name, value, found[name])

    frames = [
        pandas.read_json(folder / "rows.jsonl", lines=True),
        pandas.read_csv(rows(program, "classify", folder / "rows.csv")),
        pandas.read_parquet(parquet),
    ]
    for frame in frames:
        assert list(frame.path) == IMAGES
        labels = list(frame.label)
        assert labels[0] == expected[0]["label"] and pandas.isna(labels[1]), labels
        assert frame.error[1].startswith("cannot be read"), frame.error[1]


def check_vectors(program: str, folder: Path) -> None:
    array = numpy.load(rows(program, "embed", folder / "vectors.npy"), mmap_mode="r")
    assert array.shape == (len(IMAGES), 1280) and array.dtype == numpy.float32
    assert numpy.isnan(array[1]).all() and numpy.isfinite(array[[0, 2, 3]]).all()
    paths = pandas.read_csv(folder / "vectors.paths.csv")
    assert list(paths.path) == IMAGES and paths.error.notna().tolist() == [False, True, False, False]

    table = pyarrow.parquet.read_table(rows(program, "embed", folder / "vectors.parquet"))
    vector = table.schema.field("vector").type
    assert pyarrow.types.is_fixed_size_list(vector) and vector.list_size == 1280, vector
    assert vector.value_type == pyarrow.float32()
    found = table.column("vector").to_pylist()
    assert found[1] is None
    lines = rows(program, "embed", folder / "vectors.jsonl").read_text().splitlines()
    for index in (0, 2, 3):
        assert numpy.array_equal(array[index], numpy.float32(found[index]))
        assert numpy.array_equal(array[index], numpy.float32(json.loads(lines[index])["vector"]))
    frame = pandas.read_csv(rows(program, "embed", folder / "vectors.csv"))
    csv = frame[[str(feature) for feature in range(1280)]].to_numpy(numpy.float32)
    assert numpy.array_equal(array, csv, equal_nan=True)


def check_parquet_images(program: str, folder: Path) -> None:
    """Classifies images in a column, as in data sets of the Hugging Face Hub and as plain bytes."""
    bytes_ = [PHOTOS[0].read_bytes(), b"no image", PHOTOS[1].read_bytes(), None]
    names = ["a.png", "b.png", "c.png", "d.png"]
    structs = [{"bytes": b, "path": n} for b, n in zip(bytes_, names, strict=True)]
    table = pyarrow.table({"label": [0, 1, 2, 3], "image": structs, "photo": bytes_})
    file = folder / "images.parquet"
    pyarrow.parquet.write_table(table, file)
    expected = None
    for column, paths in [("image", names), ("photo", ["0", "1", "2", "3"])]:
        output = folder / f"{column}.csv"
        rows(program, "classify", output, str(file), "--image-column", column)
        frame = pandas.read_csv(output)
        assert list(frame.path) == [f"{file}/{path}" for path in paths]
        assert frame.error.notna().tolist() == [False, True, False, True]
        labels = list(frame.label.dropna())
        assert expected in (None, labels)
        expected = labels
    shard = folder / "shard.csv"
    rows(program, "classify", shard, str(file), "--shard", "2/2")
    assert list(pandas.read_csv(shard).path) == [f"{file}/{name}" for name in names[2:]]


def main() -> None:
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        check_classes(program, Path(folder))
        check_vectors(program, Path(folder))
        check_parquet_images(program, Path(folder))
    print("pandas, numpy and pyarrow read the results.")


if __name__ == "__main__":
    main()
