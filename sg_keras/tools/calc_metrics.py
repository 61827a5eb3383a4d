"""Score a network's images, or images of any origin, against real ones.

    python -m sg_keras.tools.calc_metrics --network=RUN_DIR --metrics=fd5k,kd5k
    python -m sg_keras.tools.calc_metrics --network=RUN_DIR@100 --network=RUN_DIR@200 --metrics=kd1k
    python -m sg_keras.tools.calc_metrics --images=samples --data=photos.zip --metrics=fd1k,kd1k,coverage1k --json
    python -m sg_keras.tools.calc_metrics --network=RUN_DIR --metrics=fid50k_full --inception=inception-2015-12-05.tgz

EfficientNet-Lite0, which comes along, sees the images. A score's number is that of the fakes; all
reals count. Compare scores of one name and one data set only. Of fd, kd and mind the lower one is
the better, of precision, recall, density, coverage and is the higher; authpct near 0 means copies.
Nothing is downloaded for these. Published scores (fid50k_full, kid50k_full, is50k, pr50k3_full,
ppl2_wend, eqt50k_int, eqr50k ...) take the networks that --inception and --vgg16 name.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.files.printable import printable
from sg_keras.flags.arguments import normalise
from sg_keras.flags.command_line import check_required, read_values
from sg_keras.flags.metric_options import CALC_METRICS_OPTIONS
from sg_keras.flags.tool_options import tool_help_text
from sg_keras.tools.entry import run_words
from sg_keras.tools.network_option import named_errors
from sg_keras.tools.quiet_start import load_quietly
from sg_keras.tools.score_comparison import changes, check_comparable, earlier_scores
from sg_keras.tools.score_curve import write_curve
from sg_keras.tools.scored_images import Compared, is_reference, needs_reals, opened_fakes
from sg_keras.tools.shown_progress import ShownProgress, stages

if TYPE_CHECKING:
    from sg_keras.metrics.record import Score


def main(argv: Sequence[str] | None = None) -> int:
    """Score as the command line says; returns the exit status."""
    return run_words(_run, lambda: tool_help_text(__doc__ or "", CALC_METRICS_OPTIONS), argv)


def _run(words: list[str]) -> int:
    every = _values(words)
    load_quietly("tensorflow", "keras")
    tables: dict[str, list[Score]] = {}
    with contextlib.ExitStack() as stack:
        compared = Compared(every[0], stack)
        for values in every:
            scored = values["images"] or values["network"]
            tables[scored] = _scores(values, compared)
            check_comparable(f"--network={scored}", tables[scored], next(iter(tables.values())))
            _tell(scored, tables[scored], every[0]["against"])
        compared.keep_reference()
    if every[0]["curve"]:
        written = write_curve(every[0]["curve"], tables)
        print(printable(f"Wrote {' and '.join(map(str, written))}"))
    if every[0]["json"]:
        records = {scored: {score.name: score.as_json() for score in found} for scored, found in tables.items()}
        print(json.dumps(records if len(records) > 1 else next(iter(records.values()))))
    return 0


def _values(words: Sequence[str]) -> list[dict[str, Any]]:
    """Values by key, for each of the networks, which alone may be named several times."""
    arguments = normalise(words, CALC_METRICS_OPTIONS)
    networks = [argument for argument in arguments if argument.option.key == "network"]
    others = [argument for argument in arguments if argument not in networks]
    every = []
    for network in [[one] for one in networks] or [[]]:
        values, typed = read_values([*others, *network], CALC_METRICS_OPTIONS)
        check_required(typed, CALC_METRICS_OPTIONS)
        every.append(values)
    if bool(networks) == bool(every[0]["images"]):
        found = "both" if networks else "neither"
        raise ValueError(f"--network, --images: found {found}, expected one of them: what is scored")
    known = every[0]["data"] or is_reference(every[0]["reference"]) or not needs_reals(every[0]["metrics"])
    if every[0]["images"] and not known:
        raise ValueError("--data: found none, expected the reals that --images is compared with")
    return every


def _scores(values: dict[str, Any], compared: Compared) -> list[Score]:
    """Scores of one network, or of --images."""
    from sg_keras.metrics.evaluation import evaluate

    reals = compared.reals_for(values)
    with opened_fakes(values) as fakes, ShownProgress() as shown:
        return evaluate(
            values["metrics"], reals, fakes, compared.extractors, cache=compared.cache, on_progress=stages(shown)
        )


def _tell(scored: str, scores: Sequence[Score], against: str | None) -> None:
    print(printable(f"{scored}, 95% intervals:"))
    print("\n".join(_lines(scores)))
    if against:
        earlier = named_errors("--against", lambda: earlier_scores(against))
        check_comparable(f"--against={against}", scores, earlier)
        print("\n".join(changes(scores, earlier)))


def _lines(scores: Sequence[Score]) -> Iterator[str]:
    """What people see of scores."""
    from sg_keras.metrics.record import few_authentic

    for score in scores:
        yield f"  {score.full_name:<28}{score.value:>12.5g}   ({score.low:.5g} to {score.high:.5g})"
    few = [score for score in scores if score.name.startswith(("fd", "fid")) and _is_singular(score)]
    if few:
        width = few[0].fingerprint["num_features"]
        yield f"  {few[0].name} of {width} images or fewer depends on their number more than kd and mind do"
    for note in dict.fromkeys(score.fingerprint.get("note") for score in scores):
        if note:
            yield f"  {note}"
    if few_authentic(scores):
        yield f"  {few_authentic(scores)}"


def _is_singular(score: Score) -> bool:
    """Whether there are too few images for covariances of full rank."""
    return min(score.fingerprint["num_real"], score.fingerprint["num_fake"]) <= score.fingerprint["num_features"]


if __name__ == "__main__":
    sys.exit(main())
