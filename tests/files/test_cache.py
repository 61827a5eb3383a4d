"""Home directories, and the folder of copies on machines that have no usable one."""

import pathlib
import pwd

import pytest

from sg_keras.files.cache import cache_folder, expand_home, prepare_cache


@pytest.fixture
def nameless(monkeypatch):
    """A user without a home directory: HOME is not set, and the system's list does not know him."""
    for name in ("HOME", "XDG_CACHE_HOME", "SG_KERAS_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)


def test_home(monkeypatch):
    monkeypatch.setenv("HOME", "/there/")
    assert [expand_home(place) for place in ("~", "~/", "~/a/~", "a/~", "./~", "")] == [
        "/there",
        "/there/",
        "/there/a/~",
        "a/~",
        "./~",
        "",
    ]
    monkeypatch.setenv("HOME", "/")
    assert (expand_home("~"), expand_home("~/a")) == ("/", "/a")


@pytest.mark.parametrize("home", [None, ""])
def test_home_by_the_list_of_users(monkeypatch, home):
    monkeypatch.delenv("HOME", raising=False)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    monkeypatch.setattr(pwd, "getpwuid", lambda number: pwd.struct_passwd(("me", "x", 1, 1, "", "/listed", "")))
    assert expand_home("~/a") == "/listed/a"


def test_home_of_others(monkeypatch, tmp_path):
    entry = pwd.struct_passwd(("eve", "x", 1, 1, "", "/home/eve", ""))
    monkeypatch.setattr(pwd, "getpwnam", {"eve": entry}.__getitem__)
    monkeypatch.chdir(tmp_path)
    assert (expand_home("~eve"), expand_home("~eve/a")) == ("/home/eve", "/home/eve/a")
    pathlib.Path("~backup.zip").touch()
    assert expand_home("~backup.zip") == "~backup.zip"
    with pytest.raises(ValueError, match=r"found '~adam/runs', expected a user called adam, or \./~adam/runs"):
        expand_home("~adam/runs")


def test_no_home(nameless, monkeypatch):
    with pytest.raises(ValueError, match=r"found '~/runs', but neither the variable HOME .* expected HOME to be set"):
        expand_home("~/runs")
    with pytest.raises(ValueError, match=r"^SG_KERAS_CACHE: found nothing, and no home directory"):
        cache_folder()
    monkeypatch.setenv("SG_KERAS_CACHE", "/cache")
    assert cache_folder() == pathlib.Path("/cache")
    monkeypatch.setenv("SG_KERAS_CACHE", "~/cache")
    with pytest.raises(ValueError, match="SG_KERAS_CACHE: found '~/cache'"):
        cache_folder()


def test_cache_folder(monkeypatch):
    monkeypatch.delenv("SG_KERAS_CACHE", raising=False)
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_folder() == pathlib.Path("/caches/sg_keras")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == pathlib.Path("/home/me/.cache/sg_keras")


def test_a_home_that_is_a_file_names_the_way_round(tmp_path):
    (tmp_path / "home").touch()
    folder = tmp_path / "home" / ".cache" / "sg_keras"
    with pytest.raises(OSError, match=r"found that no files can be kept there \(Not a directory\).* SG_KERAS_CACHE"):
        prepare_cache(folder)


def test_a_cache_that_became_read_only_names_the_way_round(tmp_path, monkeypatch):
    def refuse(**options):
        raise PermissionError(30, "Read-only file system", str(options["dir"]))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(OSError, match=r"\(Read-only file system\).* SG_KERAS_CACHE names another$"):
        prepare_cache(tmp_path)
