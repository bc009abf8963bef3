"""The two ways in which a request fails; each carries one sentence for the person who made it."""


class InputError(ValueError):
    """What was handed in is wrong: a file, a setting, a model directory. Exit code 2."""


class RunError(RuntimeError):
    """The request was sound but the work failed: no network, no space left, a loss that is not finite. Exit code 1."""
