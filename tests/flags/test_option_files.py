"""Options kept in files: flag files, recipes and schedules."""

import pytest

from sg_keras.config.sizes import ImageSize  # noqa: F401
from sg_keras.flags import parse_command_line
from sg_keras.flags.option_files import words_of_file

DIGITS = ["--outdir=out", "--data=digits", "--gpus=0", "--dry-run"]


def config(*words):
    return parse_command_line([*DIGITS, *words]).config


def test_a_flag_file_in_every_spelling(tmp_path):
    path = tmp_path / "mine.flags"
    path.write_text(
        "# my options\n\n--cfg=stylegan2\n"
        "batch-gpu 8\n  --batch = 16\ngamma='5; 2 from 10'\n--glr=cosine 2e-3..1e-3 over 5\n"
    )
    found = config(f"--flagfile={path}", "--batch=32")
    assert (found.batch, found.batch_gpu, found.loss.r1_gamma) == (32, 8, "5; 2 from 10")
    assert found.optimizer.g_lr == "cosine 0.002..0.001 over 5"
    assert [number for number, _ in words_of_file(path)] == [3, 4, 5, 6, 7]


def test_schedules_of_a_json_file(tmp_path):
    path = tmp_path / "schedules.json"
    path.write_text(
        '{"glr": "2e-3; 2e-4 from 10", "gamma": 5, "freeze": "g:mapping from 1 until 3", "num_fp16_res": "0; 4 from 8"}'
    )
    half = ["--precision=bfloat16"]
    found = config("--cfg=stylegan2", "--batch=8", f"--schedule={path}", "--dlr=1e-3", "--schedule_scale=0.5", *half)
    assert (found.optimizer.g_lr, found.optimizer.d_lr, found.loss.r1_gamma) == ("0.002; 0.0002 from 5", 1e-3, 5)
    assert (found.freeze, found.run.total_kimg) == ("g:mapping from 0.5kimg until 1.5kimg", 12500)
    assert found.generator.num_fp16_res == found.discriminator.num_fp16_res == "0; 4 from 4"
    assert found.ema_kimg == 2.5  # a half-life, no time of a schedule


def test_of_gamma_and_auto_gamma_the_nearer_one_counts(tmp_path):
    given, chosen = tmp_path / "given.flags", tmp_path / "chosen.flags"
    given.write_text("--cfg=stylegan2\n--batch=32\n--gamma=5\n")
    chosen.write_text("cfg stylegan2\nbatch 32\nauto-gamma\n")
    assert config(f"--flagfile={given}", "--auto_gamma").loss.r1_gamma == 0.0064
    assert config(f"--flagfile={given}", "--auto_gamma=0").loss.r1_gamma == 5
    assert config(f"--flagfile={chosen}").loss.r1_gamma == 0.0064
    assert config(f"--flagfile={chosen}", "--gamma=5").loss.r1_gamma == 5
    assert config("--recipe=few-shot", f"--flagfile={given}").loss.r1_gamma == 5
    given.write_text("--auto_gamma=1\n--gamma=5\n")
    with pytest.raises(ValueError, match=r"--auto_gamma: found it beside .*--gamma=5, expected one of the two"):
        config(f"--flagfile={given}", "--cfg=stylegan2", "--batch=32")


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("a.flags", "--cfg=stylegan2\n--colour=red", "a.flags, line 2: --colour: no such option"),
        (
            "a.flags",
            "--cfg=stylegan2\n\n--batch=many",
            r"a.flags, line 3: --batch: found 'many', expected a whole number",
        ),
        ("a.flags", "--flagfile=b", "a.flags, line 1: found --flagfile, expected options alone, no further files"),
        ("a.json", "glr", "found no JSON .*, expected an object of schedules such as"),
        ("a.json", "[1]", "found list, expected an object of schedules"),
        ("a.json", '{"batch": 3}', "found 'batch', expected some of ada_kimg, beta2, blur"),
        ("a.json", '{"glr": "fast"}', r"a.json: --glr: found 'fast', expected a number above 0"),
        ("a.json", '{"glr": "1 to 2"}', "a.json: --glr: found '1 to 2', expected a number, or a schedule such as"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    option = "flagfile" if name.endswith("flags") else "schedule"
    with pytest.raises(ValueError, match=message):
        config(f"--{option}={path}", "--gamma=1")


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(OSError, match=r"none\.flags"):
        config(f"--flagfile={tmp_path}/none.flags")
    with pytest.raises(ValueError, match=r"--recipe: found 'stylegan4', expected .*--recipe=list shows"):
        config("--recipe=stylegan4")


def test_channels_are_said_in_one_way_and_the_command_line_counts_more(tmp_path):
    (tmp_path / "table").write_text("fmaps=4:9,8:9,16:9,32:9\n")
    (tmp_path / "rule").write_text("capacity=l\ncmax=64\n")
    required = ("--cfg=stylegan2", "--batch=8", "--gamma=1")
    by_rule = config(f"--flagfile={tmp_path}/table", "--cbase=4096", *required)
    assert (by_rule.generator.fmaps, by_rule.generator.channel_base) == ("", 4096)
    by_table = config(f"--flagfile={tmp_path}/rule", "--fmaps=4:9,8:9,16:9,32:9", *required)
    assert by_table.discriminator.fmaps == "4:9,8:9,16:9,32:9" and by_table.discriminator.channel_max == 512
