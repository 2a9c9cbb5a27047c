"""Print the path of the Lambda Runtime Interface Emulator that the SAM CLI contains."""

import pathlib
import platform
import samcli

name = "aws-lambda-rie-arm64" if platform.machine() in ("arm64", "aarch64") else "aws-lambda-rie-x86_64"
found = sorted(pathlib.Path(samcli.__file__).parent.rglob(name))
if not found:
    raise SystemExit("the SAM CLI package has no " + name)
print(found[0])
