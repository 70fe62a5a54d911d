"""A pull without a core and without a server: an adapter asks, the author's stand-in answers."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from hcrm_core.api import Adapter, HttpRequest, HttpResponse, Pulled, Rows, SqlQuery

Question = HttpRequest | SqlQuery
Piece = HttpResponse | Rows
Serves = Callable[[Question], Sequence[Piece]]

QUESTIONS = 1_000
"""How many are asked before a pull is taken for one without an end."""


class Step(Struct, frozen=True):
    """One piece of an answer.

    Attributes:
        asked_at: The position its question was asked from.
        question: The question.
        position: The position it is read from.
        piece: The piece.
        pulled: What it came to.
        ends: Whether it is the answer's last.
    """

    asked_at: str
    question: Question
    position: str
    piece: Piece
    pulled: Pulled
    ends: bool


class Endless(Exception):
    """The pull does not end."""


def walk(adapter: Adapter, serves: Serves, position: str = "") -> list[Step]:
    """Pull to the end.

    Args:
        adapter: Which asks.
        serves: From a question to the pieces of its answer.
        position: Where to begin.

    Raises:
        Endless: It asked a thousand questions.
        Exception: Whatever the adapter raises.
    """
    steps: list[Step] = []
    for _ in range(QUESTIONS):
        asked_at, question = position, adapter.request(position)
        pieces = serves(question)
        for number, piece in enumerate(pieces, 1):
            pulled = adapter.answer(position, piece)
            steps.append(Step(asked_at, question, position, piece, pulled, number == len(pieces)))
            position = pulled.position
        if steps and steps[-1].pulled.done:
            return steps
    raise Endless
