"""Say what is wrong with the cache of the Hugging Face libraries, which report it in many ways."""

import errno

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
"""Errors of a disk, whatever is written to it."""
CLOSED = {errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOENT}
"""Errors of a place, if they name a file; connections have some of them, too."""


def cache_problem(error: BaseException | None) -> str | None:
    """What is wrong with the cache if that is the cause of an error, with the way out; otherwise None."""
    while error is not None:
        if isinstance(error, OSError) and (
            error.errno in FULL
            or (error.errno in CLOSED and error.filename is not None)
            or str(error).startswith("Not enough disk space")  # which `datasets` raises before it downloads
        ):
            where = f"{error.filename}: " if error.filename is not None else ""
            reason = error.strerror or str(error).partition(".")[0]
            return (
                f"the cache of downloads cannot be written ({where}{reason}); set HF_HOME (and HF_DATASETS_CACHE, if "
                "it is set) to a folder with room that can be written"
            )
        error = error.__cause__ or error.__context__
    return None
