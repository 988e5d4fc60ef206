# Unpacks a source bundle into the current folder, inside the build sandbox. Argument: the zip file.
# The control plane judged the archive's directory already (bundle-entries.ts); this is the second look, at what is
# really unpacked. Raise UNPACKER_VERSION in ../bundle-layer.ts with any change here: it is in the layers' keys.
import os
import stat
import sys
import zipfile

BYTES_MAX = 2 * 1024**3
ENTRIES_MAX = 100_000
CHUNK = 1 << 20


def fail(sentence):
    print(sentence)
    sys.exit(1)


def name_of(info):
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def is_debris(path):
    return path.startswith("__MACOSX/") or os.path.basename(path) == ".DS_Store"


def check_name(path):
    names = path.rstrip("/").split("/")
    if path.startswith("/") or "\\" in path or "\0" in path or any(n in ("", ".", "..") for n in names):
        fail(f"The entry {path!r} leads out of the bundle.")


def make_folder(path):
    here = ""
    for name in path.split("/"):
        here = os.path.join(here, name)
        if os.path.islink(here) or (os.path.lexists(here) and not os.path.isdir(here)):
            fail(f"The entry {path!r} lies under something that is not a folder.")
        if not os.path.isdir(here):
            os.mkdir(here, 0o755)


def write_file(bundle, info, path, mode, budget):
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    # Everybody may read, as after AWS's own unpacking; executable bits stay as they were packed.
    with bundle.open(info) as source, os.fdopen(os.open(path, flags, 0o600), "wb") as out:
        while chunk := source.read(CHUNK):
            budget -= len(chunk)
            if budget < 0:
                fail("The bundle unpacks to more than 2 GB.")
            out.write(chunk)
        os.fchmod(out.fileno(), 0o755 if mode & 0o111 else 0o644)
    return budget


def make_link(bundle, info, path):
    if info.file_size > 4096:
        fail(f"The link {path!r} is too long.")
    target = bundle.read(info).decode("utf-8", "strict")
    names = target.split("/")
    while names and names[0] == "..":
        names.pop(0)
    resolved = os.path.normpath(os.path.join(os.path.dirname(path), target))
    if not target or target.startswith("/") or ".." in names or resolved.split("/")[0] == "..":
        fail(f"The link {path!r} leads out of the bundle (to {target!r}).")
    os.symlink(target, path)


def main(archive):
    budget = BYTES_MAX
    links = []
    with zipfile.ZipFile(archive) as bundle:
        infos = bundle.infolist()
        if len(infos) > ENTRIES_MAX:
            fail(f"The bundle holds {len(infos)} entries.")
        for info in infos:
            path = name_of(info)
            # The eb client writes the bundle itself as an entry.
            if path == "./" or is_debris(path):
                continue
            check_name(path)
            mode = info.external_attr >> 16 if info.create_system == 3 else 0
            if path.endswith("/"):
                make_folder(path.rstrip("/"))
                continue
            if "/" in path:
                make_folder(os.path.dirname(path))
            if stat.S_ISLNK(mode):
                links.append((info, path))
            elif stat.S_IFMT(mode) in (0, stat.S_IFREG):
                budget = write_file(bundle, info, path, mode, budget)
            else:
                fail(f"The entry {path!r} is neither a file, a folder nor a link.")
        # Last, so that nothing can be written through one.
        for info, path in links:
            make_link(bundle, info, path)
    if "--node-modules" in sys.argv[2:] and not os.path.lexists("node_modules"):
        # npm's packages are a layer of their own; programs look for them here.
        os.symlink("../node_modules", "node_modules")


try:
    main(sys.argv[1])
except (zipfile.BadZipFile, OSError, UnicodeError, NotImplementedError, RuntimeError, EOFError) as error:
    fail(f"The bundle cannot be unpacked: {error}")
