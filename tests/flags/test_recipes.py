"""What recipes' files say of themselves."""

import pytest

from sg_keras.flags import list_requested, recipe_lines
from sg_keras.flags.option_files import recipe_names
from sg_keras.flags.recipes import Measured, read_recipe


def test_recipes_are_listed_with_what_they_are_for():
    assert list_requested(["--recipe", "list"]) and list_requested(["--recipe=list"])
    assert not list_requested(["--recipe=l", "list"])
    lines = list(recipe_lines())
    rows = [line.split() for line in lines if line.startswith("  ")]
    assert sorted(words[0] for words in rows) == recipe_names() and all(len(words) > 3 for words in rows)
    practice, published = lines.index("Practice recipes:"), lines.index("Published configurations:")
    of_practice = [words[0] for words in rows[: published - practice - 2]]
    assert of_practice == ["cifar10", "few-shot", "practice-l", "practice-xl", "practice-xxl", "small-gpu"]


def test_a_file_is_read(tmp_path):
    path = tmp_path / "mine.flags"
    comment = "# For cats\n# Source: me,\n# of late.\n#\n# Add --data.\n"
    path.write_text(f"{comment}--gamma=5; 2 from 10\n# not this\n--batch=4\n")
    recipe = read_recipe(path)
    assert (recipe.name, recipe.title, recipe.measured) == ("mine", "For cats", None)
    assert recipe.paragraphs == ("Source: me, of late.", "Add --data.")
    assert recipe.options == ("--gamma=5; 2 from 10", "--batch=4")
    figures = "# Published code: 1.5 s/kimg on V100, 1 s/kimg on A100, 3.0 GB per GPU\n"
    path.write_text(f"# For cats\n{figures}# Table 12: Cats\n--batch=4\n")
    assert read_recipe(path).measured == Measured("1.5", "1", "3.0", (12, "Cats"))
    path.write_text("--batch=4\n")
    with pytest.raises(ValueError, match=r"mine\.flags: found no comment in its first line, expected one that says"):
        read_recipe(path)
