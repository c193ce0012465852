"""cellfate: forecast the fate of single cells from live-cell recordings, and explain the forecast."""

__version__ = "0.1.0"
