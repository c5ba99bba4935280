"""Engines, which compute logits from token ids."""
