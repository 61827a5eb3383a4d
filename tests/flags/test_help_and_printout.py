"""What people read: --help and the resolved configuration."""

from sg_keras.flags import help_text, resolved_configuration
from sg_keras.flags.options import GROUPS, OPTIONS, REQUIRED


def test_help_shows_every_option_in_its_group_with_its_default():
    text = help_text()
    assert max(map(len, text.splitlines())) <= 100
    positions = [text.index(f"\n{group}:\n") for group in GROUPS]
    assert positions == sorted(positions)
    unwrapped = " ".join(text.split())
    for option in OPTIONS:
        assert f"--{option.name}" in text
        if option.group != REQUIRED:
            assert f"[default: {option.shown_default}]" in unwrapped, option.name
            assert option.shown_default not in ("None", "")


def test_printout_shows_every_field(parse):
    import dataclasses

    from sg_keras.config.options.fields import flatten

    parsed = parse(
        "--cfg=stylegan3-r",
        "--metrics=fid50k_full",
        "--resume=https://example.org/net.pkl",
        "--mirror=1",
        "--mirrory=1",
        "--gpus=8",
        "-n",
    )
    text = resolved_configuration(parsed)
    for field, _ in flatten(dataclasses.asdict(parsed.config)):
        assert f"  {field.rpartition('.')[2]} " in text, field
    assert "00000-stylegan3-r-images-gpus8-batch32-gamma1" in text
    assert "100, 400 with mirrored copies, 32x32, RGB, no labels" in text
    assert "32 = 8 GPUs x 1 round x 4 images" in text


def test_printout_of_rectangles(parse):
    text = resolved_configuration(parse("-n", resolution=(384, 640), channels=4))
    assert "100, 640x384, RGBA, no labels" in text and "  resolution              640x384\n" in text
    assert "D channels      10x6 512, 20x12 512, 40x24 512, 80x48 512, 160x96 512, 320x192 256, 640x384 128" in text


def test_printout_of_a_continuation(parse, tmp_path):
    (tmp_path / "training_config.json").write_text("{}")
    text = resolved_configuration(parse(f"--resume={tmp_path}@3", "-n"))
    assert f"continues       run_dir {tmp_path} at tick 3, to the same bits" in text
    assert "run directory" not in text


def test_printout_of_schedules(parse):
    freeze = "g:<=16px until 100; d:first2 from 50 until 900; g:mapping"
    words = ("--glr=2e-3; 1e-3 from 5", "--gamma=linear 4..2 over 10", "--precision=bfloat16", "--kimg=20")
    words += ("--num_fp16_res=0; 4 from 8", "--schedule_scale=0.1", "-n")
    table = resolved_configuration(parse(*words, f"--freeze={freeze}")).partition("Schedules (")[2].splitlines()[1:]
    assert [line.split(maxsplit=4) for line in table[:6]] == [
        ["kimg", "gamma", "glr", "num_fp16_res", "freeze"],
        ["0", "4", "0.002", "0", "g:<=16px, g:mapping"],
        ["0.5", "3", "0.001", "0", "g:<=16px, g:mapping"],
        ["0.8", "2.4", "0.001", "4", "g:<=16px, g:mapping"],
        ["1", "2", "0.001", "4", "g:<=16px, g:mapping"],
        ["2", "2", "0.001", "4", "g:<=16px, g:mapping"],
    ]
    table = resolved_configuration(parse("-n", f"--freeze={freeze}")).partition("Schedules (")[2].splitlines()[1:]
    assert [line.split(maxsplit=1) for line in table[:5]] == [
        ["kimg", "freeze"],
        ["0", "g:<=16px, g:mapping"],
        ["50", "g:<=16px, d:first2, g:mapping"],
        ["100", "d:first2, g:mapping"],
        ["900", "g:mapping"],
    ]
    assert "Schedules (" not in resolved_configuration(parse("-n", "--freeze=g:mapping", "--glr=1e-3"))
