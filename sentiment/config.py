"""All settings of a run, as frozen dataclasses; `config_reader` reads them from YAML files and dotted overrides.

A field's docstring is its `--help` text. Importing this module does not import torch.
"""

import codecs
from dataclasses import dataclass, field
from typing import Literal, Optional, TypeVar

from jsonargparse import set_parsing_settings
from jsonargparse.typing import (
    ClosedUnitInterval,
    NonNegativeFloat,
    NonNegativeInt,
    OpenUnitInterval,
    PositiveFloat,
    PositiveInt,
)

from sentiment.errors import InputError
from sentiment.io.files import expand_user
from sentiment.io.formats import Format
from sentiment.text.vocabulary import Direction, Keep

set_parsing_settings(docstring_parse_attribute_docstrings=True)

Pooling = Literal["last", "last_max_mean"]


def _expand(settings: object, *names: str) -> None:
    """Replace `~` in the settings that are paths, once, so that all code uses the same path.

    Raises:
        InputError: if the home directory is not known.
    """
    for name in names:
        if (path := getattr(settings, name)) is not None and path.startswith("~"):
            object.__setattr__(settings, name, str(expand_user(path)))  # the only change of a frozen instance


def _check_encoding(name: str) -> None:
    try:
        known = codecs.lookup(name)._is_text_encoding  # base64 and others are no encodings of text
    except (LookupError, ValueError):
        known = False
    if not known:
        raise InputError(f"encoding {name!r}: no such encoding; common ones are utf-8, utf-16, cp1252 and latin-1.")


@dataclass(frozen=True)
class RunConfig:
    """Directory, seed, hardware and training states of a run."""

    output_dir: str = "runs/default"
    """Directory of the run, for its settings, history, training states and model."""
    seed: NonNegativeInt = 1
    """Seed of the initial weights, the order of the reviews, and dropout."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Device to train on; auto uses a GPU if there is one."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Precision of matrix products; auto uses bf16 if the hardware has bf16 instructions, otherwise fp32."""
    threads: Optional[PositiveInt] = None
    """CPU threads of a training step. null: `OMP_NUM_THREADS`, or else the CPUs that are free when the run starts."""
    state_every_minutes: PositiveFloat = 5.0
    """Minutes between two saved training states."""
    state_every_steps: NonNegativeInt = 0
    """Steps between two training states, saved in addition to those by time; 0 saves by time only."""
    skip_nonfinite_batches: NonNegativeInt = 0
    """Maximum number of batches to skip because their loss or gradient is not finite; one more ends the run."""
    trackers: list[Literal["tensorboard", "trackio", "mlflow", "wandb"]] = field(default_factory=list)
    """Programs that draw the curves of the run as it goes; their packages must be installed."""

    def __post_init__(self) -> None:
        _expand(self, "output_dir")


@dataclass(frozen=True)
class DataConfig:
    """Source of the reviews, and the split into training part and validation part."""

    source: str = "stanfordnlp/imdb"
    """Reviews: a file, directory, pattern such as `data/*.csv`, folders by label, id on the hub, or `samples`."""
    text_column: Optional[str] = None
    """Column of the review text. null: `text`, or else the one column that is obviously the text; a message says it."""
    label_column: Optional[str] = None
    """Column of the label. null: `label`, or else a column such as `sentiment`; a message says it."""
    label_map: Optional[str] = None
    """Meaning of the labels, such as 1=negative,2=positive. A label mapped to `skip` is left out."""
    positive_from: Optional[float] = None
    """Lowest rating (stars) of a positive review; reviews between positive_from and negative_to are left out."""
    negative_to: Optional[float] = None
    """Highest rating (stars) of a negative review; needs positive_from."""
    on_bad_row: Literal["stop", "skip"] = "stop"
    """What to do with a row that cannot be read: stop, or skip it with a message."""
    format: Optional[Format] = None
    """Format of the files. null: from the ending of their names."""
    delimiter: Optional[str] = None
    """Character between the fields of a .csv or .tsv file, or `tab`. null: the one that divides the first rows best."""
    encoding: Optional[str] = None
    """Encoding of text files, such as cp1252. null: UTF-8, or UTF-16 if the file starts with its byte order mark."""
    header: bool = True
    """Whether the first row of a .csv, .tsv or .xlsx file names the columns; otherwise they are called 1, 2, 3, ..."""
    quotes: bool = True
    """Whether quotation marks enclose fields of .csv and .tsv files; otherwise they are ordinary characters."""
    group_column: Optional[str] = None
    """Column of the group (film); no group is in both parts. null: the column `group`, if there is one."""
    groups_file: Optional[str] = None
    """Text file with the group of each training row, one per line; replaces the groups of the source."""
    validation_fraction: OpenUnitInterval = 0.1
    """Share of the training split that becomes the validation part, at most 0.5; rounded to a fraction 1/n."""
    validation_seed: NonNegativeInt = 0
    """Seed of the validation split. Separate from run.seed, so that runs with different seeds use the same split."""

    def __post_init__(self) -> None:
        _expand(self, "source", "groups_file")
        if self.validation_fraction > 0.5:
            raise InputError(f"data.validation_fraction is {self.validation_fraction:g}; give at most 0.5.")
        if (self.positive_from is None) != (self.negative_to is None):
            raise InputError("positive_from and negative_to go together, such as 4 and 2 for stars from 1 to 5.")
        if self.positive_from is not None and self.negative_to is not None:
            if not self.negative_to < self.positive_from:
                raise InputError(
                    f"negative_to ({self.negative_to:g}) must be below positive_from ({self.positive_from:g})."
                )
            if self.label_map is not None:
                raise InputError(
                    "label_map is for classes, positive_from and negative_to are for ratings; leave one out."
                )
        if (
            self.delimiter is not None
            and self.delimiter != "tab"
            and (len(self.delimiter) != 1 or self.delimiter in '"\r\n')
        ):
            raise InputError(f"delimiter {self.delimiter!r}: give one character, or `tab`.")
        if self.encoding is not None:
            _check_encoding(self.encoding)


@dataclass(frozen=True)
class TextConfig:
    """Vocabulary, and how a review becomes token ids."""

    vocab_size: PositiveInt = 30_000
    """Maximum number of words, without special tokens; ignored if a pretrained model provides the vocabulary."""
    min_frequency: PositiveInt = 2
    """Minimum count of a word in the training texts; rarer words become the unknown token. Ignored like vocab_size."""
    max_length: PositiveInt = 512
    """Maximum number of tokens per review; longer reviews are truncated."""
    keep: Keep = "tail"
    """Part of a long review that is kept: its beginning (head) or its end (tail)."""
    direction: Direction = "forward"
    """Reading direction; backward reverses the tokens."""


@dataclass(frozen=True)
class ModelConfig:
    """Size and regularization of the network."""

    embedding_dim: PositiveInt = 256
    """Size of a word vector."""
    hidden_dim: PositiveInt = 256
    """Units per LSTM layer."""
    num_layers: PositiveInt = 2
    """Number of stacked LSTM layers."""
    dropout: ClosedUnitInterval = 0.3
    """Dropout between the LSTM layers."""
    variational: bool = True
    """Variational dropout between the LSTM layers: one mask per review, not per time step (Gal & Ghahramani 2016)."""
    embedding_dropout: ClosedUnitInterval = 0.0
    """Dropout on word vectors."""
    word_dropout: ClosedUnitInterval = 0.0
    """Probability that a whole word vector is set to zero."""
    weight_dropout: ClosedUnitInterval = 0.0
    """Dropout on the recurrent weight matrices (Merity et al. 2018)."""
    head_dropout: ClosedUnitInterval = 0.3
    """Dropout before each linear layer of the classification head; in a language model, before the softmax."""
    head_dim: NonNegativeInt = 0
    """Units of a hidden ReLU layer in the classification head; 0 for no such layer. Not for language models."""
    pooling: Pooling = "last_max_mean"
    """What the head gets: the last LSTM state, or also the maximum and mean over time. Not for language models."""
    forget_gate_bias: float = 1.0
    """Initial bias of the forget gates; 1 lets the network remember from the start (Jozefowicz et al. 2015)."""


@dataclass(frozen=True)
class OptimizationConfig:
    """AdamW, learning rate schedule and weight averaging."""

    epochs: PositiveInt = 4
    """Passes over the training reviews."""
    learning_rate: PositiveFloat = 1e-3
    """Peak learning rate of the top layer."""
    schedule: Literal["constant", "triangular"] = "triangular"
    """Learning rate schedule; triangular rises linearly to the peak, then falls to 1/100 (Howard & Ruder 2018)."""
    warmup_fraction: ClosedUnitInterval = 0.1
    """Share of all steps in which the triangular schedule rises."""
    layer_decay: ClosedUnitInterval = 1.0
    """Learning rate of a layer relative to the layer above (discriminative learning rates; ULMFiT uses 1/2.6)."""
    unfreeze_fraction: ClosedUnitInterval = 0.0
    """Share of all steps over which layers are unfrozen one by one, from the top; 0 trains all from the start."""
    weight_decay: NonNegativeFloat = 0.0
    """Weight decay of AdamW."""
    gradient_clip: PositiveFloat = 1.0
    """Maximum L2 norm of the gradient; larger ones are scaled down."""
    ema_decay: ClosedUnitInterval = 0.0
    """Decay of an exponential moving average of the weights, which is validated and saved; 0 turns it off."""
    start_share: ClosedUnitInterval = 0.0
    """Share of the starting weights in those that are validated and saved, to keep what a pretrained model knows."""


@dataclass(frozen=True)
class AdversarialConfig:
    """Adversarial training on word vectors (Miyato et al. 2017), and entropy minimization."""

    weight: NonNegativeFloat = 0.0
    """Weight of the loss under the worst small shift of the word vectors; 0 turns it off and halves the time."""
    epsilon: PositiveFloat = 5.0
    """Size of the shift: L2 norm over a whole review, in standard deviations of the word vectors' entries."""
    virtual_weight: NonNegativeFloat = 0.0
    """Weight of how much such a shift changes the predictions; needs no labels, so it uses unlabeled reviews, too."""
    entropy_weight: NonNegativeFloat = 0.0
    """Weight of the entropy of the predictions, which makes them more confident; uses unlabeled reviews, too."""

    @property
    def wants_unlabeled(self) -> bool:
        """Whether any loss uses unlabeled reviews."""
        return self.virtual_weight > 0 or self.entropy_weight > 0


@dataclass(frozen=True)
class BaseConfig:
    """Settings of every training."""

    run: RunConfig = field(default_factory=RunConfig)
    data: DataConfig = field(default_factory=DataConfig)
    optimization: OptimizationConfig = field(default_factory=OptimizationConfig)


@dataclass(frozen=True)
class LSTMConfig(BaseConfig):
    """Settings of every training of an LSTM."""

    text: TextConfig = field(default_factory=TextConfig)
    model: ModelConfig = field(default_factory=ModelConfig)


@dataclass(frozen=True)
class ClassifierConfig(LSTMConfig):
    """Settings of every training of a classifier."""

    adversarial: AdversarialConfig = field(default_factory=AdversarialConfig)
    batch_tokens: PositiveInt = 8192
    """Maximum number of tokens per batch, including padding; a longer review is a batch of its own."""
    batch_reviews: NonNegativeInt = 0
    """Maximum number of reviews per batch; 0 for no limit. A limit gives short texts more steps per epoch."""
    prefix_fraction: ClosedUnitInterval = 0.0
    """Share of the reviews cut off after a random word; trains predictions for unfinished reviews."""
    short_texts: list[str] = field(default_factory=list)
    """Files of labeled short texts, to calibrate these. []: sentences of validation reviews, with their labels."""


@dataclass(frozen=True)
class TrainConfig(ClassifierConfig):
    """Training on labeled reviews."""

    pretrained: Optional[str] = None
    """Model to start from (warm start): directory or shipped name of a language model or classifier."""
    unlabeled_split: str = "unsupervised"
    """Split of unlabeled reviews, used if adversarial.virtual_weight or adversarial.entropy_weight is above 0."""


@dataclass(frozen=True)
class PretrainConfig(LSTMConfig):
    """Training of a language model on labeled and unlabeled reviews."""

    unlabeled_split: str = "unsupervised"
    """Split of unlabeled reviews, used together with the training part."""
    streams: PositiveInt = 128
    """Batch size: number of parallel streams of text."""
    chunk_length: PositiveInt = 64
    """Tokens per step (truncated back-propagation through time); the LSTM state is kept between steps."""
    negatives: NonNegativeInt = 2000
    """Number of negative words drawn per step (sampled softmax); 0 uses the whole vocabulary."""


@dataclass(frozen=True)
class DistillConfig(ClassifierConfig):
    """Distillation: a student learns the labels, and the predictions of its teachers for unlabeled reviews."""

    pretrained: str = "runs/recipe/lm/model"
    """Model to start from (warm start): directory or shipped name of a language model or classifier."""
    teachers: list[str] = field(default_factory=list)
    """Model directories, names of shipped models, or transformers (directories or hub ids); n-grams teach, too."""
    labeled: bool = True
    """Whether the student learns the labeled reviews, too; false if it starts from a model that knows their labels."""
    unlabeled_split: str = "unsupervised"
    """Split of unlabeled reviews that the teachers predict."""
    unlabeled_reviews: NonNegativeInt = 0
    """Number of unlabeled reviews, from the first; 0 uses all."""
    crops: NonNegativeInt = 0
    """Number of beginnings and single sentences to cut from unlabeled reviews; the teachers predict these, too."""
    sentences: NonNegativeInt = 0
    """Number of single sentences of unlabeled reviews; each comes with a copy in which deciding words are changed."""
    counterfactuals: NonNegativeInt = 0
    """Number of short unlabeled reviews; each comes with two copies in which deciding words are changed."""
    transformer_share: ClosedUnitInterval = 0.5
    """Share of the transformers in the targets of these sentences, reviews and copies; the ensemble has the rest."""
    grammar_sentences: NonNegativeInt = 0
    """Number of sentences to add from the package's grammar of negation and contrast, with their labels."""
    opinions: NonNegativeInt = 0
    """Number of short opinions to add of kinds that are often misread, such as idioms and irony, with their labels."""


@dataclass(frozen=True)
class TransformerConfig(BaseConfig):
    """Fine-tuning of a transformer on labeled reviews, to be a teacher."""

    transformer: str = "sentence-transformers/all-MiniLM-L6-v2"
    """Transformer to start from: directory or hub id."""
    max_length: PositiveInt = 256
    """Maximum number of the transformer's tokens per review; of longer ones, the first and the last are kept."""
    reviews: NonNegativeInt = 0
    """Number of training reviews, the shortest ones, which take the least time; 0 uses all."""
    dropout: ClosedUnitInterval = 0.0
    """Dropout inside the transformer, attention included, where it is slow."""
    batch_tokens: PositiveInt = 4096
    """Maximum number of tokens per batch, including padding."""
    batch_reviews: NonNegativeInt = 32
    """Maximum number of reviews per batch; 0 for no limit."""


@dataclass(frozen=True)
class AdaptConfig(BaseConfig):
    """Adaptation of a trained model to other reviews."""

    run: RunConfig = field(default_factory=lambda: RunConfig("", precision="fp32"))
    optimization: OptimizationConfig = field(
        default_factory=lambda: OptimizationConfig(epochs=3, learning_rate=4e-3, layer_decay=0.6, weight_decay=0.01)
    )
    pretrained: str = "imdb"
    """Model to adapt: model directory, hub id, or shipped model (imdb or imdb-small)."""
    unlabeled: Optional[str] = None
    """Source of unlabeled reviews of the same kind. The adapted model labels them, and another one learns both."""
    keep_imdb: bool = False
    """Whether to train on made-up movie reviews, too, and to print how sample reviews are classified."""
    batch_tokens: PositiveInt = 8192
    """Maximum number of tokens per batch, including padding; a longer review is a batch of its own."""
    batch_reviews: NonNegativeInt = 16
    """Maximum number of reviews per batch; 0 for no limit."""


AnyConfig = TypeVar("AnyConfig", bound=BaseConfig)


RENAMED_SETTINGS = {
    "optimisation": "optimization",
    "unlabelled_split": "unlabeled_split",
    "unlabelled_reviews": "unlabeled_reviews",
    "beginnings": "prefix_fraction",
    "short_reviews": "grammar_sentences",
}
"""{old name in version 0.1: new name} of settings. Old names still work in this release, with a warning."""
