"""Pages that stand before the page: the one that asks for the token."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class InlineScript:
    """A script that stands in a page, and how a content security policy names it."""

    text: str

    @property
    def hash(self) -> str:
        """Hash of the script, as a policy wants it."""
        digest = base64.b64encode(hashlib.sha256(self.text.encode()).digest()).decode()
        return f"'sha256-{digest}'"


SESSION_SCRIPT: Final = InlineScript(
    # whoever comes from a link in a report has a cookie that is not sent along: from this page itself it is
    "fetch('/session').then(function (a) { if (a.status === 204) location.replace('/?again' + location.hash); });"
)


def write_token_page(sentence: str) -> str:
    """Write the page that asks for the token.

    Parameters
    ----------
    sentence
        Why it is asked for; HTML.
    """
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>cellfate review</title>
<style>body {{ font: 15px/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 34em; color: #1f2933 }}
input {{ font: inherit; width: 24em }} button {{ font: inherit }}</style>
<h1>cellfate review</h1><p>{sentence}</p>
<form action="/" method="get"><label>Token <input name="token" autofocus autocomplete="off"></label>
<button>Open</button></form>
<script>{SESSION_SCRIPT.text}</script></html>"""
