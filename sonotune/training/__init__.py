"""Training: the recipe, and one cell from arrays to predictions.

Importing PyTorch makes objects by the hundred thousand and no garbage. Python's collector goes
through them again and again meanwhile, and at every later collection: a quarter of the import's
time. So it rests during the import, and leaves those objects alone afterwards.
"""

import gc

_collecting = gc.isenabled()
gc.disable()
import torch  # noqa: E402, F401

gc.freeze()
if _collecting:
    gc.enable()
