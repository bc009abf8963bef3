"""How far back the loss is felt: the LSTM against a plain tanh network of the same size, trained the same way.

The vanishing gradient (Hochreiter 1991; Bengio, Simard & Frasconi 1994), measured: ‖∂loss/∂h_t‖ by distance from the
last word, h_t being the short-term memories of all layers.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from matplotlib.figure import Figure
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sentiment.batching import EncodedReviews
from sentiment.config import TrainConfig
from sentiment.data import read_parts
from sentiment.errors import InputError
from sentiment.files import read_json, replacing, write_json
from sentiment.hardware import Hardware
from sentiment.lstm_unit import LSTMUnit
from sentiment.model import SentimentRNN, pool
from sentiment.run_directory import open_run
from sentiment.supervised import SentimentObjective, objective_of
from sentiment.text import TextEncoder, build_vocabulary
from sentiment.training import Trainer

REVIEWS = 128
"""Validation reviews measured."""
FARTHEST = 200
"""Words from the end that are measured at most; shorter reviews are left aside."""
SHOWN = (0, 10, 20, 50, 100, 150, 199)
"""Distances in the printed table."""


def with_tanh_units(model: SentimentRNN) -> SentimentRNN:
    """Put plain tanh layers (Elman 1990) of the same sizes in place of the LSTM layers."""
    layers = model.encoder.layers
    model.encoder.layers = nn.ModuleList(
        nn.RNN(layer.input_size, layer.hidden_size, batch_first=True) for layer in layers
    )
    return model


NETWORKS: dict[str, Callable[[SentimentRNN], SentimentRNN]] = {"lstm": lambda model: model, "tanh": with_tanh_units}
LABELS = {"lstm": "LSTM units", "tanh": "plain tanh units"}


def compare(config: TrainConfig, resume: bool = False) -> dict[str, Any]:
    """Train both networks, measure them, and write gradient_flow.json and gradient_flow.png to the run's directory.

    Returns:
        Per network: validation figures and the median norm at each distance from the last word.

    Raises:
        InputError: for settings or reviews that cannot be used, among them a pretrained start, which a tanh network
            has not, and losses of unlabelled reviews, which are not read.
        RunError: if the work fails on the way.
    """
    if config.pretrained is not None:
        raise InputError(
            "gradient-flow trains from scratch, since no tanh network was pretrained; leave out `pretrained`."
        )
    if config.adversarial.wants_unlabelled:
        raise InputError(
            "gradient-flow reads no unlabelled reviews; leave out `adversarial.virtual_weight` and "
            "`adversarial.entropy_weight`."
        )
    hardware = Hardware.choose(config.run.device, config.run.precision)
    parts = read_parts(config.data)
    vocabulary = build_vocabulary(map(str.split, parts.train), config.text.vocab_size, config.text.min_frequency)
    text = TextEncoder(vocabulary, config.text.max_length, config.text.keep, config.text.direction)
    train = EncodedReviews(map(text.encode_document, parts.train), parts.train_labels)
    validation = EncodedReviews(map(text.encode_document, parts.validation), parts.validation_labels)
    input_ids, labels = last_words(validation)
    device, results = hardware.accelerator.device, {}
    for name, build in NETWORKS.items():
        own = replace(config, run=replace(config.run, output_dir=str(Path(config.run.output_dir) / name)))
        torch.manual_seed(config.run.seed)
        model = build(SentimentRNN(vocab_size=len(vocabulary), **asdict(config.model)))
        objective = objective_of(config, train, validation, device)
        with open_run(own, hardware, resume) as directory:
            figures = _fit(model, objective, own, directory, hardware)
        norms = gradient_norms(model.cpu(), input_ids, labels)
        results[name] = {**figures, "median_norm": np.median(norms, 0).tolist()}
    write_json(Path(config.run.output_dir) / "gradient_flow.json", {"reviews": len(labels), **results})
    draw(results, Path(config.run.output_dir) / "gradient_flow.png")
    return results


def _fit(
    model: SentimentRNN, objective: SentimentObjective, config: TrainConfig, directory: Path, hardware: Hardware
) -> dict[str, Any]:
    """Train, and leave the model with the weights of its best epoch; returns that epoch's figures."""
    weights_file, figures_file = directory / "best.safetensors", directory / "best.json"

    def keep_best(network: nn.Module, figures: dict[str, Any]) -> None:
        with replacing(weights_file) as temporary:
            save_file({name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}, temporary)
        write_json(figures_file, figures)

    Trainer(model, objective, config.optimisation, config.run, hardware, keep_best).fit()
    model.load_state_dict(load_file(weights_file))
    return read_json(figures_file)


def last_words(reviews: EncodedReviews) -> tuple[Tensor, Tensor]:
    """The last words of the first long reviews: ids [reviews, time], labels [reviews]."""
    time = min(FARTHEST, int(reviews.lengths.max()))
    rows = np.flatnonzero(reviews.lengths >= time)[:REVIEWS]
    ids = np.stack([reviews[row][-time:] for row in rows]).astype(np.int64)
    return torch.from_numpy(ids), torch.from_numpy(reviews.labels[rows])


def gradient_norms(model: SentimentRNN, input_ids: Tensor, labels: Tensor) -> np.ndarray:
    """‖∂loss/∂h_t‖ of each review, through the last word's state alone.

    Where the read-out also takes the maximum and the mean over time, each word has a direct way to the loss besides;
    it is left out here, since it says nothing of the memory.

    Args:
        model: network of LSTM or tanh layers.
        input_ids: [reviews, time] int64, without padding.
        labels: [reviews] float32.

    Returns:
        [reviews, time] float64 by distance from the last word, which is column 0.
    """
    model.eval()
    values, memories = model.encoder.embed(input_ids).detach(), []
    for layer in model.encoder.layers:
        memories.append(short_memories(layer, values))
        values = torch.stack(memories[-1], 1)
    outputs = torch.cat([values[:, :-1].detach(), values[:, -1:]], 1)
    lengths = torch.full((len(outputs),), outputs.shape[1])
    logits = model.head(pool(outputs, lengths, model.pooling)).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(logits, labels, reduction="sum")  # so that reviews stay apart
    flat = [memory for layer in memories for memory in layer]
    # the word before the last has no way to the loss past the top layer's last state but by its memory
    gradients = torch.autograd.grad(loss, flat)
    stacked = torch.stack(gradients).reshape(len(memories), -1, *flat[0].shape).double()
    return stacked.square().sum((0, 3)).sqrt().T.flip(1).numpy()


def short_memories(layer: nn.Module, inputs: Tensor) -> list[Tensor]:
    """h_t after each step, each a node of the graph: [batch, time, input] → time times [batch, hidden]."""
    if isinstance(layer, nn.LSTM):
        return [step.updated_short_memory for step in LSTMUnit.from_lstm(layer).steps(inputs)]
    input_weight, short_weight, *biases = layer.parameters()
    short, memories = inputs.new_zeros(len(inputs), len(short_weight)), []
    for value in inputs.unbind(1):
        short = torch.tanh(value @ input_weight.T + short @ short_weight.T + sum(biases))
        memories.append(short)
    return memories


def render_table(results: dict[str, Any]) -> str:
    """The medians at some distances, and how much is left of the gradient at the last word."""
    lines = [f"{name}: validation accuracy {result['accuracy']:.3f}" for name, result in results.items()]
    lines.append("words from the end" + "".join(f"{name:>12}{'share left':>12}" for name in results))
    norms = {name: result["median_norm"] for name, result in results.items()}
    for distance in (distance for distance in SHOWN if distance < len(norms["lstm"])):
        figures = (f"{norm[distance]:12.2e}{norm[distance] / norm[0]:12.2e}" for norm in norms.values())
        lines.append(f"{distance:18}" + "".join(figures))
    return "\n".join(lines)


def draw(results: dict[str, Any], path: Path) -> None:
    """Plot the medians on a logarithmic scale, as PNG."""
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    panel = figure.subplots()
    for (name, result), colour, style in zip(results.items(), ("#0072b2", "#d55e00"), ("-", "--"), strict=True):
        panel.semilogy(
            result["median_norm"], style, color=colour, label=f"{LABELS[name]}, {result['accuracy']:.1%} right"
        )
    panel.set(xlabel="words from the end of the review", ylabel="‖∂loss/∂h‖, median")
    panel.grid(alpha=0.3)
    panel.legend(frameon=False)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
