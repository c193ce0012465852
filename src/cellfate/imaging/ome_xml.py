"""The description of images in OME-XML: what it lists, and whether the files that it names may be opened."""

import os
import re
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as ET

import tifffile

from cellfate.core.errors import InputError
from cellfate.imaging.headers import ADVICE, check_regular

COMPANION = ".companion.ome"
"""Ending of files that hold the OME-XML of a set, and no pixels."""


def ome_text(tiff: tifffile.TiffFile) -> str:
    """OME-XML that describes a TIFF file: its own, or that of the companion file that it names.

    Raises
    ------
    InputError
        If the companion file is missing, or no file of the same folder.
    """
    text = str(tiff.ome_metadata or "")
    named = re.search(r'BinaryOnly[^>]*MetadataFile="([^"]*)"', text)
    if named is None or not named[1].endswith(COMPANION):
        return text
    path, name = Path(tiff.filehandle.path), named[1]
    _check_name(path, name, "its description")
    if not path.with_name(name).exists():
        raise InputError(
            f"File {path} is part of an OME-TIFF set whose description is in file {name}, which is missing; copy it "
            f"beside the images, or {ADVICE}"
        )
    return path.with_name(name).read_text(encoding="utf-8")


def ome_images(text: str) -> list[ET.Element]:
    """Elements Image of OME-XML; empty if it cannot be parsed. Documents that define entities are refused.

    Raises
    ------
    ValueError
        If the XML has a document type: OME-XML never has one.
    """
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise ValueError("its OME-XML has a document type, which OME-XML never has")
    root = ET.fromstring(text)
    return [element for element in root if element.tag.rpartition("}")[2] == "Image"]


def ome_file_names(text: str) -> set[str]:
    """Names of the files that OME-XML says its pixels are in."""
    return {
        str(element.get("FileName"))
        for image in ome_images(text)
        for element in image.iter()
        if element.tag.rpartition("}")[2] == "UUID" and element.get("FileName")
    }


def check_ome(path: Path, text: str) -> None:
    """Check that OME-XML describes images, in files of its own folder.

    Raises
    ------
    InputError
        If the description is in another file, or a file that it names is outside the folder, or no file.
    """
    images = ome_images(text)
    if not images:
        reference = re.search(r'MetadataFile="([^"]*)"', text)
        raise InputError(
            f"File {path} is part of an OME-TIFF set whose description is in another file "
            f"({reference.group(1) if reference else 'not named'}); name the file that holds the OME-XML in "
            f"recordings.files, or {ADVICE}"
        )
    for name in ome_file_names(text):
        _check_name(path, name, "pixels")


def _check_name(path: Path, name: str, what: str) -> None:
    """Check that a name in OME-XML is that of a file of the same folder, whether or not it is there."""
    verb = "are" if what.endswith("s") else "is"
    if PurePosixPath(name).name != name or "\\" in name or os.sep in name:
        raise InputError(f"File {path} says that {what} {verb} in '{name}', which is outside its folder; {ADVICE}")
    other = path.with_name(name)
    if other.exists():
        check_regular(other)
    if other.is_symlink() and other != path and not other.resolve().is_relative_to(path.parent.resolve()):
        raise InputError(f"File {path} says that {what} {verb} in '{name}', a link out of its folder; {ADVICE}")
