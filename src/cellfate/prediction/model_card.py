"""The model card: what a model is for, what it was trained on, how good it is and where it ends."""

from typing import Final

from cellfate.prediction.records import (
    ALL_CELLS,
    ClassifierConfig,
    ClockConfig,
    MemberConfig,
    describe_temperature,
    describe_weights,
)

USE: Final = (
    "Research on live-cell recordings of the kind it was trained on, with cells tracked beforehand. "
    "Not for diagnosis or treatment decisions."
)
_LIMITS: Final = (
    "Another microscope, cell line, exposure or frame interval needs a test on labelled cells, or new training.",
    "A forecast is only as good as the track it is made from.",
)


def write_model_card(config: ClassifierConfig | ClockConfig) -> str:
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
    purpose, limits = _clock(config) if isinstance(config, ClockConfig) else _classifier(config)
    sections = (*purpose, "## Intended use", USE, *_origin(config), "## Limits", _bullets(*limits, *_LIMITS))
    return "\n\n".join(sections) + "\n"


def _clock(config: ClockConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    follow_up = config.follow_up
    task = (
        "At every frame of a tracked cell, from that frame and those before it, it forecasts the cumulative incidence "
        f"of {' and '.join(config.events)} over the coming {follow_up.horizon_h:g} h, in bins of "
        f"{follow_up.bin_h:g} h, given that nothing happens within {follow_up.guard_h:g} h."
    )
    blended = f"{_weights(config)} For new cells, boosting is the one fitted to all cells."
    limits = (
        "Trained on cells with and without a fate; a cell that is lost counts as long as it was seen.",
        "That cells are lost for reasons that have nothing to do with their fate is assumed, not known.",
    )
    return ("# Fate clock", task, blended), limits


def _weights(config: ClockConfig) -> str:
    """Say what is blended, and what each part counts for."""
    if ALL_CELLS in config.blend_weights:
        return f"Blended for new cells: {describe_weights(config.blend_weights[ALL_CELLS])}."
    return f"Blended, at equal weight: {', '.join(part.replace('_', ' ') for part in config.blend.parts)}."


def _classifier(config: ClassifierConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    task = (
        "From the frames of a tracked cell before its event it forecasts which fate comes, given that one comes: "
        f"{' or '.join(config.outcomes)}. The last {config.follow_up.guard_h:g} h before the event were withheld in "
        "training."
    )
    unscaled = "" if any(member.divisor != 1 for member in config.members) else "; they are not calibrated"
    limits = (
        "Trained on cells whose fate was seen: of a cell that would do neither, the forecast still names one of these.",
        f"Probabilities count every fate as equally common, as in training{unscaled}.",
    )
    return ("# Fate classifier", task, *_temperatures(config)), limits


def _temperatures(config: ClassifierConfig) -> tuple[str, ...]:
    """Say what log odds are divided by, and why not."""
    found = [(member.fold, member.temperature) for member in config.members if member.temperature is not None]
    lines = [f"member of fold {fold}: {describe_temperature(temperature)}" for fold, temperature in found]
    said = "Its log odds are divided by a temperature where that helps on validation cells that did not choose it:"
    return (said, _bullets(*lines)) if lines else ()


def _origin(config: ClassifierConfig | ClockConfig) -> tuple[str, ...]:
    layers = config.architecture
    return (
        "## Input",
        _bullets(
            *_list_images(config),
            f"one frame every {config.frame_interval_min:g} min",
            *_list_spot_features(config),
        ),
        "## Training",
        _bullets(
            f"network: {layers.encoder}, embedding of {layers.embedding_size}, Transformer layers: {layers.n_layers}"
            if config.has_networks or not config.members
            else "no network: boosted hazards alone",
            f"members: {len(config.members)}, one a fold of the split scheme `{config.scheme}`",
            f"data digest: `{config.data_digest}`",
            f"versions: {', '.join(f'{name} {version}' for name, version in config.versions.items())}",
        ),
        "## Validation metrics of the weights kept",
        *(_scores(config.members) if config.members else (f"There are none: {config.reason}",)),
    )


def _list_images(config: ClassifierConfig | ClockConfig) -> tuple[str, ...]:
    read = dict.fromkeys(scale.name for member in config.members for scale in member.columns)
    columns = (f"columns of measurements: {', '.join(read)} (network)",) if read else ()
    if not config.reads_images:
        return "traces, without images", *columns
    size = f"{config.cut.height_px} x {config.cut.width_px} px"
    return f"channels, in order: {', '.join(config.channels)}", f"crops of {size} round the tracked centre", *columns


def _list_spot_features(config: ClassifierConfig | ClockConfig) -> tuple[str, ...]:
    if not isinstance(config, ClockConfig) or not config.spot_features:
        return ()
    return (f"spot features of the tracker, by its names (boosting): {', '.join(config.spot_features)}",)


def _scores(members: tuple[MemberConfig, ...]) -> tuple[str, str]:
    names = list(members[0].validation)
    lines = [
        f"| fold | training cells | validation cells | epochs | kept epoch | {' | '.join(names)} |",
        "|" + "---|" * (5 + len(names)),
    ]
    for member in members:
        values = [member.validation.get(name) for name in names]
        scores = " | ".join("undefined" if value is None else f"{value:.3f}" for value in values)
        counts = (member.fold, member.n_train, member.n_validation, member.n_epochs, member.best_epoch)
        lines.append(f"| {' | '.join(map(str, counts))} | {scores} |")
    remark = "These chose the epoch, so they flatter the model; test scores with intervals stand in the run's report."
    return remark, "\n".join(lines)


def _bullets(*lines: str) -> str:
    return "\n".join(f"- {line}" for line in lines)
