from cellfate.features.settings import FeatureSettings, Lengths


def test_lengths_follow_from_the_crop():
    assert FeatureSettings().lengths(40, 40) == Lengths(min_area_px=12, max_offset_px=6.0, neighbor_radius_px=40)
    assert FeatureSettings().lengths(80, 120) == Lengths(min_area_px=72, max_offset_px=12.0, neighbor_radius_px=80)


def test_a_length_that_is_given_holds():
    given = FeatureSettings(min_area_px=5, max_offset_px=0.0, neighbor_radius_px=9)
    assert given.lengths(40, 40) == Lengths(min_area_px=5, max_offset_px=0.0, neighbor_radius_px=9)
