"""A generator as a list of operations that a page can compute: what PyTorch did to make one picture, written down.

No network is known by name here. One picture is made, every operation of ATen (PyTorch's library of tensor
operations) on the way is noted with its arguments, and `site/gan.js` does the same.
"""

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from gan_course import sampling
from gan_course.errors import CourseError
from gan_course.style import StyleGenerator

KNOWN = {"view", "_unsafe_view", "clone", "detach", "lift_fresh_copy", "_to_copy", "t", "permute"}
KNOWN |= {"add", "mul", "pow", "rsqrt", "relu", "leaky_relu", "tanh", "sum", "mean", "mm", "addmm", "convolution"}
KNOWN |= {"unsqueeze", "expand", "native_batch_norm", "upsample_nearest2d", "upsample_bilinear2d"}
IGNORED = {"memory_format", "dtype", "layout", "device", "pin_memory", "non_blocking", "implicit", "momentum"}
# What the page's version does not do: argument -> the values that it may have.
PLAIN = {"groups": (1,), "training": (False,), "align_corners": (False,)}
PLAIN |= {"dilation": ([1, 1],), "output_padding": ([0, 0],), "cudnn_enabled": (True, False)}


def described(generator: nn.Module, latent_dim: int) -> dict:
    """The operations from z [1, latent_dim] to one picture, as JSON has it.

    Returns:
        `steps`: dicts of `op`, `out` (the name of its result) and arguments by ATen's names; a tensor is named as in
        the state dictionary, the latent vector `z`. `constants`: tensors that are in no state dictionary, by name.
        Of a style-based generator also `styles`: the name of each layer's style, coarsest first.

    Raises:
        CourseError: it does something that a page cannot compute.
    """
    notes = _Notes(generator.state_dict(keep_vars=True))
    z = torch.zeros(1, latent_dim)
    notes.name(z, "z")
    with torch.no_grad(), sampling.evaluating(generator), notes:
        if isinstance(generator, StyleGenerator):  # forward, with a style for each layer that a page can replace
            w = generator.mapping(z)
            styles = [w.clone() for _ in range(generator.layers)]
            image = generator.synthesis(styles)
        else:
            styles, image = [], generator(z)
    if not notes.steps or notes.names[id(image)] != notes.steps[-1]["out"]:
        raise CourseError(f"{type(generator).__name__}: what it returns is not what it computed last")
    named = {"styles": [notes.names[id(w)] for w in styles]} if styles else {}
    return {"steps": notes.steps, "constants": notes.constants, **named}


class _Notes(TorchDispatchMode):
    def __init__(self, state: dict[str, Tensor]):
        super().__init__()
        self.names, self.steps, self.constants = {}, [], {}
        self.kept = []  # a tensor that is gone would leave its id to another
        for name, tensor in state.items():
            self.name(tensor, name)

    def name(self, tensor: Tensor, name: str) -> None:
        self.names[id(tensor)] = name
        self.kept.append(tensor)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        op = function.overloadpacket.__name__.removesuffix("_")
        if op == "empty":  # memory for what is not computed here
            return result
        op = "native_batch_norm" if "batch_norm" in op else op
        if op not in KNOWN:
            raise CourseError(f"a page cannot compute {op}")
        given = {argument.name: argument.default_value for argument in function._schema.arguments}
        given |= dict(zip(given, args, strict=False)) | (kwargs or {})
        for name, value in given.items():
            if name in PLAIN and value not in PLAIN[name]:
                raise CourseError(f"a page cannot compute {op} with {name} {value}")
        step = {name: self._plain(value) for name, value in given.items() if name not in {*IGNORED, *PLAIN}}
        self.name(result[0] if isinstance(result, tuple) else result, f"%{len(self.steps)}")
        self.steps.append({"op": op, "out": f"%{len(self.steps)}", **step})
        return result

    def _plain(self, value):
        if not isinstance(value, Tensor):
            return value
        if id(value) not in self.names:
            name = f"constant {len(self.constants)}"
            self.constants[name] = {"shape": list(value.shape), "data": value.flatten().tolist()}
            self.name(value, name)
        return self.names[id(value)]
