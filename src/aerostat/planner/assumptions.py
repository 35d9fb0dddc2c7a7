"""What an answer rests on, in sentences: printed with every plan."""

from aerostat.planner.constants import DAY_S, REPORTED_RATIO, RESERVE_RATIO
from aerostat.planner.plan import Plan
from aerostat.planner.question import Question
from aerostat.present.wording import format_percent
from aerostat.units import format_duration, format_size


def assumptions(plan: Plan) -> tuple[str, ...]:
    """All of them."""
    question, part = plan.question, plan.training
    said = [
        (
            f"VMs stand together at random, a {_block(plan)} at a time; those to come are like "
            "those in the trace, and move no work among each other."
        ),
        (
            f"A host keeps {format_percent(RESERVE_RATIO)} of its "
            f"{format_size(question.host_bytes)} for itself. A number of VMs fits if at most "
            f"{question.unmet_ratio_max:.2%} of what they want is lacking and the host is short "
            f"in at most {question.pressed_ratio_max:.2%} of the time."
        ),
        (
            "Where every VM has its own memory, hosts are filled in random order until the next "
            "VM does not fit; nothing lacks then, and its number is the mean."
        ),
        (
            "What a trace calls used is taken for what a VM wants. Page cache is not in it: "
            "without balloons real guests fill their memory with it, and fewer fit."
        ),
        (
            "Without balloons, what a VM once touched stays with it. The host's swap does not "
            "know what is in use: of what goes out, as much is as of all that is resident."
        ),
        (
            f"Free page reporting gives {format_percent(question.reported_ratio)} of what is no "
            f"longer in use back ({_source(question)}). Beside balloons it makes no more VMs "
            "fit, since targets are promises; it frees the host's memory meanwhile."
        ),
        (
            f"zswap takes up to {format_percent(question.pool_ratio)} of RAM, and a page "
            f"{format_percent(question.compressed_ratio)} of its size in it. What is compressed is "
            "there, but slower: its share is shown."
        ),
        (
            f"Ballooning is the fleet simulator with `adaptive`, asked every {part.tick_s:g} s "
            "(the daemon looks twice a second), balloons at published speeds; simulated."
        ),
        (
            f"The range is where 90 % of {question.resamples} resamples of VMs and "
            f"{_block(plan)}s lie, {question.hosts_a_resample} hosts each; seed {question.seed}."
        ),
    ]
    most = plan.ballooned.fit.guests
    if most > part.vms:
        said.append(
            f"The trace has {part.vms} VMs: on a host of {most} some stand twice, in step, which "
            "is worse than life."
        )
    if part.block_s < DAY_S:
        said.append(
            f"The trace is short: resamples are of {format_duration(part.block_s)}, and nothing is "
            "known of other times of day or days of the week."
        )
    return tuple(said)


def _source(question: Question) -> str:
    if question.reported_ratio == REPORTED_RATIO:
        return "published, one build; --reported takes yours"
    return "as told"


def _block(plan: Plan) -> str:
    return "day" if plan.training.block_s >= DAY_S else "while"
