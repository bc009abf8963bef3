"""The configurations that come with the package, found by name: `sentiment train imdb`."""

from pathlib import Path

from sentiment.errors import InputError, nearest

CONFIGURATIONS = Path(__file__).parents[1] / "configs"
"""In a checkout, a link to the configs/ beside the package."""


def find_configuration(name: str, folder: Path = CONFIGURATIONS) -> Path:
    """Find a configuration: the file of that name, or else the one that comes with the package.

    Args:
        name: path of a file, or name of a configuration in `folder`.
        folder: directory of YAML files.

    Returns:
        The file. It need not exist if `name` is written like a path, so that its reader says what is missing.

    Raises:
        InputError: if `name` is neither.
    """
    if Path(name).is_file():
        return Path(name)
    known = {file.stem: file for file in sorted(folder.glob("*.yaml"))}
    if name in known:
        return known[name]
    if Path(name).suffix in (".yaml", ".yml") or "/" in name:
        if Path(name).stem in known and not Path(name).exists():
            raise InputError(
                f"{name}: no such configuration file; for the one that is installed, write {Path(name).stem}."
            )
        return Path(name)
    similar = nearest(name, known)
    meant = f"; did you mean {similar}?" if similar else "."
    raise InputError(f"{name}: neither a file nor a known configuration ({', '.join(known)}){meant}")
