# Makes the virtual environment at its final place and installs into it, inside the build sandbox.
# Arguments: the environment's folder, the requirements file or '-', the bundle's folder or '-', gunicorn's requirement,
# and whether that is `required` or `optional`.
# Raise INSTALLER_VERSION in ../python/layers.ts with any change here: it is in the layers' keys.
import base64
import configparser
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

STAGING = "/tmp/staging"
PIP_CONF = "/build/in/pip.conf"


def run(*argv, cwd=None, optional=False):
    print("+ " + " ".join(argv), flush=True)
    status = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL).returncode
    if status != 0 and optional:
        print("The platform's own package is left out: the application is not known to need it.", flush=True)
    elif status != 0:
        tell_refusals()
        print("[build] command=" + " ".join(argv), flush=True)
        sys.exit(status)


def tell_refusals():
    # pip says of an index that refuses its credentials only that it has no such package.
    conf = configparser.ConfigParser(interpolation=None)
    conf.read(PIP_CONF)
    for key in ("index-url", "extra-index-url"):
        for url in conf.get("global", key, fallback="").split():
            code = status_of(urllib.parse.urlsplit(url))
            if code in (401, 403):
                print(f"{code} Error: the package index of pip's {key} refuses its credentials", flush=True)


def status_of(parts):
    request = urllib.request.Request(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
    if parts.username is not None:
        user = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        request.add_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return None


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


def main(venv, requirements, bundle, gunicorn, importance):
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
        run(*pip, "install", "--quiet", gunicorn, optional=importance == "optional")


main(*sys.argv[1:6])
