"""`hcrm explain`: from a decision back to the message and field it rests on."""

from collections.abc import Sequence

import click
import msgspec

from hcrm_core import env
from hcrm_core.cli.context import Opened, json_option, opened, show_json, workspace_option
from hcrm_core.cli.customer_named import resolve
from hcrm_core.cli.trace import Trace
from hcrm_core.config import nearest
from hcrm_core.decide.again import cited_again
from hcrm_core.decide.explain import Explanation, explain_points, explain_segment, explain_task
from hcrm_core.decide.narrate import render_explanation
from hcrm_core.decide.narrate_why_not import render_why_not
from hcrm_core.decide.why_not import why_not
from hcrm_core.errors import NotFoundError
from hcrm_core.store.queries import decisions
from hcrm_core.store.queries.decisions import RunRow


@click.group()
def explain() -> None:
    """Trace a decision back to message and field."""


@explain.command()
@click.argument("task_id", metavar="ID")
@json_option
@workspace_option
def task(task_id: str, as_json: bool, workspace: str | None) -> None:
    """Explain a task by its id or the beginning of it."""
    with opened(workspace) as space:
        trace = _Trace(space)
        found = explain_task(space.store, task_id, message=trace.message, origins=trace.origins)
        _show([found], space.timezone, as_json)


@explain.command()
@click.argument("points_id", metavar="ID")
@json_option
@workspace_option
def points(points_id: str, as_json: bool, workspace: str | None) -> None:
    """Explain points, why they were granted, refused or taken back, by their id or the beginning of it."""
    with opened(workspace) as space:
        trace = _Trace(space)
        found = explain_points(space.store, points_id, message=trace.message, origins=trace.origins)
        _show([found], space.timezone, as_json)


@explain.command()
@click.argument("customer", metavar="CUSTOMER")
@click.option("--strategy", metavar="NAME", help="Only this strategy; else all that segment.")
@json_option
@workspace_option
def segment(customer: str, strategy: str | None, as_json: bool, workspace: str | None) -> None:
    """Explain in which segments a customer is, by the customer's id or a number AUTHORITY|TYPE|NUMBER."""
    with opened(workspace) as space:
        _show(_of_customer(space, customer, strategy, "segment"), space.timezone, as_json)


@explain.command()
@click.argument("customer", metavar="CUSTOMER")
@click.option("--strategy", metavar="NAME", help="Only this strategy; else all that score.")
@json_option
@workspace_option
def score(customer: str, strategy: str | None, as_json: bool, workspace: str | None) -> None:
    """Explain a customer's scores, by the customer's id or a number AUTHORITY|TYPE|NUMBER."""
    with opened(workspace) as space:
        _show(_of_customer(space, customer, strategy, "score"), space.timezone, as_json)


@explain.command("why-not")
@click.argument("strategy", metavar="STRATEGY")
@click.argument("customer", metavar="CUSTOMER")
@json_option
@workspace_option
def why_not_(strategy: str, customer: str, as_json: bool, workspace: str | None) -> None:
    """Explain why a strategy has decided nothing about a customer.

    Its steps are run as of its last run; shown is the one where the customer's rows end, with the predicates they do
    not fulfil. CUSTOMER is an id or a number AUTHORITY|TYPE|NUMBER.
    """
    with opened(workspace) as space:
        strategies = space.registry.strategies
        if strategy not in strategies:
            raise NotFoundError(f"No enabled strategy is named {strategy!r}. {nearest(strategy, list(strategies))}")
        found = why_not(
            space.store,
            space.mart,
            strategies[strategy],
            resolve(space, customer),
            now_us=env.microseconds(env.now()),
            timezone=space.timezone,
            compute=space.code.compute,
            reviews=list(space.registry.reviews.values()),
        )
        if as_json:
            show_json(msgspec.to_builtins(found))
        else:
            click.echo(render_why_not(found, space.timezone))


def _of_customer(space: Opened, customer: str, strategy: str | None, kind: str) -> list[Explanation]:
    customer_id = resolve(space, customer)
    with space.store.read() as connection:
        runs = decisions.last_runs(connection, kind)
    if strategy and strategy not in runs and strategy not in space.registry.strategies:
        raise NotFoundError(
            f"There is no strategy {strategy!r}. {nearest(strategy, sorted({*runs, *space.registry.strategies}))}"
        )
    if strategy is None and not runs:
        raise NotFoundError(f"No strategy has decided a {kind} yet. Run them: hcrm decide")
    trace = _Trace(space)
    explained: list[Explanation] = []
    for name in [strategy] if strategy else sorted(runs):
        try:
            explained += explain_segment(
                space.store,
                space.mart,
                name,
                customer_id,
                message=trace.message,
                origins=trace.origins,
                recompute=trace.recompute,
            )
        except NotFoundError:
            if strategy:
                raise
    if not explained:
        raise NotFoundError(
            f"No strategy has a {kind} for this customer. Why: hcrm explain why-not STRATEGY {customer}"
        )
    return explained


def _show(explanations: Sequence[Explanation], timezone: str, as_json: bool) -> None:
    if as_json:
        documents = [msgspec.to_builtins(explanation) for explanation in explanations]
        show_json(documents[0] if len(documents) == 1 else documents)
    else:
        click.echo("\n\n".join(render_explanation(explanation, timezone) for explanation in explanations))


class _Trace(Trace):
    """That, and what a strategy cited where its snapshot did not keep it."""

    def recompute(self, run: RunRow, customer_id: str) -> dict[str, list[str]]:
        """What the strategy of a run cites about a customer; nothing where it is not enabled any more."""
        strategy = self._space.registry.strategies.get(run.strategy)
        if strategy is None:
            return {}
        space = self._space
        return cited_again(
            space.store, space.mart, strategy, run, customer_id, timezone=space.timezone, compute=space.code.compute
        )
