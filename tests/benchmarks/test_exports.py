"""benchmarks.exports."""

import pytest

from benchmarks import exports


@pytest.mark.long
def test_a_row_for_the_network_and_each_export(capsys):
    words = ["--cfg=stylegan2", "--resolution=16", "--cbase=64", "--cmax=8", "--formats=keras"]
    assert exports.main(words) == 0
    head, rule, *rows, load = capsys.readouterr().out.splitlines()
    assert [row.split(" | ")[:2] for row in rows] == [["| stylegan2 16", "this package"], ["| stylegan2 16", "keras"]]
    assert {row.count("|") for row in (head, rule, *rows)} == {10} and load.startswith("other load: ")
    assert rows[1].split(" | ")[2:6] == ["0e+00", "0e+00", "0e+00", "100.00%"]
