"""Does jobs, each of which ends one run; the failure of one stays with that one."""

import signal
from collections.abc import Callable, Sequence

from dropout_lab.errors import Interrupted
from dropout_lab.runs.failures import interrupted, worded
from dropout_lab.runs.outcome import Report, RunOutcome
from dropout_lab.runs.reporter import Reporter
from dropout_lab.runs.stopping import StopRequest

Job = tuple[str, Callable[[], RunOutcome]]
"""Name of a run, and what executes it."""


def work(jobs: Sequence[Job], reporter: Reporter, stop: StopRequest, *, fail_fast: bool = False) -> Report:
    """Do jobs one after the other, and report each one's end.

    Args:
        jobs: The jobs.
        reporter: Progress callbacks.
        stop: No job is started once it holds a signal.
        fail_fast: Whether no job is started after the first failure.
    """
    report = Report()
    for name, job in jobs:
        if stop.signal_number and not report.ended_early:
            report.interrupted = interrupted(f"stopped before {name}.", stop.signal_number)
            report.ended_early = True
        if report.ended_early:
            report.not_started.append(name)
            continue
        try:
            outcome = job()
        except Interrupted as error:
            report.interrupted = error
            report.ended_early = True
        except KeyboardInterrupt:
            report.interrupted = interrupted(f"{name} stopped.", signal.SIGINT)
            report.ended_early = True
        except Exception as error:
            failure = worded(name, error)
            report.failures.append(failure)
            reporter.failed(failure)
            report.ended_early = fail_fast or failure.stops_others
        else:
            report.outcomes.append(outcome)
            reporter.finished(outcome)
    return report
