"""The model card: what a model is for, what it was trained on, how good it is and where it ends."""

from typing import Final

from cellfate.prediction.records import ClockConfig, FolderConfig, MemberConfig, ModelConfig

USE: Final = (
    "Research on live-cell recordings of the kind it was trained on, with cells tracked beforehand. "
    "Not for diagnosis or treatment decisions."
)


def write_model_card(config: ModelConfig | ClockConfig) -> str:
    """Describe a model for the person who will use it.

    Parameters
    ----------
    config
        Description of the model.

    Returns
    -------
    str
        Markdown.
    """
    purpose = _clock_purpose(config) if isinstance(config, ClockConfig) else _purpose(config)
    limits = _clock_limits(config) if isinstance(config, ClockConfig) else _limits(config)
    return "\n\n".join((*purpose, *_origin(config), *limits)) + "\n"


def _clock_purpose(config: ClockConfig) -> tuple[str, ...]:
    follow_up = config.follow_up
    task = (
        "At every frame of a tracked cell, from that frame and those before it, it forecasts the cumulative incidence "
        f"of {' and '.join(follow_up.events)} over the coming {follow_up.horizon_h:g} h, in bins of "
        f"{follow_up.bin_h:g} h, given that nothing happens within {follow_up.guard_h:g} h."
    )
    blended = f"Blended, at equal weight: {', '.join(part.replace('_', ' ') for part in config.ensemble.parts)}."
    return "# Fate clock", task, blended, "## Intended use", USE


def _clock_limits(config: ClockConfig) -> tuple[str, ...]:
    events = " and ".join(config.follow_up.events)
    return "## Limits", _bullets(
        f"Trained on cells with and without a fate; a cell that is lost counts as long as it was seen. Only {events} "
        "are forecast: a cell that ends otherwise counts as lost.",
        "That cells are lost for reasons that have nothing to do with their fate is assumed, not known.",
        "Another microscope, cell line, exposure or frame interval needs a test on labelled cells, or new training.",
        "A forecast is only as good as the track it is made from.",
    )


def _purpose(config: ModelConfig) -> tuple[str, ...]:
    outcomes = " or ".join(config.outcomes)
    if config.samples.kind == "whole_track":
        task = f"From the frames of a tracked cell before its event it forecasts the fate: {outcomes}."
        task += f" The last {config.samples.guard_h:g} h before the event were withheld in training."
    else:
        task = (
            f"From the last {config.samples.max_frames or config.samples.history_frames} frames of a tracked cell it "
            f"forecasts what happens in the next {config.samples.horizon_h:g} h: {outcomes}."
        )
    return (
        "# Fate classifier",
        task,
        "## Intended use",
        USE,
    )


def _origin(config: FolderConfig) -> tuple[str, ...]:
    layers = config.architecture
    return (
        "## Input",
        _bullets(
            f"channels, in order: {', '.join(config.channels)}",
            f"crops of {config.crops.height_px} x {config.crops.width_px} px round the tracked centre",
            f"one frame every {config.frame_interval_min:g} min",
        ),
        "## Training",
        _bullets(
            f"network: {layers.encoder}, embedding of {layers.embedding_size}, Transformer layers: {layers.n_layers}",
            f"members: {len(config.members)}, one a fold of the split scheme `{config.scheme}`",
            f"data digest: `{config.data_digest}`",
            f"versions: {', '.join(f'{name} {version}' for name, version in config.versions.items())}",
        ),
        "## Validation metrics of the weights kept",
        "These chose the epoch, so they flatter the model; test scores with intervals stand in the run's report.",
        _member_table(config.members),
    )


def _member_table(members: tuple[MemberConfig, ...]) -> str:
    names = list(members[0].validation)
    lines = [
        f"| fold | training samples | validation samples | epochs | kept epoch | {' | '.join(names)} |",
        "|" + "---|" * (5 + len(names)),
    ]
    for member in members:
        values = [member.validation.get(name) for name in names]
        scores = " | ".join("undefined" if value is None else f"{value:.3f}" for value in values)
        counts = (member.fold, member.n_train, member.n_validation, member.n_epochs, member.best_epoch)
        lines.append(f"| {' | '.join(map(str, counts))} | {scores} |")
    return "\n".join(lines)


def _limits(config: ModelConfig) -> tuple[str, ...]:
    limits = [
        "Probabilities count every outcome as equally common, as in training; they are not calibrated.",
        "Another microscope, cell line, exposure or frame interval needs a test on labelled cells, or new training.",
        "A forecast is only as good as the track it is made from.",
    ]
    if config.samples.kind == "whole_track":
        limits.insert(
            0,
            "Trained on cells whose fate was seen: for a cell that would do neither, the forecast still names one of "
            f"{' and '.join(config.outcomes)}.",
        )
    return "## Limits", _bullets(*limits)


def _bullets(*lines: str) -> str:
    return "\n".join(f"- {line}" for line in lines)
