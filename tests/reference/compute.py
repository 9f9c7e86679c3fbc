"""Computes a reference with PyTorch in float64."""

from math import prod

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import formula
from cases import Case, Shape

# Elements that the formula computes at a time: the intermediate arrays stay small.
CHUNK = 2**22
# Significant digits of the results.
DIGITS = 8


def values(salt: str, name: str, count: int) -> np.ndarray:
    """The first `count` elements of the vector `name`."""
    result = np.empty(count)
    for start in range(0, count, CHUNK):
        index = np.arange(start, min(start + CHUNK, count), dtype=np.uint64)
        result[start : start + CHUNK] = formula.value(salt, name, index)
    return result


def images(salt: str, shape: Shape) -> Tensor:
    return torch.from_numpy(values(salt, "input", prod(shape))).reshape(shape)


def build(case: Case, salt: str) -> tuple[nn.Module, dict[str, Tensor]]:
    """The network in float64 with the formula's weights, and its state."""
    network = case.make().double()
    state = network.state_dict()
    state = {name: t for name, t in state.items() if not name.endswith("num_batches_tracked")}
    for name, tensor in state.items():
        shape = tuple(tensor.shape)
        offset, scale = formula.offset_and_scale(name, shape, case.gain)
        elements = offset + scale * values(salt, name, prod(shape))
        tensor.copy_(torch.from_numpy(elements.astype(np.float32)).reshape(shape))
    return network, state


def rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


def training_step(case: Case, salt: str, classes: int) -> dict:
    """The loss, and the norm and the dot product with the probe vector of each gradient."""
    assert case.step is not None
    network, _ = build(case, salt)
    target = [(7 * image + 3) % classes for image in range(case.step[0])]
    loss = cross_entropy(network.train()(images(salt, case.step)), torch.tensor(target))
    loss.backward()
    norms, dots = {}, {}
    for name, parameter in network.named_parameters():
        gradient = parameter.grad
        assert gradient is not None, f"{name} has no gradient"
        probe = torch.from_numpy(values(salt, f"grad/{name}", gradient.numel()))
        norms[name] = rounded(gradient.norm().item())
        dots[name] = rounded(gradient.flatten().dot(probe).item())
    step = {"input": list(case.step), "target": target, "loss": loss.item()}
    return step | {"norms": norms, "dots": dots}


def reference(name: str, case: Case, salt: str) -> dict:
    """The content of the file NAME.json."""
    network, state = build(case, salt)
    with torch.no_grad():
        logits = network.eval()(images(salt, case.input))
    result = {
        "name": name,
        "salt": salt,
        "gain": case.gain,
        "input": list(case.input),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "state": {name: list(tensor.shape) for name, tensor in state.items()},
        "logits": [[rounded(score) for score in image] for image in logits.tolist()],
    }
    if case.step:
        result["grad"] = training_step(case, salt, logits.shape[1])
    return result
