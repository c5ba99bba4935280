"""The number of cores that a container grants."""

import os
from pathlib import Path

import pytest

from src.sentiment_analyzer.cpus import available

AFFINITY = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("100000 100000", 1), ("50000 100000", 1), ("max 100000", AFFINITY), ("6400000 100000", AFFINITY)],
)
def test_the_containers_cpu_quota_limits_the_cores(tmp_path: Path, quota: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(quota + "\n")
    assert available(tmp_path) == cores


def test_the_cpu_quota_of_cgroup_v1_limits_the_cores_too(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("100000\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert available(tmp_path) == 1


def test_without_a_quota_the_affinity_limits_the_cores(tmp_path: Path) -> None:
    assert available(tmp_path) == AFFINITY
