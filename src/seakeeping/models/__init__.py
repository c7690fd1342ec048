"""Clients of model endpoints."""

from seakeeping.models.chat import ChatAnswer, ChatEndpoint, ModelFailed

__all__ = ["ChatAnswer", "ChatEndpoint", "ModelFailed"]
