"""Wiring of the `reporting` pipeline."""

from collections import defaultdict
from typing import Any

import pandas as pd
from kedro.pipeline import Pipeline, node
from kedro.pipeline.node import Node
from kedro.validation import TypeExtractor
from pydantic import TypeAdapter

from cellfate.pipelines.reporting import nodes
from cellfate.report import ReportSettings, absent
from cellfate.report import checklist_answers as checklist
from cellfate.report.contents import FIGURES, OPENINGS, TABLES

EXPLANATIONS = {"classifier": "params:explanation", "clock": "params:clock_explanation"}
"""Parameters of the explanations of each reading."""


def create_pipeline(study: Pipeline) -> Pipeline:
    """Wire the nodes of `reporting`: what each stage has to show becomes its chapter, the chapters become the page.

    Parameters
    ----------
    study
        The stages that come before. A chapter stands in the namespace of its stage, so that kedro-viz shows its tables
        and figures where they are made. What no stage makes, as where there are no images, is left out.
    """
    made = study.all_outputs()
    images = "crops" in study.all_inputs()
    drawn = [_draw_examples(reading, stage, images) for reading, stage in _find_stages(study).items()]
    drawn += [_compare_published()] if "masking_curves" in made else []
    stages = {name: one.namespace for one in [*study.nodes, *drawn] for name in one.outputs}
    chapters: dict[str, list[str]] = defaultdict(list)
    for name in [*TABLES, *(figure.name for figure in FIGURES), *OPENINGS]:
        if name in stages:
            chapters[str(stages[name])].append(name)
    gathered = [
        node(
            nodes.gather_chapter,
            {name: name for name in names},
            f"{stage}_chapter",
            name="gather_chapter",
            namespace=stage,
        )
        for stage, names in chapters.items()
    ]
    lacking = [name for name in TABLES if name not in stages]
    if lacking:
        gathered.append(_leave_absent(lacking))
        chapters["absent"] = lacking
    models = {reading: f"{reading}_model" for reading in EXPLANATIONS if f"{reading}_model" in made}
    assemble = node(
        nodes.assemble_report,
        {
            **models,
            "parameters": "settings_chapter",
            "settings": "params:report",
            "scores": "params:scores",
            "follow_up": "params:follow_up",
            "alarm": "params:alarm",
            **{f"{stage}_chapter": f"{stage}_chapter" for stage in chapters},
        },
        "report",
        name="assemble_report",
        namespace="report",
    )
    return Pipeline([*drawn, *gathered, _read_settings(study), _fill_checklist(models), assemble])


def _leave_absent(names: list[str]) -> Node:
    def leave_absent() -> dict[str, pd.DataFrame]:
        return absent.leave_absent(names)

    return node(leave_absent, None, "absent_chapter", name="leave_absent", namespace="report")


def _read_settings(study: Pipeline) -> Node:
    """Read the parameters of the stages and of the report, and no others.

    Kedro gives the groups that no node of a run reads as the files have them, without defaults; here each is read as
    its settings, so that the page does not depend on what else was run.
    """
    kinds = TypeExtractor({"study": study}).extract_types_from_pipelines() | {"report": ReportSettings}

    def read_settings(parameters: dict[str, Any]) -> dict[str, Any]:
        return {name: TypeAdapter(kind).validate_python(parameters[name]) for name, kind in kinds.items()}

    return node(read_settings, "parameters", "settings_chapter", name="read_settings", namespace="report")


def _find_stages(study: Pipeline) -> dict[str, str]:
    """Stage that explains each reading."""
    explained = {reading: f"{reading}_explained_landmarks" for reading in EXPLANATIONS}
    return {
        reading: str(made.namespace)
        for reading, name in explained.items()
        for made in study.nodes
        if name in made.outputs
    }


def _draw_examples(reading: str, stage: str, images: bool) -> Node:
    own = {name: f"{reading}_{name}" for name in ("explained_landmarks", "attention", "shapley", "model")}
    tables = ("forecasts", "frame_features", "follow_ups", *(["crops"] if images else []))
    return node(
        nodes.draw_examples,
        {
            **own,
            **{name: name for name in tables},
            "explanation": EXPLANATIONS[reading],
            "follow_up": "params:follow_up",
            "settings": "params:report",
        },
        [f"{reading}_examples_figure", f"{reading}_opening_figure"],
        name="draw_examples",
        namespace=stage,
    )


def _compare_published() -> Node:
    tables = ("questions", "metrics", "masking_curves", "recordings", "splits")
    return node(
        nodes.compare_published,
        {
            "settings": "params:report",
            "follow_up": "params:follow_up",
            "statistics": "params:attention_statistics",
            "attention_statistics": "classifier_attention_statistics",
            **{name: name for name in tables},
        },
        "reproduction",
        name="compare_published",
        namespace="score",
    )


def _fill_checklist(models: dict[str, str]) -> Node:
    return node(
        nodes.fill_checklist,
        {
            **models,
            "parameters": "settings_chapter",
            **{name: name for name in checklist.TABLES},
        },
        ["checklist", "checklist_page"],
        name="fill_checklist",
        namespace="report",
    )
