"""Docstrings of public functions and classes name every parameter, as numpydoc writes them."""

import dataclasses
import inspect
import pkgutil
from importlib import import_module

import pytest
from numpydoc.docscrape import get_doc_object
from numpydoc.validate import Validator

import sonotune
from sonotune.config.section import Section

MODULES = [
    found.name
    for found in pkgutil.walk_packages(sonotune.__path__, "sonotune.")
    if not any(part.startswith("_") for part in found.name.split("."))
]


class Documented(Validator):
    """Fields of data classes, sections and named tuples may be described as attributes."""

    def __init__(self, thing):
        super().__init__(get_doc_object(thing))

    @property
    def doc_all_parameters(self):
        fields = self.obj.__annotations__ if is_record(self.obj) else ()
        attributes = self._doc_parameters(["Attributes"]).items()
        return super().doc_all_parameters | {k: v for k, v in attributes if k in fields}


def is_record(thing):
    is_section = inspect.isclass(thing) and Section in thing.__bases__
    return is_section or dataclasses.is_dataclass(thing) or hasattr(thing, "_fields")


def public(holder, module):
    """Public functions and classes that are defined in a module, and the classes' methods."""
    for name, thing in vars(holder).items():
        thing = thing.__func__ if isinstance(thing, staticmethod | classmethod) else thing
        if name.startswith("_") or getattr(thing, "__module__", None) != module:
            continue
        if inspect.isfunction(inspect.unwrap(thing)):
            yield thing
        elif inspect.isclass(thing) and not getattr(thing, "_is_protocol", False):
            # A constructor that is inherited is described where it is defined.
            if is_record(thing) or "__init__" in vars(thing):
                yield thing
            yield from public(thing, module)


def faults(thing):
    found = Documented(thing).parameter_mismatches if inspect.getdoc(thing) else ["no docstring"]
    return [f"{thing.__qualname__}: {fault}" for fault in found]


@pytest.mark.parametrize("name", MODULES)
def test_every_parameter_is_described_and_no_other(name):
    found = [fault for thing in public(import_module(name), name) for fault in faults(thing)]
    assert not found
