"""`sentiment.models.lstm_cell` under the name by which other programs import it."""

from sentiment.models.lstm_cell import Gate, LSTMStep, LSTMUnit

__all__ = ["Gate", "LSTMStep", "LSTMUnit"]
