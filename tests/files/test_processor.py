"""What the system says of the processor."""

from sg_keras.files import processor


def test_facts_are_those_of_the_first_processor(monkeypatch, tmp_path):
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "cpuinfo")
    assert processor.processor_fact("flags") == "" and processor.processor_name()
    text = "processor\t: 0\nmodel name\t: One: fast\nflags\t\t: a b\n\nmodel name\t: Two\n"
    (tmp_path / "cpuinfo").write_text(text, encoding="utf-8")
    assert (processor.processor_name(), processor.processor_fact("flags")) == ("One: fast", "a b")
    assert processor.usable_cores() >= 1
