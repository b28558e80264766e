"""What is read off a gauge: the classes and how they lie on the scale."""

IMAGE_SIZE = 96
"""Height and width of an image in pixels; three channels, RGB."""

STEP_PERCENT = 5
"""Distance between two readings, in percent of full scale."""

CLASS_COUNT = 100 // STEP_PERCENT + 1
"""21 readings: 0 %, 5 %, ... 100 %."""

JITTER_PERCENT = 1.4
"""The needle points at most this far from its class's reading. A class reaches 2.5 % to either side, so
between two neighbouring classes there is a gap of 2.2 % of full scale (6 degrees on a 270 degree dial)
in which no needle points: every label is unambiguous."""


def class_name(index: int) -> str:
    """The reading as text, e.g. "35 %" for class 7."""
    return f"{index * STEP_PERCENT} %"
