"""The table of plans beside runs, with neither."""

from benchmarks import plan_errors
from benchmarks.timed_run import Outcome


def test_row_of_the_table(monkeypatch):
    planned = {
        "time": [{"sec_per_kimg": 11.0}],
        "memory": {"process_bytes": 9e8},
        "measured": {"peak_bytes": 950_000_000},
    }
    seen = []
    monkeypatch.setattr(plan_errors, "plan", lambda words: seen.append(words) or planned)
    monkeypatch.setattr(plan_errors, "trained", lambda words, seconds: Outcome(10.0, 1_000_000_000, 0.25))
    row = plan_errors.compare("stylegan2 digits, classes, ADA", 5.0)
    assert row == "| stylegan2 digits, classes, ADA | 11.0 | 10.0 | +10.0% | 0.900 | 0.950 | 1.000 | -10.0% | 25% |"
    assert "--data=digits" in seen[0] and "--cond=1" in seen[0]


def test_what_goes_wrong_is_one_line(monkeypatch, capsys):
    def fail(words):
        raise ValueError("no memory")

    monkeypatch.setattr(plan_errors, "plan", fail)
    assert plan_errors.main(["--only=stylegan2 digits, classes, ADA"]) == 1
    assert capsys.readouterr().err == "Error: no memory\n"
