"""``seakeeping check``: are these resource files right? Says where not, and what was meant."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from seakeeping.config import check_files
from seakeeping.errors import BadInput


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``check``."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="file or folder")


def run(args: argparse.Namespace) -> int:
    """Print the findings; return 1 if there are any."""
    for path in args.files:
        if not path.exists():
            raise BadInput("no such file or folder", place=str(path))
    findings = check_files(args.files)
    if args.json:
        print(json.dumps({"findings": [asdict(f) for f in findings]}))
    else:
        for finding in findings:
            print(finding)
        print(f"{len(findings)} findings in {len(args.files)} files")
    return 1 if findings else 0
