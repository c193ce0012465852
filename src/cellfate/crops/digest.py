"""What a model was trained on, as one number."""

import hashlib

import pandas as pd

from cellfate.crops.store import CropStore


def digest_data(crops: CropStore, *tables: pd.DataFrame) -> str:
    """SHA-256 over the crop store's own digest and the rows of the tables, in hexadecimal.

    Two runs with the same digest train on, and test on, the same cells. The normalisation follows from these.

    Parameters
    ----------
    crops
        Crop store.
    tables
        Samples and splits, and whatever else a training looks at; the order of rows and columns counts, the type in
        which a column is held does not.
    """
    digest = hashlib.sha256(crops.digest.encode())
    for table in tables:
        digest.update("|".join(map(str, table.columns)).encode())
        held_alike = table.astype("string").fillna("")
        digest.update(pd.util.hash_pandas_object(held_alike, index=False).to_numpy().tobytes())
    return digest.hexdigest()
