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
        os.symlink(f"../lib/node_modules/npm/bin/{name}-cli.js", f"bin/{name}")
        os.chmod(f"lib/node_modules/npm/bin/{name}-cli.js", 0o755)
