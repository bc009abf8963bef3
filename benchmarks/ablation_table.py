"""What the runs of an ablation come to: a row for each variant, as Markdown and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import Any

from scipy.stats import t as student_t

PACKAGES = ("Python", "torch", "torchtext", "numpy")


@dataclass(frozen=True)
class Outcome:
    """One run, as its last epoch left it: the best epoch would flatter whoever wavers most."""

    accuracy: float
    """On the validation part, 0 to 1."""
    log_loss: float
    """On the validation part, in nats, uncalibrated."""
    seconds: float
    """Time in training steps, all epochs."""

    @classmethod
    def of(cls, history: Sequence[Mapping[str, Any]]) -> "Outcome":
        """From the rows of a finished run, one an epoch."""
        last = history[-1]
        return cls(last["accuracy"], last["log_loss"], sum(row["seconds"] for row in history))


@dataclass(frozen=True)
class Row:
    """A variant over its seeds. Spreads are None where there is one seed alone."""

    variant: str
    change: str
    """The override that makes the variant of the base; empty for the base."""
    seeds: list[int]
    accuracy: float
    accuracy_deviation: float | None
    """Sample standard deviation over the seeds; those of the other figures likewise."""
    log_loss: float
    log_loss_deviation: float | None
    difference: float
    """Mean over the seeds of its log loss minus that of the base with the same seed; below 0 the variant is better."""
    difference_error: float | None
    """Standard error of that mean."""
    seconds: float
    """Median over the seeds."""


def row(variant: str, change: str, outcomes: Mapping[int, Outcome], base: Mapping[int, Outcome]) -> Row:
    """Outcomes of a variant by seed, beside the base's with the same seeds.

    Raises:
        KeyError: if the base lacks a seed of the variant.
    """
    runs = [outcomes[seed] for seed in sorted(outcomes)]
    accuracies, losses = [run.accuracy for run in runs], [run.log_loss for run in runs]
    differences = [outcomes[seed].log_loss - base[seed].log_loss for seed in sorted(outcomes)]
    spread = _spread(differences)
    return Row(
        variant=variant,
        change=change,
        seeds=sorted(outcomes),
        accuracy=fmean(accuracies),
        accuracy_deviation=_spread(accuracies),
        log_loss=fmean(losses),
        log_loss_deviation=_spread(losses),
        difference=fmean(differences),
        difference_error=None if spread is None else spread / len(differences) ** 0.5,
        seconds=median(run.seconds for run in runs),
    )


def _spread(figures: Sequence[float]) -> float | None:
    return stdev(figures) if len(figures) > 1 else None


def table(rows: Sequence[Row]) -> str:
    """Markdown; a row whose seeds are fewer than the first row's says so."""
    lines = [
        "| variant | what is changed | accuracy, % | log loss | log loss − base | seconds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in rows:
        variant = one.variant.replace("_", " ")
        if one.seeds != rows[0].seeds:
            variant += f" (seed{'s' * (len(one.seeds) > 1)} {', '.join(map(str, one.seeds))})"
        deviation = None if one.accuracy_deviation is None else 100 * one.accuracy_deviation
        cells = [
            variant,
            f"`{one.change}`" if one.change else "",
            _with_spread(100 * one.accuracy, deviation, ".2f"),
            _with_spread(one.log_loss, one.log_loss_deviation, ".4f"),
            _with_spread(one.difference, one.difference_error, "+.4f") if one.change else "",
            f"{one.seconds:.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _with_spread(figure: float, spread: float | None, form: str) -> str:
    return f"{figure:{form}}" + ("" if spread is None else f" ± {spread:{form.lstrip('+')}}")


def notes(rows: Sequence[Row], setting: Mapping[str, Any], perplexity: float, hardware: Sequence[str]) -> str:
    """What the figures are of, and how far they can be trusted.

    Args:
        rows: of the table, the base first.
        setting: numbers of reviews, the machine, versions.
        perplexity: of the language model that the recipe starts from, on the validation part.
        hardware: what the runs computed on, each once.
    """
    seeds = rows[0].seeds
    versions = [f"{name} {setting['versions'][name]}" for name in PACKAGES]
    lines = [
        f"- Seeds: {', '.join(map(str, seeds))}; {setting['reviews']:,} labelled reviews to learn from "
        f"({setting['fraction']:g} of the training part), {setting['unlabelled']:,} without labels for the variants "
        f"that want them; {setting['validation']:,} validation reviews, the same for every run.",
        "- Accuracy and log loss (nats, uncalibrated) are those of the last epoch: mean ± sample standard deviation "
        "over the seeds. They hold for these validation reviews; the spread is of seeds alone.",
        "- log loss − base: mean of the differences between runs with the same seed ± its standard error; below 0 the "
        "variant is better than the base." + _chance(len(seeds)),
        "- seconds: median time in training steps, the language model's not counted.",
        f"- The language model has seen all training and unlabelled reviews once; its perplexity: {perplexity:.1f}.",
        f"- {setting['machine']}, {setting['cores']} cores; runs on {'; '.join(hardware)}; {', '.join(versions)}.",
    ]
    return "\n".join(lines)


def _chance(seeds: int) -> str:
    if seeds < 2:
        return ""
    bound = student_t.ppf(0.975, seeds - 1)
    return (
        f" With {seeds} seeds, one variant that changes nothing stays within {bound:.1f} standard errors of 0 "
        "19 times of 20; of twenty such variants, one does not."
    )
