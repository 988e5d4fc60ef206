# Makes the virtual environment at its final place and installs into it, inside the build sandbox.
# Arguments: the environment's folder, the requirements file or '-', the bundle's folder or '-', gunicorn's requirement.
# Raise INSTALLER_VERSION in ../python/layers.ts with any change here: it is in the layers' keys.
import os
import shutil
import subprocess
import sys

STAGING = "/tmp/staging"


def run(*argv, cwd=None):
    print("+ " + " ".join(argv), flush=True)
    status = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL).returncode
    if status != 0:
        print("[build] command=" + " ".join(argv), flush=True)
        sys.exit(status)


def rewrite(folder, old, new):
    # What an editable or path install wrote down is where the bundle stood while it was built.
    for parent, _, files in os.walk(folder):
        for name in files:
            is_finder = name.startswith("__editable__") and name.endswith(".py")
            if not (is_finder or name.endswith((".pth", ".egg-link", "direct_url.json"))):
                continue
            path = os.path.join(parent, name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            if old in text:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text.replace(old, new))


def main(venv, requirements, bundle, gunicorn):
    run(sys.executable, "-m", "venv", venv)
    python = os.path.join(venv, "bin", "python")
    pip = (python, "-m", "pip", "--no-input", "--disable-pip-version-check")
    if requirements != "-":
        cwd = None
        if bundle != "-":
            # pip writes beside the sources that it builds; the bundle's layer is read-only.
            shutil.copytree(bundle, STAGING, symlinks=True)
            cwd = STAGING
            if requirements.startswith(bundle + "/"):
                requirements = STAGING + requirements[len(bundle):]
        run(*pip, "install", "-r", requirements, cwd=cwd)
        if bundle != "-":
            rewrite(venv, STAGING, bundle)
    has_gunicorn = "import importlib.util, sys; sys.exit(importlib.util.find_spec('gunicorn') is None)"
    if subprocess.run((python, "-c", has_gunicorn)).returncode != 0:
        run(*pip, "install", "--quiet", gunicorn)


main(*sys.argv[1:5])
