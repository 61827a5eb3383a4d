"""Values, defaults, dependent defaults, errors and notes."""

import dataclasses
import json
import pathlib

import pytest

from sg_keras.config import AugmentConfig, Cluster, DatasetConfig, RunConfig, TrainingOptions
from sg_keras.flags import parse_command_line
from sg_keras.flags.options import BY_KEY, OPTIONS
from tests.flags.conftest import REQUIRED

DRY = ["--dry-run"]
OF_PLANS = {"plan", "no_measure", "json", "price_per_hour", "memory_gb", "plan_png"}
PUBLISHED = {
    "outdir",
    "cfg",
    "data",
    "gpus",
    "batch",
    "gamma",
    "cond",
    "mirror",
    "aug",
    "resume",
    "freezed",
    "p",
    "target",
    "batch-gpu",
    "cbase",
    "cmax",
    "glr",
    "dlr",
    "map-depth",
    "mbstd-group",
    "desc",
    "metrics",
    "kimg",
    "tick",
    "snap",
    "seed",
    "fp32",
    "nobench",
    "workers",
    "dry-run",
}
OURS = {
    "z-dim",
    "w-dim",
    "sample-grid",
    "style_mixing_prob",
    "pl_weight",
    "g_arch",
    "d_arch",
    "no_const",
    "mapping_lrmul",
    "fmaps",
    "g_fmaps",
    "d_fmaps",
    "ema_kimg",
    "ema_rampup",
    "g_reg_interval",
    "d_reg_interval",
    "blur_fade_kimg",
    "blur",
    "capacity",
    *OF_PLANS,
    "auto_gamma",
    "beta2",
    "recipe",
    "flagfile",
    "schedule",
    "schedule_scale",
    "plot_schedule",
    "image_snap",
    "metrics_ticks",
    "metrics_share",
    "features",
    "inception",
    "vgg16",
    "stop_when",
    "ops",
    "debug",
    "cpu_devices",
    "checkpoint_minutes",
    "deterministic",
    "keep",
    "precision",
    "num_fp16_res",
    "augpipe",
    "ada_interval",
    "ada_kimg",
    "diffaug",
    "mirrory",
    "workers_hosts",
    "worker_index",
    "freeze",
    "resume_partial",
    "graft",
    "keep_every",
    "fork",
    "restart",
    "on_nan",
    "data_changed",
    "on_bad_image",
}


def get(config, field):
    for name in field.split("."):
        config = getattr(config, name)
    return config


def replaced(**options):
    """The required options with some exchanged."""
    return [word for word in REQUIRED if word[2:].split("=")[0] not in options] + [
        f"--{name}={value}" for name, value in options.items()
    ]


def test_every_option_is_there():
    assert {option.name for option in OPTIONS} == PUBLISHED | OURS


def test_defaults_agree_with_the_configuration_classes(parse):
    """The table of options and the dataclasses each state defaults: the same ones."""
    from sg_keras.flags.command_line import read_values

    values, _ = read_values([])
    for part in (TrainingOptions, DatasetConfig, RunConfig):
        for field in dataclasses.fields(part):
            undecided = field.name in ("desc", "metrics")
            if field.name in values and field.default is not dataclasses.MISSING and not undecided:
                assert values[field.name] == field.default, field.name
    assert parse(*DRY).config.run == RunConfig(outdir="runs")
    assert parse(*DRY, num_images=1000).config.run == RunConfig(outdir="runs", metrics=("kd5k",))


@pytest.mark.parametrize(
    "cfg, expected",
    [
        (
            "stylegan2",
            {
                "generator.mapping_layers": 8,
                "optimizer.g_lr": 0.002,
                "optimizer.d_lr": 0.002,
                "generator.channel_base": 32768,
                "generator.channel_max": 512,
                "loss.pl_weight": 2,
                "loss.style_mixing_prob": 0.9,
                "loss.g_reg_interval": 4,
                "loss.d_reg_interval": 16,
                "loss.blur_init_sigma": 0,
                "augment.mode": "ada",
                "augment.p": 0,
                "augment.target": 0.6,
                "augment.ada_kimg": 500,
                "augment.ada_interval": 4,
                "augment.pipe": "bgc",
                "augment.diffaug": ("color", "translation", "cutout"),
                "dataset.mirrory": False,
                "ema_kimg": 10,
                "ema_rampup": 0.05,
                "batch_gpu": 32,
                "seed": 0,
                "discriminator.mbstd_group_size": 4,
                "discriminator.mapping_layers": 8,
                "discriminator.freeze_layers": 0,
                "generator.conv_clamp": 256,
                "discriminator.conv_clamp": 256,
                "dataset.c_dim": 0,
                "dataset.mirror": False,
                "dataset.workers": 3,
                "run.total_kimg": 25000,
                "run.tick_kimg": 4,
                "run.snapshot_ticks": 50,
                "run.image_snapshot_ticks": 50,
                "run.metrics": (),
                "run.desc": "",
                "precision": "float32",
                "ops": "auto",
                "resume": None,
            },
        ),
        (
            "stylegan3-t",
            {
                "generator.mapping_layers": 2,
                "optimizer.g_lr": 0.0025,
                "optimizer.d_lr": 0.002,
                "generator.channel_base": 32768,
                "generator.channel_max": 512,
                "loss.pl_weight": 0,
                "loss.style_mixing_prob": 0,
                "loss.g_reg_interval": None,
                "loss.blur_init_sigma": 0,
                "generator.magnitude_ema_beta": 0.5 ** (32 / 20000),
            },
        ),
        (
            "stylegan3-r",
            {
                "generator.mapping_layers": 2,
                "optimizer.g_lr": 0.0025,
                "generator.channel_base": 65536,
                "generator.channel_max": 1024,
                "discriminator.channel_base": 32768,
                "discriminator.channel_max": 512,
                "loss.g_reg_interval": None,
                "loss.blur_init_sigma": 10,
                "loss.blur_fade_kimg": 200,
            },
        ),
    ],
)
def test_defaults_that_follow_from_cfg(parse, cfg, expected):
    config = parse(*DRY, required=replaced(cfg=cfg)).config
    assert {field: get(config, field) for field in expected} == expected


@pytest.mark.parametrize(
    "words, field, expected",
    [
        (["--batch=64"], "ema_kimg", 20),
        (["--batch=64"], "batch_gpu", 64),
        (["--cpu_devices=2"], "batch_gpu", 16),
        (["--gpus=8"], "batch_gpu", 4),
        (["--batch-gpu", "8"], "num_rounds", 4),
        (["--batch_gpu=8", "--cpu-devices=2"], "num_rounds", 2),
        (["--cond=1"], "dataset.c_dim", 10),
        (["--cond", "no"], "dataset.c_dim", 0),
        (["--mirror", "1"], "dataset.mirror", True),
        (["--mirror=Yes"], "dataset.mirror", True),
        (["--aug=fixed"], "augment.p", 0.2),
        (["--aug=fixed", "--p=0.7"], "augment.p", 0.7),
        (["--aug=NoAug"], "augment.mode", "noaug"),
        (["--target=0.5"], "augment.target", 0.5),
        (["--fp32=1"], "generator.conv_clamp", None),
        (["--fp32=1"], "discriminator.conv_clamp", None),
        (["--precision=float32"], "generator.conv_clamp", 256),
        (["--precision=bfloat16"], "generator.num_fp16_res", 4),
        (["--precision=bfloat16", "--num-fp16-res=2"], "discriminator.num_fp16_res", 2),
        (["--precision=bfloat16", "--num-fp16-res=0;4 from 5"], "generator.num_fp16_res", "0; 4 from 5"),
        (
            ["--precision=auto", "--num_fp16_res=0;4 from 5", "--schedule_scale=0.5"],
            "discriminator.num_fp16_res",
            "0; 4 from 2.5",
        ),
        (["--precision=bfloat16", "--num_fp16_res=2", "--schedule_scale=0.5"], "generator.num_fp16_res", 2),
        (["--precision=auto"], "precision", "auto"),
        (["--precision=auto", "--fp32=1"], "precision", "float32"),
        (["--num_fp16_res=3"], "generator.num_fp16_res", 0),
        (["--gpus=1"], "precision", "float16"),
        (["--gpus=1", "--precision=auto"], "precision", "float16"),
        (["--gpus=1"], "discriminator.num_fp16_res", 4),
        (["--gpus=1", "--fp32=1"], "precision", "float32"),
        (["--gpus=1", "--precision=float32"], "generator.conv_clamp", 256),
        (["--ema_rampup=0"], "ema_rampup", None),
        (["--ema-rampup=0.1"], "ema_rampup", 0.1),
        (["--resume=https://example.org/net.pkl"], "ema_rampup", None),
        (["--resume=https://example.org/net.pkl"], "augment.ada_kimg", 100),
        (["--resume=https://example.org/net.pkl", "--cfg=stylegan3-r"], "loss.blur_init_sigma", 0),
        (["--resume=https://example.org/net.pkl", "--ema_rampup=0.1"], "ema_rampup", 0.1),
        (["--resume=https://example.org/net.pkl"], "resume", "https://example.org/net.pkl"),
        (["--resume=latest"], "resume", None),
        (["--resume=latest"], "ema_rampup", 0.05),
        (["--resume=https://example.org/net.pkl"], "resume_partial", False),
        (["--resume=https://example.org/net.pkl", "--resume-partial=1"], "resume_partial", True),
        (["--resume=latest", "--resume_partial=1"], "resume_partial", False),  # what the saved run says
        (["--resume=https://example.org/net.pkl", "--graft=1"], "graft", True),
        (["--resume=latest", "--graft=1"], "graft", False),
        (["--freezed=10"], "discriminator.freeze_layers", 10),
        (["--freeze=D:first4;g:<=16px until 5 kimg"], "freeze", "d:first4; g:<=16px until 5kimg"),
        (["--freeze=none"], "freeze", ""),
        (["--snap=10"], "run.image_snapshot_ticks", 10),
        (["--snap=10", "--image_snap=2"], "run.image_snapshot_ticks", 2),
        (["--sample-grid=10x4"], "run.sample_grid", (10, 4)),
        (["--kimg=0.5"], "run.total_kimg", 0.5),
        (["--metrics=none"], "run.metrics", ()),
        (["--metrics=fid50k_full,eqr50k"], "run.metrics", ("fid50k_full", "eqr50k")),
        (["--keep=5"], "run.keep_checkpoints", 5),
        (["--checkpoint_minutes=0"], "run.checkpoint_minutes", 0),
        (["--g_arch=orig"], "generator.architecture", "orig"),
        (["--d-arch", "skip"], "discriminator.architecture", "skip"),
        (["--z-dim=64", "--w_dim=32"], "generator.w_dim", 32),
        (["--deterministic"], "run.deterministic", True),
        (["--ops=reference"], "ops", "reference"),
        (["--seed=1", "--seed=2"], "seed", 2),
        (["--d_reg_interval=8"], "loss.d_reg_interval", 8),
        (["--g_reg_interval=8"], "loss.g_reg_interval", 8),
        (["--cfg=stylegan3-r", "--blur_fade_kimg=10"], "loss.blur_fade_kimg", 10),
        (["--cfg=stylegan3-r", "--blur_fade_kimg=0"], "loss.blur_init_sigma", 0),
        (["--nobench=1"], "run.nobench", True),
        (["--workers=1"], "dataset.workers", 1),
        (["--debug"], "run.debug", True),
        (["--glr=1e-3"], "optimizer.g_lr", 0.001),
        (["--map_depth=12"], "generator.mapping_layers", 12),
        (["--mapping-lrmul=0.02"], "generator.mapping_lrmul", 0.02),
        (["--no-const=1"], "generator.no_const", True),
        (["--fmaps=8:64,4:64,16:32,32:16,64:16"], "discriminator.fmaps", "4:64,8:64,16:32,32:16,64:16"),
        (["--fmaps=4:4,8:4,16:4,32:2", "--g_fmaps=4:4,8:4,16:4,32:4"], "generator.fmaps", "4:4,8:4,16:4,32:4"),
        (["--g-fmaps=4:4,8:4,16:4,32:4"], "discriminator.fmaps", ""),
        (["--desc=two words"], "run.desc", "two words"),
    ],
)
def test_options_reach_their_fields(parse, words, field, expected):
    value = get(parse(*words, *DRY).config, field)
    assert value == expected and type(value) in (type(expected), float)


@pytest.mark.parametrize(
    "words, message",
    [
        (["--batch=abc"], "--batch: found 'abc', expected a whole number, 1 or more"),
        (["--batch=0"], "--batch: found 0, expected a whole number, 1 or more"),
        (["--batch_gpu=0"], "--batch_gpu: found 0, expected"),
        (["--batch-gpu=1.5"], "--batch-gpu: found '1.5', expected"),
        (["--gamma=-1"], "--gamma: found '-1', expected a number, 0 or more"),
        (["--gamma=nan"], "--gamma: found 'nan'"),
        (["--kimg=inf"], "--kimg: found 'inf', expected a number above 0"),
        (["--tick=0"], "--tick: found '0'"),
        (["--p=1.5"], "--p: found '1.5', expected a number from 0 to 1"),
        (["--cfg=stylegan4"], "--cfg: found 'stylegan4', expected stylegan2, stylegan3-t or stylegan3-r"),
        (["--aug=adda"], "--aug: found 'adda', expected noaug, ada, fixed or diffaug"),
        (["--augpipe=bcg"], "--augpipe: found 'bcg', expected blit, geom, color, filter"),
        (["--ada-interval=0"], "--ada-interval: found 0, expected a whole number, 1 or more"),
        (["--ada_kimg=0"], "--ada_kimg: found '0', expected a number above 0"),
        (["--diffaug=color,blur"], "--diffaug: found 'color,blur', expected one or more of color,translation,cutout"),
        (["--diffaug="], "--diffaug: found '', expected one or more of"),
        (["--mirrory=2"], "--mirrory: found '2', expected 0 or 1"),
        (["--mirror=2"], "--mirror: found '2', expected 0 or 1"),
        (["--snap=0"], "--snap: found 0"),
        (["--seed=-1"], "--seed: found -1, expected a whole number, from 0 to 2147483647"),
        (["--sample-grid=10"], "--sample-grid: found '10', expected columns x rows such as 10x10"),
        (["--sample_grid=0x4"], "--sample_grid: found '0x4'"),
        (["--metrics=fid"], "--metrics: found 'fid', expected some of fd5k, kd5k"),
        (["--features=vgg"], "--features: found 'vgg', expected effnetlite0, boxes or discriminator:RUN"),
        (["--metrics_share=0"], "--metrics_share: found 0.0, expected above 0 and at most 1"),
        (["--stop_when=soon"], "--stop_when: found 'soon', expected a condition such as 'kd5k has not improved for"),
        (["--stop_when=fd5k not improved for 1kimg"], "--stop_when: found 'fd5k', expected one of --metrics, none"),
        (["--desc=a/b"], "--desc: found 'a/b', expected text, without slashes"),
        (["--outdir="], "--outdir: found ''"),
        (["--batch_gpu=some"], "--batch_gpu: found 'some', expected a whole number, 1 or more, or auto"),
        (["--mapping_lrmul=0"], "--mapping_lrmul: found '0', expected a number above 0"),
        (["--fmaps=4:64,16"], "--fmaps: found 16, expected RESOLUTION:CHANNELS for each power of two from 4 on"),
        (["--fmaps=4:64,16:64"], "--fmaps: found 4:64,16:64, which says nothing of 8 and 32, expected RESOLUTION"),
        (["--d-fmaps=4:64,8:64,16:64"], "--d-fmaps: found 4:64,8:64,16:64, which says nothing of 32, expected"),
        (["--fmaps=4:4,8:4,16:4,32:4", "--cmax=8"], "--fmaps: found --cmax=8 beside it, expected one of the two"),
        (
            ["--g_fmaps=4:4,8:4,16:4,32:4", "--d_fmaps=4:4,8:4,16:4,32:4", "--capacity=l"],
            "--g_fmaps: found --capacity=l beside it, expected one of the two, with --z-dim",
        ),
        (["--cbase=16"], "--cbase: found 16, expected 32 or more"),
        (
            ["--cfg=stylegan3-t", "--no_const=1"],
            "--no_const: found True with --cfg=stylegan3-t, expected it with --cfg",
        ),
        (["--gpus=1", "--cpu_devices=2"], "--cpu_devices: found 2 with --gpus=1"),
        (["--cfg=stylegan3-t", "--pl_weight=2"], "--pl_weight: found 2.0 with --cfg=stylegan3-t"),
        (
            ["--blur_fade_kimg=1"],
            "--blur_fade_kimg: found 1.0 with --cfg=stylegan2, expected it with --cfg=stylegan3-r",
        ),
        (["--fp32=1", "--precision=float16"], "--precision: found float16 with --fp32=1"),
        (["--precision=float16"], "--precision: found 'float16' with --gpus=0, expected bfloat16, float32 or auto"),
        (["--workers_hosts=a:1"], "--workers_hosts: found 'a:1', expected two or more workers as name:port,name:port"),
        (["--workers_hosts=a:1,b"], "--workers_hosts: found 'b', expected name:port"),
        (["--workers_hosts=a:1,b:1", "--worker-index=2"], "--worker-index: found 2, expected 0 to 1"),
        (["--worker_index=1"], "--worker_index: found it alone, expected --workers_hosts beside it"),
        (["--workers_hosts=a:1,b:1", "--cpu_devices=2"], "--cpu_devices: found 2 with --workers_hosts, expected 1"),
        (["--freeze=mapping"], "--freeze: found 'mapping', expected NETWORK:PART"),
        (["--freeze=g:first4"], "--freeze: found 'g:first4', expected firstN of d alone"),
        (
            ["--cfg=auto"],
            "--cfg: found 'auto', expected stylegan2, stylegan3-t or stylegan3-r (docs/training_configs.md",
        ),
        (
            ["--cfg=stylegan2-ada"],
            "--cfg: found 'stylegan2-ada', expected stylegan2, stylegan3-t or stylegan3-r (did you mean styl",
        ),
        (
            ["--cfg=stylegan3"],
            "--cfg: found 'stylegan3', expected stylegan2, stylegan3-t or stylegan3-r (did you mean stylegan3-t",
        ),
        (["--aug=none"], "--aug: found 'none', expected noaug, ada, fixed or diffaug (did you mean noaug?)"),
        (
            ["--precision=bf16"],
            "--precision: found 'bf16', expected auto, float32, float16 or bfloat16 (did you mean bf",
        ),
        (["--metrics=fid50k_full,"], "--metrics: found 'fid50k_full,', expected names separated by commas, or none"),
        (
            ["--cfg=stylegan3-t", "--pl_weight=2", "--g_arch=orig", "--fp32=1", "--precision=float16"],
            "--pl_weight: found 2.0 with --cfg=stylegan3-t, expected it with --cfg=stylegan2 alone; --g_arch: found "
            "orig with --cfg=stylegan3-t, expected it with --cfg=stylegan2 alone; --precision: found float16",
        ),
        (
            ["--batch=8", "--cpu_devices=4", "--cbase=16"],
            "--batch: found 8, where micro-batches of 2 cannot be split into groups of 4 (--mbstd-group=4, the "
            "default), expected 16 or 32, or else --mbstd-group=2, --cpu_devices=2; --cbase: found 16, expected 32",
        ),
        (["--resume=nowhere"], "--resume: found 'nowhere', which does not exist, expected latest"),
    ],
)
def test_bad_values_name_the_option_as_typed(parse, words, message):
    with pytest.raises(ValueError) as error:
        parse(*words, *DRY)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_words_of_the_published_trainer_for_networks(parse):
    with pytest.raises(
        ValueError, match=r"--resume: found 'ffhq256', .*; networks have no names here: give the \.pkl file"
    ):
        parse("--resume=ffhq256", *DRY)


def test_all_that_cannot_be_used_is_in_one_line(parse):
    with pytest.raises(ValueError) as error:
        parse("--kimg=0", "--batch=x", "--gamma=-1", *DRY)
    assert str(error.value) == (
        "--kimg: found '0', expected a number above 0; --batch: found 'x', expected a whole number, 1 or more; "
        "--gamma: found '-1', expected a number, 0 or more"
    )


@pytest.mark.parametrize(
    "option", [option for option in OPTIONS if option.shown_default == "none"], ids=lambda o: o.key
)
@pytest.mark.parametrize("word", ["none", "None", ""])
def test_what_is_none_by_default_can_be_said_to_be(parse, option, word):
    """Scripts hand on variables; some of them are empty."""
    parsed = parse(f"--{option.name}={word}", "--metrics=none", *DRY)
    assert parsed.config == parse("--metrics=none", *DRY).config and parsed.resume is None and parsed.cluster is None
    assert (f"--{option.name} is empty, which is taken for --{option.name}=none" in parsed.notes) == (not word)


def test_nothing_to_resume(parse):
    for words in (["--resume=noresume"], ["--resume", "NONE"], ["--resume=latest", "--resume=none"]):
        parsed = parse(*words, *DRY)
        assert parsed.resume is None and parsed.config.resume is None
    assert parse("--resume=none", "--resume=latest", *DRY).resume is not None
    with pytest.raises(ValueError, match="--fork: found it alone"):
        parse("--fork", "--resume=none", *DRY)


def test_workers_share_the_batch(parse, monkeypatch):
    parsed = parse("--workers_hosts=a:1,b:1", "--worker_index=1", *DRY)
    assert parsed.cluster == Cluster(("a:1", "b:1"), 1)
    assert (parsed.config.cluster_size, parsed.config.num_replicas, parsed.config.batch_gpu) == (2, 2, 16)
    task = {"cluster": {"worker": ["a:1", "b:1", "c:1", "d:1"]}, "task": {"type": "worker", "index": 3}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(task))
    assert parse("--workers_hosts=a:1,b:1", *DRY).cluster == Cluster(("a:1", "b:1"), 0)
    parsed = parse(*DRY)
    assert parsed.cluster == Cluster(("a:1", "b:1", "c:1", "d:1"), 3) and parsed.config.batch_gpu == 8
    assert "TF_CONFIG names 4 workers, which share the run; this is number 3" in parsed.notes


def test_batch_gpu_may_be_left_to_the_program(parse):
    config = parse("--batch_gpu=auto", *DRY).config
    assert config.batch_gpu == 32 and config.batch_gpu_auto


def test_missing_required_options_are_all_named(parse):
    with pytest.raises(ValueError, match="--data, --gamma: found nothing, expected a value"):
        parse(required=[word for word in REQUIRED if not word.startswith(("--data", "--gamma"))])


def test_path_length_needs_two_images_only_where_it_is_used(parse):
    config = parse("--batch=1", "--mbstd-group=1", "--pl_weight=0", *DRY).config
    assert config.batch_gpu == 1 and config.loss.g_reg_interval == 4


def test_what_is_built_passes_in_a_real_run(parse):
    parsed = parse("--aug=noaug", "--freezed=3", "--batch-gpu=8", "--cond=1", "--mirror=1", "--fp32=1")
    assert not parsed.dry_run and parsed.resume is None
    assert parsed.config.discriminator.freeze_layers == 3


def test_a_network_to_start_from_passes_in_a_real_run(parse):
    for option in ("--resume_partial", "--graft"):
        parsed = parse("--resume=https://example.org/net.pkl", f"{option}=1")
        assert parsed.resume is None
        assert not any(option in note for note in parsed.notes)
        assert f"{option} has no effect without --resume=NETWORK" in parse(f"{option}=1").notes


def test_augmentation(parse):
    def augment(*words):
        return parse(*words).config.augment

    assert augment() == AugmentConfig(mode="ada")
    assert augment("--aug=fixed") == AugmentConfig(mode="fixed", p=0.2)
    words = ["--aug=ada", "--augpipe=bgcfnc", "--target=0.5", "--ada-interval=8", "--ada_kimg=50", "--p=0.7"]
    assert augment(*words) == AugmentConfig(mode="ada", pipe="bgcfnc", target=0.5, ada_interval=8, ada_kimg=50)
    assert augment("--aug=diffaug", "--diffaug=cutout,color") == AugmentConfig(
        mode="diffaug", p=1, diffaug=("color", "cutout")
    )


def test_mirrored_copies_both_ways(parse):
    dataset = parse("--mirror=1", "--mirrory=1").config.dataset
    assert dataset.num_images == 100 and dataset.num_items == 400
    assert parse("--mirrory=1").config.dataset.num_items == 200


def test_more_gpus_than_there_are(parse):
    words = ["--aug=noaug", "--gpus=8"]
    with pytest.raises(ValueError, match="--gpus: found 8, expected at most 2"):
        parse(*words, gpus_there=2)
    assert parse(*words, gpus_there=8).config.gpus == 8
    assert parse(*words, *DRY, gpus_there=2).config.num_replicas == 8


@pytest.mark.parametrize(
    "words, facts, part, there",
    [
        ([], {}, "metrics: none, since 100 images are fewer than the 1,000", True),
        ([], {"num_images": 1000}, "metrics: each snapshot is scored by kd5k", True),
        (["--metrics=none"], {}, "metrics", False),
        ([], {}, "--cond=1 trains on them", True),
        (["--cond=1"], {}, "--cond=1 trains on them", False),
        ([], {"has_labels": False}, "--cond=1 trains on them", False),
        ([], {"data_notes": ("2 classes have no images",)}, "2 classes have no images", True),
        (["--num_fp16_res=2"], {}, "--num_fp16_res has no effect in full precision", True),
        (["--num_fp16_res=2", "--gpus=1", "--fp32=1"], {}, "--num_fp16_res has no effect", True),
        (["--num_fp16_res=2", "--gpus=1"], {}, "--num_fp16_res has", False),
        (["--num_fp16_res=2", "--precision=auto"], {}, "--num_fp16_res has", False),
        (["--p=0.3"], {}, "--p has no effect without --aug=fixed", True),
        ([], {}, "--p has", False),
        (["--p=0.3", "--aug=fixed"], {}, "--p has", False),
        (["--ada-kimg=50", "--aug=fixed"], {}, "--ada-kimg has no effect without --aug=ada", True),
        (["--augpipe=bg", "--aug=noaug"], {}, "--augpipe has no effect without --aug=ada or fixed", True),
        (["--diffaug=color"], {}, "--diffaug has no effect without --aug=diffaug", True),
        (["--diffaug=color", "--aug=diffaug"], {}, "--diffaug has", False),
        (
            ["--g_fmaps=4:9,8:9,16:9,32:9"],
            {},
            "--g_fmaps: G and D have different channels now; in practice capac",
            True,
        ),
        (["--fmaps=4:9,8:9,16:9,32:9"], {}, "different channels", False),
        (["--nobench=1"], {}, "--nobench has no effect: TensorFlow chooses", True),
        ([], {}, "--nobench", False),
    ],
)
def test_notes(parse, words, facts, part, there):
    assert any(part in note for note in parse(*words, *DRY, **facts).notes) == there


def test_the_data_set_is_read_for_its_facts(flat_images):
    """With the real opener: fingerprint and notes of the data set, and its errors in terms of --data."""
    words = [word for word in REQUIRED if not word.startswith("--data")] + DRY
    parsed = parse_command_line([*words, f"--data={flat_images(8)}"])
    assert parsed.config.dataset.fingerprint.startswith("names:")
    assert not any("left out" in note for note in parsed.notes)
    (pathlib.Path(flat_images(16)) / "more.webp").write_bytes(b"")
    assert "left out (1 .webp); 2 images are used" in parse_command_line([*words, f"--data={flat_images(16)}"]).notes[0]
    with pytest.raises(ValueError, match=r"--data: .*160.png: found 4x4 pixels, expected 8x8, the nearest"):
        parse_command_line([*words, f"--data={flat_images(4)}"])


def test_which_rectangles_a_configuration_takes(flat_images):
    words = [word for word in REQUIRED if not word.startswith(("--data", "--cfg"))] + DRY
    large, odd = f"--data={flat_images(768, 512)}", f"--data={flat_images(1280, 720)}"
    assert parse_command_line([*words, "--cfg=stylegan2", large]).config.dataset.resolution == (512, 768)
    assert parse_command_line([*words, "--cfg=stylegan3-r", odd]).config.dataset.resolution == (720, 1280)
    with pytest.raises(ValueError, match=r"--data: .*160.png: found 1280x720 pixels, expected 1280x640 or 1280x768, "):
        parse_command_line([*words, "--cfg=stylegan2", odd])


def test_going_on_with_other_images_has_to_be_asked_for(parse, tmp_path):
    (tmp_path / "training_config.json").write_text("{}")
    assert not parse(f"--resume={tmp_path}", *DRY).resume.data_changed
    assert parse(f"--resume={tmp_path}", "--data-changed=accept", *DRY).resume.data_changed
    (note,) = [note for note in parse("--data_changed=accept", *DRY).notes if "data_changed" in note]
    assert note == "--data_changed has no effect without --resume of a run or checkpoint"


def test_outdir_is_no_file(parse, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ValueError, match="--outdir: found the file"):
        parse(f"--outdir={tmp_path / 'taken'}", *DRY)


def test_home_directory_is_expanded(parse, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    parsed = parse("--outdir=~/runs", "--data=~/x.zip", *DRY)
    assert parsed.config.run.outdir == str(tmp_path / "runs") and parsed.config.dataset.path == str(tmp_path / "x.zip")


def test_every_option_of_the_configuration_is_an_option():
    from sg_keras.config.options.fields import FIELD_OPTIONS

    assert {option.replace("-", "_") for option in FIELD_OPTIONS.values()} == set(BY_KEY) - {
        "dry_run",
        "worker_index",
        "fork",
        "data_changed",
        "restart",
        *OF_PLANS,
        "capacity",  # others follow from it
        "auto_gamma",
        "g_fmaps",  # its field is that of fmaps, too
        "d_fmaps",
        "recipe",
        "flagfile",
        "schedule",
        "schedule_scale",
        "plot_schedule",
    }
