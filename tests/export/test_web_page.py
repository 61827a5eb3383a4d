"""Pages that show a generator's images, opened in a browser from disk."""

import base64
import http.server
import importlib.resources
import io
import json
import queue
import re
import shutil
import subprocess
import tarfile
import threading

import numpy as np
import pytest
from PIL import Image

from sg_keras.export import browser_runtime
from sg_keras.export.web_page import PageGenerator, export_web_page
from sg_keras.inference import generate, inverse_transform
from tests.tiny_generator import tiny_generator

TEMPLATE = (importlib.resources.files("sg_keras.export") / "data" / "web_page.html").read_text(encoding="utf-8")
PROGRAM, BINARY = "dist/ort.wasm.bundle.min.mjs", "dist/ort-wasm-simd-threaded.wasm"


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    """Folder of a package that runs nothing."""
    folder = tmp_path_factory.mktemp("package")
    for name, content in ((PROGRAM, b"// program"), (BINARY, b"\0asm")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_seeds_give_the_latents_of_numpy():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node")
    program = TEMPLATE.partition("// latents")[2].partition("// end of latents")[0]
    seeds = [0, 1, 3, 2**31, 2**32 - 1]
    script = f"// {program}\nconsole.log(JSON.stringify({seeds}.map((seed) => latent(seed, 701))))"
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True, timeout=60)
    expected = [np.random.RandomState(seed).randn(701) for seed in seeds]
    np.testing.assert_allclose(json.loads(done.stdout), expected, rtol=1e-15, atol=0)


# Tells the test what the page has drawn, when it has.
TELLS = """<script>new MutationObserver(() => {
const data = document.documentElement.dataset, text = document.querySelector("main").innerText;
fetch("@ADDRESS@", { method: "POST", mode: "no-cors", body: JSON.stringify({ ...data, text, file: save.href }) });
}).observe(document.documentElement, { attributes: true });</script></body>"""


class _Told(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def _opened(page, address, tmp_path):
    """The image that a page shows, by the file that it would save, and its text."""
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Told) as server:
        server.told = queue.Queue()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        text = page.read_text(encoding="utf-8").replace("</body>", TELLS)
        telling = page.with_name("telling.html")
        telling.write_text(text.replace("@ADDRESS@", f"http://127.0.0.1:{server.server_port}"), encoding="utf-8")
        output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        browser = subprocess.Popen([*words, f"{telling.as_uri()}#{address}"], **output)
        try:
            told = server.told.get(timeout=240)
        finally:
            browser.terminate()
            browser.wait(timeout=60)
            server.shutdown()
    assert told.get("error") is None and told["drawn"] == address
    file = base64.b64decode(told["file"].partition("base64,")[2])
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGBA")), told["text"]


@pytest.mark.parametrize("cfg", [pytest.param("stylegan2", marks=pytest.mark.long), "stylegan3-t"])
def test_a_browser_shows_the_images_of_seeds(cfg, tmp_path):
    if shutil.which("chromium") is None:
        pytest.skip("no chromium")
    try:
        browser_runtime.browser_runtime()
    except (OSError, ValueError) as error:
        pytest.skip(str(error))
    G = tiny_generator(c_dim=3, channels=3, cfg=cfg)
    page = export_web_page(G, tmp_path / "a page [1]", truncation_psi=0.5) / "index.html"
    assert not re.search("https?://", page.read_text(encoding="utf-8").partition('id="runtime"')[0])
    move = {"transform": inverse_transform((0.25, -0.1), 30)} if G.takes_transform else {}
    address = "seed=7&psi=0.7&class=2" + ("&rotate=30&x=0.25&y=-0.1" if move else "")
    found, text = _opened(page, address, tmp_path)
    (expected,) = generate(G, [7], [2], truncation_psi=0.7, **move)
    assert np.abs(found[..., :3].astype(int) - expected).max() <= 1 and (found[..., 3] == 255).all()
    assert f"{cfg} 16x16" in text and ("Rotate" in text) == bool(move) and "computed in this browser" in text


def test_what_is_on_a_page(runtime, tmp_path):
    G = tiny_generator(c_dim=3, channels=4)
    labels = {"a < b": np.array([1, 0, 0.5])}
    folder = export_web_page(G, tmp_path / "page", labels=labels, title="Cats & dogs", runtime=runtime)
    assert {path.name for path in folder.iterdir()} == {"index.html", "description.json"}
    text = (folder / "index.html").read_text(encoding="utf-8")
    facts = json.loads(re.search(r'id="data">(.*?)</script>', text).group(1))
    assert facts["labels"] == [[1.0, 0.0, 0.5]] and facts["label_names"] == ["a < b"]
    assert (facts["title"], facts["image"]["channels"]) == ("Cats & dogs", 4) and "@" not in text.partition("</main>")[
        2
    ]
    z, c = np.random.RandomState(5).randn(1, 8), np.eye(3)[:1]
    inputs = {"z": z.astype(np.float32), "c": c.astype(np.float32), "truncation_psi": np.array(1, np.float32)}
    (expected,) = generate(G, [5], [0])
    found = PageGenerator(folder / "index.html")("generate", inputs)["images_uint8"][0]
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_the_runtime_is_taken_from_folders_and_archives(runtime, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    with tarfile.open(tmp_path / "package.tgz", "w:gz") as archive:
        archive.add(runtime, "package")
    for place in (runtime, tmp_path / "package.tgz"):
        assert browser_runtime.browser_runtime(place).program == b"// program"
    for place in (tmp_path / "nothing", tmp_path / "empty", runtime / PROGRAM):
        with pytest.raises(ValueError, match=r"found no dist/ort.wasm.bundle.min.mjs and .*, expected the folder or"):
            browser_runtime.browser_runtime(place)
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(ValueError, match=r"web: found no npm, which brings onnxruntime-web@.*, expected it to be"):
        browser_runtime.browser_runtime()
    fake = tmp_path / "empty" / "npm"
    fake.write_text(f"#!/bin/sh\n/bin/cp {tmp_path / 'package.tgz'} .\necho x >> {tmp_path / 'calls'}\n")
    fake.chmod(0o755)
    for _ in range(2):
        assert browser_runtime.browser_runtime().binary == b"\0asm"
    assert (tmp_path / "calls").read_text() == "x\n"  # once, and kept
