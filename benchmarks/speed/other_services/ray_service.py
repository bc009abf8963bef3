"""`python -m benchmarks.speed.other_services.ray_service PORT MODEL WORKERS`: a service with Ray Serve."""

import asyncio
import logging
import sys
from typing import Any

import ray
from fastapi import FastAPI
from ray import serve

app = FastAPI()


@serve.deployment(num_replicas=int(sys.argv[3]), max_ongoing_requests=256, ray_actor_options={"num_cpus": 1})
@serve.ingress(app)
class Service:
    """Predicts batches."""

    def __init__(self, model: str) -> None:
        from sentiment.classifier import SentimentClassifier

        self.classifier = SentimentClassifier.from_pretrained(model, threads=1)

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.002)
    async def predict_batch(self, texts: list[str]) -> list[Any]:
        """The answers of a batch."""
        return await asyncio.to_thread(self.classifier.predict, texts, batch_tokens=2048)

    @app.post("/predict")
    async def predict(self, request: dict[str, str]) -> dict[str, Any]:
        """A reply."""
        found = await self.predict_batch(request["inputs"])
        return {"label": found.label, "score": found.score}


if __name__ == "__main__":
    ray.init(num_cpus=int(sys.argv[3]), include_dashboard=False, logging_level=logging.ERROR)
    serve.start(http_options={"port": int(sys.argv[1])})
    serve.run(Service.bind(sys.argv[2]), blocking=True)  # type: ignore[attr-defined]  # the decorator adds it
