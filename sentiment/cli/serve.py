"""The command that answers requests over HTTP."""

import argparse
import os
import re
from collections.abc import Sequence

from sentiment.cli.options import chosen_device, model_parser, port, positive
from sentiment.errors import InputError
from sentiment.serving.settings import ServiceSettings

TOKEN = "SENTIMENT_TOKEN"
"""Environment variable of the token; as an option, every user of the machine could see it."""


def serve(arguments: Sequence[str]) -> None:
    """Answer requests over HTTP: [--model DIR] [--host HOST] [--port N] [--workers N]."""
    about = (
        f"Answer requests over HTTP. If the environment variable {TOKEN} is set, requests need it as a bearer token."
    )
    parser = model_parser("serve", about, ["", "--model imdb-small --host 0.0.0.0 --workers 2"])
    group = parser.add_argument_group("address")
    group.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this machine)")
    group.add_argument("--port", type=port, default=8000, metavar="N", help="port to listen on (default: 8000)")
    group.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="processes; with several, one that dies is replaced (default: one per CPU; 1 with a GPU)",
    )
    group.add_argument(
        "--root-path",
        type=root_path,
        default="/",
        metavar="PATH",
        help="path at which a proxy serves the service, such as /sentiment, for the links of /docs (default: /)",
    )
    group.add_argument(
        "--allow-origin",
        type=origin,
        action="append",
        default=[],
        metavar="ORIGIN",
        help="address of a site whose pages may call the service; * for all; can be given several times",
    )
    group.add_argument("--no-page", action="store_true", help="no page at /; from the page anyone can get the model")
    group = parser.add_argument_group("limits")
    for name, default, what in (
        ("texts", ServiceSettings.max_texts, "texts in a request"),
        ("words", ServiceSettings.max_words, "words in a text"),
        ("characters", ServiceSettings.max_characters, "characters in a text"),
        ("bytes", ServiceSettings.max_body, "bytes in a request"),
        ("queue", ServiceSettings.max_queue, "texts that wait in a process, before requests are refused"),
        ("batch", ServiceSettings.max_batch, "texts that are computed together"),
        ("seconds", int(ServiceSettings.timeout), "seconds that a request may take"),
    ):
        group.add_argument(
            f"--max-{name}", type=positive, default=default, metavar="N", help=f"{what} (default: {default})"
        )
    options = parser.parse_args(arguments)
    try:
        from sentiment.serving.server import serve as run
    except ModuleNotFoundError as error:
        raise InputError(
            f"the package {error.name} is not installed; in a checkout, install it with: "
            "pip install -c constraints.txt '.[serve]'"
        ) from error
    from sentiment.inference.threads import batch_threads

    device = chosen_device(options.device)
    workers = options.workers or (batch_threads() if device == "cpu" else 1)
    settings = ServiceSettings(
        model=options.model,
        device=device,
        threads=options.threads or max(1, batch_threads() // workers),
        max_batch=options.max_batch,
        max_body=options.max_bytes,
        max_texts=options.max_texts,
        max_words=options.max_words,
        max_characters=options.max_characters,
        max_queue=options.max_queue,
        timeout=float(options.max_seconds),
        token=_token(),
        origins=tuple(options.allow_origin),
        with_page=not options.no_page,
    )
    run(settings, options.host, options.port, workers, options.root_path)


def root_path(text: str) -> str:
    """Argument type for a path of an address; returns it without a slash at its end."""
    if not re.fullmatch(r"(/[\w.~-]+)*/?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text} is not a path such as /sentiment")
    return text.rstrip("/")


def origin(text: str) -> str:
    """Argument type for the address of a site, *, or null; returns it as browsers send it."""
    if text in ("*", "null"):  # null is what pages of local files send
        return text
    found = re.fullmatch(r"(([a-z][a-z\d+.-]*)://[^/?#\s]+?)(:\d+)?/?", text.lower())
    if not found:
        raise argparse.ArgumentTypeError(f"{text} is not an address such as https://site.example")
    site, scheme, port = found.groups()
    return site if f"{scheme}{port}" in ("http:80", "https:443") else f"{site}{port or ''}"


def _token() -> str | None:
    token = os.environ.get(TOKEN)
    if token is None:
        return None
    token = token.strip()
    if not (token and token.isascii() and token.isprintable()):
        raise InputError(f"{TOKEN} is empty or has other characters than ASCII; unset it, or give another token.")
    return token
