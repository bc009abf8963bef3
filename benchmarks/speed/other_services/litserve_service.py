"""`python -m benchmarks.speed.other_services.litserve_service PORT MODEL WORKERS`: a service with LitServe."""

import sys
from typing import Any

import litserve

from sentiment.classifier import SentimentClassifier
from sentiment.inference.prediction import Prediction
from sentiment.serving.service import BATCH_TOKENS


class Service(litserve.LitAPI):  # type: ignore[misc]
    """Predicts batches."""

    def setup(self, device: Any) -> None:
        """Load the model, in each process."""
        self.classifier = SentimentClassifier.from_pretrained(sys.argv[2], threads=1)

    def decode_request(self, request: dict[str, str]) -> str:
        """The text of a request."""
        return request["inputs"]

    def batch(self, inputs: list[str]) -> list[str]:
        """The texts of a batch."""
        return list(inputs)

    def predict(self, x: list[str], **_: Any) -> list[Prediction]:
        """The answers of a batch."""
        return self.classifier.predict(x, batch_tokens=BATCH_TOKENS)

    def unbatch(self, output: list[Prediction]) -> list[Prediction]:
        """The answers one by one."""
        return output

    def encode_response(self, output: Prediction, **_: Any) -> dict[str, Any]:
        """A reply."""
        return {"label": output.label, "score": output.score}


if __name__ == "__main__":
    service = Service(max_batch_size=64, batch_timeout=0.002, api_path="/predict")
    server = litserve.LitServer(service, accelerator="cpu", workers_per_device=int(sys.argv[3]))
    server.run(port=int(sys.argv[1]), generate_client_file=False, num_api_servers=1)
