"""A hospital laboratory with a trust pipeline, as an environment for learners.

``parallel_env`` and ``env`` are PettingZoo's two interfaces, ``LabGymEnv`` is one agent for Gymnasium, ``VectorEnv`` is many
episodes in one buffer. ``run_benchmark`` and ``run_study`` are the program's own commands, ``run_method`` lets a method in
Python direct all agents. Nothing of the laboratory is decided in Python: the same seed and the same actions give the bytes
that the program gives.
"""

from labtrust._core import __version__, tasks
from labtrust.aec import env
from labtrust.gym_env import LabGymEnv
from labtrust.measures import Played
from labtrust.methods import Seen, run_method
from labtrust.parallel import LabParallelEnv, parallel_env
from labtrust.program import CommandFailed
from labtrust.registration import register
from labtrust.runs import Results, run_benchmark, run_study
from labtrust.vector import VectorEnv

__all__ = [
    "CommandFailed",
    "LabGymEnv",
    "LabParallelEnv",
    "Played",
    "Results",
    "Seen",
    "VectorEnv",
    "__version__",
    "env",
    "parallel_env",
    "run_benchmark",
    "run_method",
    "run_study",
    "tasks",
]

register()
