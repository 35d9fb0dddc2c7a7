"""An experiment whose every free text tries to break out of the page."""

from dataclasses import replace

from aerostat.lab.recording import Experiment, Phase, SpokenDecision
from aerostat.units import MIB
from lab_report.rows import arm, experiment, sample, second

HOSTILE = '</script><script>window.hijacked=1</script><img src=x onerror="window.hijacked=1">$x\'`'


def hostile_experiment() -> Experiment:
    recording = replace(
        arm([second(at, sample(), guest=HOSTILE) for at in (1.0, 2.0)], policy=HOSTILE),
        phases=(Phase(start_s=0.0, end_s=2.0, hot_bytes={HOSTILE: 5 * MIB}),),
        decisions=(SpokenDecision(elapsed_s=1.0, guest=HOSTILE, words=HOSTILE),),
    )
    broken = arm([second(1, sample(), guest=HOSTILE)], why_invalid=HOSTILE)
    return replace(
        experiment(recording, broken),
        name=HOSTILE,
        machine={HOSTILE: HOSTILE},
        world={"command": HOSTILE, HOSTILE: [HOSTILE, {HOSTILE: HOSTILE}]},
        guest_max_bytes={HOSTILE: 512 * MIB},
        notes=(HOSTILE,),
    )
