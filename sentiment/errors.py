"""The two errors of this package. Their messages are one or two sentences, written for users."""


class InputError(ValueError):
    """The input is wrong: a file, a setting, a model directory. Exit code 2."""


class RunError(RuntimeError):
    """The input is fine, but the work failed: no network, a full disk, a loss that is not finite. Exit code 1."""
