"""The variants of an ablation, each one override away from the base, and the settings of every run."""

from dataclasses import dataclass
from pathlib import Path

from sentiment.config import PretrainConfig, TrainConfig, load_config
from sentiment.errors import InputError

CONFIGS = Path(__file__).parents[1] / "configs"
RECIPE = CONFIGS / "ablation.yaml"
LANGUAGE_MODEL = CONFIGS / "pretrain.yaml"
SMALLER = ["--model.embedding_dim=128", "--model.hidden_dim=128", "--optimisation.epochs=1"]
"""What makes of LANGUAGE_MODEL one that fits RECIPE."""

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
    "no_averaging": "--optimisation.ema_decay=0",
    "same_rate_in_all_layers": "--optimisation.layer_decay=1",
    "constant_rate": "--optimisation.schedule=constant",
    "gradual_unfreezing": "--optimisation.unfreeze_fraction=0.3",
    "last_state_alone": "--model.pooling=last",
    "no_hidden_layer": "--model.head_dim=0",
    "last_128_words": "--text.max_length=128",
    "whole_reviews": "--text.max_length=2048",
    "beginnings": "--beginnings=0.3",
    # several times as slow: last in each round
    "entropy_minimisation": "--adversarial.entropy_weight=0.1",
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
    seeds: int
    output: Path
    variants: tuple[str, ...] = tuple(VARIANTS)

    def __post_init__(self) -> None:
        unknown = [name for name in self.variants if name not in VARIANTS]
        if unknown:
            raise InputError(f"--only: no variant {', '.join(unknown)}; there are {', '.join(VARIANTS)}.")
        if not 0 < self.fraction <= 1:
            raise InputError(f"--fraction is {self.fraction:g}; give a share of the training part above 0, up to 1.")
        if self.seeds < 1:
            raise InputError(f"--seeds is {self.seeds}; give 1 or more.")

    def runs(self) -> list[tuple[str, int]]:
        """Variant and seed of each run, in their order: a table with fewer seeds is complete early."""
        chosen = [name for name in VARIANTS if name == BASE or name in self.variants]
        return [(name, seed) for seed in range(1, self.seeds + 1) for name in chosen]

    @property
    def _data(self) -> list[str]:
        groups = [] if self.groups_file is None else [f"--data.groups_file={self.groups_file}"]
        return [f"--data.source={self.source}", *groups]

    def language_model(self) -> PretrainConfig:
        """Settings of the run that all variants but one start from."""
        place = f"--run.output_dir={self.output / 'language_model'}"
        return load_config(PretrainConfig, LANGUAGE_MODEL, [*SMALLER, *self._data, place])

    def variant(self, name: str, seed: int) -> TrainConfig:
        """Settings of one run."""
        place = [f"--run.output_dir={self.output / name / str(seed)}", f"--run.seed={seed}"]
        start = f"--pretrained={self.output / 'language_model' / 'model'}"
        change = [VARIANTS[name]] if VARIANTS[name] else []
        return load_config(TrainConfig, RECIPE, [*self._data, *place, start, *change])
