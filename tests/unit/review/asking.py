"""Asking a server of the tiny study as its page does."""

from uuid import uuid4

PORT = 8123
HOST = f"127.0.0.1:{PORT}"


def get(client, address, **headers):
    """Ask for an address."""
    return client.get(address, headers={"Host": HOST, **headers})


def post(client, label, since=0, **headers):
    """Send a label."""
    return client.post(
        "/labels", json={"label": label, "since": since}, headers={"Host": HOST, "Origin": f"http://{HOST}", **headers}
    )


def score(fate="mitosis", **changes):
    """A new label of the first cell."""
    label = {"entry_id": uuid4().hex, "scorer": "ann", "queue": "random", "recording_id": "A1", "cell_id": 1}
    return label | {"fate": fate, "event_frame": 10, "after": None} | changes
