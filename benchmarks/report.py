"""What the measurements say: medians, ratios to ONNX Runtime, who computed something else."""

from collections.abc import Iterable
from math import inf, isfinite
from statistics import geometric_mean, median

REFERENCE = "onnxruntime"

# Milliseconds of each round, by network and engine.
Times = dict[str, dict[str, list[float]]]


def times_table(times: Times, titles: dict[str, str]) -> str:
    """Milliseconds, in brackets the time over ONNX Runtime's, and the geometric mean of those."""
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


def memory_table(peaks: dict[str, dict[str, float]], titles: dict[str, str]) -> str:
    rows = [
        [network, *(number(by[engine]) if engine in by else "" for engine in titles)]
        for network, by in peaks.items()
    ]
    return markdown(["MiB", *titles.values()], rows)


def mean_of(ratios: list[float], networks: int) -> str:
    if not ratios:
        return ""
    few = f" (of {len(ratios)})" if len(ratios) < networks else ""
    return f"{geometric_mean(ratios):.2f}{few}"


def widest_spread(times: Times) -> tuple[float, str, str] | None:
    """The largest range of rounds over their median, with its engine and network."""
    spreads = [
        ((max(rounds) - min(rounds)) / median(rounds), engine, network)
        for network, by_engine in times.items()
        for engine, rounds in by_engine.items()
        if len(rounds) > 1
    ]
    return max(spreads, default=None)


def departure(output: list[float], reference: list[float]) -> float:
    """The largest difference over the largest value of the reference."""
    if len(output) != len(reference) or not all(map(isfinite, output)):
        return inf
    difference = max(abs(a - b) for a, b in zip(output, reference, strict=True))
    return difference / max(map(abs, reference))


def number(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def markdown(header: list[str], rows: Iterable[list[str]]) -> str:
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
