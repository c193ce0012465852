"""What the report holds, in order: the tables and figures by catalog name, and the sentences beside them."""

from dataclasses import dataclass

TABLES = (
    "recordings",
    "frame_files",
    "recordings_set_aside",
    "cells",
    "tracks_set_aside",
    "samples",
    "samples_excluded",
    "splits",
    "leakage",
    "metrics",
    "comparisons",
)
"""Tables that the report reads, by catalog name."""


@dataclass(frozen=True)
class SectionText:
    """Head of a section, how to read it, and what it does not show."""

    anchor: str
    title: str
    reads: str
    not_shown: str


@dataclass(frozen=True)
class FigureText:
    """Where a figure stands, how to read it, and what it does not show."""

    name: str
    section: str
    reads: str
    not_shown: str


SECTIONS = (
    SectionText(
        "data",
        "What went in",
        "These are the recordings and tracks that were used, the fates they end in, and everything that was left out.",
        "Whether the fates were annotated well: a wrong fate here is a wrong answer in every score below.",
    ),
    SectionText(
        "split",
        "How training and test were kept apart",
        "The model learns from the train part; when to stop and the second threshold are chosen on the validation "
        "part; every score on this page is of the test part. In a fair test no cell shares a recording, a lineage or "
        "a sister with training; where there is one recording only, its cells share it by necessity.",
        "Likeness that no table knows of, such as one day or one batch of medium behind all recordings.",
    ),
    SectionText(
        "scores",
        "Scores",
        "Every interval comes from resampling whole groups, because cells of one group are alike.",
        "How the model does on recordings from another microscope, cell line or drug.",
    ),
    SectionText(
        "timing",
        "How much of the track is needed",
        "Frames are taken away from the samples of the test part, and the same model is asked again.",
        "What a model trained on shortened tracks would reach.",
    ),
    SectionText(
        "explanations",
        "What the forecast rests on",
        "These figures describe the model, by several methods that can disagree.",
        "Causes of the fate: a model can rest on something that only goes along with it.",
    ),
    SectionText(
        "examples",
        "Example cells",
        "Chosen by rule, not by hand: for each outcome the surest and the least sure sample of the test part, among "
        "those the model got right and among those it got wrong. A gap means that there is no such sample.",
        "Typical cells: the rule picks the extremes.",
    ),
    SectionText(
        "settings",
        "Settings and versions",
        "All that is needed to make this page again from the same recordings; click a line to open it.",
        "The recordings themselves: the data digest tells whether the crops were the same.",
    ),
)

FIGURES: tuple[FigureText, ...] = (
    FigureText(
        "scores_figure",
        "scores",
        "Each dot is a score on the test part, its line the interval; what lies further right is better.",
        "Whether two predictors differ: their intervals may overlap while the paired difference excludes zero.",
    ),
    FigureText(
        "film_strips",
        "examples",
        "Time runs from left to right and ends at the last frame the model was given; the curve under the frames is "
        "the attention of the same cell, the dotted line its mean. A channel has one brightness scale in all cells.",
        "What the model saw in a frame: much attention on a bright frame is no proof that its brightness mattered.",
    ),
)
