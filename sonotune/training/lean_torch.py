"""Import PyTorch without what only its compiler needs; to be imported before it.

``import torch`` registers, in Python, how some hundred operators behave on tensors without data
(``torch._meta_registrations``). Nothing but tracing and compiling asks for them, and they take a
quarter of the import, in every cell. Whatever needs them later imports them by their name and
gets the real module.
"""

import sys
from types import ModuleType

LEFT_OUT = "torch._meta_registrations"

if "torch" not in sys.modules:
    placeholder = ModuleType(LEFT_OUT)
    sys.modules[LEFT_OUT] = placeholder
    try:
        import torch
    finally:
        del sys.modules[LEFT_OUT]
    # Versions of PyTorch that leave it out themselves have no such attribute.
    if getattr(torch, "_meta_registrations", None) is placeholder:
        del torch._meta_registrations
