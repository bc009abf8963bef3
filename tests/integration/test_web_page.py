"""The page in headless Chromium: it answers like Python, connects to nothing, and can be used by everyone."""

import csv
import gzip
import io
import json
import random
import re
from dataclasses import replace

import numpy as np
import pytest
from conftest import IMDB
from web_page import browser, opened, served

from sentiment.classifier import SentimentClassifier
from sentiment.cli.predict import predict
from sentiment.data.batching import EncodedReviews
from sentiment.models.lstm import SentimentRNN
from sentiment.persistence.checkpoint import save_checkpoint
from sentiment.text.normalization import FIRST_STEPS

READ = """async (text) => {
  const { offsets, running, layers } = await sentiment.read(text);
  return { offsets, running,
    layers: layers.map(layer => Object.values(layer).map(values => Array.from(values))) };
}"""
READ_MANY = """async (texts) => {
  const found = [];
  for (const text of texts) {
    const { tokens, prediction } = await sentiment.read(text);
    found.push({ ...prediction, words: tokens });
  }
  return found;
}"""
HAND_MADE = [
    "",
    "   \n ",
    "!!! ... ★",
    "ok",
    "No.",
    "Not bad at all 👍🏽",
    "I loooved it!!! 😍😍 10/10",
    "★★★★☆ — worth it… ½ of it, anyway",
    "<p>It isnâ€™t <b>good</b> &amp;amp; I left &#8217;early&#8217;</p>",
    "**Great** [film](https://example.com/a_b), see www.example.com #mustsee",
    "Ein wunderbarer Film, ganz großartig gespielt.",
    "Прекрасный фильм, лучший за много лет",
    "この映画は最高でした。とても面白い。",
    "فيلم رائع جدا",
    "ΤΈΛΟΣ ἀγαθός İstanbul ﬁlm Ｆｕｌｌ ｗｉｄｔｈ",
    "great/lovely acting,but terible-story (*****) 8,5/10",
    'He said:\\n\\"wow\\" and\\tleft',
    "constructor __proto__ hasOwnProperty toString film",
    "a\u200bmaz\u00ading \ud83d film \x00 \x1f x",
    "👨‍👩‍👧 🇩🇪 ❤️ :-) :'( <3 xD 🏳️‍🌈",
    "What a film " * 4000,
    "w" * 5000,
    "👩\u200d👧\u200d👩🏽" * 300 + " \u200d👍\u200d👎 a\ufe0fb",
    "e\u0301\u0316" + "\u0301\u0316" * 600 + "か\u3099",
    "fıve stars, &#" + "1" * 5000 + "; fine",
]


@pytest.fixture(scope="module")
def chrome():
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served("imdb-small", tmp_path_factory.mktemp("page") / "page") as found:
        yield found


@pytest.fixture
def page(chrome, address):
    found = opened(chrome, address)
    yield found
    found.context.close()


@pytest.fixture(scope="module")
def shared(chrome, address):
    """A page for several tests, each of which brings it into the state that it needs."""
    found = opened(chrome, address)
    yield found
    assert found.faults == []
    found.context.close()


@pytest.fixture(scope="module")
def classifier():
    return SentimentClassifier.from_pretrained("imdb-small", precision="fp32")


def same_answers(found, texts, classifier):
    expected = classifier.predict(texts)
    for text, ours, theirs in zip(texts, found, expected, strict=True):
        assert ours["words"] == classifier.text.tokens_read(classifier.text.tokenize(text)), text
        for field in ("label", "tokens", "unknown_tokens", "truncated", "uncertain", "reason"):
            assert ours[field] == getattr(theirs, field), (field, text)
        if theirs.probability is not None:
            assert ours["probability"] == pytest.approx(theirs.probability, abs=1e-4), text


def random_texts(count):
    """Texts made from the hand-made ones: parts of them, joined in any order, and cut anywhere."""
    draw = random.Random(0)
    short = [text for text in HAND_MADE if len(text) < 200]
    for _ in range(count):
        text = draw.choice(["", " ", "\n", "x"]).join(draw.choices(short, k=draw.randint(1, 4)))
        start = draw.randrange(len(text) + 1)
        yield text[start : start + draw.randint(1, 120)]


def test_answers_are_those_of_python(shared, classifier):
    texts = [*HAND_MADE, *random_texts(228)]
    same_answers(shared.evaluate(READ_MANY, texts), texts, classifier)


@pytest.mark.real_data
def test_answers_for_real_reviews_are_those_of_python(shared, classifier):
    files = sorted(IMDB.rglob("train*.parquet"))
    if not files:
        pytest.skip(f"needs the IMDB reviews in {IMDB}")
    import pyarrow.parquet as pq

    reviews = pq.read_table(files[0], columns=["text"])["text"].to_pylist()
    texts = random.Random(1).sample(reviews, 250)
    same_answers(shared.evaluate(READ_MANY, texts), texts, classifier)


def test_gates_are_those_of_python(shared, classifier):
    for text in [text for text in HAND_MADE if classifier.predict(text).label and len(text) < 300]:
        found, expected = shared.evaluate(READ, text), classifier.explain(text)
        # JavaScript counts halves of characters where they are outside of the first 65,536
        units = [len(text[:place].encode("utf-16-le", "surrogatepass")) // 2 for place in range(len(text) + 1)]
        assert found["offsets"] == [[units[start], units[end]] for start, end in expected.offsets.tolist()]
        assert found["running"] == pytest.approx(expected.running_probability, abs=1e-4)
        for ours, theirs in zip(found["layers"], expected.traces, strict=True):
            for values, (name, gate) in zip(ours, vars(theirs).items(), strict=True):
                assert np.abs(np.array(values) - gate.ravel()).max() < 1e-4, (text, name)


@pytest.mark.parametrize("kind", ["backward", "last", "one layer", "hidden layer in the head", "old steps"])
def test_other_models(chrome, tmp_path, tiny_checkpoint, kind):
    checkpoint = tiny_checkpoint
    if kind == "backward":
        checkpoint = replace(checkpoint, text=replace(checkpoint.text, direction="backward", max_length=9))
    elif kind == "old steps":
        checkpoint = replace(checkpoint, text=replace(checkpoint.text, steps=FIRST_STEPS, keep="head", max_length=9))
    else:
        changes = {"last": {"pooling": "last"}, "one layer": {"num_layers": 1, "hidden_dim": 5}}
        settings = checkpoint.model_settings | changes.get(kind, {"head_dim": 7})
        checkpoint = replace(checkpoint, model_settings=settings, weights=SentimentRNN(**settings).state_dict())
    save_checkpoint(checkpoint, tmp_path / "model")
    model = SentimentClassifier.from_pretrained(tmp_path / "model", precision="fp32")
    texts = ["A wonderful film, I loved it &amp; it was superb from start to finish", "no fun at all", "!", "wonderful"]
    with served(str(tmp_path / "model"), tmp_path / "page") as address:
        page = opened(chrome, address)
        same_answers(page.evaluate(READ_MANY, texts), texts, model)
        # what is typed is shown in its order, whatever the order of reading
        page.fill("#text", texts[0])
        page.wait_for_function("text => document.querySelector('.words').textContent === text", arg=texts[0])
        assert page.faults == []
        page.context.close()


def test_the_page_connects_to_nothing(page, address):
    assert page.faults == []
    assert page.requests and all(url.startswith((address, "blob:", "data:")) for url in page.requests)
    loaded = len(page.requests)
    page.fill("#text", "A wonderful film with a secret in it.")
    page.wait_for_function("() => document.querySelector('.verdict.positive')")
    assert len([url for url in page.requests[loaded:] if not url.startswith(("blob:", "data:"))]) == 0
    refused = """async (attempt) => {
        const blocked = new Promise(done => addEventListener("securitypolicyviolation", done, { once: true }));
        Promise.resolve(eval(attempt)).catch(() => {});
        return (await blocked).effectiveDirective;
    }"""
    for attempt, directive in {
        "fetch('model.json')": "connect-src",
        "new Image().src = 'icon.png'": "img-src",
        "new WebSocket('ws://127.0.0.1:9')": "connect-src",
        "new EventSource('model.json')": "connect-src",
        "navigator.sendBeacon('model.json', 'text')": "connect-src",
        "import('./app.js')": "script-src-elem",
        "document.head.append(document.querySelector('[rel=stylesheet]').cloneNode())": "style-src-elem",
    }.items():
        assert page.evaluate(refused, attempt) == directive, attempt
    # workers, also those that start later, are bound by the policy of the page
    code = "fetch(self.name).then(() => postMessage('connected'), () => postMessage('refused'))"
    worker = """([code, name]) => new Promise(done => {
        const address = URL.createObjectURL(new Blob([code]));
        new Worker(address, { name }).onmessage = ({ data }) => done(data);
    })"""
    assert page.evaluate(worker, [code, address + "model.json"]) == "refused"


def test_typing(page, classifier):
    text = "Wonderful acting <b>but</b> it isn't good, I fear… <script>alert(1)</script> 😀"
    page.click("#text")
    page.fill("#text", "")
    page.keyboard.type(text)
    answer = classifier.predict(text)
    page.wait_for_function("text => document.querySelector('.words').textContent === text", arg=text)
    assert page.inner_text(".verdict").startswith(f"{answer.label.capitalize()} {round(100 * answer.score)}%")
    # each word's contribution is what leaving it out changes
    tokens = classifier.text.tokenize(text)
    page.wait_for_function("() => document.querySelector('.legend').textContent.includes('would change')")
    assert added(page, "Wonderful") == pytest.approx(change(classifier, tokens, tokens[1:]), abs=0.006)
    assert page.faults == []


def added(page, word):
    """What the page says that a word adds."""
    sign, digits = re.search(r"adds ([+−])(.*?);", page.locator(".word", has_text=word).get_attribute("title")).groups()
    return float(digits) * (1 if sign == "+" else -1)


def change(classifier, tokens, others):
    """Difference of the logits of two lists of tokens."""
    logits = classifier.logits(EncodedReviews([classifier.text.encode(part) for part in (tokens, others)]))
    return float(logits[0] - logits[1])


def test_a_word_of_several_tokens_is_left_out_as_a_whole(page, classifier):
    text = "I saw it, ★★★★☆, and would give it 9/10 overall"
    page.fill("#text", text)
    page.wait_for_function("text => document.querySelector('.words').textContent === text", arg=text)
    page.wait_for_function("() => document.querySelector('.legend').textContent.includes('would change')")
    tokens = classifier.text.tokenize(text)
    assert tokens[4:8] == ["8", "out", "of", "10"] and tokens[13:17] == ["9", "out", "of", "10"]
    for word, start in (("★★★★☆", 4), ("9/10", 13)):
        expected = change(classifier, tokens, tokens[:start] + tokens[start + 4 :])
        assert added(page, word) == pytest.approx(expected, abs=0.006)
    page.locator(".word", has_text="9/10").click()
    assert page.inner_text(".picked").startswith("“9/10” adds")
    page.wait_for_function("() => document.querySelector('.chosen').textContent.startsWith('“10”, token 17 of 18')")


def test_what_was_typed_can_be_had_back(page):
    page.fill("#text", "")
    page.locator("#text").press_sequentially("My own words")
    page.get_by_role("button", name="Plain").click()
    assert page.input_value("#text") == "I loved every minute of it."
    assert page.evaluate("document.activeElement.textContent") == "Plain"
    page.locator("#text").press("ControlOrMeta+z")
    assert page.input_value("#text") == "My own words"


def test_a_review_of_many_lines_does_not_stop_the_page(page):
    text = "A dull line.\n" * 10_000
    drop(page, "lines.jsonl", json.dumps({"text": text}).encode())
    page.wait_for_function("() => document.querySelector('.results h2')?.textContent === 'lines.jsonl: 1 review'")
    page.locator(".answers .link").click()
    assert page.input_value("#text") == text
    page.get_by_role("button", name="Plain").click()
    assert page.input_value("#text") == "I loved every minute of it."


def test_the_link_that_skips_the_menu_changes_no_view(page):
    page.get_by_role("link", name="One LSTM unit").click()
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.url.endswith("#unit") and page.is_visible("#unit")
    page.goto(page.url.replace("#unit", "#elsewhere"))
    page.reload()
    page.wait_for_selector("#review")


def test_words_can_be_read_in_forced_colors(chrome, address):
    page = opened(chrome, address, forced_colors="active", color_scheme="dark")
    text = "A film that isn't great"
    page.fill("#text", text)
    page.wait_for_function("text => document.querySelector('.words').textContent === text", arg=text)
    page.wait_for_function("() => document.querySelector('.legend').textContent.includes('would change')")
    colors = "element => [getComputedStyle(element).color, getComputedStyle(element).backgroundColor]"
    for word in page.locator(".typed, .key").all():
        assert word.evaluate(colors) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    page.context.close()


def test_what_is_not_read_is_told_shortly(page):
    page.fill("#text", "Once upon a time. " * 5000 + "A wonderful film.")
    page.wait_for_function("() => /characters/.test(document.querySelector('.words').textContent)")
    shown = page.text_content(".words")
    assert shown.startswith("Once upon a time.") and shown.endswith("A wonderful film.") and len(shown) < 10_000


def test_the_keyboard_walks_through_the_words(page):
    page.fill("#text", "A wonderful film, isn't it?")
    page.wait_for_function("() => document.querySelectorAll('.word').length === 7")
    page.wait_for_function("() => document.querySelector('.chosen').textContent.includes('token 7 of 7')")
    page.locator(".word").last.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "wonderful"
    assert page.locator('.word[aria-pressed="true"]').all_inner_texts() == ["wonderful"]
    assert page.inner_text(".chosen").startswith("“wonderful”, token 2 of 7")
    assert page.locator("thead th.on").all_inner_texts() == ["wonderful"]
    page.get_by_role("button", name="Next word").click()
    assert page.inner_text(".chosen").startswith("“film”, token 3 of 7")
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").wait_for()
    page.wait_for_function("() => document.querySelector('.chosen').textContent.includes('token 7 of 7')")
    page.locator("summary", has_text="All units").click()
    page.wait_for_function("() => document.querySelectorAll('.maps canvas').length === 2 * 5")


EXAMPLES = {
    "Plain": "positive",
    "Negated": "positive",
    "It turns": "positive",
    "It gets this wrong": "positive",  # which it is not
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_shows_what_it_promises(shared, classifier, name):
    page = shared
    page.get_by_role("link", name="One review").click()
    page.fill("#text", "Awful.")
    page.wait_for_selector(".verdict.negative")
    page.get_by_role("button", name=name).click()
    text = page.input_value("#text")
    assert text != "Awful." and classifier.predict(text).label == EXAMPLES[name]
    page.wait_for_function("text => document.querySelector('.words').textContent === text", arg=text)
    page.wait_for_selector(f".verdict.{EXAMPLES[name]}")


def test_an_input_of_minus_ten_wipes_the_memory_of_the_unit(page):
    page.get_by_role("link", name="One LSTM unit").click()
    assert "Long-term memory 2.95, short-term memory 0.99" in page.inner_text(".result")  # as in docs/lstm.md
    page.get_by_role("slider", name="Input").fill("-10")
    page.get_by_role("slider", name="Short-term").fill("0")
    assert "Long-term memory 0.00" in page.inner_text(".result") and "closed" in page.inner_text(".result")


ROWS = [
    ["id", "review", "stars"],
    *[[str(n), f"{'A wonderful film' if n % 3 else 'Dull, a waste of time'}, number {n}.", "3"] for n in range(120)],
    ["120", "", "1"],
    ["121", 'She said "no",\nand left; <img src=x onerror=alert(1)>', "2"],
]


def drop(page, name, content):
    page.get_by_role("link", name="A file of reviews").click()
    page.set_input_files("#reviews", {"name": name, "mimeType": "text/plain", "buffer": content})


def as_csv(rows):
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def downloaded(page):
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    return download.value.suggested_filename, download.value.path().read_text("utf-8")


def test_a_file(page, classifier):
    drop(page, "my reviews.csv", as_csv(ROWS) + b"too,many,fields,here\n")
    page.wait_for_selector(".results")
    expected = classifier.predict([row[1] for row in ROWS[1:]])
    positive = sum(answer.label == "positive" for answer in expected)
    assert page.inner_text(".results h2") == "my reviews.csv: 122 reviews"
    assert f"{round(100 * positive / 121)}% positive" in page.inner_text(".cards")
    assert page.inner_text(".problem summary").startswith("1 row could not be read")
    assert "line 125" in page.text_content(".problem ul")
    name, text = downloaded(page)
    assert name == "my reviews.answers.csv"
    found = list(csv.DictReader(io.StringIO(text)))
    assert [row["id"] for row in found] == [str(n) for n in range(122)]
    assert [row["label"] or None for row in found] == [answer.label for answer in expected]
    for row, answer in zip(found, expected, strict=True):
        if answer.probability is not None:
            assert float(row["probability"]) == pytest.approx(answer.probability, abs=1e-4)
    # search, as the reviews are shown, sort, pages
    page.fill("#search", "and  left; <IMG")
    page.wait_for_function("() => document.querySelector('.answers tbody').rows.length === 1")
    page.fill("#search", "WASTE")
    page.wait_for_function("() => document.querySelector('.answers tbody').rows.length === 40")
    page.fill("#search", "")
    page.wait_for_function("() => document.querySelector('.answers tbody').rows.length === 50")
    page.get_by_role("button", name="Positive", exact=True).click()
    best = max(answer.probability for answer in expected if answer.probability is not None)
    assert page.inner_text(".answers tbody tr:first-child .number") == ("over 99%" if best > 0.99 else f"{best:.0%}")
    page.get_by_role("button", name="Next →").click()
    assert "page 2 of 3" in page.inner_text(".pages")
    # a review of the table opens in the other view
    page.locator(".answers .link").first.click()
    page.wait_for_function("() => !document.querySelector('#review').hidden")
    assert page.input_value("#text").startswith(("A wonderful", "Dull"))
    assert page.faults == []


FILES = {
    "semicolons.csv": 'id;text\n1;"Wonderful; really"\n2;"Dull,\nand ""boring"""\n',
    "broken.csv": 'id,text\n1,Wonderful\n2,Dull,boring\n3\n4,"No fun" at all\n5,Great fun\n',
    "marked.csv": "\ufeffreview,label,label\nA wonderful film — really,x,1\n",
    "windows.csv": "text\nA wonderful caf\xe9\nDull, I\x92d say\n",
    "utf16.tsv": 'id\ttext\n7\tWonderful "film"\n8\t\n',
    "columns.csv": "label,probability,text\nmine,0.5,Wonderful\n,,Dull\n",
    "lines.txt": "Wonderful, and moving\r\n\r\n  Dull  \r\nlast line",
    "objects.jsonl": '{"text": "Wonderful", "n": {"a": [1, 2.50]}}\n{"n": 1}\n\n{"text": null, "b": true}\n[1]\n',
    "packed.csv.gz": "text,more\nWonderful,=1+1\nDull,\n",
}


@pytest.mark.parametrize("name", FILES)
def test_files_are_read_and_written_as_by_python(shared, name, tmp_path):
    page = shared
    encoding = {"windows.csv": "windows-1252", "utf16.tsv": "utf-16"}.get(name, "utf-8")
    content = FILES[name].encode("latin-1" if name == "windows.csv" else encoding)
    content = gzip.compress(content) if name.endswith(".gz") else content
    ending = name.removesuffix(".gz").rpartition(".")[2].replace("txt", "csv")
    (tmp_path / name).write_bytes(content)
    options = ["--encoding", encoding] if name == "windows.csv" else []
    files = ["--input", str(tmp_path / name), "--output", str(tmp_path / f"answers.{ending}")]
    predict(["--model", "imdb-small", "--on-bad-row", "skip", "--quiet", *files, *options])
    drop(page, name, content)
    page.wait_for_function("name => document.querySelector('.results h2')?.textContent.startsWith(name)", arg=name)
    saved, text = downloaded(page)
    assert saved == f"{name.removesuffix('.gz').rpartition('.')[0]}.answers.{ending}"
    found, expected = text, (tmp_path / f"answers.{ending}").read_text("utf-8")
    # probabilities differ in their last digits, most where the CPU has bf16
    number = re.compile(r"-?\d\.\d{3,}(?:e-\d+)?")
    assert number.sub("", found) == number.sub("", expected)
    numbers = [[float(part) for part in number.findall(written)] for written in (found, expected)]
    assert numbers[0] == pytest.approx(numbers[1], abs=1e-2)


def test_a_file_of_lines_and_one_of_objects(page):
    drop(page, "lines.txt", b"Wonderful.\n\nDull and boring.\n")
    page.wait_for_selector(".results")
    assert page.inner_text(".results h2") == "lines.txt: 3 reviews"
    objects = [{"text": "Wonderful.", "id": 1}, {"text": "Dull and boring.", "id": 2}]
    drop(page, "objects.jsonl", "\n".join([*map(json.dumps, objects), "{broken"]).encode())
    page.wait_for_function("() => document.querySelector('.results h2')?.textContent === 'objects.jsonl: 2 reviews'")
    assert "line 3" in page.text_content(".problem")
    name, text = downloaded(page)
    assert name == "objects.answers.jsonl"
    assert [(row["id"], row["label"]) for row in map(json.loads, text.splitlines())] == [
        (1, "positive"),
        (2, "negative"),
    ]


def test_a_file_with_two_columns_of_text(page):
    rows = [["review", "comment"], ["A wonderful film, really.", "I was tired and it was late."]]
    drop(page, "two.csv", as_csv(rows))
    page.wait_for_selector("#column")
    page.select_option("#column", "comment")
    page.get_by_role("button", name="Read it").click()
    page.wait_for_selector(".results")
    assert "tired" in page.inner_text(".answers tbody")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("book.xlsx", b"PK\x03\x04" + bytes(100)),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        ("nothing.jsonl", b"\n\n"),
    ],
)
def test_a_file_that_is_none(shared, name, content):
    page = shared
    drop(page, "before.txt", b"Wonderful.\n")
    page.wait_for_function("() => document.querySelector('.results h2')?.textContent === 'before.txt: 1 review'")
    drop(page, name, content)
    page.wait_for_selector("#file > div > .problem")
    said = page.inner_text("#file > div > .problem")
    assert name in said and said.endswith(".")
    assert page.inner_text(".results h2") == "before.txt: 1 review"  # until there are other answers
    drop(page, "fine.txt", b"Wonderful.\n")
    page.wait_for_function("() => document.querySelector('.results h2').textContent === 'fine.txt: 1 review'")
    assert page.locator("#file > div > .problem").count() == 0


def test_two_files_at_once_leave_what_is_there(shared):
    page = shared
    drop(page, "alone.txt", b"Wonderful.\n")
    page.wait_for_function("() => document.querySelector('.results h2')?.textContent === 'alone.txt: 1 review'")
    one = {"mimeType": "text/plain", "buffer": b"Dull.\n"}
    page.evaluate("document.querySelector('#reviews').multiple = true")
    page.set_input_files("#reviews", [{"name": "a.txt", **one}, {"name": "b.txt", **one}])
    assert page.inner_text("#file > .note") == "2 files: give one at a time."
    assert page.inner_text(".results h2") == "alone.txt: 1 review"


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("model.safetensors", lambda content: content[:100_000], "model.safetensors: is incomplete, 100000 bytes"),
        ("model.safetensors", lambda content: b"<html>sign in</html>", "model.safetensors: is damaged"),
        ("vocabulary.json", lambda content: content[:-9], "vocabulary.json is damaged"),
        ("tables.json", None, "tables.json cannot be loaded: the server answers 404"),
    ],
)
def test_a_page_with_a_damaged_file_says_so(chrome, tmp_path, name, damage, said):
    with served("imdb-small", tmp_path / "page") as address:
        file = tmp_path / "page" / name
        file.write_bytes(damage(file.read_bytes())) if damage else file.unlink()
        page = chrome.new_context().new_page()
        page.goto(address)
        page.wait_for_selector("#loading .problem")
        assert page.inner_text("#loading .problem").startswith(said)
        page.context.close()


def test_cancel_keeps_what_is_done(page):
    drop(page, "long.txt", ("A wonderful film, with a long story. " * 60 + "\n").encode() * 3000)
    page.wait_for_function("() => /^[1-9]/.test(document.querySelector('.running p')?.textContent)")
    drop(page, "other.txt", b"Dull.\n")
    assert page.inner_text("#file > .note") == "Another file is being scored; cancel it first."
    page.get_by_role("button", name="Cancel").click()
    assert re.search(r"Stopped after [\d,]+ of 3,000 reviews", page.inner_text(".results"))
    assert page.is_hidden("#file > .note")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_everyone_can_use_it(chrome, address, scheme, width):
    """No violation of axe's rules, and nothing wider than the screen."""
    from axe_playwright_python.sync_playwright import Axe

    page = opened(chrome, address, color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True)
    page.fill("#text", "A wonderful film, but the ending isn't good.")
    page.wait_for_function("() => document.querySelector('.legend').textContent.includes('would change')")
    page.locator("summary", has_text="All units").click()
    page.wait_for_selector(".maps canvas")
    states = {"review": lambda: None, "file": lambda: drop(page, "a.csv", as_csv(ROWS) + b"1,2,3,4\n")}
    states["unit"] = lambda: page.get_by_role("link", name="One LSTM unit").click()
    for state, enter in states.items():
        enter()
        if state == "file":
            page.wait_for_selector(".results")
        found = Axe().run(page)
        assert found.violations_count == 0, (state, found.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), state
    page.context.close()
