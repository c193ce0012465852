"""Tables in, plotly figures out. Axis titles carry units, and n is on the figure."""
