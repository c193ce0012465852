"""What every saved dataset was made from: kept beside the data, and checked before a run builds on it."""

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol, DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from cellfate.core.errors import InputError
from cellfate.core.settings import WITHOUT_EFFECT
from cellfate.core.whole_files import replace_when_whole
from cellfate.datasets.base import PathDataset, digest_file, find_path
from cellfate.datasets.csv_table import CsvTableDataset

_log = logging.getLogger("cellfate")
LEDGER: Final = "made_from.json"
"""File in data_root: of each saved dataset its digest, and the digests and parameters that it was made from."""
PARAMETERS: Final = "params:"
NOTHING: Final = "nothing"
"""Digest, in the ledger, of what people have given nothing to."""
Record = dict[str, Any]
"""`digest` of a dataset; `inputs`, dataset to digest, and `parameters`, group to values, that it was made from."""


class MadeFromHook:
    """Sees that what a run builds on is there, is whole, belongs together, and was made with the parameters of the run.

    One run at a time writes into a data_root. A save is noted where it happens: in the run, a thread of it, or a worker
    that was forked from it. A worker that was started afresh knows no run; what it saved is noted when the run ends.
    """

    def __init__(self) -> None:
        self._root = Path()
        self._parameters: Mapping[str, Any] = {}
        self._lock: FileLock | None = None
        self._pipeline = Pipeline([])
        self._catalog: CatalogProtocol[Any, Any] = DataCatalog()
        self._noted: set[str] = set()
        self._told: set[str] = set()
        self._given: dict[str, str] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Learn where the data of the run are, and what its parameters say."""
        self._root = Path(context.project_path) / find_data_root(context)
        self._parameters = context.config_loader["parameters"]

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Check the datasets that the run reads and does not make.

        Raises
        ------
        InputError
            If one is missing, is not as it was saved, was made from another dataset than the one that is there now, or
            with other parameters; or if another run is writing in the same data_root.
        """
        check_presence(pipeline, catalog)
        self._take_lock()
        self._pipeline, self._catalog, self._noted = pipeline, catalog, set()
        self._told, self._given = set(), {}
        try:
            self._check_inputs()
        except BaseException:  # Kedro tells no hook of a run that did not begin
            self._release_lock()
            raise

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str) -> None:
        """Note what people have given when it is read: they may give more while the run goes on."""
        if self._is_by_people(dataset_name):
            self._given[dataset_name] = find_digest(self._catalog.get(dataset_name)) or NOTHING

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Note what a dataset was made from."""
        if node in self._pipeline.nodes:
            self._note({dataset_name: node})

    @hook_impl
    def after_pipeline_run(self, run_params: Mapping[str, Any]) -> None:
        """Note what workers saved that know no run, and let other runs write."""
        if not run_params.get("only_missing_outputs"):
            made = {name: node for node in self._pipeline.nodes for name in node.outputs if name not in self._noted}
            self._note(made)
        self._release_lock()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Let other runs write."""
        self._release_lock()

    def _take_lock(self) -> None:
        self._release_lock()
        self._root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._root / ".lock", timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise InputError(
                f"Another run is writing in {self._root}; wait until it has ended, or give this one a data_root of its "
                "own."
            ) from error
        self._lock = lock

    def _release_lock(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _check_inputs(self) -> None:
        records = read_ledger(self._root)
        unmade = sorted(self._pipeline.inputs() - records.keys())
        unknown = [name for name in unmade if not self._is_by_people(name) and find_digest(self._catalog.get(name))]
        if unknown:
            text = "Of %d datasets, such as '%s', it is not known what they were made from (%s); they are not checked"
            _log.warning(text, len(unknown), min(unknown), self._root / LEDGER)
        for name in sorted(self._pipeline.inputs() & records.keys()):
            dataset = self._catalog.get(name)
            if find_digest(dataset) not in (None, records[name]["digest"]):
                raise InputError(
                    f"'{name}' in {find_path(dataset)} is not as it was saved: it was changed or damaged; run "
                    f"{name_maker(name)} again."
                )
            for made, record in list_ancestors(name, records):
                check_inputs(made, record, records)
                check_parameters(made, record, self._parameters)
                self._tell_changes_by_people(made, record)

    def _is_by_people(self, name: str) -> bool:
        dataset = self._catalog.get(name)
        return isinstance(dataset, PathDataset) and dataset.by_people

    def _tell_changes_by_people(self, made: str, record: Record) -> None:
        """Say once that what people gave changed since: what was made of it is whole, and the run goes on."""
        for name in filter(self._is_by_people, record["inputs"]):
            now = find_digest(self._catalog.get(name)) or NOTHING
            if name not in self._told and now != record["inputs"][name]:
                self._told.add(name)
                text = "The %s changed since '%s' was made, and this run does not know of it; to use them, run %s again"
                _log.warning(f"{text}, and what follows", name, made, name_maker(made))

    def _note(self, made: Mapping[str, Node]) -> None:
        """Write records of datasets, in the order in which they were made; of those held in memory there are none."""
        digests = {name: find_digest(self._catalog.get(name)) for name in made}
        self._noted |= made.keys()
        saved = [name for name in made if digests[name] is not None]
        if not saved:
            return
        with FileLock(self._root / f"{LEDGER}.lock"):  # other threads and workers of this run
            records = read_ledger(self._root)
            for name in saved:
                records[name] = {"digest": digests[name], **self._describe(made[name], records)}
            write_ledger(self._root, records)

    def _describe(self, node: Node, records: Mapping[str, Record]) -> Record:
        """List inputs and parameters of a node, and of those before it whose outputs are held in memory only."""
        record: Record = {"inputs": {}, "parameters": {}}
        for name in node.inputs:
            if name.startswith(PARAMETERS):
                group = name.removeprefix(PARAMETERS)
                record["parameters"][group] = find_group(group, self._parameters)
            elif self._is_by_people(name):
                record["inputs"][name] = self._given.get(name) or find_digest(self._catalog.get(name)) or NOTHING
            elif name in records and find_digest(self._catalog.get(name)) is not None:
                record["inputs"][name] = records[name]["digest"]
            elif name in self._pipeline.all_outputs():
                (maker,) = self._pipeline.only_nodes_with_outputs(name).nodes
                for key, known in self._describe(maker, records).items():
                    record[key] |= known
        return record


def check_presence(pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
    """Check that what earlier pipelines make is there, before anything runs.

    Raises
    ------
    InputError
        If a table or figure is missing. The project's own datasets say themselves what they lack, but for tables.
    """
    for name in sorted(pipeline.inputs()):
        dataset = catalog.get(name)
        own = isinstance(dataset, PathDataset) and not isinstance(dataset, CsvTableDataset)
        if not (own or name == "parameters" or name.startswith(PARAMETERS) or catalog.exists(name)):
            raise InputError(_describe_lack(name, find_path(dataset)))


def _describe_lack(name: str, path: Path | None) -> str:
    """Say what a run lacks, and what makes it; without a path it is only ever held in memory."""
    if path is None:
        return (
            f"'{name}' is never saved, but this run needs it and leaves out the node that makes it; run the whole "
            f"{name_maker(name)}, without --from-nodes, --nodes, --namespaces or --tags."
        )
    return f"'{name}' is not in {path}, but this run needs it; first run {name_maker(name)}."


def find_data_root(context: KedroContext) -> str:
    """Give the data_root of a run: the command line's, else that of its environment."""
    given = (context.config_loader.runtime_params or {}).get("data_root")
    return str(given or context.config_loader["globals"]["data_root"])


def find_digest(dataset: Any) -> str | None:
    """SHA-256 of what a dataset saved; None in memory, behind a URL, of a folder of recordings, and of nothing."""
    if isinstance(dataset, PathDataset):
        return dataset.digest
    path = find_path(dataset)
    return digest_file(path) if path is not None else None


def read_ledger(root: Path) -> dict[str, Record]:
    """Read the records of a data_root; none where there is no ledger.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    path = root / LEDGER
    if not path.is_file():
        return {}
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
        whole = all({"digest", "inputs", "parameters"} <= set(record) for record in records.values())
    except (ValueError, AttributeError, TypeError):
        whole = False
    if not whole:
        raise InputError(f"{path} is damaged; remove it, and run data_processing and what follows it again.")
    return dict(records)


def write_ledger(root: Path, records: Mapping[str, Record]) -> None:
    """Write the records, in place of older ones at once."""
    with replace_when_whole(root / LEDGER) as path:
        path.write_text(json.dumps(records, indent=1), encoding="utf-8")


def list_ancestors(name: str, records: Mapping[str, Record]) -> Iterator[tuple[str, Record]]:
    """Go through a dataset and all that it was made from, each once; the dataset itself first."""
    waiting, seen = [name], {name}
    while waiting:
        made = waiting.pop()
        yield made, records[made]
        found = [other for other in records[made]["inputs"] if other in records and other not in seen]
        seen.update(found)
        waiting += found


def check_inputs(made: str, record: Record, records: Mapping[str, Record]) -> None:
    """Check that a dataset was made from the datasets that are there now.

    Raises
    ------
    InputError
        If one of them was made anew since.
    """
    for name, digest in record["inputs"].items():
        if name in records and records[name]["digest"] != digest:
            raise InputError(
                f"'{made}' was made from another '{name}' than the one that is there now, so they do not belong "
                f"together; run {name_maker(made)} again."
            )


def check_parameters(made: str, record: Record, parameters: Mapping[str, Any]) -> None:
    """Check that a dataset was made with the parameters of a run, as they stand in its files and on its command line.

    Raises
    ------
    InputError
        If one has another value now.
    """
    for group, then in record["parameters"].items():
        for key, was, value in list_differences(group, then, find_group(group, parameters)):
            raise InputError(
                f"Parameter {key} is {value}, but '{made}' was made with {was}; run {name_maker(made)} again with it, "
                "or leave it as it was."
            )


def find_group(group: str, parameters: Mapping[str, Any]) -> Any:
    """Values of a group such as `splits` or `p53_early.simulation`; empty where there is none."""
    value: Any = parameters
    for key in group.split("."):
        value = value.get(key, {}) if isinstance(value, Mapping) else {}
    return value


def list_differences(name: str, then: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """Keys whose values differ, with both, but for those without effect.

    A key that a group has on one side only is left out, since another version may have brought it; in what a group
    holds, such as words for fates, it counts.

    Examples
    --------
    >>> list(list_differences("splits", {"seed": 0, "old": 1}, {"seed": 1, "new": 2}))
    [('splits.seed', 0, 1)]
    >>> list(list_differences("tracks", {"fate_names": {"died": "apoptosis"}}, {"fate_names": {}}))
    [('tracks.fate_names.died', 'apoptosis', None)]
    """
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        keys = then.keys() | now.keys() if "." in name else then.keys() & now.keys()
        for key in sorted(keys - WITHOUT_EFFECT):
            yield from list_differences(f"{name}.{key}", then.get(key), now.get(key))
    elif then != now:
        yield name, then, now


def name_maker(name: str) -> str:
    """Name the smallest pipeline that makes a dataset."""
    named = {key: pipeline for key, pipeline in pipelines.items() if not key.startswith("traces")}  # run by these names
    names = {name, name.removeprefix("pixels.")}  # the study whose pixels are altered is made like any other
    sizes = {key: len(pipeline.nodes) for key, pipeline in named.items() if names & pipeline.all_outputs()}
    return f"pipeline {min(sizes, key=lambda key: sizes[key])}" if sizes else "the pipeline that makes it"
