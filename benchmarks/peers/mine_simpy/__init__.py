"""Mine haulage in SimPy: an independent model of benchmark 001, to compare results and speed with.

Start at `model.py`. `data.py` reads the site and its scenarios, `network.py` finds the routes, `study.py` runs the
replications and writes the tables, `report.py` and `topology.py` what people read, `compare.py` compares two studies.
"""
