"""What the runs of an ablation come to: a Markdown table with a row for each variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import Any

from scipy.stats import t as student_t

from benchmarks.accuracy.ablation_variants import BASE, VARIANTS
from benchmarks.harness.machine import machine_note
from benchmarks.harness.results import markdown_table


@dataclass(frozen=True)
class Outcome:
    """One run, as its last epoch left it: the best epoch would favor runs whose figures waver."""

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


def table(outcomes: Mapping[str, Mapping[int, Outcome]]) -> str:
    """A row for each variant, from its outcomes by seed; one with fewer seeds than the base says so.

    The difference to the base is that of runs with the same seed: its spread is smaller than that of the losses.
    """
    base, rows = outcomes[BASE], []
    for name, by_seed in outcomes.items():
        seeds, runs = sorted(by_seed), list(by_seed.values())
        title = name.replace("_", " ")
        if seeds != sorted(base):
            title += f" (seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))})"
        differences = [by_seed[seed].log_loss - base[seed].log_loss for seed in seeds]
        rows.append(
            [
                title,
                f"`{VARIANTS[name]}`" if VARIANTS[name] else "",
                _mean([100 * run.accuracy for run in runs], ".2f"),
                _mean([run.log_loss for run in runs], ".4f"),
                "" if name == BASE else _mean(differences, ".4f", "+", standard_error=True),
                f"{median(run.seconds for run in runs):.0f}",
            ]
        )
    header = ["variant", "what is changed", "accuracy, %", "log loss", "log loss − base", "seconds"]
    return markdown_table(header, rows)


def _mean(values: Sequence[float], form: str, sign: str = "", standard_error: bool = False) -> str:
    """Mean ± sample standard deviation, or the standard error of the mean; of one value no spread."""
    mean = f"{fmean(values):{sign}{form}}"
    if len(values) < 2:
        return mean
    return f"{mean} ± {stdev(values) / (len(values) ** 0.5 if standard_error else 1):{form}}"


def notes(seeds: Sequence[int], setting: Mapping[str, Any]) -> str:
    """What the figures are of, and how far they can be trusted.

    Args:
        seeds: of the base.
        setting: numbers of reviews, the language model's perplexity, and `machine_info`.
    """
    chance = ""
    if len(seeds) > 1:
        bound = student_t.ppf(0.975, len(seeds) - 1)
        chance = (
            f" With {len(seeds)} seeds, one variant that changes nothing stays within {bound:.1f} standard errors of 0 "
            "19 times of 20; of twenty such variants, one does not."
        )
    lines = [
        f"- Seeds: {', '.join(map(str, seeds))}; {setting['reviews']:,} labeled reviews to learn from "
        f"({setting['fraction']:g} of the training part), {setting['unlabeled']:,} without labels for the variants "
        f"that want them; {setting['validation']:,} validation reviews, the same for every run.",
        "- Accuracy and log loss (nats, uncalibrated) are those of the last epoch: mean ± sample standard deviation "
        "over the seeds. Seconds: median time in training steps, the language model's not counted.",
        "- log loss − base: mean of the differences between runs with the same seed ± its standard error; below 0 the "
        f"variant is better than the base.{chance}",
        "- The language model has seen all training and unlabeled reviews once; its perplexity: "
        f"{setting['perplexity']:.1f}. Runs on {setting['hardware']}.",
    ]
    return "\n".join([*lines, machine_note(dict(setting))])
