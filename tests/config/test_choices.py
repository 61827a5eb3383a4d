"""Words among which options and fields have the choice."""

from sg_keras.config.choices import one_of


def test_words_as_messages_list_them():
    assert one_of(("a", "b", "c")) == "a, b or c" and one_of(("a", "b")) == "a or b" and one_of(("a",)) == "a"
