# Installs a Node.js application's packages into the current folder, inside the build sandbox. Argument: `modules`
# (package.json and lock file only, the packages become the layer) or `application` (the bundle with its packages).
# Raise INSTALLER_VERSION in ../nodejs/layers.ts with any change here.
import os
import shutil
import subprocess
import sys

INPUTS = "/build/in"
BUNDLE = "/build/bundle"
WORK = "/tmp/app"


def npm(folder):
    locked = any(os.path.exists(os.path.join(folder, name)) for name in ("package-lock.json", "npm-shrinkwrap.json"))
    argv = ["npm", "ci" if locked else "install", "--omit=dev", "--no-audit", "--no-fund", "--cache=/tmp/npm-cache"]
    print("+ " + " ".join(argv), flush=True)
    status = subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL).returncode
    if status != 0:
        print("[build] command=" + " ".join(argv), flush=True)
        sys.exit(status)


def main(kind):
    if kind == "application":
        shutil.copytree(BUNDLE, ".", symlinks=True, dirs_exist_ok=True)
        npm(os.getcwd())
        return
    os.makedirs(WORK)
    for name in os.listdir(INPUTS):
        if name.startswith("app."):
            shutil.copyfile(os.path.join(INPUTS, name), os.path.join(WORK, name.removeprefix("app.")))
    npm(WORK)
    modules = os.path.join(WORK, "node_modules")
    if os.path.isdir(modules):
        shutil.copytree(modules, ".", symlinks=True, dirs_exist_ok=True)


main(sys.argv[1])
