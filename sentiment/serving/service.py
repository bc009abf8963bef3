"""The service: its endpoints, and what happens when they start and stop."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, Response
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request

from sentiment import __version__
from sentiment.classifier import SentimentClassifier
from sentiment.errors import InputError
from sentiment.explanation.explanation import Explanation
from sentiment.inference.prediction import Prediction
from sentiment.serving import metrics
from sentiment.serving.batching import Batcher, OverloadedError
from sentiment.serving.limits import DEADLINE, LimitedRequests
from sentiment.serving.replies import Reply, error
from sentiment.serving.schemas import Explained, ExplainRequest, Predicted, PredictRequest, Problem
from sentiment.serving.settings import ServiceSettings
from sentiment.web.page import DEFAULT_MODEL, page_files

Result = TypeVar("Result")
SMALLEST = 1e-300
"""Smallest probability of which a logit is computed."""
MOST_EXPLAINED = 32
"""Texts that wait to be explained; each takes some tenths of a second."""
MOST_ECHOED = 60
"""Characters of a name that the client has made up, in a message."""
BATCH_TOKENS = 2048
"""Tokens that are computed at a time on a CPU. A few reviews that arrive together have very different lengths, so less
padding pays for smaller products."""
LONGEST_BATCH = 60.0
"""Seconds, at least, that a batch may take before the process is called unhealthy."""
RETRY_AFTER = "1"
"""Seconds after which an overloaded service may be asked again."""
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body is not JSON."},
    401: {"model": Problem, "description": "The token is missing or wrong."},
    408: {"model": Problem, "description": "The request took too long."},
    413: {"model": Problem, "description": "The request, or one of its texts, is too long."},
    415: {"model": Problem, "description": "The content type is not application/json."},
    422: {"model": Problem, "description": "A field is missing, unknown or has a wrong value."},
    429: {
        "model": Problem,
        "description": "Too many texts are waiting.",
        "headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}},
    },
}


class RefusedError(Exception):
    """A request that cannot be answered: its status, type and sentence."""

    def __init__(self, status: int, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.kind = status, kind


def create_service(settings: ServiceSettings | None = None) -> FastAPI:
    """The service as an ASGI application.

    Args:
        settings: model and limits; None for those that the parent process has handed on.
    """
    settings = settings or ServiceSettings.from_environment()
    metrics.forget_the_dead()
    pool = ThreadPoolExecutor(1, "batch")  # one for both, since torch's number of threads belongs to the whole process
    classifier = SentimentClassifier.from_pretrained(settings.model, settings.device, threads=settings.threads)
    predictor = Batcher(
        partial(predict_together, classifier),
        max_batch=settings.max_batch,
        max_waiting=settings.max_queue,
        pool=pool,
        on_batch=metrics.BATCH.observe,
        on_waiting=metrics.QUEUE.set,
    )
    explainer = Batcher(partial(explain_each, classifier), max_batch=1, max_waiting=MOST_EXPLAINED, pool=pool)
    tasks: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        classifier.predict(["Ready?"])  # loads what is loaded with the first text
        tasks.extend([asyncio.create_task(predictor.run()), asyncio.create_task(explainer.run())])
        if settings.started is not None:
            with suppress(FileNotFoundError):  # one that has died is replaced, maybe years later
                Path(settings.started).write_bytes(b"started")
        yield
        for task in tasks:
            task.cancel()

    app = FastAPIOffline(
        title="SentimentRNN",
        description="Sentiment of movie reviews.",
        version=__version__,
        lifespan=lifespan,
    )
    # only described here; the token is checked before the request is read
    bearer = [Depends(HTTPBearer(auto_error=False))] if settings.token is not None else []
    app.router.redirect_slashes = False
    app.add_middleware(LimitedRequests, settings=settings)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["POST"],
            allow_headers=["*"],
            expose_headers=["Retry-After"],
        )

    @app.post("/", include_in_schema=False)  # as in text-embeddings-inference
    @app.post("/predict", responses=PROBLEMS, response_model=Predicted, dependencies=bearer)
    async def predict(request: PredictRequest) -> Any:
        """Predict one review or many."""
        texts = texts_of(request)
        check(texts, settings)
        answers = await within(settings.timeout, predictor(texts))
        metrics.TEXTS.labels("/predict").inc(len(texts))
        if request.truncate is False and any(answer.truncated for answer in answers):
            raise RefusedError(413, "validation", "a text is longer than the model reads; shorten it, or set truncate.")
        reply = [answer.to_dict() if request.details else scores(answer, request.raw_scores) for answer in answers]
        return Reply(reply[0] if isinstance(request.inputs, str) else reply)

    @app.post("/explain", responses=PROBLEMS, response_model=Explained, dependencies=bearer)
    async def explain(request: ExplainRequest) -> Response:
        """Explain the prediction for one review."""
        check([request.inputs], settings)
        found = (await within(settings.timeout, explainer([request.inputs])))[0]
        metrics.TEXTS.labels("/explain").inc()
        if isinstance(found, InputError):
            raise RefusedError(422, "validation", str(found))
        return Reply((found.divided(request.by) if request.by else found).to_dict())

    @app.get("/health", responses={503: {"model": Problem}})
    async def health() -> Response:
        """Whether the process can answer requests."""
        longest = max(predictor.seconds, explainer.seconds)
        if longest > max(LONGEST_BATCH, 2 * settings.timeout) or any(task.done() for task in tasks):
            return error(503, "unavailable", "the process computes nothing any more.")
        return Reply({"status": "ok"})

    @app.get("/ready", responses={503: {"model": Problem}})
    async def ready() -> Response:
        """Whether requests are answered now: the model is loaded, and the queue is not full."""
        if predictor.waiting >= settings.max_queue:
            return error(503, "unavailable", "the queue is full.")
        return await health()

    @app.get("/metrics", response_class=Response, dependencies=bearer, responses={401: PROBLEMS[401]})
    async def counts() -> Response:
        """Counts for Prometheus."""
        return Response(metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")

    if settings.with_page:
        add_page(app, settings.model or DEFAULT_MODEL)
    add_error_handlers(app)
    return app


def add_page(app: FastAPI, model: str) -> None:
    """Serve the files of the page of a model, with its index at `/`."""
    for name, content in page_files(model).items():
        path = "/" if name == "index.html" else f"/{name}"
        app.add_route(path, partial(_file, content), include_in_schema=False)


async def _file(content: Path | bytes, _: Request) -> Response:
    if isinstance(content, Path):
        return FileResponse(content)
    return Response(content, media_type="application/json")


def texts_of(request: PredictRequest) -> list[str]:
    """The texts of a request."""
    if isinstance(request.inputs, str):
        return [request.inputs]
    return [text if isinstance(text, str) else text[0] for text in request.inputs]


def check(texts: Sequence[str], settings: ServiceSettings) -> None:
    """Refuse more or longer texts than are allowed.

    Raises:
        RefusedError: if there are some.
    """
    if len(texts) > settings.max_texts:
        raise RefusedError(413, "validation", f"inputs has {len(texts):,} texts; send at most {settings.max_texts:,}.")
    for place, text in enumerate(texts):
        if len(text) > settings.max_characters:
            raise RefusedError(
                413,
                "validation",
                f"text {place} has {len(text):,} characters; send at most {settings.max_characters:,}.",
            )
        words = len(text.split())
        if words > settings.max_words:
            raise RefusedError(
                413, "validation", f"text {place} has {words:,} words; send at most {settings.max_words:,}."
            )


async def within(seconds: float, work: Awaitable[Result]) -> Result:
    """The result of some work.

    Raises:
        RefusedError: if it takes longer, or too many texts are waiting.
    """
    try:
        async with asyncio.timeout_at(DEADLINE.get()):
            return await work
    except TimeoutError:
        raise RefusedError(408, "timeout", f"the answer took more than {seconds:g} seconds; send less.") from None
    except OverloadedError:
        raise RefusedError(429, "overloaded", "too many texts are waiting; try again later.") from None


def scores(prediction: Prediction, raw: bool) -> list[dict[str, Any]]:
    """Both labels with their scores, the higher one first; 0.5 for both if the text has no words."""
    positive = 0.5 if prediction.probability is None else prediction.probability
    values = {"positive": positive, "negative": 1 - positive}
    if raw:
        logit = math.log(max(positive, SMALLEST)) - math.log(max(1 - positive, SMALLEST))
        values = {"positive": logit, "negative": -logit}
    ordered = sorted(values.items(), key=lambda item: -item[1])
    return [{"label": label, "score": score} for label, score in ordered]


def predict_together(classifier: SentimentClassifier, texts: list[str]) -> list[Prediction]:
    """The predictions for the texts of a batch."""
    return classifier.predict(texts, batch_tokens=BATCH_TOKENS if classifier.device.type == "cpu" else None)


def explain_each(classifier: SentimentClassifier, texts: list[str]) -> list[Explanation | InputError]:
    """The explanation of each text, or why it has none."""
    found: list[Explanation | InputError] = []
    for text in texts:
        try:
            found.append(classifier.explain(text))
        except InputError as error:
            found.append(error)
    return found


def sentence(problem: dict[str, Any], path: str) -> str:
    """What is wrong with a request to a path, from an error of pydantic."""
    place = str(problem["loc"][1])[:MOST_ECHOED] or '""' if len(problem["loc"]) > 1 else "the body"
    if place == "the body" and problem["type"] == "string_unicode":
        return "the body: the name of a field has half a character."
    if problem["type"] == "extra_forbidden":
        return f"{place}: there is no such field."
    if problem["type"] == "missing":
        return f"{place}: is missing."
    if place == "parameters":
        return "parameters: there are none; send {} or leave it out."
    if place == "inputs" and path == "/explain":
        return "inputs: give a text."
    if place == "inputs":
        return "inputs: give a text, a list of texts, or a list of lists with one text each; none of them empty lists."
    if place == "the body":
        return 'the body: give an object, such as {"inputs": "I loved it."}.'
    return f"{place}: {problem['msg'][:1].lower()}{problem['msg'][1:]}."


def add_error_handlers(app: FastAPI) -> None:
    """Give every problem the same form: a status, and one sentence."""

    @app.exception_handler(RefusedError)
    async def refused(_: Request, refusal: RefusedError) -> Response:
        reply = error(refusal.status, refusal.kind, str(refusal))
        if refusal.status == 429:
            reply.headers["Retry-After"] = RETRY_AFTER
        return reply

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, problem: RequestValidationError) -> Response:
        first = problem.errors()[0]
        if first["type"] == "json_invalid":
            reason = str(first["ctx"]["error"]).lower().removesuffix(" at")
            return error(400, "validation", f"the body is not JSON: {reason}.")
        return error(422, "validation", sentence(first, request.scope["route"].path))

    @app.exception_handler(HTTPException)
    async def http(_: Request, problem: HTTPException) -> Response:
        if problem.status_code == 400:  # what cannot be decoded, or goes too deep
            return error(400, "validation", "the body is not JSON in UTF-8 that can be read.")
        kind = {404: "not_found", 405: "method_not_allowed"}.get(problem.status_code, "validation")
        reply = error(problem.status_code, kind, f"{str(problem.detail).lower()}.")
        reply.headers.update(problem.headers or {})
        return reply
