"""Kedro's project settings."""

import os

from kedro.config import OmegaConfigLoader

from cellfate.context import PlainContext
from cellfate.hooks import ResultPathsHook
from cellfate.made_from import MadeFromHook
from cellfate.session import PlainSession

# Threads that wait for small batches sleep instead of spinning; read when OpenMP starts. A value that is set stays.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

CONTEXT_CLASS = PlainContext
SESSION_CLASS = PlainSession
HOOKS = (MadeFromHook(), ResultPathsHook())
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)  # a run sends nothing, in the project folder or outside it
CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # an environment or --params may change one key of a group; the others keep their values
    "merge_strategy": {"parameters": "soft"},
    "config_patterns": {
        "catalog": ["catalog*", "catalog*/**", "**/catalog*"],
        "parameters": ["parameters*", "parameters*/**", "**/parameters*"],
    },
}
