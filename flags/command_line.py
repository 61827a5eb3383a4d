"""The whole way from the words of a command line to what they ask for."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from absl import flags as absl_flags

from sg_keras.config import Cluster, ResumeRequest, TrainingConfig, TrainingOptions
from sg_keras.config.gamma_rule import suggested_gamma
from sg_keras.config.metric_specs import DEFAULT_METRIC, FEWEST_REALS, default_metrics
from sg_keras.config.options.declaration import options_of
from sg_keras.flags.arguments import Argument, normalise
from sg_keras.flags.capacity_options import capacity_note, without_overruled
from sg_keras.flags.option_files import with_option_files
from sg_keras.flags.options import BY_KEY, OPTIONS, REQUIRED, Option, define_flags
from sg_keras.flags.port_names import PORT_OPTIONS, Understood, in_our_names, is_meant
from sg_keras.flags.resume_option import parse_resume
from sg_keras.flags.translate import check_combinations, make_config, read_cluster, read_dataset

#: Words that the published trainer of StyleGAN2-ADA has for networks.
_PUBLISHED_WORDS = ("ffhq256", "ffhq512", "ffhq1024", "celebahq256", "lsundog256")
_OF_PLANS = ("no_measure", "json", "price_per_hour", "memory_gb", "plan_png")
_PUBLISHED_NETWORKS = "networks have no names here: give the .pkl file or its address"


@dataclasses.dataclass(frozen=True, slots=True)
class PlanRequest:
    """What --plan is to do.

    Attributes:
        measure: whether steps are trained.
        json: print JSON.
        price_per_hour: of the machine, None = not known.
        memory_gb: that the largest micro-batch is to fit into, None = what there is.
        png: where the plan is drawn, None = nowhere.
    """

    measure: bool
    json: bool
    price_per_hour: float | None
    memory_gb: float | None
    png: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class ParsedCommandLine:
    """What a command line asks for.

    Attributes:
        config: the run, every default applied.
        resume: where to continue exactly, or None for a new run.
        dry_run: print and stop.
        notes: lines people should see, in any kind of run.
        plot_schedule: where a dry run draws the schedules.
        typed: keys of the options that were typed; the others have their defaults.
        cluster: workers that share the run, None = this one alone.
        plan: what is to be planned in place of a run, None = nothing.
    """

    config: TrainingConfig
    resume: ResumeRequest | None
    dry_run: bool
    notes: tuple[str, ...]
    typed: frozenset[str]
    plot_schedule: str | None = None
    cluster: Cluster | None = None
    plan: PlanRequest | None = None


def parse_command_line(
    argv: Sequence[str],
    *,
    open_dataset: Callable[..., Any] | None = None,
    count_gpus: Callable[[], int] | None = None,
    table: type[TrainingOptions] = TrainingOptions,
) -> ParsedCommandLine:
    """Parse, validate and resolve a command line.

    TensorFlow is loaded only after the options themselves are in order.

    Args:
        argv: the words after the program's name.
        open_dataset: as sg_keras.data.open_dataset, the default.
        count_gpus: how many GPUs there are; by default TensorFlow is asked, and only in a real run.
        table: the options that there are.

    Raises:
        ValueError: something cannot be used; one line with the option as typed, what was found and expected.
    """
    options = options_of(table)
    understood = _understood(argv, options)
    arguments = understood.arguments
    values, typed = read_values(arguments, options)
    check_required({**typed, "gamma": ""} if values["auto_gamma"] else typed, options)
    resume, transfer = _resume(values, typed)
    check_combinations(values, typed, options)
    cluster = read_cluster(values, typed, os.environ.get("TF_CONFIG", ""))
    _check_resume(values, typed, resume, cluster)
    dataset, data_notes = read_dataset(values, open_dataset or _open_dataset, table)
    understood.check_size(dataset.size)
    if not (values["dry_run"] or (values["plan"] and values["no_measure"])):
        _check_gpus(values["gpus"], count_gpus or _count_gpus)
    config = make_config(values, typed, dataset, transfer, cluster, table)
    empty = [argument.typed for argument in arguments if not argument.value.strip()]
    notes = [
        *understood.notes,
        *data_notes,
        *_notes(values, typed, dataset.num_images),
        *filter(None, [capacity_note(typed, config)]),
        *without_effect(values, typed, options),
        *(f"{name} is empty, which is taken for {name}=none" for name in dict.fromkeys(empty)),
        *_resume_notes(typed, resume, transfer),
        *_gamma_notes(values, config, resume),
        *_other_notes(values, typed, cluster),
    ]
    plan = _plan_request(values)
    return ParsedCommandLine(
        config, resume, values["dry_run"], tuple(notes), frozenset(typed), values["plot_schedule"], cluster, plan
    )


def _other_notes(values: Mapping[str, Any], typed: Mapping[str, str], cluster: Cluster | None) -> Iterator[str]:
    """Lines on options of dry runs and plans that were typed without these, and on workers that were not typed."""
    if values["plot_schedule"] is not None and not values["dry_run"]:
        yield f"{typed['plot_schedule']} has no effect without --dry-run"
    yield from (
        f"{typed[key]} has no effect without --plan" for key in _OF_PLANS if key in typed and not values["plan"]
    )
    if cluster is not None and values["workers_hosts"] is None:
        yield f"TF_CONFIG names {len(cluster.hosts)} workers, which share the run; this is number {cluster.index}"


def _plan_request(values: Mapping[str, Any]) -> PlanRequest | None:
    if not values["plan"]:
        return None
    known = {key: values[key] for key in ("json", "price_per_hour", "memory_gb")}
    return PlanRequest(measure=not values["no_measure"], png=values["plan_png"], **known)


def _understood(argv: Sequence[str], options: Sequence[Option]) -> Understood:
    """Arguments of the command line and of the files that it names, but for what it overrules of theirs."""
    meant = is_meant(argv)
    own = normalise(argv, [*options, *PORT_OPTIONS], nameless=BY_KEY["data"]) if meant else normalise(argv, options)
    arguments = without_overruled(with_option_files(own, options), own)
    return in_our_names(arguments, options) if meant else Understood(arguments)


def _check_resume(
    values: Mapping[str, Any], typed: Mapping[str, str], resume: ResumeRequest | None, cluster: Cluster | None
) -> None:
    if values["fork"] and resume is None:
        raise ValueError(f"{typed['fork']}: found it alone, expected --resume of a run or checkpoint beside it")
    if values["restart"] and resume is None:
        raise ValueError(f"{typed['restart']}: found it alone, expected --resume=latest or --resume=RUN_DIR beside it")
    if values["fork"] and cluster is not None:
        raise ValueError(
            f"{typed['fork']}: found {len(cluster.hosts)} workers, expected one: fork on one, and let all go on with "
            "--resume=latest"
        )


def _resume_notes(typed: Mapping[str, str], resume: ResumeRequest | None, transfer: str | None) -> list[str]:
    notes = []
    if "data_changed" in typed and resume is None:
        notes.append(f"{typed['data_changed']} has no effect without --resume of a run or checkpoint")
    for name in ("resume_partial", "graft"):
        if name in typed and resume is None and transfer is None:
            notes.append(f"{typed[name]} has no effect without --resume=NETWORK")
    return notes


def read_values(
    arguments: Sequence[Argument], options: Sequence[Option] = OPTIONS
) -> tuple[dict[str, Any], dict[str, str]]:
    """Values of all options by key, and the spelling of those that were typed. The last of several counts.

    Raises:
        ValueError: values cannot be used: all of them, in one line.
    """
    flag_values = absl_flags.FlagValues()
    define_flags(flag_values, options)
    typed, problems = {}, []
    for argument in arguments:
        typed[argument.option.key] = argument.typed
        if argument.option.is_none(argument.value):
            flag_values[argument.option.key].unparse()  # to the default, also after another value
            continue
        try:
            flag_values[argument.option.key].parse(argument.value)
        except absl_flags.IllegalFlagValueError as error:
            problems.append(f"{argument.typed}: {error.__context__}")
    if problems:
        raise ValueError("; ".join(problems))
    given = {option.key: flag_values[option.key].value for option in options}
    return {option.key: option.default if given[option.key] is None else given[option.key] for option in options}, typed


def check_required(typed: Mapping[str, str], options: Sequence[Option] = OPTIONS) -> None:
    """Raise a ValueError that names the required options which were not typed."""
    missing = [f"--{option.name}" for option in options if option.group == REQUIRED and option.key not in typed]
    if missing:
        raise ValueError(f"{', '.join(missing)}: found nothing, expected a value; required (see --help)")


def _resume(values: Mapping[str, Any], typed: Mapping[str, str]) -> tuple[ResumeRequest | None, str | None]:
    if values["resume"] is None:
        return None, None
    try:
        source = parse_resume(values["resume"], values["outdir"])
    except ValueError as error:
        published = f"; {_PUBLISHED_NETWORKS}" if values["resume"].lower() in _PUBLISHED_WORDS else ""
        raise ValueError(f"{typed['resume']}: {error}{published}") from error
    if not isinstance(source, ResumeRequest):
        return None, source
    source = dataclasses.replace(
        source,
        fork=values["fork"],
        batch_gpu_typed="batch_gpu" in typed,
        auto_gamma=values["auto_gamma"],
        data_changed=values["data_changed"] == "accept",
    )
    if not values["restart"]:
        return source, None
    try:
        return dataclasses.replace(source, restart=True), None
    except ValueError as error:
        raise ValueError(f"{typed['restart']}: {str(error).removeprefix('restart: ')}") from error


def _check_gpus(gpus: int, count_gpus: Callable[[], int]) -> None:
    available = count_gpus() if gpus else 0
    if gpus > available:
        raise ValueError(
            f"--gpus: found {gpus}, expected at most {available}, which is how many GPUs TensorFlow sees "
            "on this machine (--gpus=0 trains on the CPU)"
        )


def _open_dataset(path: str, **options: Any) -> Any:
    from sg_keras.data import open_dataset

    return open_dataset(path, **options)


def _count_gpus() -> int:
    import tensorflow as tf

    return len(tf.config.list_physical_devices("GPU"))


def _gamma_notes(values: Mapping[str, Any], config: TrainingConfig, resume: ResumeRequest | None) -> Iterator[str]:
    if not values["auto_gamma"]:
        return
    kept = "a run that is continued keeps its own; a new one has " if resume is not None and not resume.fork else ""
    source = suggested_gamma(config.generator.cfg, config.dataset.size, config.batch).source
    yield f"gamma: {kept}{source} (--auto_gamma; docs/training_configs.md says how to go on from there)"


def _notes(values: Mapping[str, Any], typed: Mapping[str, str], num_images: int) -> list[str]:
    notes = []
    if "metrics" not in typed and default_metrics(num_images):
        notes.append(
            f"metrics: each snapshot is scored by {DEFAULT_METRIC}, which needs no download (published default: "
            "fid50k_full); --metrics=none leaves it out"
        )
    elif "metrics" not in typed:
        notes.append(
            f"metrics: none, since {num_images} images are fewer than the {FEWEST_REALS:,} that {DEFAULT_METRIC} "
            "should have; --metrics=kd1k and the like score them all the same"
        )
    full = values["fp32"] or values["precision"] == "float32" or (values["precision"] is None and not values["gpus"])
    if full and "num_fp16_res" in typed:
        notes.append(f"{typed['num_fp16_res']} has no effect in full precision")
    return notes


def without_effect(
    values: Mapping[str, Any], typed: Mapping[str, str], options: Sequence[Option] = OPTIONS
) -> Iterator[str]:
    """A line on each option that was typed but has no effect, by its declaration."""
    for option in options:
        if option.key not in typed:
            continue
        if option.no_effect:
            yield f"{typed[option.key]} has no effect: {option.no_effect}"
        other = option.only_with
        if other is not None and not other.is_refused and values[other.key] not in other.values:
            yield f"{typed[option.key]} has no effect without --{BY_KEY[other.key].name}={' or '.join(other.values)}"
