"""Errors that a user can act on."""


class InputError(ValueError):
    """Something the user gave is not usable: a file, a track, a table, a parameter.

    The message is one sentence: what was found, what was expected, what to do.
    A single recording that raises it can be set aside (`on_bad_recording: skip`);
    any other exception is a defect of the software and is never skipped.

    Parameters
    ----------
    message : str
        The sentence.
    parameter : str
        Parameter that would settle it, with its group, such as `tracks.on_merge`; "" where none would.
    """

    def __init__(self, message: str, parameter: str = "") -> None:
        super().__init__(message)
        self.parameter = parameter
