"""Kaldi's binary format for ``am/final.mdl`` (TransitionModel and AmNnetSimple), without Kaldi.

Sources: kaldi/src/hmm/transition-model.cc, hmm-topology.cc, nnet3/nnet-nnet.cc, am-nnet-simple.cc.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .augment import SUBSAMPLING
from .features import BINS
from .net import NORM_EPSILON, Tdnn, Trained
from .units import UNITS

Matrix = npt.NDArray[np.float32]

POSITIONS = ("begin", "end", "internal", "singleton")
PRIOR_FLOOR = 1e-3
"""A unit that is rarer would win everywhere when its prior is divided out."""


def phone_id(unit: int, position: str = "begin") -> int:
    """The number of a unit's copy for a place in the word; silence has the one copy 1."""
    return 1 if unit == 0 else 2 + 4 * (unit - 1) + POSITIONS.index(position)


PHONES = 1 + 4 * (len(UNITS) - 1)


def self_loop_id(phone: int) -> int:
    """The transition-id that stays in a phone."""
    return 2 * phone - 1


def forward_id(phone: int) -> int:
    """The transition-id that enters (in Kaldi's reordered graphs) a phone."""
    return 2 * phone


def word_boundaries() -> str:
    """graph/phones/word_boundary.int."""
    lines = ["1 nonword"]
    for unit in range(1, len(UNITS)):
        lines += [f"{phone_id(unit, position)} {position}" for position in POSITIONS]
    return "\n".join(lines) + "\n"


@dataclass
class _Writer:
    data: bytearray

    def token(self, *tokens: str) -> "_Writer":
        self.data += "".join(f"{token} " for token in tokens).encode()
        return self

    def integer(self, *values: int) -> "_Writer":
        for value in values:
            self.data += b"\x04" + struct.pack("<i", value)
        return self

    def real(self, value: float) -> "_Writer":
        self.data += b"\x04" + struct.pack("<f", value)
        return self

    def integers(self, values: Sequence[int]) -> "_Writer":
        self.data += b"\x04" + struct.pack(f"<i{len(values)}i", len(values), *values)
        return self

    def vector(self, values: npt.ArrayLike) -> "_Writer":
        array = np.asarray(values, "<f4")
        self.token("FV").integer(len(array))
        self.data += array.tobytes()
        return self

    def matrix(self, values: Matrix) -> "_Writer":
        array = np.asarray(values, "<f4")
        self.token("FM").integer(*array.shape)
        self.data += array.tobytes()
        return self


def _transition_model(writer: _Writer) -> None:
    phones = list(range(1, PHONES + 1))
    writer.token("<TransitionModel>", "<Topology>").integers(phones)
    writer.integers([-1] + [0] * PHONES).integer(1)
    writer.integer(2).integer(0, 2, 0).real(0.5).integer(1).real(0.5)
    writer.integer(-1, 0).token("</Topology>", "<Triples>").integer(PHONES)
    for phone in phones:
        writer.integer(phone, 0, 0 if phone == 1 else 1 + (phone - 2) // 4)
    writer.token("</Triples>", "<LogProbs>")
    writer.vector([0.0] + [float(np.log(0.5))] * (2 * PHONES)).token("</LogProbs>")
    writer.token("</TransitionModel>")


def _affines(net: Tdnn) -> list[tuple[Matrix, Matrix]]:
    """Weights (out, offset * in) and biases, with the input scale and the norms folded in."""
    mean, scale = net.mean.numpy().astype(np.float64), net.scale.numpy().astype(np.float64)
    shift = -mean * scale
    folded: list[tuple[Matrix, Matrix]] = []
    for layer in [*net.convolutions, net.output]:
        parameters = {name: value.detach().numpy() for name, value in layer.named_parameters()}
        weight = parameters["weight"].astype(np.float64)
        bias = parameters["bias"] + np.einsum("oik,i->o", weight, shift)
        flat = (weight * scale[None, :, None]).transpose(0, 2, 1).reshape(len(weight), -1)
        folded.append((flat.astype(np.float32), bias.astype(np.float32)))
        if len(folded) <= len(net.norms):
            moments = dict(net.norms[len(folded) - 1].named_buffers())
            scale = 1 / np.sqrt(moments["running_var"].numpy().astype(np.float64) + NORM_EPSILON)
            shift = -moments["running_mean"].numpy() * scale
    return folded


def _net_config(net: Tdnn) -> str:
    lines = [f"input-node name=input dim={BINS}"]
    below = "input"
    for index, offsets in enumerate(net.shape.offsets):
        step = SUBSAMPLING if index > 1 else 1
        parts = [f"Offset({below}, {step * o})" if o else below for o in offsets]
        lines.append(f"component-node name=a{index} component=a{index} input=Append({', '.join(parts)})")
        lines.append(f"component-node name=r{index} component=r{index} input=a{index}")
        below = f"r{index}"
    lines.append(f"component-node name=a_out component=a_out input={below}")
    lines.append("component-node name=soft component=soft input=a_out")
    lines.append("output-node name=output input=soft objective=linear")
    return "\n".join(lines) + "\n\n"


def _elementwise(writer: _Writer, name: str, kind: str, width: int) -> None:
    writer.token("<ComponentName>", name, f"<{kind}>", "<Dim>").integer(width)
    writer.token("<ValueAvg>").vector([]).token("<DerivAvg>").vector([])
    writer.token("<Count>").data += b"\x08" + struct.pack("<d", 0.0)
    writer.token(f"</{kind}>")


def _network(writer: _Writer, net: Tdnn) -> None:
    writer.token("<Nnet3>").data += b"\n" + _net_config(net).encode()
    layers = _affines(net)
    writer.token("<NumComponents>").integer(2 * len(layers))
    for index, (weights, bias) in enumerate(layers):
        last = index == len(layers) - 1
        writer.token("<ComponentName>", "a_out" if last else f"a{index}", "<FixedAffineComponent>")
        writer.token("<LinearParams>").matrix(weights).token("<BiasParams>").vector(bias)
        writer.token("</FixedAffineComponent>")
        if last:
            _elementwise(writer, "soft", "LogSoftmaxComponent", len(bias))
        else:
            _elementwise(writer, f"r{index}", "RectifiedLinearComponent", len(bias))
    writer.token("</Nnet3>")


def acoustic_model(trained: Trained) -> bytes:
    """The bytes of am/final.mdl."""
    writer = _Writer(bytearray(b"\0B"))
    _transition_model(writer)
    _network(writer, trained.net)
    priors = np.maximum(trained.priors, PRIOR_FLOOR)
    writer.token("<LeftContext>").integer(0).token("<RightContext>").integer(0)
    writer.token("<Priors>").vector(priors / priors.sum())
    return bytes(writer.data)
