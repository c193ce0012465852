"""`python -m benchmarks [NAME ...]`: run the benchmarks named, or all of them; exit 1 when a target is missed."""

import importlib
import sys

NAMES = (
    "start_up",
    "forecasting",
    "crop_building",
    "crop_memory",
    "data_memory",
    "traces_memory",
    "sequence_loading",
    "scoring",
    "masking",
    "intervals",
    "dose_losses",
    "condition_tests",
    "traces_reference",
    "prediction_sets",
    "review_latency",
    "whole_way",
    "published_step",
    "published_memory",
    "causal_reading",
    "clock_censoring",
    "added_value",
    "blend_learning_curve",
    "label_permutation",
    "label_noise",
    "label_queues",
    "alarms",
    "swap_null",
    "attention_statistics",
    "null_attributions",
    "shapley_cost",
)


def main() -> int:
    """Run each benchmark and say whether it met its target."""
    results = {}
    for name in sys.argv[1:] or NAMES:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"\n== {name}: {(module.__doc__ or '').strip()}")
        results[name] = module.main()
    print("\n" + "\n".join(f"{name}: {'met' if good else 'MISSED'}" for name, good in results.items()))
    return int(not all(results.values()))


if __name__ == "__main__":
    sys.exit(main())
