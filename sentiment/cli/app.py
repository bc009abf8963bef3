"""The command that opens a model in the browser."""

import logging
import tempfile
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from sentiment.cli.options import path, port
from sentiment.cli.parser import CommandParser
from sentiment.io.signals import Stopped, raise_signals

logger = logging.getLogger(__name__)


def app(arguments: Sequence[str]) -> None:
    """Open a model in the browser, which computes everything: [--model DIR] [--port N] [--export DIRECTORY]."""
    about = "Open a model in the browser. The browser computes everything, so reviews never leave the machine."
    parser = CommandParser("app", about, ["", "--export page --model my-model"])
    parser.add_argument(
        "--model",
        metavar="DIR",
        default="imdb-small",
        help="model directory, hub id, or shipped model: imdb or imdb-small (default: imdb-small, which loads faster)",
    )
    parser.add_argument("--port", type=port, metavar="N", help="port of the address (default: 8765 if it is free)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument(
        "--export", type=path, metavar="DIRECTORY", help="write the page to DIRECTORY, for any web server, and exit"
    )
    options = parser.parse_args(arguments)

    from sentiment.web.page import write_page

    if options.export is not None:
        write_page(options.model, options.export)
        print(f"page: {options.export}")
        return
    from sentiment.web.server import serve

    def announce(address: str) -> None:
        print(f"page: {address}", flush=True)
        logger.info("Ctrl-C closes it.")
        if not options.no_browser:
            webbrowser.open(address)

    with tempfile.TemporaryDirectory(prefix="sentiment-app-") as temporary, raise_signals():
        page = Path(temporary) / "page"
        write_page(options.model, page)
        try:
            serve(page, options.port, announce)
        except Stopped as stopped:
            raise Stopped(stopped.signal_number, "closed.") from None
