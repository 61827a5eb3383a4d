"""A plan for people to read."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from sg_keras.planning.pace import Pace
from sg_keras.planning.plan import Plan

_LABEL, _WIDTH = 12, 108  # characters: of the labels, of what stands beside them
_GIGA, _MEGA = 1e9, 1e6
_PARTS = {
    "process": "Python, TensorFlow",
    "graphs": "graphs",
    "networks": "G, D and G_ema",
    "optimizers": "Adam",
    "gradients": "gradients",
    "activations": "activations",
    "backward": "their gradients",
    "batches": "batches",
    "grids": "grids of images",
    "fragmented": "heap",
}


def part_name(part: str) -> str:
    """What a part of the memory is called."""
    return _PARTS[part]


def plan_text(plan: Plan) -> str:
    """A plan in lines."""
    sections = {
        "Parameters": _parameters(plan),
        "Operations": _operations(plan),
        "Memory": _memory(plan),
        "batch-gpu": _batch_gpu(plan),
        "Time": _time(plan),
        "Disk": _disk(plan),
        "Faster": _faster(plan),
        "Nearest": _nearest(plan),
    }
    lines = [f"Plan (nothing is written): {_run(plan)}"]
    for label, section in sections.items():
        shown = list(section)
        lines += [f"{label if number == 0 else '':<{_LABEL}}{line}" for number, line in enumerate(shown)]
    return "\n".join(line.rstrip() for line in lines)


def duration(seconds: float) -> str:
    """Such as 12 s, 3 min, 5.2 h or 9.1 days."""
    for unit, size, most in (("s", 1, 100), ("min", 60, 100), ("h", 3600, 72)):
        if seconds < most * size:
            number = seconds / size
            return f"{number:.0f} {unit}" if number >= 10 or unit == "s" else f"{number:.1f} {unit}"
    return f"{seconds / 86400:.1f} days"


def _three(number: float) -> str:
    """Three digits at least, without an exponent."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _run(plan: Plan) -> str:
    config = plan.config
    device = "GPU" if config.gpus else "CPU device"
    return (
        f"{config.generator.cfg} at {config.dataset.size}, {config.run.total_kimg:g} kimg, batch {config.batch} = "
        f"{config.num_replicas} {device}{'s' if config.num_replicas > 1 else ''} x {config.num_rounds} "
        f"round{'s' if config.num_rounds > 1 else ''} x {config.batch_gpu}"
    )


def _parameters(plan: Plan) -> Iterator[str]:
    counts = {name: count.parameters for name, count in plan.parameters.items()}
    yield (
        ", ".join(f"{name} {count:,}" for name, count in counts.items())
        + f"; together {sum(counts.values()) / 1e6:.1f} M"
    )


def _operations(plan: Plan) -> Iterator[str]:
    phases = []
    for name, cost in plan.phases.items():
        every = plan.intervals[name]
        phases.append(f"{name} {_three(cost.total / _GIGA)}" + (f" every {every}th time" if every > 1 else ""))
    yield f"{_three(plan.flops_per_image / _GIGA)} GFLOP an image: {', '.join(phases)}"


def _memory(plan: Plan) -> Iterator[str]:
    memory, measured = plan.memory, plan.measured
    rows = [("process", memory.process_bytes, 0 if measured is None else measured.peak_bytes)]
    if memory.on_gpu:
        rows.insert(0, ("each GPU", memory.device_bytes, 0 if measured is None else measured.device_bytes))
    for where, predicted, found in rows:
        line = f"{where}: {predicted / _GIGA:.2f} GB at its peak, in {memory.peak_phase}"
        yield line + (f"; measured {found / _GIGA:.2f} GB ({predicted / found - 1:+.1%})" if found else "")
    parts = [(part_name(part), size) for part, size in memory.parts() if size >= 0.5 * _MEGA]
    yield from _columns([(name, f"{size / _MEGA:,.0f} MB") for name, size in parts], 3)
    yield f"{_three(memory.bytes_per_image / _MEGA)} MB for each image of a micro-batch"


def _columns(cells: Sequence[tuple[str, str]], count: int) -> Iterator[str]:
    """Names and values side by side, down the columns."""
    rows = -(-len(cells) // count)
    columns = [cells[start : start + rows] for start in range(0, len(cells), rows)]
    widths = [[max(len(cell[side]) for cell in column) for side in (0, 1)] for column in columns]
    for row in range(rows):
        yield "    ".join(
            f"{column[row][0]:<{name}}  {column[row][1]:>{value}}"
            for column, (name, value) in zip(columns, widths, strict=True)
            if row < len(column)
        )


def _batch_gpu(plan: Plan) -> Iterator[str]:
    if plan.available is None:
        yield "the largest that fits is not known: --memory_gb says what there is"
        return
    free = f"{plan.available / _GIGA:.1f} GB"
    if plan.largest_batch_gpu:
        most = f"with a larger --batch up to {plan.largest_micro_batch}"
        yield f"{plan.config.batch_gpu}; of this batch {plan.largest_batch_gpu} would fit into {free}, {most}"
    else:
        yield f"{plan.config.batch_gpu}; none fits into {free}"


def _time(plan: Plan) -> Iterator[str]:
    rows = [("on", "sec/kimg", "1st snapshot", "end", "price", "by"), *(_time_row(pace) for pace in plan.paces)]
    kept = [number for number in range(6) if number != 4 or any(pace.price is not None for pace in plan.paces)]
    widths = [max(len(row[number]) for row in rows) for number in range(6)]
    for row in rows:
        cells = [row[n].ljust(widths[n]) if n in (0, 5) else row[n].rjust(widths[n]) for n in kept]
        yield "  ".join(cells)
    if plan.measured is None:
        yield "GPUs' times are of the published code, by a model of its rows; nothing was measured here"
    for pace in plan.paces[:1]:
        if pace.phase_share:
            yield "share " + ", ".join(f"{name} {share:.0%}" for name, share in pace.phase_share.items())


def _time_row(pace: Pace) -> tuple[str, ...]:
    return (
        pace.device,
        f"{pace.sec_per_kimg:.1f}",
        duration(pace.first_snapshot_sec),
        duration(pace.end_sec),
        "" if pace.price is None else f"{pace.price:,.2f}",
        pace.source,
    )


def _disk(plan: Plan) -> Iterator[str]:
    disk = plan.disk
    snapshots = f"{disk.snapshots} snapshot{'s' if disk.snapshots > 1 else ''} of {disk.snapshot_bytes / _MEGA:,.0f} MB"
    checkpoints = f"{disk.checkpoints} checkpoints of {disk.checkpoint_bytes / _MEGA:,.0f} MB"
    yield f"{disk.total_bytes / _GIGA:.2f} GB: {snapshots}, {checkpoints}"


def _faster(plan: Plan) -> Iterator[str]:
    width = max((len(each.change) for each in plan.advice), default=0)
    for each in plan.advice:
        yield f"{each.change:<{width}}  about {each.factor:.2f} times: {each.why}"
    if not plan.advice:
        yield "nothing that could be estimated"


def _nearest(plan: Plan) -> Iterator[str]:
    row = plan.nearest.row
    seconds = " and ".join(f"{sec:g} on {kind}" for kind, sec in row.sec_per_kimg.items())
    yield f"--recipe={row.name}, {seconds} sec/kimg, {row.gpu_gb:g} GB of each GPU as published"
    differences = [f"{option} {ours} ({theirs})" for option, ours, theirs in plan.nearest.differences]
    yield from textwrap.wrap("here (there): " + (", ".join(differences) or "nothing that counts differs"), _WIDTH)
