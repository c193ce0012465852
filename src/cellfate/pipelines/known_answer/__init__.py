"""Pipeline `known_answer`: explanations of recordings in which the answer is planted, scenario by scenario."""

from cellfate.pipelines.known_answer.pipeline import create_pipeline

__all__ = ["create_pipeline"]
