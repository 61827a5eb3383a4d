"""Workers that share a run: what TF_CONFIG and --workers_hosts may say."""

import json

import pytest

from sg_keras.config import Cluster, cluster_of_tf_config

HOSTS = ["node1:12345", "node2:12345", "[fe80::1]:80"]


def tf_config(cluster, **task) -> str:
    return json.dumps({"cluster": cluster, "task": task})


def test_workers_of_tf_config():
    cluster = cluster_of_tf_config(tf_config({"worker": HOSTS}, type="worker", index=2))
    assert cluster == Cluster(tuple(HOSTS), 2) and not cluster.is_chief


def test_a_chief_of_tf_config_comes_first():
    tasks = {"chief": HOSTS[:1], "worker": HOSTS[1:]}
    assert cluster_of_tf_config(tf_config(tasks, type="chief", index=0)) == Cluster(tuple(HOSTS), 0)
    assert cluster_of_tf_config(tf_config(tasks, type="worker", index=0)) == Cluster(tuple(HOSTS), 1)
    assert cluster_of_tf_config(tf_config(tasks, type="chief", index=0)).is_chief


def test_one_machine_is_no_cluster():
    assert cluster_of_tf_config(tf_config({"worker": HOSTS[:1]}, type="worker", index=0)) is None
    assert cluster_of_tf_config("{}") is None


@pytest.mark.parametrize(
    "text, said",
    [
        ("node1:1,node2:1", "TF_CONFIG: found 'node1:1,node2:1', expected a JSON object with cluster and task"),
        ("[]", "TF_CONFIG: found '[]', expected a JSON object"),
        (
            tf_config({"worker": HOSTS, "ps": HOSTS}, type="worker", index=0),
            "TF_CONFIG: found tasks ps, expected chief",
        ),
        (tf_config({"worker": HOSTS}, type="evaluator", index=0), '"task": {"type": "worker", "index": N}'),
        (tf_config({"worker": HOSTS}, type="worker"), '"task": {"type": "worker", "index": N}'),
        (tf_config({"worker": HOSTS}, type="worker", index=3), "worker_index: found 3, expected 0 to 2"),
    ],
)
def test_unusable_tf_config(text, said):
    with pytest.raises(ValueError) as error:
        cluster_of_tf_config(text)
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("host", ["node1", "node1:", "node1:0", "node1:65536", "grpc://node1:1", "a b:1"])
def test_hosts_have_a_name_and_a_port(host):
    with pytest.raises(ValueError, match=r"workers_hosts: found .*, expected name:port such as node1:12345"):
        Cluster(("node0:1", host), 0)


def test_every_host_once():
    with pytest.raises(ValueError, match="workers_hosts: found a host twice"):
        Cluster(("a:1", "a:1"), 0)
