"""Differences between a computed reference and the committed one, up to rounding."""

# The largest accepted error of a logit relative to the largest logit, of the loss relative to the
# loss, and of a norm or dot product relative to the norm. The committed numbers have 8 digits, so
# that a changed last digit is up to 1e-7. Another number of threads or another implementation of
# convolution, which sum in another order, changes the results by 2e-12 at most. A wrong layer
# changes them by far more.
TOLERANCE = 1e-6
# A gradient with a norm below this fraction of the network's largest norm is zero up to rounding: a
# bias before a batch norm has no effect. Errors of such gradients are relative to the largest norm.
ZERO = 1e-10
# The fields that have to be equal.
EXACT = ("name", "salt", "gain", "input", "parameters", "state")
# The numbers of each gradient.
KEYS = ("norms", "dots")


def differences(found: dict, committed: dict) -> list[str]:
    """A line for each difference between the references of a network."""
    lines = unequal(found, committed, EXACT)
    logits = [flat(reference["logits"]) for reference in (found, committed)]
    if [len(row) for row in found["logits"]] != [len(row) for row in committed["logits"]]:
        lines.append("logits: another shape")
    else:
        scale = max(abs(score) for score in logits[1])
        error = max(abs(a - b) for a, b in zip(*logits, strict=True)) / scale
        lines += beyond("logits", error, "of the largest logit")
    steps = found.get("grad"), committed.get("grad")
    if steps[0] and steps[1]:
        lines += [f"grad: {line}" for line in step_differences(*steps)]
    else:
        lines += unequal(found, committed, ["grad"])
    return lines


def step_differences(found: dict, committed: dict) -> list[str]:
    """A line for each difference between the training steps of a network."""
    lines = unequal(found, committed, ("input", "target"))
    error = abs(found["loss"] - committed["loss"]) / committed["loss"]
    lines += beyond("loss", error, "of the loss")
    norms = committed["norms"]
    if any(step[key].keys() != norms.keys() for step in (found, committed) for key in KEYS):
        return [*lines, "other parameters"]
    for key in KEYS:
        for name, error in errors(found[key], committed[key], norms).items():
            lines += beyond(f"{key}: {name}", error, "of the norm")
    return lines


def errors(
    found: dict[str, float], committed: dict[str, float], norms: dict[str, float]
) -> dict[str, float]:
    """The error of each gradient's number, relative to the gradient's norm."""
    largest = max(norms.values())
    scales = {name: largest if norm < ZERO * largest else norm for name, norm in norms.items()}
    return {name: abs(found[name] - committed[name]) / scales[name] for name in norms}


def beyond(what: str, error: float, unit: str) -> list[str]:
    """A line if the error exceeds the tolerance, or is not a number."""
    return [] if error < TOLERANCE else [f"{what}: differs by {error:.1e} {unit}"]


def unequal(found: dict, committed: dict, keys) -> list[str]:
    """A line for each key whose values differ, or that one of the references lacks."""
    return [f"{key}: another value" for key in keys if found.get(key) != committed.get(key)]


def flat(rows: list[list[float]]) -> list[float]:
    return [number for row in rows for number in row]
