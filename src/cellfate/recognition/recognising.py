"""The door of the room: from a stranger's folder to the values of its parameters, and the questions that are left."""

from dataclasses import dataclass
from pathlib import Path

from cellfate.core.errors import InputError
from cellfate.imaging.settings import Layout
from cellfate.recognition.findings import Finding, Findings, ask, found
from cellfate.recognition.images import Images, recognise_images
from cellfate.recognition.study import follow_up_values, grouping_values, plan_hours
from cellfate.recognition.survey import MOST_ENTRIES, survey_folder

MEASURE = "measure a few cells in Fiji with the line tool (the nucleus, where that is what is imaged)"


@dataclass(frozen=True)
class Recognised:
    """What was recognised in a folder.

    Attributes
    ----------
    root : Path
        The folder, absolute.
    images : Images
        Its recordings.
    findings : Findings
        Values, questions and notes.
    """

    root: Path
    images: Images
    findings: Findings


def recognise(folder: Path, layout: Layout | None = None) -> Recognised:
    """Look at a folder of recordings: names, the headers of the first images, the first tracks and tables.

    Parameters
    ----------
    folder : Path
        The folder.
    layout : str or None
        Layout of the images that is meant, where there are several.

    Raises
    ------
    InputError
        If there is no such folder, or nothing in it can be made a study.
    """
    root = folder.expanduser().resolve()
    if not root.is_dir():
        raise InputError(f"There is no folder {folder}; give the folder that your recordings are in.")
    survey = survey_folder(root)
    images = recognise_images(survey, layout)
    notes = list(images.notes)
    if survey.is_cut:
        notes.append(f"The folder has more than {MOST_ENTRIES} files; only the first were looked at.")
    values = [*images.values, *_cell_size(images), *_of_study(images, notes)]
    return Recognised(root, images, Findings(tuple(values), tuple(notes)))


def _cell_size(images: Images) -> list[Finding]:
    key = "crops.cell_diameter_px"
    if images.cell_px:
        return [found(key, round(images.cell_px, 1), "the masks or boxes beside the images")]
    return [ask(key, f"The files do not say how large a cell is: {MEASURE}, and give the usual diameter in pixels.")]


def _of_study(images: Images, notes: list[str]) -> list[Finding]:
    n_frames = images.header.n_frames if images.header else None
    interval_min = images.frame_interval_min
    if n_frames and interval_min and plan_hours(n_frames, interval_min) is None:
        notes.append(
            f"A recording of {n_frames} frames of {interval_min:g} min is too short to ask anything of; `follow_up` "
            "is left as it was."
        )
    if n_frames and interval_min is None:
        notes.append(
            f"`follow_up` asks what happens within hours; when you give frame_interval_min, see that horizon_h, "
            f"report_h and headline_h fit into {n_frames} frames."
        )
    return [*follow_up_values(n_frames, interval_min), *grouping_values(len(images.names), len(images.names), None)]
