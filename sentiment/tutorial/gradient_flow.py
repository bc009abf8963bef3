"""The vanishing gradient: an LSTM and a plain tanh network of the same size, trained the same way.

It measures ‖∂loss/∂h_t‖ by distance from the last word; h_t are the short-term memories of all layers (Hochreiter 1991;
Bengio, Simard & Frasconi 1994).
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

from sentiment.config import TrainConfig
from sentiment.data.batching import EncodedReviews
from sentiment.data.splitting import read_parts
from sentiment.errors import InputError
from sentiment.io.files import atomic_file, read_json, write_json
from sentiment.models.lstm import SentimentRNN, pool
from sentiment.models.lstm_cell import LSTMUnit
from sentiment.text.vocabulary import TextEncoder, build_vocabulary
from sentiment.training.hardware import Hardware
from sentiment.training.objective import SentimentObjective, build_objective
from sentiment.training.run import open_run
from sentiment.training.trainer import Trainer

REVIEWS = 128
"""Maximum number of validation reviews to measure."""
FARTHEST = 200
"""Words to measure, from the end of a review; shorter reviews are skipped."""
SHOWN = (0, 10, 20, 50, 100, 150, 199)
"""Distances from the last word in the printed table."""


def with_tanh_units(model: SentimentRNN) -> SentimentRNN:
    """Replace the LSTM layers by plain tanh layers (Elman 1990) of the same sizes; returns the same model."""
    layers = model.encoder.layers
    model.encoder.layers = nn.ModuleList(
        nn.RNN(layer.input_size, layer.hidden_size, batch_first=True) for layer in layers
    )
    return model


NETWORKS: dict[str, Callable[[SentimentRNN], SentimentRNN]] = {"lstm": lambda model: model, "tanh": with_tanh_units}
LABELS = {"lstm": "LSTM units", "tanh": "plain tanh units"}


def compare(config: TrainConfig, resume: bool = False) -> dict[str, Any]:
    """Train and measure both networks; writes gradient_flow.json and gradient_flow.png to the run directory.

    Args:
        config: all settings.
        resume: continue from the last saved states of the run directory.

    Returns:
        Per network: validation metrics, and under `median_norm` the median norm at each distance from the last word.

    Raises:
        InputError: if the settings or reviews cannot be used, for example with `pretrained` or unlabeled reviews.
        RunError: if training fails.
    """
    if config.pretrained is not None:
        raise InputError(
            "gradient-flow trains from scratch, because there is no pretrained tanh network; leave out `pretrained`."
        )
    if config.adversarial.wants_unlabeled:
        raise InputError(
            "gradient-flow reads no unlabeled reviews; leave out `adversarial.virtual_weight` and "
            "`adversarial.entropy_weight`."
        )
    hardware = Hardware.choose(config.run.device, config.run.precision, config.run.trackers)
    with hardware.step(f"reading {config.data.source}"):
        parts = read_parts(config.data)
    vocabulary = build_vocabulary(map(str.split, parts.train), config.text.vocab_size, config.text.min_frequency)
    text = TextEncoder(vocabulary, config.text.max_length, config.text.keep, config.text.direction)
    train = EncodedReviews(map(text.encode_document, parts.train), parts.train_labels)
    validation = EncodedReviews(map(text.encode_document, parts.validation), parts.validation_labels)
    input_ids, labels = last_words(validation)
    device, results = hardware.accelerator.device, {}
    for name, build in NETWORKS.items():
        run_config = replace(config, run=replace(config.run, output_dir=str(Path(config.run.output_dir) / name)))
        torch.manual_seed(config.run.seed)
        model = build(SentimentRNN(vocab_size=len(vocabulary), **asdict(config.model)))
        objective = build_objective(config, train, validation, device)
        with open_run(run_config, hardware, resume) as directory:
            metrics = _fit(model, objective, run_config, directory, hardware)
        norms = gradient_norms(model.cpu(), input_ids, labels)
        results[name] = {**metrics, "median_norm": np.median(norms, 0).tolist()}
    write_json(Path(config.run.output_dir) / "gradient_flow.json", {"reviews": len(labels), **results})
    draw(results, Path(config.run.output_dir) / "gradient_flow.png")
    return results


def _fit(
    model: SentimentRNN, objective: SentimentObjective, config: TrainConfig, directory: Path, hardware: Hardware
) -> dict[str, Any]:
    """Train a model and load the weights of its best epoch; returns the metrics of that epoch."""
    weights_file, metrics_file = directory / "best.safetensors", directory / "best.json"

    def keep_best(network: nn.Module, metrics: dict[str, Any]) -> None:
        with atomic_file(weights_file) as temporary:
            save_file({name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}, temporary)
        write_json(metrics_file, metrics)

    Trainer(model, objective, config.optimization, config.run, hardware, keep_best).fit()
    model.load_state_dict(load_file(weights_file))
    return read_json(metrics_file)


def last_words(reviews: EncodedReviews) -> tuple[Tensor, Tensor]:
    """The last words of up to `REVIEWS` long reviews: ids [reviews, time], labels [reviews]."""
    time = min(FARTHEST, int(reviews.lengths.max()))
    rows = np.flatnonzero(reviews.lengths >= time)[:REVIEWS]
    ids = np.stack([reviews[row][-time:] for row in rows]).astype(np.int64)
    return torch.from_numpy(ids), torch.from_numpy(reviews.labels[rows])


def gradient_norms(model: SentimentRNN, input_ids: Tensor, labels: Tensor) -> np.ndarray:
    """‖∂loss/∂h_t‖ of each review, only through the state at the last word.

    With maximum or mean pooling, each word also has a direct connection to the loss. It is cut here, because it
    bypasses the memory.

    Args:
        model: network of LSTM or tanh layers.
        input_ids: [reviews, time] int64, without padding.
        labels: [reviews] float32, 0 or 1.

    Returns:
        [reviews, time] float64; column d: at the word d positions before the last word.
    """
    model.eval()
    values, memories = model.encoder.embed(input_ids).detach(), []
    for layer in model.encoder.layers:
        memories.append(short_memories(layer, values))
        values = torch.stack(memories[-1], 1)
    outputs = torch.cat([values[:, :-1].detach(), values[:, -1:]], 1)
    lengths = torch.full((len(outputs),), outputs.shape[1])
    logits = model.head(pool(outputs, lengths, model.pooling)).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(logits, labels, reduction="sum")  # a sum keeps the reviews separate
    flat = [memory for layer in memories for memory in layer]
    # because of the detach above, earlier words reach the loss only through the memory
    gradients = torch.autograd.grad(loss, flat)
    stacked = torch.stack(gradients).reshape(len(memories), -1, *flat[0].shape).double()
    return stacked.square().sum((0, 3)).sqrt().T.flip(1).numpy()


def short_memories(layer: nn.Module, inputs: Tensor) -> list[Tensor]:
    """h_t after each step, as nodes of the autograd graph: [batch, time, input] → list of [batch, hidden]."""
    if isinstance(layer, nn.LSTM):
        return [step.updated_short_memory for step in LSTMUnit.from_lstm(layer).steps(inputs)]
    input_weight, short_weight, *biases = layer.parameters()
    short, memories = inputs.new_zeros(len(inputs), len(short_weight)), []
    for value in inputs.unbind(1):
        short = torch.tanh(value @ input_weight.T + short @ short_weight.T + sum(biases))
        memories.append(short)
    return memories


def render_table(results: dict[str, Any]) -> str:
    """The median norms at some distances as text, also as a share of the norm at the last word."""
    lines = [f"{name}: validation accuracy {result['accuracy']:.3f}" for name, result in results.items()]
    lines.append("words from the end" + "".join(f"{name:>12}{'of last word':>13}" for name in results))
    norms = {name: result["median_norm"] for name, result in results.items()}
    for distance in (distance for distance in SHOWN if distance < len(norms["lstm"])):
        columns = (f"{norm[distance]:12.2e}{norm[distance] / norm[0]:13.2e}" for norm in norms.values())
        lines.append(f"{distance:18}" + "".join(columns))
    return "\n".join(lines)


def draw(results: dict[str, Any], path: Path) -> None:
    """Plot the median norms on a logarithmic scale, as PNG."""
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    panel = figure.subplots()
    for (name, result), color, style in zip(results.items(), ("#0072b2", "#d55e00"), ("-", "--"), strict=True):
        panel.semilogy(
            result["median_norm"], style, color=color, label=f"{LABELS[name]}, {result['accuracy']:.1%} accuracy"
        )
    panel.set(xlabel="words from the end of the review", ylabel="‖∂loss/∂h‖, median")
    panel.grid(alpha=0.3)
    panel.legend(frameon=False)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
