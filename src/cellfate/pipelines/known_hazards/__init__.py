"""Simulated recordings whose hazards are known: the fate clock held against the truth."""

from cellfate.pipelines.known_hazards.pipeline import create_pipeline

__all__ = ["create_pipeline"]
