"""Recognition: what a stranger's folder of recordings, tracks and tables is, and the parameters that read it."""

from cellfate.recognition.recognising import Recognised, recognise
from cellfate.recognition.screen import describe
from cellfate.recognition.writing import check_place, default_name, write_conf

__all__ = ["Recognised", "check_place", "default_name", "describe", "recognise", "write_conf"]
