"""Processes of a training on this machine, one a device; other machines start theirs and meet at one address."""

import logging
import os
import pickle
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from cellfate.core.errors import InputError
from cellfate.training.settings import FittingSettings

if TYPE_CHECKING:
    from cellfate.training.member_module import MemberModule

logger = logging.getLogger(__name__)

_NODE_RANKS = ("NODE_RANK", "GROUP_RANK", "SLURM_NODEID")
_ADDRESS = ("MASTER_ADDR", "MASTER_PORT")
_PORTS = 1000
"""Ports from `MASTER_PORT` on that trainings meet at."""


def machine_rank() -> int:
    """Give the number of this machine in a training: `NODE_RANK` of the environment, or SLURM's; else 0."""
    return next((int(os.environ[name]) for name in _NODE_RANKS if name in os.environ), 0)


def is_further_machine(training: FittingSettings) -> bool:
    """Whether this machine only helps: what is trained, the first keeps."""
    return training.num_nodes > 1 and machine_rank() > 0


def fit_in_processes(fit: Callable[["MemberModule", Path], None], module: "MemberModule", folder: Path) -> None:
    """Fit a module in as many processes as the settings name devices, together with those of other machines.

    Parameters
    ----------
    fit
        What each process does.
    module
        What is fitted; the processes get copies of it.
    folder
        Where the first of all processes keeps the checkpoints.

    Raises
    ------
    InputError
        If there are fewer devices, the machines have no address to meet, a process was ended, or the machines lost each
        other; or what the training raises.
    OSError
        If a checkpoint cannot be written.
    """
    from torch.multiprocessing import get_context
    from torch.multiprocessing.spawn import ProcessException, start_processes

    training = module.settings
    check_devices(training)
    address = _meet(training.num_nodes, folder)
    context = get_context("spawn")
    errors, messages = context.SimpleQueue(), context.Queue()
    content = pickle.dumps(module.cpu())
    arguments = (fit, content, folder, address, errors, messages)
    with _relay(messages):
        processes = start_processes(_run, arguments, training.devices, join=False, start_method="spawn")  # type: ignore[no-untyped-call]
        try:
            while not processes.join():
                pass
        except ProcessException as error:
            raise _explain_end(error, processes, errors, module) from error


def check_devices(training: FittingSettings) -> None:
    """Check that there are as many GPUs as are asked for; without any, every processor is good for a process.

    Raises
    ------
    InputError
        If there are fewer.
    """
    from torch import cuda

    if cuda.is_available() and cuda.device_count() < training.devices:
        raise InputError(
            f"devices is {training.devices}, but this machine shows {cuda.device_count()} GPUs; lower devices, or "
            "let the run see more of them."
        )


def _run(
    local_rank: int,
    fit: Callable[["MemberModule", Path], None],
    content: bytes,
    folder: Path,
    address: dict[str, str],
    errors: Any,
    messages: Any,
) -> None:
    """Fit in one process; only the first of a machine says how it goes."""
    from torch import set_num_threads

    from cellfate.training.kernels import set_up_kernels

    os.environ.update(address, LOCAL_RANK=str(local_rank), NODE_RANK=str(machine_rank()))
    if local_rank == 0:
        ours = logging.getLogger("cellfate")
        ours.handlers, ours.propagate = [QueueHandler(messages)], False
        ours.setLevel(logging.INFO)
    module: MemberModule = pickle.loads(content)
    set_up_kernels(module.network, module.settings)  # what is compiled does not travel
    cores = os.cpu_count() or 1
    set_num_threads(module.settings.threads or max(1, cores // module.settings.devices))
    try:
        fit(module, folder)
    except (InputError, OSError) as error:
        errors.put(error)
        raise


def _meet(num_nodes: int, folder: Path) -> dict[str, str]:
    """Choose where the processes meet: at any free port of this machine, or at what the environment names for several.

    Ports of trainings that follow each other differ, so that nobody meets those who are just leaving.
    """
    from lightning.fabric.plugins.environments.lightning import find_free_network_port

    if num_nodes == 1:
        return {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(find_free_network_port())}
    if missing := [name for name in _ADDRESS if name not in os.environ]:
        raise InputError(
            f"num_nodes is {num_nodes}, but the environment has no {' and no '.join(missing)}, where the machines "
            "meet; start the run with the script of docs/running.md."
        )
    port = int(os.environ["MASTER_PORT"]) + crc32("/".join(folder.parts[-2:]).encode()) % _PORTS
    return {"MASTER_ADDR": os.environ["MASTER_ADDR"], "MASTER_PORT": str(port)}


@contextmanager
def _relay(messages: Any) -> Iterator[None]:
    """Say here what a process says."""

    class Relay(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logging.getLogger(record.name).handle(record)

    listener = QueueListener(messages, Relay())
    listener.start()
    try:
        yield
    finally:
        listener.stop()


def _explain_end(error: Exception, processes: Any, errors: Any, module: "MemberModule") -> Exception:
    """Say what ended a process: its own error, a signal, or that it lost the others."""
    if not errors.empty():
        own: Exception = errors.get()
        return own
    ends = [process.exitcode for process in processes.processes]
    killed = [code for code in ends if code is not None and code < 0 and code != -signal.SIGTERM]
    fold, again = module.data.fold, "run the same command again: the training goes on from the last checkpoint"
    if killed:
        return InputError(
            f"A process of the training of fold {fold} was ended by {signal.Signals(-killed[0]).name}; where memory "
            f"ran out, lower max_frames_per_batch, cache_limit_mb or devices, and {again}."
        )
    last = str(error).strip().splitlines()[-1]
    if module.settings.num_nodes > 1 and re.search("connect|timed? ?out|NCCL|gloo", last, re.IGNORECASE):
        return InputError(f"The machines that train fold {fold} lost each other ({last:.200}); {again}.")
    return error
