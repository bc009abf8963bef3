"""Which files a source means: one file, a directory, a pattern such as `data/*.csv`, or standard input."""

import glob
from pathlib import Path

from sentiment.errors import InputError
from sentiment.io.files import expand_user
from sentiment.io.formats import FORMATS, READABLE, Format, format_of
from sentiment.tables.opening import STANDARD_INPUT

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
"""The sample reviews of the package, which are the source `samples`."""


def local_path(source: str) -> Path:
    """Path of a local source; a file or directory called `samples` has priority over the sample reviews."""
    path = expand_user(source)
    return SAMPLES if source == SAMPLES.name and not path.exists() else path


def is_local(source: str) -> bool:
    """Whether a source is a file, a directory, a pattern or standard input, not a hub id."""
    path = local_path(source)
    return path == STANDARD_INPUT or path.exists() or glob.has_magic(source) or format_of(path) is not None


def find_files(source: str, given: Format | None = None) -> list[Path]:
    """Files of a source, sorted by name.

    Args:
        source: a file, a directory, a pattern, `samples`, or "-" for standard input. Of a directory, all files at any
            depth whose name ends like a format; hidden files are left out.
        given: format of the files, if their names do not tell it.

    Raises:
        InputError: if there are no such files, or files of several formats.
    """
    if not source:
        raise InputError("the source is an empty text; give a file, a directory, a pattern or - for standard input.")
    path = local_path(source)
    if path.is_dir():
        return check_one_format(source, list_directory(path, given), given)
    if glob.has_magic(source) and not path.exists():
        names = glob.glob(str(path), recursive=True)  # noqa: PTH207  # Path.glob takes no absolute pattern
        # a directory's name can contain brackets
        names = names or glob.glob(str(Path(glob.escape(str(path.parent))) / path.name))  # noqa: PTH207
        files = sorted(Path(name) for name in names if Path(name).is_file())
        if not files:
            raise InputError(f"{source}: no file matches this pattern.")
        return check_one_format(source, files, given)
    return [path]


def list_directory(directory: Path, given: Format | None = None) -> list[Path]:
    """All files of a directory, at any depth, whose name ends like a format; hidden files are left out.

    Raises:
        InputError: if there are none.
    """
    found = [file for file in sorted(directory.rglob("*")) if not _is_hidden(file.relative_to(directory))]
    if any(file.name in ("urls_pos.txt", "urls_neg.txt") for file in found):
        raise InputError(f"{directory}: an aclImdb directory; give one of its folders of reviews, such as test/pos.")
    formats = (given,) if given else FORMATS
    endings = {file: format_of(file) for file in found if file.is_file()}
    files = [file for file, ending in endings.items() if (given if ending is None else ending.name) in formats]
    if not files:
        raise InputError(f"{directory}: the directory has no file that ends in {READABLE}.")
    return files


def check_one_format(source: str, files: list[Path], given: Format | None = None) -> list[Path]:
    """Check that files can be read as one table; returns them.

    Raises:
        InputError: if they have several formats.
    """
    formats = sorted({found.name for file in files if (found := format_of(file, given)) is not None})
    if len(formats) > 1:
        names = " and ".join(f".{name}" for name in formats)
        pattern = files[0].parent / f"*.{formats[0]}"
        raise InputError(f"{source}: has files of several formats, {names}; choose some with a pattern, '{pattern}'.")
    return files


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_", "~$")) for part in path.parts)
