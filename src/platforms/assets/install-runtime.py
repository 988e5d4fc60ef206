# Lays Node.js and npm into the current folder, inside the build sandbox.
# Raise RUNTIME_VERSION in ../nodejs/layers.ts with any change here.
import os
import shutil

NPM = "/build/in/npm"

os.makedirs("bin")
shutil.copyfile("/build/in/node", "bin/node")
os.chmod("bin/node", 0o755)
if os.path.isdir(NPM):
    os.makedirs("lib/node_modules")
    shutil.copytree(NPM, "lib/node_modules/npm", ignore=shutil.ignore_patterns("docs", "man"))
    for name in ("npm", "npx"):
        os.chmod(f"lib/node_modules/npm/bin/{name}-cli.js", 0o755)
        if os.path.isdir(os.path.join(NPM, "node_modules/@npmcli/arborist")):
            os.symlink(f"../lib/node_modules/npm/bin/{name}-cli.js", f"bin/{name}")
            continue
        # Debian's npm has its own packages beside it, where only Debian's Node.js looks by itself.
        with open(f"bin/{name}", "w", encoding="utf-8") as file:
            program = f"/opt/nodejs/lib/node_modules/npm/bin/{name}-cli.js"
            file.write(f'#!/bin/sh\nNODE_PATH=/usr/share/nodejs exec /opt/nodejs/bin/node {program} "$@"\n')
        os.chmod(f"bin/{name}", 0o755)
