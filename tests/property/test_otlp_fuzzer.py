import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_three_seconds_of_fuzzing_find_nothing(data: Path, tmp_path: Path) -> None:
    captures = sorted(map(str, (data / "otlp").glob("*.binpb")))
    done = subprocess.run(
        [sys.executable, "-m", "bench.fuzz_otlp", "--seconds", "3", "--seed", "5", *captures],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ended = {line.split(maxsplit=1)[1] for line in done.stdout.splitlines()}
    assert {"protobuf accepted", "protobuf refused", "json accepted", "json refused"} <= ended
    assert not list(tmp_path.iterdir())
