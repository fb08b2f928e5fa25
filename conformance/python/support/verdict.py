"""What a case says when it does not go as it should."""

import contextlib
import dataclasses
from collections.abc import Callable


class Failed(Exception):
    """A case did not go as it should."""


def require(holds: bool, what: str) -> None:
    if not holds:
        raise Failed(what)


def equal(found, wanted, what: str) -> None:
    require(found == wanted, f"{what} is {found!r}, not {wanted!r}")


@dataclasses.dataclass
class Case:
    """One thing that a client does. `client` is the package that is tried, `path` the way that it takes."""

    client: str
    path: str
    name: str
    trial: Callable[[], None]


class Raised:
    """What a client has raised, filled in when it has."""

    error: Exception


@contextlib.contextmanager
def raises(kind: type[Exception], *words: str):
    """The client must give up with an error of `kind` that holds all `words`."""
    raised = Raised()
    try:
        yield raised
    except kind as error:
        raised.error = error
        for part in words:
            require(part in str(error), f"`{part}` is not in what the client says: {error}")
    else:
        raise Failed(f"no {kind.__name__} was raised")
