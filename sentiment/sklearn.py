"""`sentiment.integrations.sklearn` under a shorter name."""

from sentiment.integrations.sklearn import SentimentEstimator

__all__ = ["SentimentEstimator"]
