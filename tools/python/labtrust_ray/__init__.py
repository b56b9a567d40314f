"""Cells of a labtrust study on a Ray cluster.

One task is one cell: `labtrust study cell`. A node makes the cell in a directory of its own and sends the folder back, so
that nothing has to be shared but the cluster. A cell that is there is not made again, a node that is lost costs the cells
that it was making, and a driver that is killed goes on where it was.
"""

from .cells import Cell, Folder, Made, missing_cells, read_plan, store_folder
from .drive import Report, drive

__all__ = ["Cell", "Folder", "Made", "Report", "drive", "missing_cells", "read_plan", "store_folder"]
