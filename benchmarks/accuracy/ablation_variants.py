"""The variants of the ablation, each one override away from the base, and the settings of every run."""

from dataclasses import dataclass, replace
from pathlib import Path

from sentiment.config import PretrainConfig, TrainConfig
from sentiment.config_reader import load_config
from sentiment.errors import InputError

CONFIGS = Path(__file__).parents[2] / "configs"
CONFIG = CONFIGS / "ablation.yaml"
"""Of the base."""
RECIPE, LANGUAGE_MODEL = CONFIGS / "recipes" / "imdb.yaml", "lm"
"""The stage that pretrains; here in the sizes of the base, for one epoch."""

BASE = "base"
VARIANTS = {
    BASE: "",
    "from_scratch": "--pretrained=null",
    "no_variational_masks": "--model.variational=false",
    "no_dropout_between_layers": "--model.dropout=0",
    "no_embedding_dropout": "--model.embedding_dropout=0",
    "no_word_dropout": "--model.word_dropout=0",
    "no_head_dropout": "--model.head_dropout=0",
    "weight_dropout": "--model.weight_dropout=0.2",
    "no_averaging": "--optimization.ema_decay=0",
    "same_rate_in_all_layers": "--optimization.layer_decay=1",
    "constant_rate": "--optimization.schedule=constant",
    "gradual_unfreezing": "--optimization.unfreeze_fraction=0.3",
    "last_state_alone": "--model.pooling=last",
    "no_hidden_layer": "--model.head_dim=0",
    "last_128_words": "--text.max_length=128",
    "whole_reviews": "--text.max_length=2048",
    "prefix_fraction": "--prefix_fraction=0.3",
    # several times as slow: last in each round
    "entropy_minimization": "--adversarial.entropy_weight=0.1",
    "adversarial_training": "--adversarial.weight=1",
    "virtual_adversarial_training": "--adversarial.virtual_weight=1",
}
"""The one override that makes each variant of the base."""


@dataclass(frozen=True)
class Ablation:
    """What is compared, on which reviews, and where the runs lie."""

    source: str
    groups_file: str | None
    fraction: float
    """Share of the training part."""
    seeds: int
    output: Path
    variants: tuple[str, ...] = tuple(VARIANTS)
    """The base is always one more."""

    def __post_init__(self) -> None:
        unknown = [name for name in self.variants if name not in VARIANTS]
        if unknown:
            raise InputError(f"--only: no variant {', '.join(unknown)}; there are {', '.join(VARIANTS)}.")
        if not 0 < self.fraction <= 1:
            raise InputError(f"--fraction is {self.fraction:g}; give a share of the training part above 0, up to 1.")

    def runs(self) -> list[tuple[str, int]]:
        """Variant and seed of each run, in their order: a table with fewer seeds is complete early."""
        chosen = [name for name in VARIANTS if name == BASE or name in self.variants]
        return [(name, seed) for seed in range(1, self.seeds + 1) for name in chosen]

    def variant(self, name: str, seed: int) -> TrainConfig:
        """Settings of one run."""
        overrides = [
            f"--data.source={self.source}",
            f"--data.groups_file={'null' if self.groups_file is None else self.groups_file}",
            f"--pretrained={self.output / 'language_model' / 'model'}",
            f"--run.output_dir={self.output / name / str(seed)}",
            f"--run.seed={seed}",
        ]
        return load_config(TrainConfig, CONFIG, overrides + ([VARIANTS[name]] if VARIANTS[name] else []))

    def language_model(self) -> PretrainConfig:
        """Settings of the run that all variants but one start from."""
        from sentiment.training.recipe import load_recipe  # imports torch, which --help does not need

        base, config = self.variant(BASE, 1), load_recipe(RECIPE).stages[LANGUAGE_MODEL].config
        assert isinstance(config, PretrainConfig)
        return replace(
            config,
            run=replace(config.run, output_dir=str(self.output / "language_model")),
            data=base.data,
            model=replace(config.model, embedding_dim=base.model.embedding_dim, hidden_dim=base.model.hidden_dim),
            optimization=replace(config.optimization, epochs=1),
        )
