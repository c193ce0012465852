"""The local page in the browser: every cell is looked at and labelled there. Without it nothing else needs Dash.

The server reads what a study has, answers the page's questions, and writes labels only. No file of recordings, and no
table that a run made, is ever written.
"""
