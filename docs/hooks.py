"""What `mkdocs` does beside building the pages: it puts the page of `sentiment app` into the site."""

import tempfile
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from sentiment.web.page import DEFAULT_MODEL, write_page


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the page, in app/."""
    with tempfile.TemporaryDirectory() as temporary:
        page = Path(temporary) / "page"
        write_page(DEFAULT_MODEL, page)
        for file in page.iterdir():
            files.append(File.generated(config, f"app/{file.name}", content=file.read_bytes()))
    return files
