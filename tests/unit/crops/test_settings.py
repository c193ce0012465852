import pytest

from cellfate.crops.settings import CropSettings


@pytest.mark.parametrize(("diameter", "side"), [(14, 40), (17, 48), (17.2, 56), (1, 8), (400, 1024)])
def test_the_crop_follows_from_the_diameter(diameter, side):
    settings = CropSettings(cell_diameter_px=diameter, height_px=None, width_px=None)
    assert (settings.height_px, settings.width_px) == (side, side)


def test_a_size_that_is_given_holds():
    settings = CropSettings(cell_diameter_px=14, height_px=16)
    assert (settings.height_px, settings.width_px) == (16, 40)
    assert CropSettings(**settings.model_dump()) == settings


@pytest.mark.parametrize("given", [{}, {"height_px": 16}, {"cell_diameter_px": 0}, {"cell_diameter_px": "wide"}])
def test_a_crop_without_size_says_what_is_missing(given):
    with pytest.raises(ValueError, match="give the diameter of a cell in pixels, or the size of a crop"):
        CropSettings(**given)
