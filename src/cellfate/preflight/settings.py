"""What a person decides about the preflight."""

from pydantic import Field

from cellfate.core.settings import Settings


class PreflightSettings(Settings):
    """From where on something is told before anything is cut. All of it are warnings but for what cannot be used."""

    image_frames: int | None = Field(default=12, ge=1)
    """Frames of a recording whose pixels are looked at, spread evenly from the first to the last; null: all of them,
    which takes as long as decoding every image once more."""
    max_jump_px: float | None = Field(default=None, gt=0)
    """A cell that moves farther from one frame to the next is told (pixels; across a gap, pixels a frame). null: half
    the crop's shorter side, which is about the diameter of a cell where crops are twice as wide as cells."""
    max_gap_frames: int = Field(default=0, ge=0)
    """A cell that is not seen for more frames than this, and then seen again, is told (frames)."""
    max_event_gap_frames: int = Field(default=3, ge=0)
    """An event more frames than this away from where its track says that it is (the end of the track, the first frame
    of the daughters) is told; so are daughters that begin so many frames after their mother's last one (frames)."""
    max_outside_share: float = Field(default=0.0, ge=0, lt=1)
    """A cell is told when more than this share of its crop lies outside the image in a frame (0 to 1)."""
    saturated_share: float = Field(default=0.001, gt=0, lt=1)
    """A frame is told when more than this share of a channel's pixels are at the camera's ceiling (0 to 1)."""
    empty_share: float = Field(default=0.1, gt=0, lt=1)
    """A frame is told as empty when its pixels spread over less than this share of what is usual in its recording and
    channel (share of the median over the frames looked at), or not at all."""
    focus_share: float = Field(default=0.5, gt=0, lt=1)
    """A frame is told when its focus is below this share of the running median of its recording and channel, and a
    recording when its median focus is below this share of the median over recordings."""
    focus_frames: int = Field(default=5, ge=3)
    """Frames looked at over which the running median of the focus goes, centred (frames)."""
    max_rows_a_check: int = Field(default=50, ge=1)
    """Findings of a check that are listed one by one for a recording, the worst; the others are counted in one more
    row."""
