"""Every setting of a run, as frozen dataclasses read from one YAML file plus dotted overrides.

A field's docstring is its `--help` text. Importing this module does not import torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Optional, TypeVar

import yaml
from jsonargparse import ArgumentError, ArgumentParser, set_parsing_settings
from jsonargparse.typing import (
    ClosedUnitInterval,
    NonNegativeFloat,
    NonNegativeInt,
    OpenUnitInterval,
    PositiveFloat,
    PositiveInt,
)

from sentiment.errors import InputError
from sentiment.files import expanded
from sentiment.text import Direction, Keep

set_parsing_settings(docstring_parse_attribute_docstrings=True)

Pooling = Literal["last", "last_max_mean"]


def _expand(settings: object, *names: str) -> None:
    """Write `~` out in settings that are paths, once, so that every reader of them means the same file.

    Raises:
        InputError: if there is no such home directory.
    """
    for name in names:
        if (path := getattr(settings, name)) is not None and path.startswith("~"):
            object.__setattr__(settings, name, str(expanded(path)))  # the one change a frozen instance sees


@dataclass(frozen=True)
class RunConfig:
    """Where a run happens."""

    output_dir: str = "runs/default"
    """Directory of the run: resolved config, history, states, and the model directory."""
    seed: NonNegativeInt = 1
    """Seed of initial weights, order of batches and dropout."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto takes a GPU when there is one."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto computes matrix products in bf16 where the hardware has bf16 instructions."""
    state_every_minutes: PositiveFloat = 5.0
    """Minutes between two saved training states."""
    state_every_steps: NonNegativeInt = 0
    """Steps between two saved training states; 0 leaves it to the minutes."""
    skip_nonfinite_batches: NonNegativeInt = 0
    """Batches without a finite loss or gradient that a run leaves out before it gives up."""

    def __post_init__(self) -> None:
        _expand(self, "output_dir")


@dataclass(frozen=True)
class DataConfig:
    """Which reviews are read, and which part of train validates."""

    source: str = "stanfordnlp/imdb"
    """Hub id, directory or file of parquet/csv/jsonl, or an aclImdb folder."""
    text_column: str = "text"
    """Column that holds the review."""
    label_column: str = "label"
    """Column that holds 0 (negative) or 1 (positive)."""
    group_column: Optional[str] = None
    """Column whose equal values (films) stay on one side of the validation split; null: `group`, if there is one."""
    groups_file: Optional[str] = None
    """Text file with the group of each training row, one a line; instead of any groups that the source names."""
    validation_fraction: OpenUnitInterval = 0.1
    """Share of the training rows that validates, at most a half; one of n equal parts, with n as near as can be."""
    validation_seed: NonNegativeInt = 0
    """Seed of the validation split; apart from run.seed, so that seeds share one validation part."""

    def __post_init__(self) -> None:
        _expand(self, "source", "groups_file")


@dataclass(frozen=True)
class TextConfig:
    """How a text becomes token ids."""

    vocab_size: PositiveInt = 30_000
    """Most words kept, special tokens not counted; not used where a pretrained model brings its vocabulary."""
    min_frequency: PositiveInt = 2
    """Words seen fewer times in the training part are unknown; likewise not used with a pretrained vocabulary."""
    max_length: PositiveInt = 512
    """Most tokens read of one review."""
    keep: Keep = "tail"
    """Which end of a review over max_length is read."""
    direction: Direction = "forward"
    """Order in which the words are read."""


@dataclass(frozen=True)
class ModelConfig:
    """Shape and regularisation of SentimentRNN."""

    embedding_dim: PositiveInt = 256
    """Width of a word vector."""
    hidden_dim: PositiveInt = 256
    """Units per LSTM layer."""
    num_layers: PositiveInt = 2
    """Stacked LSTM layers."""
    dropout: ClosedUnitInterval = 0.3
    """Dropout between the LSTM layers."""
    variational: bool = True
    """One dropout mask per review (Gal & Ghahramani 2016) in place of one per time step."""
    embedding_dropout: ClosedUnitInterval = 0.0
    """Dropout on word vectors."""
    word_dropout: ClosedUnitInterval = 0.0
    """Chance that a whole word vector is zeroed."""
    weight_dropout: ClosedUnitInterval = 0.0
    """Dropout on the recurrent matrices (Merity et al. 2018)."""
    head_dropout: ClosedUnitInterval = 0.3
    """Dropout before each linear layer of the head."""
    head_dim: NonNegativeInt = 0
    """Units of a ReLU layer between pooling and the output; 0 for none. A language model has none."""
    pooling: Pooling = "last_max_mean"
    """Read-out: the state at the last real token, alone or beside the maximum and mean over time; of a classifier."""
    forget_gate_bias: float = 1.0
    """Initial bias of the forget gates; 1 keeps memory from the start (Jozefowicz et al. 2015)."""


@dataclass(frozen=True)
class OptimisationConfig:
    """AdamW and what goes around it."""

    epochs: PositiveInt = 4
    """Passes over the training part."""
    learning_rate: PositiveFloat = 1e-3
    """Peak rate of the top layer."""
    schedule: Literal["constant", "triangular"] = "triangular"
    """triangular rises linearly to the peak, then falls linearly to its hundredth (Howard & Ruder 2018)."""
    warmup_fraction: ClosedUnitInterval = 0.1
    """Share of all steps that rise."""
    layer_decay: ClosedUnitInterval = 1.0
    """Factor on the rate per layer below the top (discriminative rates; ULMFiT uses 1/2.6)."""
    unfreeze_fraction: ClosedUnitInterval = 0.0
    """Share of all steps over which the layers start to learn one after the other, the top one first."""
    weight_decay: NonNegativeFloat = 0.0
    """Decoupled weight decay."""
    gradient_clip: PositiveFloat = 1.0
    """Largest L2 norm of the gradient."""
    ema_decay: ClosedUnitInterval = 0.0
    """Decay of the averaged weights that are validated and kept; 0 keeps the weights themselves."""


@dataclass(frozen=True)
class AdversarialConfig:
    """Adversarial training on word vectors (Miyato et al. 2017), and entropy minimisation."""

    weight: NonNegativeFloat = 0.0
    """Weight of the loss under the worst small shift of the word vectors; 0 leaves it out and halves the time."""
    epsilon: PositiveFloat = 5.0
    """L2 norm of that shift over a whole review, in standard deviations of a word vector's entries."""
    virtual_weight: NonNegativeFloat = 0.0
    """Weight of how far that shift moves the answers to labelled and unlabelled reviews, whatever their labels."""
    entropy_weight: NonNegativeFloat = 0.0
    """Weight of the entropy of the answers to labelled and unlabelled reviews."""

    @property
    def wants_unlabelled(self) -> bool:
        """Whether any weight is on reviews without labels."""
        return self.virtual_weight > 0 or self.entropy_weight > 0


@dataclass(frozen=True)
class TrainConfig:
    """A supervised run."""

    run: RunConfig = field(default_factory=RunConfig)
    data: DataConfig = field(default_factory=DataConfig)
    text: TextConfig = field(default_factory=TextConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    optimisation: OptimisationConfig = field(default_factory=OptimisationConfig)
    adversarial: AdversarialConfig = field(default_factory=AdversarialConfig)
    batch_tokens: PositiveInt = 8192
    """Tokens per batch, padding included."""
    batch_reviews: NonNegativeInt = 0
    """Reviews per batch at most; without a limit, 0, sentences come by the hundred and are learnt in few steps."""
    beginnings: ClosedUnitInterval = 0.0
    """Share of the reviews that are read up to a random word only, which trains the running probability."""
    pretrained: Optional[str] = None
    """Directory or shipped name of the start: a language model (encoder, vocabulary) or a classifier (all or part)."""
    unlabelled_split: str = "unsupervised"
    """Split read beside the training part when adversarial.virtual_weight or entropy_weight is above 0."""


@dataclass(frozen=True)
class PretrainConfig:
    """A language-model run over labelled and unlabelled reviews."""

    run: RunConfig = field(default_factory=RunConfig)
    data: DataConfig = field(default_factory=DataConfig)
    text: TextConfig = field(default_factory=TextConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    optimisation: OptimisationConfig = field(default_factory=OptimisationConfig)
    unlabelled_split: str = "unsupervised"
    """Split read beside the training part."""
    streams: PositiveInt = 128
    """Parallel streams of text, the batch of truncated back-propagation."""
    chunk_length: PositiveInt = 64
    """Tokens between two truncations; the memory is carried across them."""
    negatives: NonNegativeInt = 2000
    """Words drawn per step that the next word is told apart from; 0 takes the whole vocabulary."""


@dataclass(frozen=True)
class DistilConfig:
    """A student run: one network learns what an ensemble of teachers says of unlabelled reviews, and the labels."""

    run: RunConfig = field(default_factory=RunConfig)
    data: DataConfig = field(default_factory=DataConfig)
    text: TextConfig = field(default_factory=TextConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    optimisation: OptimisationConfig = field(default_factory=OptimisationConfig)
    adversarial: AdversarialConfig = field(default_factory=AdversarialConfig)
    batch_tokens: PositiveInt = 8192
    """Tokens per batch, padding included."""
    batch_reviews: NonNegativeInt = 0
    """Reviews per batch at most; without a limit, 0, sentences come by the hundred and are learnt in few steps."""
    beginnings: ClosedUnitInterval = 0.0
    """Share of the reviews that are read up to a random word only, which trains the running probability."""
    pretrained: str = "runs/pretrain/model"
    """Directory or shipped name of the start: a language model (encoder, vocabulary) or a classifier (all or part)."""
    teachers: list[str] = field(default_factory=list)
    """Model directories or shipped names; n-grams with logistic regression are always one more teacher."""
    unlabelled_split: str = "unsupervised"
    """Split whose reviews the teachers judge."""
    unlabelled_reviews: NonNegativeInt = 0
    """How many of them, from the first; 0 takes all."""
    crops: NonNegativeInt = 0
    """Beginnings and single sentences cut from the unlabelled reviews that the teachers judge as well."""
    short_reviews: NonNegativeInt = 0
    """Sentences from the package's own grammar of negation and contrast that are added with their labels."""


AnyConfig = TypeVar("AnyConfig", TrainConfig, PretrainConfig, DistilConfig)


def parser_for(config_class: type[Any], **kwargs: Any) -> ArgumentParser:
    """Parser of `--config FILE` and one dotted option per field of `config_class`."""
    parser = ArgumentParser(exit_on_error=False, allow_abbrev=False, **kwargs)
    parser.add_argument("--config", action="config", help="YAML file; also the first positional argument.")
    parser.add_class_arguments(config_class)
    return parser


def load_config(config_class: type[AnyConfig], path: str | Path, overrides: Sequence[str] = ()) -> AnyConfig:
    """Read a YAML file into `config_class`, then apply overrides such as `--run.seed=2`.

    Raises:
        InputError: for a file that is missing or not YAML, an unknown key, a wrong type or a value out of range.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such configuration file.")
    parser = parser_for(config_class)
    try:
        fields = dict(parser.instantiate(parser.parse_args([f"--config={path}", *overrides])))
    except (
        ArgumentError,
        yaml.YAMLError,
        UnicodeDecodeError,
        TypeError,
    ) as error:  # TypeError: a section is no mapping
        raise InputError(f"{' '.join(map(str, [path, *overrides]))}: {' '.join(str(error).split())}") from error
    fields.pop("config")
    return config_class(**fields)
