"""The text of a seed plan: labeled lines, then a table of what the designs do."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lab.cli.help import command_lines
from dropout_lab.cli.layout import GAP
from dropout_lab.cli.tables import print_facts, print_table
from dropout_lab.comparison.measured_seeds import MeasuredDifference, rounded_seeds
from dropout_lab.comparison.seed_plan import DesignPlan, SeedPlan
from dropout_lab.evaluation.metrics import format_difference, format_duration, metric_info
from dropout_lab.reporting.tables import TextTable
from dropout_lab.spec.models import MAX_SEEDS

if TYPE_CHECKING:
    from dropout_lab.api.planning import PlanResult
    from dropout_lab.cli.safe_console import SafeConsole

_LABEL_WIDTH = 11


def commands(plan: SeedPlan, spec: Path, overrides: Sequence[str]) -> list[str]:
    """Return the commands that train the designs, the fixed one first."""
    found = []
    for design in plan.designs:
        arguments = ["dropout-lab", "run", str(spec), *(part for one in overrides for part in ("--set", one))]
        if design.is_fixed:
            arguments += ["--seeds", str(design.most)]
        elif design.step == 1:
            arguments += ["--seeds", f"{design.first}..{design.most}"]
        else:
            seeds = f"{{first: {design.first}, most: {design.most}, step: {design.step}}}"
            arguments += ["--set", f"seeds={seeds}"]
        if design.name != "spec" and design.most <= MAX_SEEDS:
            found.append(shlex.join(arguments))
    return found


def print_plan(console: "SafeConsole", found: "PlanResult", run_commands: Sequence[str], spec: Path) -> None:
    """Print the labeled lines of a plan, then what its designs do at several true differences.

    Args:
        console: Where they are printed.
        found: The plan.
        run_commands: Commands to print.
        spec: The spec file.
    """
    for label, text in (*_seeds_lines(found.plan, found.measured), *_cost_lines(found, spec)):
        print_facts(console, {label: text}, width=_LABEL_WIDTH)
    for command in run_commands:
        lines = command_lines(command, console.width - _LABEL_WIDTH - GAP)
        print_facts(console, {"Command": "\n".join(lines)}, width=_LABEL_WIDTH)
    if not run_commands:
        none = f"none: a spec takes at most {MAX_SEEDS:,} seeds. Use a larger --difference."
        print_facts(console, {"Command": none}, width=_LABEL_WIDTH)
    _print_designs(found.plan, console)


def _seeds_lines(plan: SeedPlan, measured: Sequence[MeasuredDifference]) -> list[tuple[str, str]]:
    goal = plan.goal
    difference = format_difference(goal.metric, goal.difference, sign=False)
    adjusted = "" if goal.num_comparisons == 1 else f", adjusted for {goal.num_comparisons} comparisons"
    number = "more than 10,000" if plan.num_seeds is None else f"{plan.num_seeds:,}"
    power = "" if plan.num_seeds is None else f" (power {100 * plan.promised_power:.0f}%)"
    lines = [
        ("Noise", _noise_text(plan)),
        (
            "Goal",
            f"find a true difference of {difference} with {100 * goal.power:.4g}% power "
            f"at {100 * goal.confidence:.6g}% confidence{adjusted}",
        ),
        ("Fixed", f"{number} seeds per condition{power}"),
    ]
    for design in plan.designs:
        power = f"power {100 * design.power:.0f}%"
        if design.name == "sequential":
            step = "" if design.step == 1 else f" in steps of {design.step}"
            text = f"{design.first} to {design.most} seeds per condition{step} ({power}; "
            lines.append(("Sequential", f"{text}{_expected(design, plan):.1f} seeds expected at the goal)"))
        elif design.name == "spec":
            lines.append(("As stated", f"{design.most} seeds per condition ({power})"))
    if goal.margin is not None:
        margin = format_difference(goal.metric, goal.margin, sign=False)
        number = "more than 10,000" if plan.equivalence_seeds is None else f"{plan.equivalence_seeds:,}"
        text = f"within ±{margin} if there is no difference: {number} seeds per condition"
        lines.append(("Equivalence", text))
        if goal.difference < goal.margin:
            lines.append(("", f"{difference} is within the equivalence margin; use a smaller --margin."))
    for one in measured:
        needed = one.seeds_needed
        number = "more than 10,000" if needed is None else f"about {rounded_seeds(needed):,}"
        text = f"{one.condition} {format_difference(goal.metric, one.difference)} with {one.n} pairs; "
        text += f"if the true difference equals it, {number} seeds are needed (80% power)"
        lines.append(("Measured", text))
    return lines


def _expected(design: DesignPlan, plan: SeedPlan) -> float:
    """Return the expected seeds at the difference to find."""
    return next(one.expected_seeds for one in design.outcomes if one.difference == plan.goal.difference)


def _noise_text(plan: SeedPlan) -> str:
    metric, noise = plan.goal.metric, plan.noise
    sd = format_difference(metric, noise.sd_difference, sign=False)
    start = f"paired differences in {metric_info(metric).label} have"
    if noise.sd_degrees == float("inf"):
        return f"{start} an assumed SD of {sd} ({noise.source})"
    low, high = (format_difference(metric, end, sign=False) for end in noise.interval())
    return f"{start} an SD of {sd} ({noise.source}; 95% interval {low.split()[0]} to {high})"


def _cost_lines(found: "PlanResult", spec: Path) -> list[tuple[str, str]]:
    plan, done, num_conditions = found.plan, found.finished, len(found.conditions)
    seconds = found.run_seconds
    if plan.num_seeds is None:
        return []
    total = plan.num_seeds * num_conditions
    missing = total - sum(seed < plan.num_seeds for _, seed in done)
    lines = [("Runs", f"{missing:,} of {total:,} to train for the fixed design")]
    if seconds is None:
        first = shlex.join(["dropout-lab", "run", str(spec), "--seeds", "1"])
        return [*lines, ("Time", f"unknown (no finished run); train one with `{first}`")]
    text = f"about {format_duration(missing * seconds)} for them"
    for design in plan.designs:
        if design.name == "sequential":
            expected = _expected(design, plan)
            num_left = max(0.0, expected * num_conditions - sum(seed < expected for _, seed in done))
            text += f", {format_duration(num_left * seconds)} expected for the sequential design"
    device_name = found.device_name or "an unknown device"
    return [*lines, ("Time", f"{text} ({format_duration(seconds)} per run on {device_name})")]


def _print_designs(plan: SeedPlan, console: "SafeConsole") -> None:
    if not plan.designs:
        return
    rows = []
    for design in plan.designs:
        for index, outcome in enumerate(design.outcomes):
            rows.append(
                (
                    design.label if index == 0 else "",
                    format_difference(plan.goal.metric, outcome.difference, sign=False),
                    f"{100 * outcome.found:.0f}%",
                    f"{100 * outcome.equivalent:.0f}%",
                    f"{outcome.expected_seeds:.1f}",
                )
            )
    console.print()
    print_table(
        console,
        TextTable(
            "",
            ("Design", "True difference", "Found", "Equivalent", "Expected seeds"),
            tuple(rows),
        ),
    )
