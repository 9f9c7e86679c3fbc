"""Tables of measurements, in Markdown."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf, isfinite
from statistics import geometric_mean, median

from install import TITLES
from networks import ORDER
from results import Measurement

# Ratios are over this engine's time.
REFERENCE = "onnxruntime"
# PyTorch's memory layouts of a training step.
LAYOUTS = ["pytorch", "pytorch-channels-last"]

# Milliseconds of each round, by network and engine.
Times = dict[str, dict[str, list[float]]]
# Peak MiB, by network and engine.
Peaks = dict[str, dict[str, float]]


@dataclass
class View:
    """The rows of a table: the times and peaks of each network, from measurements of one kind.

    A row is of one measurement, whose engines ran in turn.
    """

    times: Times = field(default_factory=dict)
    peaks: Peaks = field(default_factory=dict)
    # The measurements of the rows of `times` and of `peaks`, the oldest first.
    timed: list[Measurement] = field(default_factory=list)
    sampled: list[Measurement] = field(default_factory=list)
    # Images of a training step, by network.
    batches: dict[str, int] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def titles(self, by_network: dict[str, dict], with_version: bool = True) -> dict[str, str]:
        """The titles of the engines of these rows, in the order of the columns."""
        present = {engine for by_engine in by_network.values() for engine in by_engine}
        titles = {name: title for name, title in TITLES.items() if name in present}
        if not with_version:
            return titles
        return {name: self.with_version(name, title) for name, title in titles.items()}

    def with_version(self, name: str, title: str) -> str:
        """Such as `PyTorch 2.15.0, channels last` for the title `PyTorch, channels last`."""
        engine, comma, rest = title.partition(",")
        return f"{engine} {self.versions.get(name, '')}".rstrip() + comma + rest


def view(measurements: Iterable[Measurement], kind: str, batch: int | None = None) -> View:
    """Combines the measurements of one kind and, for inference, of one batch."""
    dated = sorted(measurements, key=lambda measurement: measurement["date"])
    chosen = [m for m in dated if m["kind"] == kind and m["options"].get("batch") == batch]
    found = View()
    for measurement in chosen:
        found.versions |= measurement["engines"]
        found.batches |= measurement.get("batches", {})
    found.times, found.timed = newest_rows(chosen, "round_ms")
    found.peaks, found.sampled = newest_rows(chosen, "peak_mib")
    return found


def newest_rows(
    measurements: list[Measurement], key: str
) -> tuple[dict[str, dict], list[Measurement]]:
    """Each network's newest row, in the order of the tables, and the measurements of these rows.

    A newer row with fewer engines does not replace an older one.
    """
    rows: dict[str, tuple[dict, Measurement]] = {}
    for measurement in measurements:
        for network, row in measurement[key].items():
            row = {engine: value for engine, value in row.items() if value}
            if row and (network not in rows or row.keys() >= rows[network][0].keys()):
                rows[network] = (row, measurement)
    rank = {name: index for index, name in enumerate(ORDER)}
    names = sorted(rows, key=lambda name: (rank.get(name, len(rank)), name))
    sources = [m for m in measurements if any(m is source for _, source in rows.values())]
    return {name: rows[name][0] for name in names}, sources


def times_table(times: Times, titles: dict[str, str]) -> str:
    """Median milliseconds, ratios to ONNX Runtime in brackets, and the ratios' geometric mean."""
    rows = []
    ratios: dict[str, list[float]] = {engine: [] for engine in titles}
    for network, by_engine in times.items():
        row = [network]
        for engine in titles:
            if not by_engine.get(engine):
                row.append("")
                continue
            ms = median(by_engine[engine])
            cell = number(ms)
            if by_engine.get(REFERENCE):
                ratio = ms / median(by_engine[REFERENCE])
                ratios[engine].append(ratio)
                cell += f" ({ratio:.2f})"
            row.append(cell)
        rows.append(row)
    if any(ratios.values()):
        means = [mean_of(ratios[engine], len(times)) for engine in titles]
        rows.append(["geometric mean", *means])
    return markdown(["ms", *titles.values()], rows)


def plain_table(times: Times, titles: dict[str, str], unit: str = "ms") -> str:
    """Median milliseconds without ratios."""
    rows = [
        [network, *(number(median(by[e])) if by.get(e) else "" for e in titles)]
        for network, by in times.items()
    ]
    return markdown([unit, *titles.values()], rows)


def memory_table(peaks: Peaks, titles: dict[str, str]) -> str:
    rows = [
        [network, *(number(by[engine]) if engine in by else "" for engine in titles)]
        for network, by in peaks.items()
    ]
    return markdown(["MiB", *titles.values()], rows)


def training_table(view: View) -> str:
    """Milliseconds of a training step, the ratio to PyTorch's faster layout, and peak memory."""
    titles = view.titles(view.times)
    header = ["ms", "images", *titles.values(), "ratio"]
    if view.peaks:
        header += ["Receptive, MiB", "PyTorch, MiB"]
    rows, ratios = [], []
    for network, by_engine in view.times.items():
        medians = {name: median(by_engine[name]) for name in titles if by_engine.get(name)}
        row = [network, str(view.batches.get(network, ""))]
        row += [number(medians[name]) if name in medians else "" for name in titles]
        ratio = training_ratio(medians)
        row.append(f"{ratio:.2f}" if ratio else "")
        ratios += [ratio] if ratio else []
        if view.peaks:
            peaks = view.peaks.get(network, {})
            theirs = [peaks[name] for name in LAYOUTS if name in peaks]
            row.append(number(peaks["receptive"]) if "receptive" in peaks else "")
            row.append(number(min(theirs)) if theirs else "")
        rows.append(row)
    if ratios:
        empty = [""] * len(titles)
        rest = [""] * (2 if view.peaks else 0)
        rows.append(["geometric mean", "", *empty, mean_of(ratios, len(rows)), *rest])
    return markdown(header, rows)


def training_ratio(medians: dict[str, float]) -> float | None:
    """Receptive's time over that of PyTorch's faster layout."""
    theirs = [medians[name] for name in LAYOUTS if name in medians]
    if "receptive" not in medians or not theirs:
        return None
    return medians["receptive"] / min(theirs)


def mean_of(ratios: list[float], networks: int) -> str:
    if not ratios:
        return ""
    few = f" (of {len(ratios)})" if len(ratios) < networks else ""
    return f"{geometric_mean(ratios):.2f}{few}"


def mean_ratio(times: Times, engine: str = "receptive") -> float | None:
    """The geometric mean of an engine's ratios to ONNX Runtime; None without a ratio."""
    ratios = [
        median(by[engine]) / median(by[REFERENCE])
        for by in times.values()
        if by.get(engine) and by.get(REFERENCE)
    ]
    return geometric_mean(ratios) if ratios else None


def widest_spread(times: Times) -> tuple[float, str, str] | None:
    """The largest range of rounds over their median, with its engine and network."""
    spreads = [
        ((max(rounds) - min(rounds)) / median(rounds), engine, network)
        for network, by_engine in times.items()
        for engine, rounds in by_engine.items()
        if len(rounds) > 1
    ]
    return max(spreads, default=None)


def relative_difference(output: list[float], reference: list[float]) -> float:
    """The largest absolute difference over the largest absolute value of the reference."""
    if len(output) != len(reference) or not all(map(isfinite, output)):
        return inf
    difference = max(abs(a - b) for a, b in zip(output, reference, strict=True))
    return difference / max(map(abs, reference))


def number(value: float) -> str:
    """Three significant digits, or all digits before the decimal point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def markdown(header: list[str], rows: Iterable[list[str]]) -> str:
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
