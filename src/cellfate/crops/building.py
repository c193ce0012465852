"""Carrying out a crop plan: the same function over recordings, here, in processes of this machine, or on a cluster."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from cellfate.core.errors import InputError
from cellfate.crops.cutting import BadRecording, CropPlan
from cellfate.crops.fingerprint import fingerprint_inputs
from cellfate.crops.settings import CropBuildSettings
from cellfate.crops.stored_groups import find_group, write_group

Built = dict[str, Any] | BadRecording
"""The manifest's entry of a recording, or why it has none."""


def build_recording(root: Path, part: CropPlan) -> Built:
    """Crop one recording into its own group, unless the group is there already.

    Two tasks never write to the same file: a group, its chunks and its scratch file belong to one recording.

    Parameters
    ----------
    root : Path
        Folder of the store.
    part : CropPlan
        Plan of one recording.

    Raises
    ------
    InputError
        If the recording cannot be read and bad recordings are not skipped.
    """
    inputs = fingerprint_inputs(part)
    entry = find_group(root, str(part.recordings["recording_id"].iloc[0]), inputs)
    if entry is not None:
        return entry
    if part.building.scratch_folder is None:
        part = replace(part, building=part.building.model_copy(update={"scratch_folder": str(root)}))
    crops = part.carry_out()
    return crops if isinstance(crops, BadRecording) else write_group(root, crops, part.settings, inputs)


def build_recordings(root: Path, plan: CropPlan) -> Iterator[Built]:
    """Carry out a plan, as its `building` says.

    Parameters
    ----------
    root : Path
        Folder of the store; it exists, and workers see it under the same name.
    plan : CropPlan
        What to crop.

    Yields
    ------
    dict or BadRecording
        In the order of the plan.

    Raises
    ------
    InputError
        If a recording cannot be read and bad recordings are not skipped, or the cluster does not answer.
    """
    build = partial(build_recording, root.resolve())  # workers of a cluster start elsewhere
    plan = replace(plan, folder=replace(plan.folder, root=plan.folder.root.resolve()))
    if plan.building.scheduler_address is not None:
        yield from _on_cluster(build, plan, plan.building.scheduler_address)
    elif plan.building.workers > 1:
        yield from _in_processes(build, plan, plan.building)
    else:
        yield from map(build, plan.parts())


def _in_processes(build: Callable[[CropPlan], Built], plan: CropPlan, building: CropBuildSettings) -> Iterator[Built]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # spawned, because a process that is forked while threads run may hang
    with ProcessPoolExecutor(building.workers, get_context("spawn")) as pool:
        yield from _a_few_ahead(lambda part: pool.submit(build, part), plan, 2 * building.workers)


def _on_cluster(build: Callable[[CropPlan], Built], plan: CropPlan, address: str) -> Iterator[Built]:
    try:
        import distributed
    except ImportError as error:
        raise InputError("scheduler_address is given, but dask is not installed; pip install -e '.[dask]'.") from error
    connect: Any = distributed.Client  # it has no types
    try:
        client: Any = connect(address, timeout="30s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"No dask scheduler answers at '{address}' ({error}); start one, or set scheduler_address to null."
        ) from error
    with client:
        n_ahead = 2 * max(1, sum(client.nthreads().values()))
        yield from _a_few_ahead(lambda part: client.submit(build, part, pure=False), plan, n_ahead)


def _a_few_ahead(submit: Callable[[CropPlan], Any], plan: CropPlan, n_ahead: int) -> Iterator[Built]:
    """Keep a few parts under way, so that the tables of all recordings are never copied at once."""
    under_way: deque[Any] = deque()
    try:
        for part in plan.parts():
            under_way.append(submit(part))
            if len(under_way) >= n_ahead:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for future in under_way:
            future.cancel()
