"""Addresses that `sentiment serve` takes."""

import argparse

import pytest

from sentiment.cli.serve import origin, root_path


@pytest.mark.parametrize(
    ("given", "as_browsers_send_it"),
    [
        ("*", "*"),
        ("null", "null"),
        ("https://Site.example/", "https://site.example"),
        ("https://site.example:443", "https://site.example"),
        ("http://site.example:80/", "http://site.example"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
    ],
)
def test_origins(given: str, as_browsers_send_it: str) -> None:
    assert origin(given) == as_browsers_send_it


@pytest.mark.parametrize("given", ["", "site.example", "https://", "https://site.example/path", "https://a b"])
def test_what_is_no_origin(given: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not an address such as"):
        origin(given)


def test_paths_end_without_a_slash() -> None:
    assert [root_path(text) for text in ("/", "/a", "/a/b_c.d~e/")] == ["", "/a", "/a/b_c.d~e"]
    for text in ("a", "//", "/a//b", "/ä", "/a?b"):
        with pytest.raises(argparse.ArgumentTypeError):
            root_path(text)
